import { ChunkedBody } from "../http1/chunked-body.ts";
import { FieldScanner } from "../http1/field-scanner.ts";
import { HttpError } from "../http1/http-error.ts";
import { ResponseHeadReader } from "../http1/response-head-reader.ts";

/** A response that is complete; its content has been counted and thrown away. */
export interface ResponseSummary {
  readonly status: number;
  /** Bytes of content. */
  readonly contentBytes: number;
  /** Whether the server closes the connection after it. */
  readonly closes: boolean;
}

const MAX_HEAD_BYTES = 65_536;
const CHUNK_LIMITS = { maxChunkExtensionBytes: 65_536 };
const END_OF_HEAD = "\r\n\r\n";

/*
 *   state      until                                next
 *   HEAD       the empty line                       LENGTH, CHUNKS, CLOSE; HEAD after 1xx and without content
 *   LENGTH     Content-Length bytes                 HEAD
 *   CHUNKS     the chunk of size 0                  TRAILERS
 *   TRAILERS   the empty line                       HEAD
 *   CLOSE      the end of the connection            (none)
 */
type State = "HEAD" | "LENGTH" | "CHUNKS" | "TRAILERS" | "CLOSE";

/** Reads responses one after the other from the bytes of a connection and keeps nothing of them (RFC 9112 §6.3). */
export class ResponseReader {
  private readonly isHead: boolean;
  private readonly done: (response: ResponseSummary) => void;
  private readonly chunks = new ChunkedBody();
  private readonly trailers = new FieldScanner();
  private state: State = "HEAD";
  private head = new ResponseHeadReader(MAX_HEAD_BYTES);
  /** Bytes of a head that is not complete. */
  private partBytes = 0;
  private left = 0;
  private contentBytes = 0;
  private closes = false;

  /**
   * @param isHead whether the requests are HEAD, whose responses have no content
   * @param done gets each response when it is complete
   */
  constructor(isHead: boolean, done: (response: ResponseSummary) => void) {
    this.isHead = isHead;
    this.done = done;
  }

  /**
   * @param bytes lent for the call
   * @throws HttpError for what is no response, after which the connection is of no use
   */
  receive(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.step(bytes, at);
  }

  /** The connection has ended. @returns whether that was the end of a response, too */
  end(): boolean {
    if (this.state !== "CLOSE") return false;
    this.finish();
    return true;
  }

  private step(bytes: Buffer, at: number): number {
    switch (this.state) {
      case "HEAD":
        return this.readHead(bytes, at);
      case "LENGTH": {
        const taken = Math.min(this.left, bytes.length - at);
        this.left -= taken;
        this.contentBytes += taken;
        if (this.left === 0) this.finish();
        return at + taken;
      }
      case "CHUNKS": {
        const { chunks } = this;
        const next = chunks.scan(bytes, at, bytes.length, Number.MAX_SAFE_INTEGER, CHUNK_LIMITS);
        this.contentBytes += chunks.dataEnd - chunks.dataStart;
        if (chunks.atTrailers) this.state = "TRAILERS";
        return next;
      }
      case "TRAILERS": {
        const next = this.trailers.scan(bytes, at, bytes.length, 100, 0);
        if (next < 0) return bytes.length;
        this.finish();
        return next;
      }
      case "CLOSE":
        this.contentBytes += bytes.length - at;
        return bytes.length;
    }
  }

  private readHead(bytes: Buffer, at: number): number {
    // The reader of heads copies what it gets: it gets no more than its head where the end of it can be seen.
    const end = bytes.indexOf(END_OF_HEAD, at, "latin1");
    const until = this.partBytes === 0 && end >= 0 ? end + END_OF_HEAD.length : bytes.length;
    const { head } = this;
    if (!head.receive(bytes.subarray(at, until))) {
      this.partBytes += until - at;
      return until;
    }
    this.head = new ResponseHeadReader(MAX_HEAD_BYTES);
    this.partBytes = 0;
    const next = until - head.rest.length;
    if (head.status >= 200) this.begin(head);
    // RFC 9110 §15.2: interim responses come before the one that counts, but for 101, which nobody asked for.
    else if (head.status === 101) throw new HttpError("HTTP_BAD_REQUEST_LINE", "101 was not asked for");
    return next;
  }

  private begin(head: ResponseHeadReader): void {
    const { status, fields } = head;
    this.status = status;
    const connection = fields.get("connection") ?? "";
    // RFC 9112 §9.3.
    this.closes =
      /\bclose\b/i.test(connection) || (head.minorVersion === 0 && !/\bkeep-alive\b/i.test(connection));
    const coding = fields.get("transfer-encoding");
    const length = fields.get("content-length");
    if (this.isHead || status === 204 || status === 304) this.finish();
    else if (coding !== undefined) {
      if (coding.toLowerCase() !== "chunked") {
        throw new HttpError("HTTP_CODING_UNKNOWN", `the transfer coding ${coding} is not known`);
      }
      this.chunks.reset();
      this.trailers.reset();
      this.state = "CHUNKS";
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new HttpError("HTTP_BAD_CONTENT_LENGTH", `a length of ${length}`);
      this.left = Number(length);
      if (this.left === 0) this.finish();
      else this.state = "LENGTH";
    } else {
      this.closes = true;
      this.state = "CLOSE";
    }
  }

  private status = 0;

  private finish(): void {
    const { status, contentBytes, closes } = this;
    this.state = "HEAD";
    this.contentBytes = 0;
    this.done({ status, contentBytes, closes });
  }
}
