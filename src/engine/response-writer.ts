import { dateLine } from "../http1/date.ts";
import {
  addFieldLine,
  contentLengthLine,
  FieldError,
  headStart,
  setFieldLine,
  statusLine,
  withoutField,
} from "../http1/response-head.ts";
import type { Transport } from "../transport/transport.ts";
import { asBytes, byteLengthOf, writePayload } from "./payload.ts";

/*
 *   state      call                     next
 *   pending    status, setHeader        pending
 *              write, tryEnd            streaming   (the head is sent)
 *              end                      done
 *   streaming  write, tryEnd            streaming, done when tryEnd has sent everything
 *              end                      done
 *   done       anything                 done        (answers false)
 *   any        the peer goes, abort     gone        (answers false)
 */
export type ResponseState = "pending" | "streaming" | "done" | "gone";

/** How the end of the content is told (RFC 9112 §6.3). */
type Framing = "none" | "length" | "chunked" | "close";

/** What `tryEnd` of an exchange did. */
export interface TryEndResult {
  /** Whether all of the data was accepted; otherwise go on from `offset` when the response is writable. */
  accepted: boolean;
  /** Whether the response is complete. */
  done: boolean;
}

/** What the connection knows and decides of a response. */
export interface ResponseHost {
  readonly transport: Transport;
  readonly writeHighWaterBytes: number;
  readonly maxBackpressureBytes: number;
  /** Whether the connection must be closed after this response, as far as can be said now. */
  mustClose(): boolean;
  /** The response is complete. */
  responded(closes: boolean): void;
  /** The response cannot be completed; the connection is destroyed. */
  broke(code: "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE"): void;
}

/** Content is copied up to this size; from 64 KiB without the copy a third of the time is saved. */
const COPY_BYTES = 16_384;
const LAST_CHUNK = "0\r\n\r\n";
const NOT_ACCEPTED: TryEndResult = { accepted: false, done: false };

/** The response half of an exchange: framing is chosen here, never by the program (RFC 9112 §6). */
export abstract class ResponseWriter {
  /** Bytes of content that were accepted so far. */
  offset = 0;
  /** @internal Field lines that a failure's answer has, too. */
  keptLines = "";
  protected state: ResponseState = "pending";
  protected abstract readonly host: ResponseHost;
  protected abstract readonly minorVersion: number;
  protected abstract readonly isHead: boolean;
  private line = "HTTP/1.1 200 OK\r\n";
  private code = 200;
  private fieldLines = "";
  private declared = -1;
  private closes = false;
  private touched = false;
  private hasDate = false;
  private framing: Framing = "none";

  /** Whether the head of the response has been sent. */
  get headSent(): boolean {
    return this.state !== "pending";
  }

  /** Whether the response is complete, or can never be because the peer has gone. */
  get finished(): boolean {
    return this.state === "done" || this.state === "gone";
  }

  /** Whether its status or a header field has been set, or its head sent. */
  get begun(): boolean {
    return this.touched || this.headSent;
  }

  /** Bytes of the response that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.finished ? 0 : this.host.transport.bufferedBytes;
  }

  /** The status code that is or will be sent. */
  get statusCode(): number {
    return this.code;
  }

  /**
   * Sets the status; without effect once the head has been sent.
   * @param code 200 to 599 (interim responses are sent by the server itself)
   * @param reason in place of the registered phrase
   * @throws FieldError when they may not be sent
   */
  status(code: number, reason?: string): this {
    if (code < 200) throw new FieldError("a 1xx status is not a final response");
    const line = statusLine(code, reason);
    if (this.state === "pending") {
      this.line = line;
      this.code = code;
      this.touched = true;
    }
    return this;
  }

  /**
   * Sets a header field in place of those of the same name. The case of the name is kept. Content-Length declares
   * the length of what will be written; Connection can only ask to close; Transfer-Encoding is not the program's.
   * @param value latin1, without control characters
   * @throws FieldError for a name or a value that may not be sent (CR, LF and NUL among them)
   */
  setHeader(name: string, value: string | number): this {
    const text = String(value);
    const lines = setFieldLine(this.fieldLines, name, text);
    this.touched = true;
    if (this.state === "pending" && !this.isOwnField(name, text)) this.fieldLines = lines;
    return this;
  }

