import { Buffer } from "node:buffer";
import { messageMemory } from "../bytes/message-memory.ts";
import { Assembly } from "./assembly.ts";
import { NO_STATUS_RECEIVED } from "./close-codes.ts";
import { parseClosePayload } from "./close-payload.ts";
import { FrameHeader } from "./frame-header.ts";
import { applyMask } from "./mask.ts";
import type { MessageInflater } from "./message-inflater.ts";
import { BINARY, CLOSE_FRAME, CONTINUATION, PING_FRAME, TEXT } from "./opcodes.ts";
import { isText, Utf8Validator } from "./utf8.ts";
import { WebSocketError, type WebSocketErrorCode } from "./websocket-error.ts";

// Bytes to messages, pulled. RFC 6455 §5, §6.2. `open`: a fragmented message is under way (§5.4).
//
// state    input                                     signal             next state
// -------  ----------------------------------------  -----------------  ----------------------------
// header   part of a header                          NEED_BYTES         header (part kept in 14 bytes)
// header   data frame, whole, FIN, not open          MESSAGE            header
// header   any other data frame                      -                  payload
// header   control frame, not whole                  -                  control
// header   ping / pong, whole                        PING / PONG        header
// header   close, whole                              CLOSE              closed
// header   broken rule, or beyond the limit          FAILED             failed
// payload  part of the payload                       NEED_BYTES         payload (part in the assembly)
// payload  rest of the payload, no FIN               FRAGMENT           header, open
// payload  rest of the payload, FIN                  MESSAGE            header, not open
// payload  a byte that cannot be UTF-8, in text      FAILED             failed
// any      data frames, after discardMessages        FRAGMENT           header (nothing is kept, unmasked or inflated)
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

// The state has changed: look at the input again.
const AGAIN = -1;
type Step = Signal | typeof AGAIN;

const NOTHING: Buffer = Buffer.alloc(0);

export interface MessageLimits {
  /** Largest message in bytes, over all fragments and after inflating. Read whenever a message starts. */
  maxMessageBytes: number;
}

export interface MessageReaderOptions {
  /** Which side reads: a server demands masked frames, a client refuses them. RFC 6455 §5.1. */
  role: "server" | "client";
  limits: MessageLimits;
  /** Present when permessage-deflate was negotiated. The caller closes it. */
  inflate?: MessageInflater | undefined;
}

/**
 * Reads WebSocket messages from bytes, without I/O.
 *
 * Lend bytes with `receive`, then call `next` until it answers NEED_BYTES: everything is consumed then and the
 * bytes are the caller's again. `next` never throws for anything that the peer sends.
 */
export class MessageReader {
  /** Payload after MESSAGE, PING and PONG; valid until the next call of `next`. */
  data: Buffer = NOTHING;
  /** True: `data` lies in the bytes given to `receive`. False: it is a buffer of its own, free to keep or to lend. */
  shared = false;
  /** After MESSAGE: binary rather than text. Text has been validated as UTF-8. */
  binary = false;
  /** After CLOSE: the peer's code, 1005 when there was none. RFC 6455 §7.1.5. */
  closeCode: number = NO_STATUS_RECEIVED;
  /** After CLOSE: the peer's reason. RFC 6455 §7.1.6. */
  closeReason = "";
  /** After FAILED: the rule that was broken, with the code for the close frame. */
  error: WebSocketError | null = null;

  readonly #limits: MessageLimits;
  readonly #masked: boolean;
  readonly #inflate: MessageInflater | undefined;
  readonly #header: FrameHeader;

  #state: State = "header";
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;

  // The message under way.
  #open = false;
  #discards = false;
  #opcode: number = BINARY;
  #compressed = false;
  #limit = 0;
  #wireLimit = 0;
  readonly #assembly: Assembly = new Assembly();
  /** Made for the first text that does not come in one piece. */
  #utf8: Utf8Validator | undefined;

  // The frame under way, in the states payload and control.
  #frameRead = 0;
  #control: Buffer = NOTHING;

  constructor(options: MessageReaderOptions) {
    this.#limits = options.limits;
    this.#masked = options.role === "server";
    this.#inflate = options.inflate;
    this.#header = new FrameHeader({ masked: this.#masked, deflate: options.inflate !== undefined });
  }

  /** Bytes of memory held: a message that is not complete, and input that is not consumed. */
  get heldBytes(): number {
    return this.#assembly.bytes.length + this.#control.length + this.#end - this.#at;
  }

