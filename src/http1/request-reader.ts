import { ChunkedBody } from "./chunked-body.ts";
import { FieldScanner, SPECIAL } from "./field-scanner.ts";
import { Fields } from "./fields.ts";
import { HttpError } from "./http-error.ts";
import type { HttpLimits } from "./limits.ts";
import { CR, LF, octetClass, SP, TARGET, TOKEN } from "./octets.ts";
import { RequestHead } from "./request-head.ts";

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
 *   START     CR (once, §2.2)               START_LF
 *             token octet                   METHOD
 *   START_LF  LF                            METHOD
 *   METHOD    token octets, SP              TARGET
 *   TARGET    target octets, SP             VERSION
 *   VERSION   "HTTP/" d "." d CR LF         FIELDS
 *   FIELDS    field lines, empty line       → REQUEST, then LENGTH, CHUNKED or COMPLETE by the head
 *   LENGTH    octets                        → BODY, COMPLETE after the last
 *   CHUNKED   chunks                        → BODY each, TRAILERS after the chunk of size 0
 *   TRAILERS  field lines, empty line       COMPLETE
 *   COMPLETE                                → END, then START
 *   any       anything else                 → FAILED
 *
 * Heads and trailer sections must lie in one piece of memory to become a string; `sectionStart` is where the
 * one that is being read begins. Everything else is used up as it comes.
 */
const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET_STATE = 3;
const VERSION = 4;
const FIELDS = 5;
const LENGTH = 6;
const CHUNKED = 7;
const TRAILERS = 8;
const COMPLETE = 9;
const BROKEN = 10;

const MAX_METHOD_BYTES = 32;
const NO_BYTES = Buffer.alloc(0);

// Found without making a string of each request's own; the rest are cut from the head.
const knownMethods = ["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"];

/** Reads requests from the octets of one connection. It knows no sockets: bytes in, signals out. */
export class RequestReader {
  /** After REQUEST; stays valid. Undefined before the first. */
  head: RequestHead | undefined = undefined;
  /** After BODY: where the piece lies. Valid until {@link release} and only within `bodyStart` and `bodyEnd`. */
  bytes: Buffer = NO_BYTES;
  bodyStart = 0;
  bodyEnd = 0;
  /** After END: the trailer fields of a chunked request that had any. */
  trailers: Fields | null = null;
  /** After FAILED. */
  error: HttpError | null = null;
  /** Content limit of the request that was read last; may be changed after REQUEST (a route's own limit). */
  maxBodyBytes: number;

  private readonly limits: HttpLimits;
  private readonly scanner = new FieldScanner();
  private readonly chunked = new ChunkedBody();
  private state = START;
  private position = 0;
  private end = 0;
  private sectionStart = 0;
  private targetStart = 0;
  private targetEnd = 0;
  private remaining = 0;

  /** @param limits read when each request begins, so that changes count from the next request on */
  constructor(limits: HttpLimits) {
    this.limits = limits;
    this.maxBodyBytes = limits.maxBodyBytes;
  }

  /** Whether part of a request has been read: its head, or its content. */
  get midway(): boolean {
    return this.state !== START || this.position < this.end;
  }

  /** Whether the content has been read, so that END is next. */
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

  /**
   * Gives more octets to the reader.
   * @param bytes lent until {@link release} is called
   */
  receive(bytes: Buffer, start: number, end: number): void {
    if (this.state === BROKEN) return;
    const from = this.keepFrom();
    if (from === this.end) {
      this.bytes = bytes;
      this.moveBy(this.position - start);
      this.end = end;
      return;
    }
    this.bytes = Buffer.concat([this.bytes.subarray(from, this.end), bytes.subarray(start, end)]);
    this.end = this.end - from + (end - start);
    this.moveBy(from);
  }

  /** Copies what is not used yet, so that the bytes that were lent may be reused. */
  release(): void {
    const from = this.keepFrom();
    if (this.bytes === NO_BYTES) return;
    this.bytes = from === this.end ? NO_BYTES : Buffer.from(this.bytes.subarray(from, this.end));
    this.end -= from;
    this.moveBy(from);
  }

