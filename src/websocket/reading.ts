import { FREE_BYTES, type IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { Limits } from "../limits/limits.ts";
import { TURN_STEPS } from "../limits/turns.ts";
import { MESSAGE, MessageReader, type Signal } from "../protocol/websocket/message-reader.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import { describeRead } from "./describe-frame.ts";
import type { HandshakeResult } from "./handshake-result.ts";

/** What reads the messages of a WebSocket, with the work of this turn and the memory of an incomplete message. */
export class Reading {
  readonly reader: MessageReader;
  /** Work since the connection last waited for its turn. */
  steps = 0;
  private readonly incompleteBytes: IncompleteBytes;
  /** Work is counted in KiB, or in 4 KiB where bytes have only to be unmasked. */
  private readonly stepShift: number;
  private counted = 0;

  constructor(limits: Limits, incompleteBytes: IncompleteBytes, agreement: HandshakeResult) {
    const { maxMessageBytes, role, inflater, lent } = agreement;
    this.incompleteBytes = incompleteBytes;
    this.stepShift = inflater === undefined ? 12 : 10;
    this.reader = new MessageReader({
      role,
      limits: maxMessageBytes === undefined ? limits : { maxMessageBytes },
      owned: !lent,
      inflate: inflater,
    });
  }

  /** Whether nothing of a connection is here, so that another one can use it. */
  get isAtRest(): boolean {
    return this.counted === 0 && this.reader.isAtRest;
  }

  /** Bytes have arrived. */
  addBytes(count: number): void {
    this.steps += count >>> this.stepShift;
  }

  /**
   * The reader has found something.
   * @param connection only for the debug log
   */
  addFound(signal: Signal, connection: object): void {
    this.steps++;
    if (signal === MESSAGE) this.steps += this.reader.data.length >>> this.stepShift;
    if (webSocketLog !== undefined) webSocketLog(connection, describeRead(signal, this.reader));
  }

  /** Whether this turn's work is done. Then that of the next begins. */
  takeTurnIsOver(): boolean {
    if (this.steps < TURN_STEPS) return false;
    this.steps = 0;
    return true;
  }

  /**
   * Counts the memory of an incomplete message.
   * @returns whether all connections together stay below their limit
   */
  countIncomplete(): boolean {
    return this.count(this.reader.heldBytes);
  }

  /** Nothing more is read: no message is incomplete any more. */
  end(): void {
    this.count(0);
  }

  private count(bytes: number): boolean {
    const change = bytes - this.counted;
    if (change === 0) return true;
    this.counted = bytes;
    return this.incompleteBytes.change(change) || bytes <= FREE_BYTES;
  }
}