  /** Adds a header field and keeps those of the same name (for Set-Cookie above all). Otherwise like {@link setHeader}. */
  appendHeader(name: string, value: string | number): this {
    const text = String(value);
    const lines = addFieldLine(this.fieldLines, name, text);
    this.touched = true;
    if (this.state === "pending" && !this.isOwnField(name, text)) this.fieldLines = lines;
    return this;
  }

  /** Removes the header fields of a name, in any case. */
  removeHeader(name: string): this {
    if (this.state !== "pending") return this;
    const lower = name.toLowerCase();
    if (lower === "content-length") this.declared = -1;
    else if (lower === "date") this.hasDate = false;
    this.fieldLines = withoutField(this.fieldLines, name);
    return this;
  }

  /**
   * Sends a piece of the content and keeps the response open.
   * @param chunk text as UTF-8; bytes are copied up to 16 KiB, larger ones must not change until they are taken
   * @returns whether to go on; after false wait for `drained`. False, too, when the response is over
   * @throws TypeError for a chunk that is neither text nor bytes
   */
  write(chunk: string | Uint8Array): boolean {
    if (this.state === "pending") this.begin(-1);
    if (this.state !== "streaming" || !this.sendPiece(chunk)) return false;
    const { transport, writeHighWaterBytes } = this.host;
    if (transport.bufferedBytes < writeHighWaterBytes) return true;
    transport.requestDrain();
    return false;
  }

  /**
   * Completes the response.
   * @param chunk like in {@link write}; a response of one piece gets a Content-Length
   * @returns false when the response was over already
   */
  end(chunk: string | Uint8Array = ""): boolean {
    if (this.state === "pending") {
      return this.sendWhole(chunk);
    }
    if (this.state !== "streaming" || (chunk !== "" && !this.sendPiece(chunk))) return false;
    if (this.framing === "chunked") this.host.transport.writeText(LAST_CHUNK);
    if (this.framing === "length" && this.offset !== this.declared) return this.breakOff();
    this.finish();
    return true;
  }

  /**
   * Sends as much of the data as the peer takes soon, and buffers no more than that. What was not accepted is to be
   * sent again from `offset` on when the response is writable.
   * @param chunk the content from `offset` on, or a part of it
   * @param totalBytes the length of the whole content; needed in the first call, unless `chunk` is all that is left
   * @throws RangeError for a length that is not a whole number from 0 on
   */
  tryEnd(chunk: string | Uint8Array, totalBytes?: number): TryEndResult {
    if (totalBytes !== undefined && !(Number.isSafeInteger(totalBytes) && totalBytes >= 0)) {
      throw new RangeError(`${totalBytes} is not a length in bytes`);
    }
    const bytes = asBytes(chunk);
    const length = byteLengthOf(bytes);
    if (this.state === "pending") this.begin(totalBytes ?? length);
    if (this.state === "done") {
      const nothingToSend = this.framing === "none";
      return { accepted: nothingToSend, done: nothingToSend };
    }
    if (this.state !== "streaming") return NOT_ACCEPTED;
    const room = Math.max(0, this.host.writeHighWaterBytes - this.host.transport.bufferedBytes);
    const taken = Math.min(room, length);
    if (taken > 0 && !this.sendPiece(bytes.subarray(0, taken))) return NOT_ACCEPTED;
    const accepted = taken === length;
    const total = this.declared >= 0 ? this.declared : (totalBytes ?? this.offset - taken + length);
    const done = this.offset === total;
    if (done && this.framing === "chunked") this.host.transport.writeText(LAST_CHUNK);
    if (done) this.finish();
    else if (!accepted) this.host.transport.requestDrain();
    return { accepted, done };
  }

  /** @internal What has been set so far stays when a failure is answered instead. */
  keepFields(): void {
    this.keptLines = this.fieldLines;
    this.touched = false;
  }

  /** Forgets what was set, so that a refusal or a failure can be answered instead. */
  protected reset(): void {
    this.fieldLines = this.keptLines;
    this.declared = -1;
    this.hasDate = false;
  }

