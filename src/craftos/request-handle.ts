import type { Exchange } from "../exchange/exchange.ts";
import { closedFile } from "./errors.ts";

const LINE_FEED = 0x0a;

/**
 * A request with a complete body, which you read like a file. Reading after `close` throws "attempt to use a closed
 * file". The URL, the method and the header fields stay available.
 */
export class RequestHandle {
  private readonly exchange: Exchange;
  private readonly content: Buffer;
  private at = 0;
  private closed = false;

  /** @internal Made by the listener. */
  constructor(exchange: Exchange, content: Buffer) {
    this.exchange = exchange;
    this.content = content;
  }

  /** The path with the query, as sent. */
  getURL(): string {
    const { target, requestHead, query } = this.exchange;
    const { path } = requestHead;
    // A proxy's form of the target has the host in it, too.
    if (target.startsWith("/")) return target;
    return query === "" ? path : `${path}?${query}`;
  }

  getMethod(): string {
    return this.exchange.method;
  }

  /**
   * Returns the header fields by their names as they were sent. Values of repeated fields are joined at the position of
   * the first. {@link getRequestHeader} ignores case.
   */
  getRequestHeaders(): Record<string, string> {
    const { headers, requestHead } = this.exchange;
    const record: Record<string, string> = Object.create(null);
    const seen = new Set<string>();
    for (const [name] of requestHead.fields.entries()) {
      const lower = name.toLowerCase();
      if (!seen.has(lower)) record[name] = headers[lower] ?? "";
      seen.add(lower);
    }
    return record;
  }

  /** Returns the value of a header field. @param name case-insensitive @returns undefined if it was not sent */
  getRequestHeader(name: string): string | undefined {
    return this.exchange.header(name);
  }

  /**
   * Returns the next bytes of the body as a string with one character for each byte (latin1), as a string in Lua is.
   * Send it on with `Buffer.from(text, "latin1")`, or read with {@link readBytes}.
   * @param count the number of bytes, at most
   * @returns null at the end
   */
  read(count = 1): string | null {
    return this.readBytes(count)?.toString("latin1") ?? null;
  }

  /**
   * Returns the next characters of the body as UTF-8.
   * @param count the number of characters, at most
   * @returns null at the end
   */
  readCharacters(count = 1): string | null {
    this.check();
    if (this.atEnd) return null;
    let end = this.at;
    for (let i = 0; i < count && end < this.content.length; i++) end += characterLength(this.content, end);
    return this.advance(end).toString("utf8");
  }

  /** Returns the next bytes of the body, or null at the end. The buffer stays valid. */
  readBytes(count = 1): Buffer | null {
    this.check();
    if (this.atEnd) return null;
    const end = count >= 0 ? this.at + Math.trunc(count) : this.at;
    return this.advance(Math.min(end, this.content.length));
  }

  /**
   * Returns the rest of the line as UTF-8. The line ends with LF; a CR before it stays, as in the original.
   * @param withTrailing whether to include the LF
   * @returns null at the end of the body
   */
  readLine(withTrailing = false): string | null {
    this.check();
    if (this.atEnd) return null;
    const found = this.content.indexOf(LINE_FEED, this.at);
    const line = this.advance(found < 0 ? this.content.length : found + 1);
    return line.toString("utf8", 0, withTrailing || found < 0 ? line.length : line.length - 1);
  }

  /** Returns the rest of the body as UTF-8; "" at the end. */
  readAll(): string {
    return this.readAllBytes().toString("utf8");
  }

  /** Returns the rest of the body. The buffer stays valid. */
  readAllBytes(): Buffer {
    this.check();
    return this.advance(this.content.length);
  }

  close(): void {
    this.check();
    this.closed = true;
  }

  private get atEnd(): boolean {
    return this.at >= this.content.length;
  }

  private advance(end: number): Buffer {
    const taken = this.content.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  private check(): void {
    if (this.closed) throw closedFile();
  }
}

/** Bytes of the UTF-8 character that begins here; 1 for what is none. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  for (let i = 1; i < wanted; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 1;
  return wanted;
}
