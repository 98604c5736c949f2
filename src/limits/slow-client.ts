import type { Transport } from "../transport/transport.ts";
import type { DeadlineTimer } from "./deadline-timer.ts";
import type { Limits } from "./limits.ts";

/** What is asked of a transport. */
interface Output {
  /** Bytes that the client has not taken. */
  readonly pendingBytes: number;
  /** Stays the same while the client takes nothing. */
  readonly progressMark: number;
}

/** Notices, tick by tick, a client that takes nothing of what waits for it. */
export class WriteStallDetector {
  private mark = -1;
  private deadline = 0;

  /** Whether something has been pending for so long without the client taking any of it. */
  isStalled(output: Output, timer: DeadlineTimer, timeoutMs: number): boolean {
    if (output.pendingBytes === 0) {
      this.mark = -1;
      return false;
    }
    const mark = output.progressMark;
    if (mark === this.mark) return timer.tick > this.deadline;
    this.mark = mark;
    this.deadline = timer.after(timeoutMs);
    return false;
  }
}

/** Whether a client must take responses before its next request is read: one that does not read gets no further. */
export function isCongested(transport: Transport, { writeHighWaterBytes }: Limits): boolean {
  if (transport.bufferedBytes <= writeHighWaterBytes) return false;
  transport.flush();
  return transport.pendingBytes > writeHighWaterBytes;
}