  /** The fields that were set, as field lines: for the answer to an upgrade. */
  protected get setFields(): string {
    return this.fieldLines;
  }

  private finish(): void {
    this.state = "done";
    this.host.responded(this.closes);
  }

  private breakOff(code: "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE" = "ERR_CONTENT_LENGTH"): false {
    this.host.broke(code);
    return false;
  }

  /** A response of one piece, in one write. */
  private sendWhole(chunk: string | Uint8Array): boolean {
    const length = byteLengthOf(chunk);
    const { transport } = this.host;
    this.state = "streaming";
    if (this.isHead || !mayHaveContent(this.code)) {
      this.framing = "none";
      // RFC 9110 §8.6: HEAD and 304 may tell the length that the content would have.
      const tells = this.isHead && mayHaveContent(this.code);
      transport.writeText(this.composeHead(this.declared >= 0 ? this.declared : tells ? length : -1));
    } else {
      if (this.declared >= 0 && this.declared !== length) return this.breakOff();
      this.framing = "length";
      writePayload(transport, this.composeHead(length), chunk, length, "", COPY_BYTES);
    }
    this.offset = length;
    this.finish();
    return true;
  }

  /** Sends the head; pieces of the content are to follow, unless there is none. */
  protected begin(total: number): void {
    if (total >= 0) this.declared = total;
    this.state = "streaming";
    if (this.isHead || !mayHaveContent(this.code)) this.framing = "none";
    else if (this.declared >= 0) this.framing = "length";
    else this.framing = this.minorVersion === 1 ? "chunked" : "close";
    this.host.transport.writeText(this.composeHead(this.declared));
    // The head was all of it: HEAD, 204, 205, 304.
    if (this.framing === "none") this.finish();
  }

  private sendPiece(chunk: string | Uint8Array): boolean {
    const length = byteLengthOf(chunk);
    const { host } = this;
    // The peer has gone, and the program will be told when it returns: one that loops must wait for that.
    if (host.transport.closed) return false;
    if (length === 0) return true;
    if (this.framing === "length" && this.offset + length > this.declared) return this.breakOff();
    if (host.transport.bufferedBytes > host.maxBackpressureBytes) return this.breakOff("ERR_BACKPRESSURE");
    this.offset += length;
    if (this.framing === "chunked")
      writePayload(host.transport, `${length.toString(16)}\r\n`, chunk, length, "\r\n", COPY_BYTES);
    else writePayload(host.transport, "", chunk, length, "", COPY_BYTES);
    return true;
  }

  /** The head; the framing must have been chosen. */
  private composeHead(length: number): string {
    let text = headStart(this.line, this.fieldLines, this.hasDate ? "" : dateLine());
    if (this.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
    else if (this.code === 205)
      text += contentLengthLine(0); // RFC 9110 §15.3.6
    else if (length >= 0 && this.code !== 204) text += contentLengthLine(length);
    if (this.closes || this.framing === "close" || this.host.mustClose()) {
      this.closes = true;
      text += "Connection: close\r\n";
    } else if (this.minorVersion === 0) text += "Connection: keep-alive\r\n";
    return `${text}\r\n`;
  }

  /** Takes the fields that decide about framing and connection to itself. */
  private isOwnField(name: string, value: string): boolean {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === "date") this.hasDate = true;
        return false;
      case 10:
        if (name.toLowerCase() !== "connection") return false;
        if (/\bclose\b/i.test(value)) this.closes = true;
        return /\b(?:close|keep-alive)\b/i.test(value);
      case 14:
        if (name.toLowerCase() !== "content-length") return false;
        if (!/^\d{1,15}$/.test(value)) throw new FieldError("Content-Length must be a whole number");
        this.declared = Number(value);
        return true;
      case 17:
        if (name.toLowerCase() !== "transfer-encoding") return false;
        throw new FieldError("the server chooses the transfer coding: write() chunks by itself");
      default:
        return false;
    }
  }
}

// RFC 9110 §6.4.1 and §15.3.6: these responses end with their head.
function mayHaveContent(code: number): boolean {
  return code !== 204 && code !== 205 && code !== 304;
}
