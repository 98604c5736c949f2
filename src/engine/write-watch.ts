import type { Transport } from "../transport/transport.ts";
import type { Ticker } from "./ticker.ts";

/** Watches, tick by tick, whether a peer takes anything of what waits for it. */
export class WriteWatch {
  private mark = -1;
  private deadline = 0;

  /** Whether something has been pending for so long of which the peer took nothing. */
  isStalled(transport: Transport, ticker: Ticker, timeoutMs: number): boolean {
    if (transport.pendingBytes === 0) {
      this.mark = -1;
      return false;
    }
    const mark = transport.progressMark;
    if (mark === this.mark) return ticker.tick > this.deadline;
    this.mark = mark;
    this.deadline = ticker.after(timeoutMs);
    return false;
  }
}
