import { NO_BYTES } from "../../bytes/no-bytes.ts";
import { latin1Text } from "../../node/fast-buffers.ts";
import { Fields } from "../http/fields.ts";
import { HttpError } from "../http/http-error.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { FieldScanner, SPECIAL } from "./field-scanner.ts";
import type { HttpLimits } from "./http-limits.ts";
import { RequestHead, refusalOf } from "./request-head.ts";
import { RequestLineScanner } from "./request-line.ts";

/** What {@link RequestReader.next} can tell. */
export type RequestSignal = 0 | 1 | 2 | 3 | 4;
/** All octets have been used; more are needed. */
export const NEED_BYTES = 0;
/** A head is complete: `head`. */
export const REQUEST = 1;
/** A piece of content: `bytes[bodyStart..bodyEnd)`. */
export const BODY = 2;
/** The request is complete: `trailers`. */
export const END = 3;
/** The input is not HTTP or passes a limit: `error`. Nothing follows. */
export const FAILED = 4;

/*
 * Requests as a state machine on octets (RFC 9112 §2 to §7). A signal is given at "→".
 *
 *   state     input                         next
 *   LINE      request line                  FIELDS
 *   FIELDS    field lines, empty line       → REQUEST, then LENGTH, CHUNKED or COMPLETE by the head
 *   LENGTH    octets                        → BODY, COMPLETE after the last
 *   CHUNKED   chunks                        → BODY each, TRAILERS after the chunk of size 0
 *   TRAILERS  field lines, empty line       COMPLETE
 *   COMPLETE                                → END, then LINE
 *   any       anything else                 → FAILED
 *
 * Heads and trailer sections must lie in one piece of memory to become a string. Everything else is used up as it comes.
 */
const LINE = 0;
const FIELDS = 1;
const LENGTH = 2;
const CHUNKED = 3;
const TRAILERS = 4;
const COMPLETE = 5;
const BROKEN = 6;

/** Reads requests from the octets of one connection. It knows no sockets: bytes in, signals out. */
export class RequestReader {
  /** After REQUEST; stays valid. Undefined before the first, and when nobody needs it any more. */
  head: RequestHead | undefined = undefined;
  /** After BODY: where the piece lies. Valid until {@link release} and only within `bodyStart` and `bodyEnd`. */
  bytes: Buffer = NO_BYTES;
  bodyStart = 0;
  bodyEnd = 0;
  /** After END: the trailer fields of a chunked request that had any. */
  trailers: Fields | null = null;
  /** After FAILED. */
  error: HttpError | null = null;
  /** After FAILED: whether `head` is that of the request, which was read and is refused for what it asks (411, 413, 417). */
  isHeadRefused = false;
  /** The body limit of the last request read. It can be changed after REQUEST, to the limit of a route. */
  maxBodyBytes: number;

  private readonly limits: HttpLimits;
  private readonly line = new RequestLineScanner();
  private readonly scanner = new FieldScanner();
  /** Of the first chunked content. */
  private chunked: ChunkedBody | undefined = undefined;
  private state = LINE;
  private position = 0;
  private end = 0;
  private trailerStart = 0;
  private remaining = 0;

  /** @param limits read when each request begins, so that changes count from the next request on */
  constructor(limits: HttpLimits) {
    this.limits = limits;
    this.maxBodyBytes = limits.maxBodyBytes;
  }

  /** Whether part of a request has been read: of its head, or of its content. */
  get inProgress(): boolean {
    return this.state !== LINE || this.line.hasBegun || this.position < this.end;
  }

  /** Whether it can read the requests of another connection. */
  get isAtRest(): boolean {
    return !this.inProgress && this.error === null;
  }

  /** Whether END is next. */
  get complete(): boolean {
    return this.state === COMPLETE;
  }

  /** Bytes of content that are still to come; Infinity while that is not known. */
  get remainingBytes(): number {
    if (this.state === LENGTH) return this.remaining;
    return this.state === CHUNKED || this.state === TRAILERS ? Number.POSITIVE_INFINITY : 0;
  }

  /** How many bytes have been received and not been used yet. */
  get buffered(): number {
    return this.end - this.position;
  }

  /** Gives more octets to the reader. @param bytes must not change until {@link release} is called */
  receive(bytes: Buffer, start: number, end: number): void {
    if (this.state === BROKEN) return;
    if (this.bytes === NO_BYTES) {
      this.bytes = bytes;
      this.position = this.trailerStart = start;
      this.end = end;
      return;
    }
    const from = this.keepFrom();
    this.bytes = Buffer.concat([this.bytes.subarray(from, this.end), bytes.subarray(start, end)]);
    this.end = this.end - from + (end - start);
    this.moveBy(from);
  }

  /** Copies what is not used yet. The caller can reuse the bytes that it gave. */
  release(): void {
    const from = this.keepFrom();
    if (from === this.end) {
      this.bytes = NO_BYTES;
      this.position = this.trailerStart = this.end = 0;
    } else if (this.bytes !== NO_BYTES) {
      this.bytes = Buffer.from(this.bytes.subarray(from, this.end));
      this.end -= from;
      this.moveBy(from);
    }
  }

  /** After REQUEST of an upgrade: copies the first bytes of the new protocol, Node's `head`. It is at rest then. */
  takeUpgradeHead(): Buffer {
    const head = Buffer.from(this.bytes.subarray(this.position, this.end));
    this.reset();
    return head;
  }

