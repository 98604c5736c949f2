import { hasContent } from "../protocol/http/content.ts";
import { renewDate } from "../protocol/http/date.ts";
import {
  addFieldLine,
  FieldError,
  FixedLine,
  setFieldLine,
  withoutField,
} from "../protocol/http/field-lines.ts";
import { type FieldValue, fieldText, fieldTexts } from "../protocol/http/field-values.ts";
import { checkStatus } from "../protocol/http/status.ts";
import { asBytes, byteLengthOf } from "../transport/payload.ts";
import {
  endedStream,
  type HttpStream,
  type ResponseErrorCode,
  type ResponseHead,
  UNKNOWN_LENGTH,
} from "./http-stream.ts";

/*
 *   state      call                     next
 *   pending    status, setHeader        pending
 *              write, tryEnd            streaming   (the head is sent)
 *              end                      done
 *   streaming  write, tryEnd            streaming, done when tryEnd has sent everything
 *              end                      done
 *   done       anything                 done        (answers false)
 *   any        client gone, abort       gone        (answers false)
 */
export type ResponseState = "pending" | "streaming" | "done" | "gone";

/** The result of `Exchange.tryEnd`. */
export interface TryEndResult {
  /** Whether all of the data was accepted. Otherwise continue at `offset` when the response is writable. */
  accepted: boolean;
  /** Whether the response is complete. */
  done: boolean;
}

// Without a type, browsers guess: text would be read in an old encoding, and run as a page when it looks like one.
const textType = new FixedLine("Content-Type", "text/plain; charset=utf-8");
const bytesType = new FixedLine("Content-Type", "application/octet-stream");

const NOT_ACCEPTED: TryEndResult = { accepted: false, done: false };

/**
 * A response: status, header fields, body and backpressure. The stream does the framing, never the program (RFC 9112
 * §6).
 */
export class Response implements ResponseHead {
  state: ResponseState = "pending";
  /** The number of body bytes accepted so far. */
  offset = 0;
  /** Field lines that error responses keep. */
  keptLines = "";
  statusCode = 200;
  reason: string | undefined = undefined;
  fieldLines = "";
  hasDate = false;
  closes = false;
  isTouched = false;
  /** Whether Content-Type is settled: it was set, or must not be sent. */
  hasType: boolean;
  stream: HttpStream<unknown>;
  readonly method: string;
  private declared = UNKNOWN_LENGTH;
  private isHeadOnly = false;

  /** @param hasType true if nothing is added to the fields that the program sets */
  constructor(stream: HttpStream<unknown>, method: string, hasType: boolean) {
    this.stream = stream;
    this.method = method;
    this.hasType = hasType;
  }

  get isFinished(): boolean {
    return this.state === "done" || this.state === "gone";
  }

  setStatus(code: number, reason: string | undefined): void {
    if (code < 200) throw new FieldError("a 1xx status is not a final response");
    checkStatus(code, reason);
    if (this.state !== "pending") return;
    this.statusCode = code;
    // Programs without types can pass an Error here.
    this.reason = reason === undefined ? undefined : String(reason);
    this.isTouched = true;
  }

  setHeader(name: string, value: FieldValue): void {
    if (typeof value === "object") {
      this.setLines(name, fieldTexts(name, value));
      return;
    }
    const text = typeof value === "string" ? value : fieldText(name, value);
    const lines = setFieldLine(this.fieldLines, name, text);
    this.isTouched = true;
    if (this.state === "pending" && !this.isOwnField(name, text)) this.fieldLines = lines;
  }

  appendHeader(name: string, value: FieldValue): void {
    if (typeof value === "object") {
      for (const text of fieldTexts(name, value)) this.appendHeader(name, text);
      return;
    }
    const text = typeof value === "string" ? value : fieldText(name, value);
    const lines = addFieldLine(this.fieldLines, name, text);
    this.isTouched = true;
    if (this.state === "pending" && !this.isOwnField(name, text)) this.fieldLines = lines;
  }

  /** Omits Content-Type. @throws FieldError for any other field */
  omitHeader(name: string): void {
    if (name.toLowerCase() !== "content-type") {
      throw new FieldError(`only Content-Type can be null, not ${name}. Use removeHeader`);
    }
    this.isTouched = true;
    this.removeHeader(name);
    this.hasType = true;
  }