  /** After REQUEST of a request that changes the protocol: a copy of the octets past its head. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.bytes.subarray(this.position, this.end));
    this.bytes = NO_BYTES;
    this.position = this.end = 0;
    return rest;
  }

  /** Goes on to the next signal. */
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
        return this.readChunk();
      case TRAILERS:
        return this.readTrailers();
      case COMPLETE:
        this.state = START;
        this.sectionStart = this.position;
        return END;
      case BROKEN:
        return FAILED;
      default:
        return this.readHead();
    }
  }

  private readHead(): RequestSignal {
    const { bytes, limits } = this;
    let p = this.position;
    // The empty line before a request is no part of its head.
    while (p < this.end && (this.state === START || this.state === START_LF)) p = this.readStart(bytes, p);
    const end = Math.min(this.end, this.sectionStart + limits.maxHeadBytes);
    while (p < end && this.state !== FIELDS) p = this.readRequestLine(bytes, p, end);
    this.position = p;
    if (this.state === START || this.state === START_LF) return NEED_BYTES;
    if (this.state === FIELDS && p < end) {
      const done = this.scanner.scan(bytes, p, end, limits.maxFieldCount, this.sectionStart);
      this.position = done < 0 ? end : done;
      if (done >= 0) return this.finishHead(bytes, done);
    }
    if (this.position - this.sectionStart < limits.maxHeadBytes) return NEED_BYTES;
    if (this.state !== FIELDS) throw new HttpError("HTTP_TARGET_TOO_LONG", "the request line does not end");
    throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${limits.maxHeadBytes} bytes of head`);
  }

  /** RFC 9112 §2.2: one empty line before a request is ignored. */
  private readStart(bytes: Buffer, at: number): number {
    if (this.state === START && bytes[at] === CR) {
      this.state = START_LF;
      return at + 1;
    }
    if (this.state === START_LF && bytes[at] !== LF) {
      throw new HttpError("HTTP_BAD_REQUEST_LINE", "CR without LF");
    }
    this.sectionStart = this.state === START ? at : at + 1;
    this.state = METHOD;
    return this.sectionStart;
  }

  /** One state of the request line; returns how far it got. */
  private readRequestLine(bytes: Buffer, at: number, end: number): number {
    let p = at;
    switch (this.state) {
      case METHOD:
        while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TOKEN) !== 0) p++;
        if (p - this.sectionStart > MAX_METHOD_BYTES) {
          throw new HttpError("HTTP_METHOD_UNKNOWN", "the method is too long to be one");
        }
        if (p === end) return p;
        if (bytes[p] !== SP || p === this.sectionStart) {
          throw new HttpError("HTTP_BAD_REQUEST_LINE", "the request does not begin with a method");
        }
        this.targetStart = p + 1;
        this.state = TARGET_STATE;
        return p + 1;
      case TARGET_STATE:
        while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TARGET) !== 0) p++;
        if (p - this.targetStart > this.limits.maxTargetBytes) {
          throw new HttpError(
            "HTTP_TARGET_TOO_LONG",
            `more than ${this.limits.maxTargetBytes} bytes of target`,
          );
        }
        if (p === end) return p;
        if (bytes[p] !== SP || p === this.targetStart) {
          throw new HttpError("HTTP_BAD_TARGET", "invalid character in the request target");
        }
        this.targetEnd = p;
        this.state = VERSION;
        return p + 1;
      default:
        while (p < end) {
          const index = p - this.targetEnd - 1;
          const octet = bytes[p] ?? 0;
          const digit = index === 5 || index === 7;
          if (digit ? octet < 0x30 || octet > 0x39 : octet !== "HTTP/0.0\r\n".charCodeAt(index)) {
            throw new HttpError("HTTP_BAD_VERSION", "the request line does not end with an HTTP version");
          }
          p++;
          if (index === 9) {
            this.state = FIELDS;
            this.scanner.reset();
            return p;
          }
        }
        return p;
    }
  }

  private finishHead(bytes: Buffer, end: number): RequestSignal {
    const { sectionStart: start, limits } = this;
    this.maxBodyBytes = limits.maxBodyBytes;
    const major = bytes[this.targetEnd + 6];
    const minor = (bytes[this.targetEnd + 8] ?? 0) - 0x30;
    if (major !== 0x31) throw new HttpError("HTTP_VERSION_UNSUPPORTED", "not HTTP/1.0 or HTTP/1.1");
    const text = bytes.toString("latin1", start, end);
    const methodEnd = this.targetStart - 1 - start;
    const head = new RequestHead(
      text,
      methodOf(text, methodEnd),
      this.targetStart - start,
      this.targetEnd - start,
      Math.min(minor, 1), // RFC 9110 §2.5: a higher minor version is served like the highest that is known
      this.scanner,
    );
    if (head.chunked) {
      if (limits.requireContentLength)
        throw new HttpError("HTTP_LENGTH_REQUIRED", "Content-Length is required");
      this.chunked.reset();
      this.state = CHUNKED;
    } else if (head.contentLength > 0) {
      if (head.contentLength > this.maxBodyBytes) {
        throw new HttpError("HTTP_BODY_TOO_LARGE", `more than ${this.maxBodyBytes} bytes of content`);
      }
      this.remaining = head.contentLength;
      this.state = LENGTH;
    } else this.state = COMPLETE;
    this.head = head;
    this.trailers = null;
    return REQUEST;
  }

  private readChunk(): RequestSignal {
    const { chunked } = this;
    this.position = chunked.scan(this.bytes, this.position, this.end, this.maxBodyBytes, this.limits);
    if (chunked.dataEnd > chunked.dataStart) {
      this.bodyStart = chunked.dataStart;
      this.bodyEnd = chunked.dataEnd;
      return BODY;
    }
    if (!chunked.atTrailers) return NEED_BYTES;
    this.state = TRAILERS;
    this.sectionStart = this.position;
    this.scanner.reset();
    return this.readTrailers();
  }

  private readTrailers(): RequestSignal {
    const { limits, scanner } = this;
    const end = Math.min(this.end, this.sectionStart + limits.maxTrailerBytes);
    const done = scanner.scan(this.bytes, this.position, end, limits.maxFieldCount, this.sectionStart);
    if (done < 0) {
      this.position = end;
      if (end - this.sectionStart < limits.maxTrailerBytes) return NEED_BYTES;
      throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${limits.maxTrailerBytes} bytes of trailers`);
    }
    // RFC 9110 §6.5.1: fields for framing and routing may not come as trailers.
    if ((scanner.seen & (SPECIAL.contentLength | SPECIAL.transferEncoding | SPECIAL.host)) !== 0) {
      throw new HttpError("HTTP_BAD_FIELD", "a trailer field that is only allowed in the head");
    }
    const text = this.bytes.toString("latin1", this.sectionStart, done);
    this.trailers = text.length > 2 ? new Fields(text, 0, scanner.positions) : null;
    this.position = done;
    this.state = COMPLETE;
    return this.advance();
  }

  /** The first octet that is still needed: that of the section that is being read, or the next one. */
  private keepFrom(): number {
    const { state } = this;
    const inSection = (state >= START_LF && state <= FIELDS) || state === TRAILERS;
    return inSection ? this.sectionStart : this.position;
  }

  /** Adapts all positions to octets that have moved down by `by`. */
  private moveBy(by: number): void {
    this.position -= by;
    this.sectionStart -= by;
    this.targetStart -= by;
    this.targetEnd -= by;
    this.scanner.shift(by);
  }
}

function methodOf(text: string, end: number): string {
  for (const method of knownMethods) {
    if (method.length === end && text.startsWith(method)) return method;
  }
  return text.substring(0, end);
}
