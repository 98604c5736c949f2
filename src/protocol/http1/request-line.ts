import { HttpError } from "../http/http-error.ts";
import { CR, LF, octetClass, PLAIN_PATH, PLAIN_TARGET, SP, TARGET, TOKEN } from "../http/octets.ts";
import type { HttpLimits } from "./http-limits.ts";

/*
 * The request line as a state machine on octets (RFC 9112 §2.2 and §3). It can stop at any octet and go on later.
 *
 *   state         input                       next
 *   START         CR (8 times, §2.2)          START_LF
 *                 token octet                 METHOD
 *   START_LF      LF                          START
 *   METHOD        token octets, SP            TARGET_STATE
 *   TARGET_STATE  target octets, SP           VERSION
 *   VERSION       "HTTP/" d "." d CR LF       COMPLETE
 *   any           anything else               error
 */
const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET_STATE = 3;
const VERSION = 4;
const COMPLETE = 5;

/** Clients send one or two; a bound keeps them from costing anything. */
const MAX_EMPTY_LINES = 8;
const MAX_METHOD_BYTES = 32;
const ZERO = 0x30;
const ONE = 0x31;
const QUESTION_MARK = 0x3f;
const [G, E, T] = [0x47, 0x45, 0x54];

/** How nearly all request lines end. */
const USUAL_END = Buffer.from(" HTTP/1.1\r\n");

// These need no string of each request's own; other methods are cut from the head.
const knownMethods = ["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"];

/** Finds the parts of a request line. Positions are those of the octets that were scanned last. */
export class RequestLineScanner {
  /** First octet of the method; once {@link hasMethod}. */
  start = 0;
  targetStart = 0;
  /** Where the first "?" of the target is; its end if there is none. */
  pathEnd = 0;
  targetEnd = 0;
  /** Whether nothing in the target asks for a closer look at its path. */
  hasPlainTarget = true;
  private state = START;
  private emptyLines = 0;

  /** Begins a new line. */
  reset(): void {
    this.state = START;
    this.hasPlainTarget = true;
    this.emptyLines = 0;
  }

  /** Whether an octet of the line, or of an empty line before it, has been read. */
  get hasBegun(): boolean {
    return this.state !== START || this.emptyLines > 0;
  }

  /** Whether {@link start} is known. */
  get hasMethod(): boolean {
    return this.state >= METHOD;
  }

  get isComplete(): boolean {
    return this.state === COMPLETE;
  }

  /** Call this when the scanned octets were moved: `by` is what their positions lost. */
  shift(by: number): void {
    this.start -= by;
    this.targetStart -= by;
    this.pathEnd -= by;
    this.targetEnd -= by;
  }

  /**
   * Continues at `at`, and reads at most `maxHeadBytes` of the line.
   * @returns the position after what was read
   * @throws HttpError at the first octet that cannot stand where it is
   */
  scan(bytes: Buffer, at: number, until: number, limits: HttpLimits): number {
    let p = this.state === START ? this.readWhole(bytes, at, until, limits) : at;
    // Empty lines before a request do not belong to its head.
    while (p < until && this.state <= START_LF) p = this.readStart(bytes, p);
    const end = Math.min(until, this.start + limits.maxHeadBytes);
    while (p < end && this.state !== COMPLETE) p = this.readPart(bytes, p, end, limits.maxTargetBytes);
    return p;
  }

  /** @param bytes those that were scanned @param text the head as latin1, from {@link start} on */
  method(bytes: Buffer, text: string): string {
    const { start } = this;
    const end = this.targetStart - 1 - start;
    if (end === 3 && bytes[start] === G && bytes[start + 1] === E && bytes[start + 2] === T) return "GET";
    for (const method of knownMethods) {
      if (method.length === end && text.startsWith(method)) return method;
    }
    return text.substring(0, end);
  }

  /** @throws HttpError for a version that is not HTTP/1 */
  minorVersion(bytes: Buffer): number {
    if (bytes[this.targetEnd + 6] !== ONE) {
      throw new HttpError("HTTP_VERSION_UNSUPPORTED", "not HTTP/1.0 or HTTP/1.1");
    }
    // RFC 9110 §2.5: a higher minor version is served like the highest that is known.
    return Math.min((bytes[this.targetEnd + 8] ?? 0) - ZERO, 1);
  }