  /**
   * Lends `bytes[start..end)` until `next` answers NEED_BYTES or FAILED, or until `release`. They may be changed in
   * place (unmasking).
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
    this.#assembly.clear();
  }

  /** For a caller that stops before NEED_BYTES: copies what is left, so that the bytes lent are its own again. */
  release(): void {
    if (this.#at === this.#end) return;
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#at, this.#end));
    this.#end -= this.#at;
    this.#at = 0;
  }

  /** The next event in the bytes lent, see the table at the head of this file. */
  next(): Signal {
    for (;;) {
      const step = this.#step();
      if (step !== AGAIN) return step;
    }
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
    const size = header.read(this.#bytes, this.#at, this.#end - this.#at, this.#open);
    if (size === 0) return this.#needBytes();
    if (size < 0) return this.#failWith(header.error ?? new WebSocketError("WS_RESERVED_BITS"));
    this.#at += size;
    return header.opcode >= CLOSE_FRAME ? this.#startControl() : this.#startData();
  }

  #startData(): Step {
    const header = this.#header;
    const length = header.length;
    this.#frameRead = 0;
    if (this.#discards) {
      this.#state = "payload";
      return AGAIN;
    }
    if (header.opcode !== CONTINUATION) {
      this.#opcode = header.opcode;
      this.#compressed = header.compressed;
      const limit = this.#limits.maxMessageBytes;
      this.#limit = limit;
      // Data that does not compress becomes a little longer (stored blocks); the limit itself is for the message.
      this.#wireLimit = header.compressed ? limit + Math.floor(limit / 256) + 64 : limit;
    }
    // §10.4: refused when it is announced, before it is received.
    if (length > this.#wireLimit - this.#assembly.length) return this.#fail("WS_MESSAGE_TOO_LARGE");
    if (length <= this.#end - this.#at && header.fin && !this.#open) {
      const start = this.#at;
      const end = start + length;
      this.#at = end;
      if (this.#masked) applyMask(this.#bytes, start, end, header.maskKey, 0);
      return this.#deliver(start, end);
    }
    this.#state = "payload";
    return AGAIN;
  }

  #readPayload(): Step {
    const header = this.#header;
    const assembly = this.#assembly;
    const rest = header.length - this.#frameRead;
    const count = Math.min(rest, this.#end - this.#at);
    if (this.#discards) {
      this.#at += count;
      this.#frameRead += count;
    } else if (count > 0) {
      const announced = assembly.length + rest;
      const ceiling = header.fin ? announced : this.#wireLimit;
      if (this.#masked) applyMask(this.#bytes, this.#at, this.#at + count, header.maskKey, this.#frameRead);
      const at = assembly.append(this.#bytes, this.#at, this.#at + count, announced, ceiling);
      this.#at += count;
      this.#frameRead += count;
      if (this.#opcode === TEXT && !this.#compressed) {
        this.#utf8 ??= new Utf8Validator();
        if (!this.#utf8.push(assembly.bytes, at, at + count)) return this.#fail("WS_INVALID_UTF8");
      }
    }
    if (count < rest) return this.#needBytes();
    this.#state = "header";
    this.#open = !header.fin;
    return this.#open || this.#discards ? FRAGMENT : this.#deliverAssembled();
  }

  /** A message that lies in one piece in the bytes lent. */
  #deliver(start: number, end: number): Signal {
    if (this.#compressed) return this.#deliverInflated(this.#bytes, start, end);
    const data = start === end ? NOTHING : this.#bytes.subarray(start, end);
    if (this.#opcode === TEXT && !isText(data)) return this.#fail("WS_INVALID_UTF8");
    return this.#deliverData(data, start !== end);
  }

  #deliverAssembled(): Signal {
    const data = this.#assembly.take();
    if (this.#compressed) {
      const signal = this.#deliverInflated(data, 0, data.length);
      messageMemory.recycle(data);
      return signal;
    }
    // Whole, the validator is as new; else nothing is read after it.
    return this.#utf8?.finish() === false ? this.#fail("WS_INVALID_UTF8") : this.#deliverData(data, false);
  }

  // RFC 7692 §6.2: the bytes of all fragments together are inflated, text is validated after that.
  #deliverInflated(bytes: Buffer, start: number, end: number): Signal {
    const data = this.#inflate?.inflate(bytes, start, end, this.#limit);
    if (data === undefined) return this.#fail("WS_INVALID_DEFLATE");
    if (data instanceof WebSocketError) return this.#failWith(data);
    if (this.#opcode === TEXT && !isText(data)) return this.#fail("WS_INVALID_UTF8");
    return this.#deliverData(data, false);
  }

  #deliverData(data: Buffer, shared: boolean): Signal {
    this.data = data;
    this.shared = shared;
    this.binary = this.#opcode === BINARY;
    return MESSAGE;
  }

  #startControl(): Step {
    const length = this.#header.length;
    if (length <= this.#end - this.#at) {
      const start = this.#at;
      this.#at += length;
      if (this.#masked) applyMask(this.#bytes, start, this.#at, this.#header.maskKey, 0);
      return this.#deliverControl(
        length === 0 ? NOTHING : this.#bytes.subarray(start, this.#at),
        length !== 0,
      );
    }
    this.#control = Buffer.allocUnsafe(length);
    this.#frameRead = 0;
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
    this.#control = NOTHING;
    this.#state = "header";
    return this.#deliverControl(control, false);
  }

  #deliverControl(data: Buffer, shared: boolean): Signal {
    const opcode = this.#header.opcode;
    if (opcode === CLOSE_FRAME) return this.#close(data);
    this.data = data;
    this.shared = shared;
    return opcode === PING_FRAME ? PING : PONG;
  }

  #close(payload: Buffer): Signal {
    const close = parseClosePayload(payload);
    if (typeof close === "string") return this.#fail(close);
    this.closeCode = close.code;
    this.closeReason = close.reason;
    this.#stop("closed");
    return CLOSE;
  }

  #needBytes(): Signal {
    this.#bytes = NOTHING;
    this.#at = 0;
    this.#end = 0;
    // A connection that waits must not keep its last message alive.
    this.data = NOTHING;
    return NEED_BYTES;
  }

  #fail(code: WebSocketErrorCode): Signal {
    return this.#failWith(new WebSocketError(code));
  }

  #failWith(error: WebSocketError): Signal {
    this.error = error;
    this.#stop("failed");
    return FAILED;
  }

  /** Lets go of all memory; nothing is read from here on. */
  #stop(state: "closed" | "failed"): void {
    this.#state = state;
    this.#assembly.clear();
    this.#control = NOTHING;
    this.data = NOTHING;
    this.shared = false;
    this.#needBytes();
  }
}
