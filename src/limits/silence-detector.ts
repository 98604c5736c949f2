import type { DeadlineTimer } from "./deadline-timer.ts";

/**
 * Notices, tick by tick, a connection without input: the other side has nothing to send, is not read from, or has
 * disconnected.
 */
export class SilenceDetector {
  private mark = -1;
  private deadline = 0;

  /**
   * @param input what is looked at
   * @param timeoutMs how long nothing comes before it counts as silent, each time again
   */
  isSilent(input: { readonly bytesReceived: number }, timer: DeadlineTimer, timeoutMs: number): boolean {
    const mark = input.bytesReceived;
    if (mark === this.mark && timer.tick <= this.deadline) return false;
    const isSame = mark === this.mark;
    this.mark = mark;
    this.deadline = timer.after(timeoutMs);
    return isSame;
  }
}
