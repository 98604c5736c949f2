import type { Counters } from "./counters.ts";
import type { Limits } from "./limits.ts";

/** Up to this size an incomplete message or body is kept, whatever the others hold. */
export const FREE_BYTES = 65_536;

/** What the incomplete messages and request bodies of all connections of a server hold together. */
export class IncompleteBytes {
  private readonly limits: Limits;
  private readonly counters: Counters;

  constructor(limits: Limits, counters: Counters) {
    this.limits = limits;
    this.counters = counters;
  }

  /**
   * Counts that one of them holds more, or fewer, bytes.
   * @param change in bytes
   * @returns whether all together hold no more than they may
   */
  change(change: number): boolean {
    this.counters.incompleteBytes += change;
    return change < 0 || this.counters.incompleteBytes <= this.limits.maxTotalIncompleteBytes;
  }
}
