import { ChunkedBody } from "../http1/chunked-body.ts";
import { FieldScanner } from "../http1/field-scanner.ts";
import { Fields } from "../http1/fields.ts";
import { HttpError } from "../http1/http-error.ts";
import { hasToken } from "../http1/request-head.ts";
import { ResponseHeadReader } from "../http1/response-head-reader.ts";

/** Who is told what a response consists of, in order: `onHead`, any number of `onBody`, `onComplete`. */
export interface ResponseEvents {
  /** An interim response (RFC 9110 §15.2); any number of them comes before the final one. */
  onInterim(status: number): void;
  /** @param hasContent whether content is to follow */
  onHead(head: ResponseHeadReader, hasContent: boolean): void;
  /** @param bytes lent for the call */
  onBody(bytes: Buffer): void;
  onComplete(trailers: Fields): void;
}

/*
 *   state      event                                    next
 *   head       an interim head                          head
 *   head       101                                      complete   (what follows is another protocol)
 *   head       a head without content                   complete
 *   head       Transfer-Encoding: chunked               chunked
 *   head       Content-Length                           length
 *   head       neither                                  close
 *   chunked    the last chunk                           trailers
 *   trailers   the empty line                           complete
 *   length     that many bytes                          complete
 *   close      the end of the stream                    complete
 */
type State = "head" | "chunked" | "trailers" | "length" | "close" | "complete";

const LIMITS = { maxHeadBytes: 1_048_576, maxFieldCount: 10_000, maxChunkExtensionBytes: 4_096 };
const NO_FIELDS = new Fields("\r\n", 0);

/** Reads one response (RFC 9112 §6.3): what surrounds its content, and where it ends. */
export class ResponseReader {
  private readonly method: string;
  private readonly events: ResponseEvents;
  private readonly chunks = new ChunkedBody();
  private state: State = "head";
  private head = new ResponseHeadReader(LIMITS.maxHeadBytes);
  private remaining = 0;
  private trailerBytes: Buffer = Buffer.alloc(0);

  /** @param method of the request: a response to HEAD has no content */
  constructor(method: string, events: ResponseEvents) {
    this.method = method;
    this.events = events;
  }

  get isComplete(): boolean {
    return this.state === "complete";
  }

  /**
   * @param bytes lent for the call
   * @throws HttpError for what is no valid response, and for bytes after its end
   */
  receive(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.state === "complete")
        throw new HttpError("HTTP_BAD_REQUEST_LINE", "there are bytes after its end");
      rest = this.take(rest);
    }
  }

  /** The server has sent its last byte. @returns whether that ends the response properly */
  end(): boolean {
    if (this.state === "close") this.complete(NO_FIELDS);
    return this.state === "complete";
  }

  /** @returns what is left */
  private take(bytes: Buffer): Buffer {
    if (this.state === "head") return this.takeHead(bytes);
    if (this.state === "chunked") return this.takeChunk(bytes);
    if (this.state === "trailers") return this.takeTrailers(bytes);
    const taken = this.state === "length" ? bytes.subarray(0, this.remaining) : bytes;
    this.events.onBody(taken);
    this.remaining -= taken.length;
    if (this.state === "length" && this.remaining === 0) this.complete(NO_FIELDS);
    return bytes.subarray(taken.length);
  }

  private takeHead(bytes: Buffer): Buffer {
    const { head } = this;
    if (!head.receive(bytes)) return bytes.subarray(bytes.length);
    if (head.status >= 100 && head.status < 200 && head.status !== 101) {
      this.head = new ResponseHeadReader(LIMITS.maxHeadBytes);
      this.events.onInterim(head.status);
      return head.rest;
    }
    this.state = this.framing(head);
    const hasContent = this.state !== "complete";
    this.events.onHead(head, hasContent);
    if (hasContent) return head.rest;
    this.complete(NO_FIELDS);
    // After 101 it belongs to the other protocol, whose reader finds it in the head.
    return head.status === 101 ? bytes.subarray(bytes.length) : head.rest;
  }

  /** RFC 9112 §6.3. */
  private framing({ status, fields }: ResponseHeadReader): State {
    const coding = fields.get("transfer-encoding");
    const length = fields.get("content-length");
    if (coding !== undefined && length !== undefined) {
      throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "Transfer-Encoding together with Content-Length");
    }
    if (length !== undefined && !/^\d+$/.test(length)) {
      throw new HttpError("HTTP_BAD_CONTENT_LENGTH", "Content-Length is not one decimal number");
    }
    if (this.method === "HEAD" || status === 101 || status === 204 || status === 304) return "complete";
    if (coding !== undefined) return hasToken(coding, "chunked") ? "chunked" : "close";
    if (length === undefined) return "close";
    this.remaining = Number(length);
    return this.remaining === 0 ? "complete" : "length";
  }

  private takeChunk(bytes: Buffer): Buffer {
    const { chunks } = this;
    const at = chunks.scan(bytes, 0, bytes.length, Number.MAX_SAFE_INTEGER, LIMITS);
    if (chunks.dataEnd > chunks.dataStart)
      this.events.onBody(bytes.subarray(chunks.dataStart, chunks.dataEnd));
    if (chunks.atTrailers) this.state = "trailers";
    return bytes.subarray(at);
  }

  private takeTrailers(bytes: Buffer): Buffer {
    const all = Buffer.concat([this.trailerBytes, bytes]);
    if (all.length > LIMITS.maxHeadBytes) throw new HttpError("HTTP_HEAD_TOO_LARGE", "too many trailers");
    const end = new FieldScanner().scan(all, 0, all.length, LIMITS.maxFieldCount, 0);
    this.trailerBytes = all;
    if (end < 0) return bytes.subarray(bytes.length);
    this.complete(new Fields(all.toString("latin1", 0, end), 0));
    return all.subarray(end);
  }

  private complete(trailers: Fields): void {
    this.state = "complete";
    this.events.onComplete(trailers);
  }
}
