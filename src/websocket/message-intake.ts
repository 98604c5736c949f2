import { FREE_BYTES, type IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { Limits } from "../limits/limits.ts";
import { TURN_IS_OVER, TURN_STEPS } from "../limits/turns.ts";
import { MESSAGE, MessageReader, NEED_BYTES, type Signal } from "../protocol/websocket/message-reader.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import { describeRead } from "./describe-frame.ts";
import type { HandshakeResult } from "./handshake-result.ts";

/** The receiving half of a WebSocket: messages from bytes, their work and the memory of incomplete ones counted. */
export class MessageIntake {
  readonly reader: MessageReader;
  private readonly incompleteBytes: IncompleteBytes;
  /** Work is counted in KiB, or in 4 KiB where bytes have only to be unmasked. */
  private readonly stepShift: number;
  /** Work since the connection last waited for its turn. */
  steps = 0;
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

  receive(bytes: Buffer, start: number, end: number): void {
    this.steps += (end - start) >>> this.stepShift;
    this.reader.receive(bytes, start, end);
  }

  /**
   * Looks for the next message or control frame.
   * @param connection only for the debug log
   */
  next(connection: object): Signal | typeof TURN_IS_OVER {
    const { reader } = this;
    if (this.steps >= TURN_STEPS) {
      this.steps = 0;
      return TURN_IS_OVER;
    }
    const signal = reader.next();
    if (signal === NEED_BYTES) return signal;
    this.steps++;
    if (signal === MESSAGE) this.steps += reader.data.length >>> this.stepShift;
    if (webSocketLog !== undefined) webSocketLog(connection, describeRead(signal, reader));
    return signal;
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