  /** Forgets everything, for another connection. */
  reset(): void {
    this.bytes = NO_BYTES;
    this.position = this.end = 0;
    this.state = LINE;
    this.line.reset();
    this.head = undefined;
    this.trailers = this.error = null;
    this.isHeadRefused = false;
  }

  /** Takes the bytes that follow a request, before they are read as the next one. @returns how many bytes were copied */
  takeUnread(target: Uint8Array): number {
    const isBetween = this.state === COMPLETE || (this.state === LINE && !this.line.hasBegun);
    if (!isBetween) return 0;
    const taken = this.bytes.copy(target, 0, this.position, this.end);
    this.position += taken;
    return taken;
  }

  /** Reads the next signal. */
  next(): RequestSignal {
    try {
      return this.advance();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.error = error;
      this.state = BROKEN;
      return FAILED;
    }
  }

  private advance(): RequestSignal {
    switch (this.state) {
      case LENGTH: {
        if (this.position === this.end) return NEED_BYTES;
        const taken = Math.min(this.remaining, this.end - this.position);
        this.remaining -= taken;
        if (this.remaining === 0) this.state = COMPLETE;
        this.bodyStart = this.position;
        this.bodyEnd = this.position += taken;
        return BODY;
      }
      case CHUNKED:
        return this.chunked === undefined ? NEED_BYTES : this.readChunk(this.chunked);
      case TRAILERS:
        return this.readTrailers();
      case COMPLETE:
        this.state = LINE;
        this.line.reset();
        return END;
      case BROKEN:
        return FAILED;
      default:
        return this.readHead();
    }
  }

  private readHead(): RequestSignal {
    const { bytes, line, limits } = this;
    if (this.state === LINE) {
      this.position = line.scan(bytes, this.position, this.end, limits);
      if (line.isComplete) {
        this.state = FIELDS;
        this.scanner.reset();
      } else if (!line.hasMethod) return NEED_BYTES;
    }
    const limit = line.start + limits.maxHeadBytes;
    const end = Math.min(this.end, limit);
    if (this.state === FIELDS && this.position < end) {
      const done = this.scanner.scan(bytes, this.position, end, limits.maxFieldCount, line.start);
      this.position = done < 0 ? end : done;
      if (done >= 0) return this.finishHead(bytes, done);
    }
    if (this.position < limit) return NEED_BYTES;
    if (this.state === LINE) throw new HttpError("HTTP_TARGET_TOO_LONG", "the request line does not end");
    throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${limits.maxHeadBytes} bytes of head`);
  }

  private finishHead(bytes: Buffer, end: number): RequestSignal {
    const { line, limits } = this;
    this.maxBodyBytes = limits.maxBodyBytes;
    const text = latin1Text(bytes, line.start, end);
    const method = line.method(bytes, text);
    const head = new RequestHead(text, method, line.minorVersion(bytes), line, this.scanner);
    this.head = head;
    this.trailers = null;
    const refusal = refusalOf(head, limits);
    if (refusal !== undefined) {
      this.isHeadRefused = true;
      throw refusal;
    }
    if (head.chunked) {
      this.chunked ??= new ChunkedBody();
      this.chunked.reset();
      this.state = CHUNKED;
    } else if (head.contentLength > 0) {
      this.remaining = head.contentLength;
      this.state = LENGTH;
    } else this.state = COMPLETE;
    return REQUEST;
  }

  private readChunk(chunked: ChunkedBody): RequestSignal {
    this.position = chunked.scan(this.bytes, this.position, this.end, this.maxBodyBytes, this.limits);
    if (chunked.dataEnd > chunked.dataStart) {
      this.bodyStart = chunked.dataStart;
      this.bodyEnd = chunked.dataEnd;
      return BODY;
    }
    if (!chunked.atTrailers) return NEED_BYTES;
    this.state = TRAILERS;
    this.trailerStart = this.position;
    this.scanner.reset();
    return this.readTrailers();
  }

  private readTrailers(): RequestSignal {
    const { limits, scanner } = this;
    const end = Math.min(this.end, this.trailerStart + limits.maxTrailerBytes);
    const done = scanner.scan(this.bytes, this.position, end, limits.maxFieldCount, this.trailerStart);
    if (done < 0) {
      this.position = end;
      if (end - this.trailerStart < limits.maxTrailerBytes) return NEED_BYTES;
      throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${limits.maxTrailerBytes} bytes of trailers`);
    }
    // RFC 9110 §6.5.1: fields for framing and routing are not allowed as trailers.
    if ((scanner.seen & (SPECIAL.contentLength | SPECIAL.transferEncoding | SPECIAL.host)) !== 0) {
      throw new HttpError("HTTP_BAD_FIELD", "a trailer field that is only allowed in the head");
    }
    const text = this.bytes.toString("latin1", this.trailerStart, done);
    this.trailers = text.length > 2 ? new Fields(text, 0) : null;
    this.position = done;
    this.state = COMPLETE;
    return this.advance();
  }

  /** The first octet that is still needed. */
  private keepFrom(): number {
    const { state, line } = this;
    if (state === TRAILERS) return this.trailerStart;
    return state === FIELDS || (state === LINE && line.hasMethod) ? line.start : this.position;
  }

  /** Adapts all positions to octets that have moved down by `by`. */
  private moveBy(by: number): void {
    this.position -= by;
    this.trailerStart -= by;
    this.line.shift(by);
    this.scanner.shift(by);
  }
}
