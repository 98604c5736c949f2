import { Buffer } from "node:buffer";
import { NO_BYTES } from "../../bytes/no-bytes.ts";
import { partOf } from "../../node/fast-buffers.ts";
import { NO_STATUS_RECEIVED } from "./close-codes.ts";
import { parseClosePayload } from "./close-payload.ts";
import { FrameHeader, ownPayload } from "./frame.ts";
import { applyMask } from "./mask.ts";
import { MessageBuffer } from "./message-buffer.ts";
import type { MessageInflater } from "./message-inflater.ts";
import type { MessageLimits, MessageReaderOptions } from "./message-reader-options.ts";
import { BINARY, CLOSE_FRAME, CONTINUATION, PING_FRAME, TEXT } from "./opcodes.ts";
import { isText } from "./utf8.ts";
import { WebSocketError } from "./websocket-error.ts";

// Bytes to messages, pulled. RFC 6455 §5, §6.2.
// state    input                                     signal             next state
// header   part of a header                          NEED_BYTES         header (part kept in 14 bytes)
// header   data frame, whole, a message by itself    MESSAGE            header
// header   any other data frame                      -                  payload
// header   control frame, not whole                  -                  control
// header   ping / pong, whole                        PING / PONG        header
// header   close, whole                              CLOSE              closed
// header   broken rule, or beyond the limit          FAILED             failed
// payload  part of the payload                       NEED_BYTES         payload (part kept in the message)
// payload  rest of the payload, no FIN               FRAGMENT           header
// payload  rest of the payload, FIN                  MESSAGE            header
// payload  a byte that cannot be UTF-8, in text      FAILED             failed
// any      data frames, after discardMessages        FRAGMENT           header (nothing is kept)
// any      whole, but not UTF-8 or not deflate       FAILED             failed
// control  part of the payload                       NEED_BYTES         control (part kept, <= 125 bytes)
// control  rest of the payload                       PING, PONG, CLOSE  header or closed
// closed   anything (§1.4: ignored)                  NEED_BYTES         closed
// failed   anything                                  FAILED             failed
type State = "header" | "payload" | "control" | "closed" | "failed";

/** What `next` has found. */
export const NEED_BYTES = 0;
export const MESSAGE = 1;
export const PING = 2;
export const PONG = 3;
export const CLOSE = 4;
export const FAILED = 5;
/** A frame has ended and its message has not: nothing to do, but a caller can count what it costs. */
export const FRAGMENT = 6;
export type Signal = 0 | 1 | 2 | 3 | 4 | 5 | 6;
const AGAIN = -1; // the state has changed: look at the input again
type Step = Signal | typeof AGAIN;

/**
 * Reads WebSocket messages from bytes, without I/O. Pass bytes to `receive`, then call `next` until it returns NEED_BYTES: everything is consumed then, and the caller
 * can reuse the bytes. `next` never throws, whatever the other side sends.
 */
export class MessageReader {
  /** Payload after MESSAGE, PING and PONG; valid until the next call of `next`. */
  data: Buffer = NO_BYTES;
  /** Whether `data` lies in the bytes given to `receive`. Otherwise it is a separate buffer, free to keep. */
  isBorrowed = false;
  /** After MESSAGE: binary rather than text. Text has been validated as UTF-8. */
  binary = false;
  /** After CLOSE: the received code, 1005 if there was none. RFC 6455 §7.1.5. */
  closeCode: number = NO_STATUS_RECEIVED;
  /** After CLOSE: the received reason. RFC 6455 §7.1.6. */
  closeReason = "";
  /** After FAILED: the rule that was broken, with the code for the close frame. */
  error: WebSocketError | null = null;
  readonly #limits: MessageLimits;
  readonly #masked: boolean;
  readonly #owned: boolean;
  readonly #header: FrameHeader;
  readonly #inflater: MessageInflater | undefined;
  /** Made for the first message that does not come whole. */
  #message: MessageBuffer | undefined;
  #state: State = "header";
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  #discards = false;
  #frameRead = 0;
  #control: Buffer = NO_BYTES;