  /**
   * Reads a line in one go, as most come: in one piece, with a plain target and the usual version.
   * @returns the position after it, or `at` if it is to be read part by part
   */
  private readWhole(bytes: Buffer, at: number, until: number, limits: HttpLimits): number {
    const end = Math.min(until, at + limits.maxHeadBytes) - USUAL_END.length;
    let p = at;
    while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TOKEN) !== 0) p++;
    const targetStart = p + 1;
    if (p === at || p - at > MAX_METHOD_BYTES || bytes[p] !== SP) return at;
    p = targetStart;
    while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & PLAIN_PATH) !== 0) p++;
    const pathEnd = p;
    while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & PLAIN_TARGET) !== 0) p++;
    if (p === targetStart || p - targetStart > limits.maxTargetBytes) return at;
    for (let i = 0; i < USUAL_END.length; i++) if (bytes[p + i] !== USUAL_END[i]) return at;
    this.start = at;
    this.targetStart = targetStart;
    this.pathEnd = pathEnd;
    this.targetEnd = p;
    this.state = COMPLETE;
    return p + USUAL_END.length;
  }

  /** RFC 9112 §2.2: a server should ignore at least one empty line before a request. */
  private readStart(bytes: Buffer, at: number): number {
    if (this.state === START_LF) {
      if (bytes[at] !== LF) throw new HttpError("HTTP_BAD_REQUEST_LINE", "CR without LF");
      this.state = START;
      return at + 1;
    }
    if (bytes[at] === CR) {
      if (++this.emptyLines > MAX_EMPTY_LINES) {
        throw new HttpError("HTTP_BAD_REQUEST_LINE", "too many empty lines before a request");
      }
      this.state = START_LF;
      return at + 1;
    }
    this.start = at;
    this.state = METHOD;
    return at;
  }

  /** Reads one part, as far as it goes. */
  private readPart(bytes: Buffer, at: number, end: number, maxTargetBytes: number): number {
    let p = at;
    switch (this.state) {
      case METHOD:
        while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TOKEN) !== 0) p++;
        if (p - this.start > MAX_METHOD_BYTES) {
          throw new HttpError("HTTP_METHOD_UNKNOWN", "the method is too long");
        }
        if (p === end) return p;
        if (bytes[p] !== SP || p === this.start) {
          throw new HttpError("HTTP_BAD_REQUEST_LINE", "the request does not begin with a method");
        }
        this.targetStart = p + 1;
        this.state = TARGET_STATE;
        return p + 1;
      case TARGET_STATE:
        while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & PLAIN_TARGET) !== 0) p++;
        for (; p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TARGET) !== 0; p++) this.hasPlainTarget = false;
        if (p - this.targetStart > maxTargetBytes) {
          throw new HttpError("HTTP_TARGET_TOO_LONG", `more than ${maxTargetBytes} bytes of target`);
        }
        if (p === end) return p;
        if (bytes[p] !== SP || p === this.targetStart) {
          throw new HttpError("HTTP_BAD_TARGET", "invalid character in the request target");
        }
        this.pathEnd = this.targetStart;
        while (this.pathEnd < p && bytes[this.pathEnd] !== QUESTION_MARK) this.pathEnd++;
        this.targetEnd = p;
        this.state = VERSION;
        return p + 1;
      default:
        return this.readVersion(bytes, p, end);
    }
  }

  private readVersion(bytes: Buffer, at: number, end: number): number {
    for (let p = at; p < end; p++) {
      const index = p - this.targetEnd - 1;
      const octet = bytes[p] ?? 0;
      const isDigit = index === 5 || index === 7;
      if (isDigit ? octet < ZERO || octet > 0x39 : octet !== "HTTP/0.0\r\n".charCodeAt(index)) {
        throw new HttpError("HTTP_BAD_VERSION", "the request line does not end with an HTTP version");
      }
      if (index === 9) {
        this.state = COMPLETE;
        return p + 1;
      }
    }
    return end;
  }
}
