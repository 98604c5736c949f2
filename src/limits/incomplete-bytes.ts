import type { Counters } from "./counters.ts";
import type { Limits } from "./limits.ts";

/** The size up to which an incomplete message or body is always kept, in bytes. */
export const FREE_BYTES = 65_536;

/** Counts the bytes of all incomplete messages and request bodies of a server. */
export class IncompleteBytes {
  private readonly limits: Limits;
  private readonly counters: Counters;

  constructor(limits: Limits, counters: Counters) {
    this.limits = limits;
    this.counters = counters;
  }

  /**
   * Counts a change of one message or body.
   * @param change in bytes
   * @returns whether all together are within the limit
   */
  change(change: number): boolean {
    this.counters.incompleteBytes += change;
    return change < 0 || this.counters.incompleteBytes <= this.limits.maxTotalIncompleteBytes;
  }
}
