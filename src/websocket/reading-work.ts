import { FREE_BYTES, type IncompleteBytes } from "../limits/incomplete-bytes.ts";
import { TURN_STEPS } from "../limits/turns.ts";
import { MESSAGE, type MessageReader, type Signal } from "../protocol/websocket/message-reader.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import { describeRead } from "./describe-frame.ts";

/** Counts what reading a WebSocket takes: the work of this turn, and the memory of an incomplete message. */
export class ReadingWork {
  private readonly incompleteBytes: IncompleteBytes;
  /** Work is counted in KiB, or in 4 KiB where bytes have only to be unmasked. */
  private readonly stepShift: number;
  private steps = 0;
  private counted = 0;

  constructor(incompleteBytes: IncompleteBytes, isCompressed: boolean) {
    this.incompleteBytes = incompleteBytes;
    this.stepShift = isCompressed ? 10 : 12;
  }

  /** Bytes have arrived. */
  addBytes(count: number): void {
    this.steps += count >>> this.stepShift;
  }

  /**
   * A reader has found something.
   * @param connection only for the debug log
   */
  add(signal: Signal, reader: MessageReader, connection: object): void {
    this.steps++;
    if (signal === MESSAGE) this.steps += reader.data.length >>> this.stepShift;
    if (webSocketLog !== undefined) webSocketLog(connection, describeRead(signal, reader));
  }

  /** Whether this turn's work is done. Then the next one begins. */
  takeTurnIsOver(): boolean {
    if (this.steps < TURN_STEPS) return false;
    this.steps = 0;
    return true;
  }

  /**
   * @param bytes the memory of an incomplete message now
   * @returns whether all connections together stay below their limit
   */
  hold(bytes: number): boolean {
    const change = bytes - this.counted;
    if (change === 0) return true;
    this.counted = bytes;
    return this.incompleteBytes.change(change) || bytes <= FREE_BYTES;
  }
}
