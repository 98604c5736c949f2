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

/** Notices, tick by tick, a client that takes nothing of what waits for it. Nothing waits for most clients: they need none. */
export class WriteStallDetector {
  private mark = -1;
  private deadline = 0;

  /** Returns the one to ask in this tick; undefined while nothing is pending. */
  static for(output: Output, former: WriteStallDetector | undefined): WriteStallDetector | undefined {
    return output.pendingBytes === 0 ? undefined : (former ?? new WriteStallDetector());
  }

  /** Whether what is pending has been so for so long without the client taking any of it. */
  isStalled(output: Output, timer: DeadlineTimer, timeoutMs: number): boolean {
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
