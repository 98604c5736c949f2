import { closeSync, createReadStream, constants as fsConstants, fstatSync, openSync } from "node:fs";
import { checkFieldName, checkFieldValue, FieldError } from "../http1/response-head.ts";
import { cut } from "./cut.ts";
import type { HttpRequest } from "./http-request.ts";

// A file that is a pipe would be waited for without it; Windows does not have it.
const OPEN_FLAGS = fsConstants.O_RDONLY | (fsConstants.O_NONBLOCK ?? 0);
const STREAM_CHUNK_BYTES = 65_536;

/** A response that is being made. Nothing is on the wire until it is sent. */
export class OutgoingResponse {
  /** The status code, 200 to 599. */
  status = 200;
  /** @internal */
  readonly request: HttpRequest;
  private readonly fields: [name: string, value: string][] = [];
  private content: string | Buffer = "";
  private more: Buffer[] = [];
  private sent = false;

  /** Made by `HttpResponse.create`. */
  constructor(request: HttpRequest) {
    this.request = request;
  }

  /** @internal */
  get isOver(): boolean {
    return this.sent || this.request.exchange.headSent;
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
    const sent = this.request.exchange.end(this.takeContent());
    this.request.release();
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
      request.release();
      return sent;
    }
    if (before.length > 0) exchange.write(before);
    const end = offset + bytes - 1;
    const source = createReadStream("", { fd, start: offset, end, highWaterMark: STREAM_CHUNK_BYTES });
    exchange.stream(source).then(
      () => request.release(),
      (error: unknown) => {
        // The connection has been destroyed: the peer sees that the content is not complete.
        request.release();
        console.error(error);
      },
    );
    return true;
  }

  /** @internal Hands the fields over to the handshake's answer. */
  giveFields(): void {
    if (this.isOver) return;
    for (const [name, value] of this.fields) this.request.exchange.appendHeader(name, value);
  }

  /** @internal Sends what has not been sent, whatever is wrong with it. */
  finish(): void {
    if (this.isOver || this.send()) return;
    // Only the status can have been refused.
    this.status = 500;
    this.send();
  }

  /** @param whole whether all of the content is known now */
  private begin(whole: boolean): boolean {
    const { exchange } = this.request;
    try {
      exchange.status(this.status);
    } catch (error) {
      if (error instanceof FieldError) return false;
      throw error;
    }
    this.sent = true;
    // The length of content that is sent is known better here.
    const tellsLength = whole && (exchange.method === "HEAD" || this.status === 304);
    for (const [name, value] of this.fields) {
      if (tellsLength || name.toLowerCase() !== "content-length") exchange.appendHeader(name, value);
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

/** Whether a part of a file may be so long; more than there is means all of it. */
function isLength(length: number): boolean {
  return length === Number.POSITIVE_INFINITY || (Number.isSafeInteger(length) && length >= 0);
}