  constructor(options: MessageReaderOptions) {
    this.#limits = options.limits;
    this.#masked = options.role === "server";
    this.#owned = options.owned ?? false;
    this.#header = new FrameHeader({ masked: this.#masked, deflate: options.inflate !== undefined });
    this.#inflater = options.inflate;
  }

  get isAtRest(): boolean {
    return this.#state === "header" && this.#at === this.#end && !this.#discards && this.#header.isAtRest;
  }

  /** Bytes of memory held: a message that is not complete, and input that is not consumed. */
  get heldBytes(): number {
    return (this.#message?.heldBytes ?? 0) + this.#control.length + this.#end - this.#at;
  }

  /**
   * Adds `bytes[start..end)`, which must not change until `next` returns NEED_BYTES or FAILED, or until `release`. They
   * are unmasked in place.
   */
  receive(bytes: Buffer, start: number, end: number): void {
    if (this.#state === "closed" || this.#state === "failed") return;
    if (this.#at < this.#end) {
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at, this.#end), bytes.subarray(start, end)]);
      this.#at = 0;
      this.#end = this.#bytes.length;
      return;
    }
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** From here on messages are skipped without being looked at, up to the close frame. RFC 6455 §5.5.1 allows it. */
  discardMessages(): void {
    this.#discards = true;
    this.#message?.clear();
  }

  /** For a caller that stops before NEED_BYTES: copies what is left. The caller can reuse the bytes that it gave. */
  release(): void {
    if (this.#at === this.#end) return;
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#at, this.#end));
    this.#end -= this.#at;
    this.#at = 0;
  }

  /** Returns the next event: see the table at the head of this file. */
  next(): Signal {
    for (;;) {
      const step = this.#step();
      if (step !== AGAIN) return step;
    }
  }

  get #messageBuffer(): MessageBuffer {
    this.#message ??= new MessageBuffer(this.#inflater);
    return this.#message;
  }

  #step(): Step {
    switch (this.#state) {
      case "header":
        return this.#readHeader();
      case "payload":
        return this.#readPayload();
      case "control":
        return this.#readControl();
      case "closed":
        return this.#needBytes();
      case "failed":
        return FAILED;
    }
  }

  #readHeader(): Step {
    const header = this.#header;
    const size = header.read(this.#bytes, this.#at, this.#end - this.#at);
    if (size === 0) return this.#needBytes();
    if (size < 0) return this.#fail(header.error);
    this.#at += size;
    this.#frameRead = 0;
    return header.opcode >= CLOSE_FRAME ? this.#startControl() : this.#startData();
  }

  #startData(): Step {
    const header = this.#header;
    const length = header.length;
    if (this.#discards) {
      this.#state = "payload";
      return AGAIN;
    }
    const isFirst = header.opcode !== CONTINUATION;
    const isWhole = isFirst && header.fin && length <= this.#end - this.#at;
    if (isWhole && !header.compressed) return this.#readWhole(length);
    const message = this.#messageBuffer;
    if (isFirst) message.begin(header.opcode, header.compressed, this.#limits.maxMessageBytes);
    // §10.4: refused when it is announced, before it is received.
    if (!message.hasRoom(length)) return this.#fail(new WebSocketError("WS_MESSAGE_TOO_LARGE"));
    if (isWhole) return this.#deliverOwn(message.inflate(this.#takeWhole(length)));
    this.#state = "payload";
    return AGAIN;
  }

  /** Nearly all messages are one whole frame, not compressed: they are delivered where they lie. */
  #readWhole(length: number): Signal {
    const { opcode } = this.#header;
    if (length > this.#limits.maxMessageBytes) return this.#fail(new WebSocketError("WS_MESSAGE_TOO_LARGE"));
    const data = this.#owned ? this.#copyWhole(length) : this.#takeWhole(length);
    if (opcode === TEXT && !isText(data)) return this.#fail(new WebSocketError("WS_INVALID_UTF8"));
    return this.#deliver(data, opcode, length > 0 && !this.#owned);
  }

  /** Unmasks a complete payload in place, and returns it. */
  #takeWhole(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (length === 0) return NO_BYTES;
    if (this.#masked) applyMask(this.#bytes, start, this.#at, this.#header.maskKey, 0);
    return partOf(this.#bytes, start, this.#at);
  }

  /** The same as a copy. */
  #copyWhole(length: number): Buffer {
    this.#at += length;
    return ownPayload(this.#bytes, this.#at - length, this.#at, this.#header.maskKey);
  }

  #readPayload(): Step {
    const header = this.#header;
    const rest = header.length - this.#frameRead;
    const count = Math.min(rest, this.#end - this.#at);
    const start = this.#at;
    const end = start + count;
    if (count > 0 && !this.#discards) {
      if (this.#masked) applyMask(this.#bytes, start, end, header.maskKey, this.#frameRead);
      const message = this.#messageBuffer;
      if (!message.append(this.#bytes, start, end, rest, header.fin)) return this.#fail(message.error);
    }
    this.#at = end;
    this.#frameRead += count;
    if (count < rest) return this.#needBytes();
    this.#state = "header";
    return header.fin && !this.#discards ? this.#deliverOwn(this.#messageBuffer.finish()) : FRAGMENT;
  }

  #deliverOwn(data: Buffer | null): Signal {
    const { error, opcode } = this.#messageBuffer;
    return data === null ? this.#fail(error) : this.#deliver(data, opcode, false);
  }

  #deliver(data: Buffer, opcode: number, isBorrowed: boolean): Signal {
    this.data = data;
    this.isBorrowed = isBorrowed;
    this.binary = opcode === BINARY;
    return MESSAGE;
  }

  #startControl(): Step {
    const length = this.#header.length;
    if (length <= this.#end - this.#at) return this.#deliverControl(this.#takeWhole(length), length > 0);
    this.#control = Buffer.allocUnsafe(length);
    this.#state = "control";
    return AGAIN;
  }

  #readControl(): Step {
    const control = this.#control;
    const count = Math.min(control.length - this.#frameRead, this.#end - this.#at);
    this.#bytes.copy(control, this.#frameRead, this.#at, this.#at + count);
    this.#at += count;
    this.#frameRead += count;
    if (this.#frameRead < control.length) return this.#needBytes();
    if (this.#masked) applyMask(control, 0, control.length, this.#header.maskKey, 0);
    this.#control = NO_BYTES;
    this.#state = "header";
    return this.#deliverControl(control, false);
  }

  #deliverControl(data: Buffer, isBorrowed: boolean): Signal {
    const opcode = this.#header.opcode;
    if (opcode === CLOSE_FRAME) return this.#close(data);
    this.data = data;
    this.isBorrowed = isBorrowed;
    return opcode === PING_FRAME ? PING : PONG;
  }

  #close(payload: Buffer): Signal {
    const close = parseClosePayload(payload);
    if (typeof close === "string") return this.#fail(new WebSocketError(close));
    this.closeCode = close.code;
    this.closeReason = close.reason;
    this.#stop("closed");
    return CLOSE;
  }

  #needBytes(): Signal {
    this.#bytes = NO_BYTES;
    this.#at = this.#end = 0;
    // A connection that waits must not keep its last message alive.
    this.data = NO_BYTES;
    return NEED_BYTES;
  }

  #fail(error: WebSocketError | null): Signal {
    this.error = error;
    this.#stop("failed");
    return FAILED;
  }

  /** Releases all memory. Nothing is read after that. */
  #stop(state: "closed" | "failed"): void {
    this.#state = state;
    this.#message?.clear();
    this.#control = NO_BYTES;
    this.isBorrowed = false;
    this.#needBytes();
  }
}