  removeHeader(name: string): void {
    if (this.state !== "pending") return;
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      // It is a number here, never a line.
      this.declared = UNKNOWN_LENGTH;
      return;
    }
    if (lower === "date") this.hasDate = false;
    else if (lower === "content-type") this.hasType = false;
    this.fieldLines = withoutField(this.fieldLines, name);
  }

  write(chunk: string | Uint8Array): boolean {
    if (this.state === "pending") {
      this.addType(chunk);
      this.begin(UNKNOWN_LENGTH);
    }
    if (this.state !== "streaming" || !this.sendPiece(chunk)) return false;
    const { output, highWaterBytes } = this.stream;
    if (output.bufferedBytes < highWaterBytes) return true;
    output.requestDrain();
    return false;
  }

  end(chunk: string | Uint8Array): boolean {
    if (this.state === "pending") return this.sendWhole(chunk);
    if (this.state !== "streaming" || (chunk !== "" && !this.sendPiece(chunk))) return false;
    if (this.declared >= 0 && this.offset !== this.declared) return this.breakOff("ERR_CONTENT_LENGTH");
    this.finish();
    return true;
  }

  tryEnd(chunk: string | Uint8Array, totalBytes: number | undefined): TryEndResult {
    if (totalBytes !== undefined && !(Number.isSafeInteger(totalBytes) && totalBytes >= 0)) {
      throw new RangeError(`${totalBytes} is not a length in bytes. Use an integer of at least 0`);
    }
    const bytes = asBytes(chunk);
    const length = byteLengthOf(bytes);
    if (this.state === "pending") {
      const total = totalBytes ?? length;
      if (total > 0) this.addType(chunk);
      this.begin(total);
    }
    if (this.state === "done") return { accepted: this.isHeadOnly, done: this.isHeadOnly };
    if (this.state !== "streaming") return NOT_ACCEPTED;
    const { stream } = this;
    const room = Math.max(0, stream.highWaterBytes - stream.output.bufferedBytes);
    const taken = Math.min(room, length);
    if (taken > 0 && !this.sendPiece(bytes.subarray(0, taken))) return NOT_ACCEPTED;
    const accepted = taken === length;
    const total = this.declared >= 0 ? this.declared : (totalBytes ?? this.offset - taken + length);
    const done = this.offset === total;
    if (done) this.finish();
    else if (!accepted) stream.output.requestDrain();
    return { accepted, done };
  }

  /** Sends the head. The body follows, if there is one. */
  begin(total: number): void {
    if (total >= 0) this.declared = total;
    this.state = "streaming";
    const withContent = hasContent(this.method, this.statusCode);
    this.stream.writeHead(this, this.declared, withContent);
    if (withContent) return;
    this.isHeadOnly = true;
    this.finish();
  }

  /** Keeps the fields set so far for a later error response. */
  keepFields(): void {
    // The body of an error response has a different type.
    this.keptLines = this.hasType ? withoutField(this.fieldLines, "content-type") : this.fieldLines;
    this.isTouched = false;
  }

  /** Replaces the status and fields by those of a refusal or a failure. */
  replaceBy(status: number, headers: Readonly<Record<string, string>>): void {
    this.fieldLines = this.keptLines;
    this.declared = UNKNOWN_LENGTH;
    this.hasDate = false;
    this.hasType = false;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    this.setStatus(status, undefined);
  }

  /** Adds a Content-Type if none was set, for HEAD the same as for GET. */
  private addType(chunk: string | Uint8Array): void {
    if (this.hasType || !hasContent("GET", this.statusCode)) return;
    this.fieldLines = (typeof chunk === "string" ? textType : bytesType).addTo(this.fieldLines);
  }

  private setLines(name: string, texts: readonly string[]): void {
    const [first, ...others] = texts;
    if (first === undefined) this.removeHeader(name);
    else this.setHeader(name, first);
    for (const text of others) this.appendHeader(name, text);
  }

  private finish(): void {
    this.state = "done";
    this.stream.end();
  }

  private breakOff(code: ResponseErrorCode): false {
    this.stream.abort(code);
    return false;
  }

  /** Sends a response in one piece. */
  private sendWhole(chunk: string | Uint8Array): boolean {
    const length = byteLengthOf(chunk);
    const { stream, declared } = this;
    if (length > 0) this.addType(chunk);
    this.state = "streaming";
    if (hasContent(this.method, this.statusCode)) {
      if (declared >= 0 && declared !== length) return this.breakOff("ERR_CONTENT_LENGTH");
      stream.writeHead(this, length, true, chunk);
    } else {
      // RFC 9110 §8.6: HEAD can tell the length that the content would have.
      const isTold = declared < 0 && hasContent("GET", this.statusCode);
      stream.writeHead(this, isTold ? length : declared, false);
      this.isHeadOnly = true;
    }
    this.offset = length;
    this.finish();
    return true;
  }

  private sendPiece(chunk: string | Uint8Array): boolean {
    const length = byteLengthOf(chunk);
    const { stream } = this;
    // The client has disconnected; the program learns of it when it returns. A program that loops must wait for that.
    if (stream.output.closed) return false;
    if (length === 0) return true;
    if (this.declared >= 0 && this.offset + length > this.declared)
      return this.breakOff("ERR_CONTENT_LENGTH");
    if (stream.output.bufferedBytes > stream.maxBackpressureBytes) return this.breakOff("ERR_BACKPRESSURE");
    this.offset += length;
    stream.writeBody(chunk, length);
    return true;
  }

  /** Handles the fields for framing and connections, which the program does not control. */
  private isOwnField(name: string, value: string): boolean {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === "date") this.hasDate = true;
        return false;
      case 10:
        if (name.toLowerCase() !== "connection") return false;
        if (/\bclose\b/i.test(value)) this.closes = true;
        return /\b(?:close|keep-alive)\b/i.test(value);
      case 12:
        if (name === "Content-Type" || name.toLowerCase() === "content-type") this.hasType = true;
        return false;
      case 7:
      case 13: // RFC 9110 §8.8.2.1, RFC 9111 §4.2.1: these are compared with Date
        if (/^(?:expires|last-modified)$/i.test(name)) renewDate();
        return false;
      case 14:
        if (name.toLowerCase() !== "content-length") return false;
        if (!/^\d{1,15}$/.test(value))
          throw new FieldError("Content-Length must be an integer of at least 0");
        this.declared = Number(value);
        return true;
      case 17:
        if (name.toLowerCase() !== "transfer-encoding") return false;
        throw new FieldError("you cannot set Transfer-Encoding: write() uses chunks automatically");
      default:
        return false;
    }
  }
}

/** In place of the response of an exchange that has become a WebSocket, which keeps the exchange. */
export const answeredResponse: Response = new Response(endedStream, "GET", true);
answeredResponse.state = "done";
