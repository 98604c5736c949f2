import { Fields } from "../http/fields.ts";
import { HttpError } from "../http/http-error.ts";
import { hasToken } from "../http/token.ts";
import { CHUNKED, responseLength, UNDECLARED } from "./body-framing.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { FieldScanner } from "./field-scanner.ts";
import { ResponseHeadReader } from "./response-head-reader.ts";

/** Hears of what each response consists of: `onHead`, any number of `onBody`, `onComplete`. */
export interface ResponseEvents {
  /** An interim response (RFC 9110 §15.2); any number of them comes before the final one. */
  onInterim?(status: number): void;
  /** @param hasContent whether content is to follow */
  onHead(head: ResponseHeadReader, hasContent: boolean): void;
  /** @param bytes `bytes[start..end)` are content. Valid until the handler returns. Copy it to keep it. */
  onBody?(bytes: Buffer, start: number, end: number): void;
  /** @param isKeptAlive whether the connection can be used again (RFC 9112 §9.3) */
  onComplete(trailers: Fields, isKeptAlive: boolean): void;
  /** 101, which is an error where this is missing. `head.upgradeHead` has the first bytes of the new protocol. */
  onUpgrade?(head: ResponseHeadReader): void;
}

/*
 *   state      event                                    next
 *   head       an interim head                          head
 *   head       101                                      upgraded
 *   head       a head without content                   complete
 *   head       Transfer-Encoding: chunked               chunked
 *   head       Content-Length                           length
 *   head       neither                                  close
 *   chunked    the last chunk                           trailers
 *   trailers   the empty line                           complete
 *   length     that many bytes                          complete
 *   close      the end of the stream                    complete
 *   complete   more bytes                               head
 */
type State = "head" | "chunked" | "trailers" | "length" | "close" | "complete" | "upgraded";

const MAX_HEAD_BYTES = 65_536;
const MAX_TRAILERS = 100;
const CHUNK_LIMITS = { maxChunkExtensionBytes: 65_536 };
const END_OF_HEAD = "\r\n\r\n";
const NO_FIELDS = new Fields("\r\n", 0);

/** Reads responses one after the other from the bytes of a connection (RFC 9112 §6.3). It keeps no content. */
export class ResponseReader {
  private readonly method: string;
  private readonly events: ResponseEvents;
  private readonly chunks = new ChunkedBody();
  private readonly trailers = new FieldScanner();
  private state: State = "head";
  private head = new ResponseHeadReader(MAX_HEAD_BYTES);
  private trailerText = "";
  /** Bytes of content that are still to come. */
  private left = 0;
  private isKeptAlive = true;

  /** @param method of the requests */
  constructor(method: string, events: ResponseEvents) {
    this.method = method;
    this.events = events;
  }

  /**
   * Reads more bytes, up to the end of a response.
   * @param bytes only read during the call
   * @param at where to begin
   * @returns the position after the read bytes; the rest belongs to the next response
   * @throws HttpError for an invalid response. The connection cannot be used afterwards
   */
  receive(bytes: Buffer, at = 0): number {
    let next = at;
    do {
      next = this.step(bytes, next);
    } while (next < bytes.length && this.state !== "complete");
    return next;
  }

  /** The server has sent its last byte. @returns whether that was the end of a response, too */
  end(): boolean {
    if (this.state !== "close") return false;
    this.complete(NO_FIELDS);
    return true;
  }

  private step(bytes: Buffer, at: number): number {
    switch (this.state) {
      case "complete":
      case "head":
        return this.readHead(bytes, at);
      case "chunked": {
        const { chunks } = this;
        const next = chunks.scan(bytes, at, bytes.length, Number.MAX_SAFE_INTEGER, CHUNK_LIMITS);
        if (chunks.atTrailers) this.state = "trailers";
        if (chunks.dataEnd > chunks.dataStart) this.events.onBody?.(bytes, chunks.dataStart, chunks.dataEnd);
        return next;
      }
      case "trailers":
        return this.readTrailers(bytes, at);
      case "length": {
        const next = Math.min(bytes.length, at + this.left);
        this.left -= next - at;
        this.events.onBody?.(bytes, at, next);
        if (this.left === 0) this.complete(NO_FIELDS);
        return next;
      }
      case "close":
        this.events.onBody?.(bytes, at, bytes.length);
        return bytes.length;
      case "upgraded":
        return bytes.length;
    }
  }

  private readHead(bytes: Buffer, at: number): number {
    this.state = "head";
    // The reader of heads copies what it gets: it gets no more than its head where the end of it can be seen.
    const end = bytes.indexOf(END_OF_HEAD, at, "latin1");
    const until = end < 0 ? bytes.length : end + END_OF_HEAD.length;
    const { head } = this;
    if (!head.receive(bytes.subarray(at, until))) return until;
    this.head = new ResponseHeadReader(MAX_HEAD_BYTES);
    const next = until - head.upgradeHead.length;
    if (head.status === 101) {
      head.upgradeHead = bytes.subarray(next);
      this.upgrade(head);
      return bytes.length;
    }
    if (head.status >= 200) this.begin(head);
    else this.events.onInterim?.(head.status);
    return next;
  }

  private upgrade(head: ResponseHeadReader): void {
    const { onUpgrade } = this.events;
    if (onUpgrade === undefined)
      throw new HttpError("HTTP_BAD_REQUEST_LINE", "101 without a request to upgrade");
    this.state = "upgraded";
    onUpgrade(head);
  }

  private begin(head: ResponseHeadReader): void {
    const state = this.framing(head);
    const connection = head.fields.get("connection") ?? "";
    this.isKeptAlive =
      state !== "close" &&
      !hasToken(connection, "close") &&
      (head.minorVersion > 0 || hasToken(connection, "keep-alive"));
    this.state = state;
    this.events.onHead(head, state !== "complete");
    if (state === "complete") this.complete(NO_FIELDS);
  }

  /** Returns the state in which the content is read. */
  private framing({ status, fields, minorVersion }: ResponseHeadReader): State {
    const length = responseLength(
      this.method,
      status,
      minorVersion,
      fields.get("content-length"),
      fields.get("transfer-encoding"),
    );
    if (length === 0) return "complete";
    if (length === UNDECLARED) return "close";
    if (length === CHUNKED) {
      this.chunks.reset();
      this.trailers.reset();
      this.trailerText = "";
      return "chunked";
    }
    this.left = length;
    return "length";
  }

  private readTrailers(bytes: Buffer, at: number): number {
    const end = this.trailers.scan(bytes, at, bytes.length, MAX_TRAILERS, 0);
    const next = end < 0 ? bytes.length : end;
    this.trailerText += bytes.toString("latin1", at, next);
    if (this.trailerText.length > MAX_HEAD_BYTES) {
      throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${MAX_HEAD_BYTES} bytes of trailers`);
    }
    if (end >= 0) this.complete(new Fields(this.trailerText, 0));
    return next;
  }

  private complete(trailers: Fields): void {
    this.state = "complete";
    this.events.onComplete(trailers, this.isKeptAlive);
  }
}
