import { closeSync, createReadStream, constants as fsConstants, fstatSync, openSync } from "node:fs";
import { checkFieldName, checkFieldValue, FieldError } from "../protocol/http/field-lines.ts";
import { cut } from "./cut.ts";
import type { HttpRequest } from "./http-request.ts";

// Without it, opening a pipe blocks; Windows does not have it.
const OPEN_FLAGS = fsConstants.O_RDONLY | (fsConstants.O_NONBLOCK ?? 0);
const STREAM_CHUNK_BYTES = 65_536;

/** A response that is being built. Nothing is written to the connection until you send it. */
export class OutgoingResponse {
  /** The status code, 200 to 599. */
  status = 200;
  /**
   * The length of the body in bytes. Portico computes it, so your value is used only if no body is sent (HEAD, 304). -1
   * sends the body in chunks, without a Content-Length.
   */
  content_length: number | undefined = undefined;
  /** The time of the response, in seconds since 1970. Default: now. */
  date: number | undefined = undefined;
  /** The time of the last change, in seconds since 1970. Not sent by default. */
  last_modified: number | undefined = undefined;
  /** @internal */
  request: HttpRequest;
  private fields: [name: string, value: string][] = [];
  private content: string | Buffer = "";
  private more: Buffer[] = [];
  private isSent = false;

  /** @internal Made by `HttpResponse.create`. */
  constructor(request: HttpRequest) {
    this.request = request;
  }

  /** @internal */
  get isOver(): boolean {
    return this.isSent || this.request.exchange.headSent;
  }

  /** @internal Begins again, for another request. */
  reset(request: HttpRequest): void {
    this.request = request;
    this.status = 200;
    this.content_length = undefined;
    this.date = undefined;
    this.last_modified = undefined;
    this.fields = [];
    this.takeContent();
    this.isSent = false;
  }

  /** @internal Ends the connection, after the body so far if there is one. */
  close(): void {
    if (this.isOver) return;
    if (this.content.length > 0 && this.addField("Connection", "close") && this.send()) return;
    this.isSent = true;
    this.request.exchange.abort();
    this.request.removeFile();
  }

  /** @internal @returns whether it was taken */
  addField(name: string, value: string): boolean {
    if (this.isOver) return false;
    const isLength = name.toLowerCase() === "content-length";
    if (name.toLowerCase() === "transfer-encoding" || (isLength && !/^\d{1,15}$/.test(value))) return false;
    try {
      checkFieldName(name);
      checkFieldValue(name, value);
    } catch (error) {
      if (error instanceof FieldError) return false;
      throw error;
    }
    this.fields.push([name, value]);
    return true;
  }

  /** @internal Appends to the content. */
  addContent(data: string | Uint8Array, length: number | undefined): boolean {
    if (this.isOver || (length !== undefined && !(length >= 0))) return false;
    const part = cut(data, length);
    const piece = typeof part === "string" ? part : Buffer.from(part);
    if (this.content.length === 0) this.content = piece;
    else this.more.push(Buffer.from(piece));
    return true;
  }

  /** @internal Sends the head and the content. */
  send(): boolean {
    if (this.isOver || !this.begin(true)) return false;
    const { exchange } = this.request;
    const content = this.takeContent();
    if (this.content_length === -1 && content.length > 0) exchange.write(content);
    const sent = exchange.end(this.content_length === -1 ? "" : content);
    this.request.removeFile();
    return sent;
  }

  /** @internal Sends the head, the content so far and then a part of a file. */
  sendFile(path: string, offset: number, length: number | undefined): boolean {
    const whole = Number.isSafeInteger(offset) && offset >= 0;
    if (this.isOver || !whole || (length !== undefined && !isLength(length))) return false;
    const { request } = this;
    let fd: number;
    try {
      fd = openSync(path, OPEN_FLAGS);
    } catch {
      return false;
    }
    const stat = fstatSync(fd);
    if (!stat.isFile() || offset > stat.size || !this.begin(false)) {
      closeSync(fd);
      return false;
    }
    const before = Buffer.from(this.takeContent());
    const bytes = Math.min(length ?? stat.size, stat.size - offset);
    const { exchange } = request;
    exchange.setHeader("Content-Length", before.length + bytes);
    if (bytes === 0 || exchange.method === "HEAD") {
      closeSync(fd);
      const sent = exchange.end(exchange.method === "HEAD" ? "" : before);
      request.removeFile();
      return sent;
    }
    if (before.length > 0) exchange.write(before);
    const end = offset + bytes - 1;
    const source = createReadStream("", { fd, start: offset, end, highWaterMark: STREAM_CHUNK_BYTES });
    exchange.stream(source).then(
      () => request.removeFile(),
      (error: unknown) => {
        // The connection has been destroyed: the client sees that the body is incomplete.
        request.removeFile();
        console.error(error);
      },
    );
    return true;
  }

  /** @internal Adds the fields to the response of the handshake. */
  applyFields(): void {
    if (this.isOver) return;
    for (const [name, value] of this.fields) this.request.exchange.appendHeader(name, value);
  }

  /** @internal Sends the response if it was not sent, as a 500 when its status is invalid. */
  finish(): void {
    if (this.isOver || this.send()) return;
    // Only the status or a time can have been refused.
    this.status = 500;
    this.date = undefined;
    this.last_modified = undefined;
    this.send();
  }

  /** @param isComplete whether the whole body is known now */
  private begin(isComplete: boolean): boolean {
    const { exchange } = this.request;
    const times = [timeField("Date", this.date), timeField("Last-Modified", this.last_modified)];
    if (times.includes(null)) return false;
    try {
      exchange.status(this.status);
    } catch (error) {
      if (error instanceof FieldError) return false;
      throw error;
    }
    this.isSent = true;
    // The length of a body that is sent is counted here.
    const hasLength = isComplete && (exchange.method === "HEAD" || this.status === 304);
    for (const field of times) if (field) exchange.setHeader(...field);
    const { content_length } = this;
    if (hasLength && content_length !== undefined && isLength(content_length)) {
      exchange.setHeader("Content-Length", content_length);
    }
    for (const [name, value] of this.fields) {
      if (hasLength || name.toLowerCase() !== "content-length") exchange.appendHeader(name, value);
    }
    return true;
  }

  private takeContent(): string | Buffer {
    const { content, more } = this;
    this.content = "";
    this.more = [];
    return more.length === 0 ? content : Buffer.concat([Buffer.from(content), ...more]);
  }
}

/** Returns a field with a time in seconds; undefined for none, null for a time that cannot be sent. */
function timeField(
  name: string,
  seconds: number | undefined,
): [name: string, value: string] | undefined | null {
  if (seconds === undefined) return undefined;
  const time = new Date(seconds * 1_000);
  return Number.isNaN(time.getTime()) ? null : [name, time.toUTCString()];
}

/** Returns whether a number is valid as the length of a part; a larger one than the file has means all of it. */
function isLength(length: number): boolean {
  return length === Number.POSITIVE_INFINITY || (Number.isSafeInteger(length) && length >= 0);
}
