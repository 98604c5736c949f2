import type { Exchange } from "../engine/exchange.ts";
import { closedFile } from "./events.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A request, read like a file: its content is complete. Every use after `close` throws "attempt to use a closed file". */
export class RequestHandle {
  private readonly exchange: Exchange;
  private readonly content: Buffer;
  private at = 0;
  private closed = false;

  /** Made by the listener. */
  constructor(exchange: Exchange, content: Buffer) {
    this.exchange = exchange;
    this.content = content;
  }

  /** The path with the query, as sent. */
  getURL(): string {
    this.check();
    const { target, path, query } = this.exchange;
    // A proxy's form of the target has the host in it, too.
    if (target.startsWith("/")) return target;
    return query === "" ? path : `${path}?${query}`;
  }

  getMethod(): string {
    this.check();
    return this.exchange.method;
  }

  /** Values by lower-case name. */
  getRequestHeaders(): Record<string, string> {
    this.check();
    return this.exchange.headers;
  }

  /**
   * The next characters of the content as UTF-8.
   * @param count how many at the most
   * @returns null at the end
   */
  read(count = 1): string | null {
    this.check();
    if (this.atEnd) return null;
    let end = this.at;
    for (let i = 0; i < count && end < this.content.length; i++) end += characterLength(this.content, end);
    return this.advance(end).toString("utf8");
  }

  /** The next bytes of the content. @returns null at the end; a view that stays valid */
  readBytes(count = 1): Buffer | null {
    this.check();
    if (this.atEnd) return null;
    const end = count >= 0 ? this.at + Math.trunc(count) : this.at;
    return this.advance(Math.min(end, this.content.length));
  }

  /**
   * The rest of the line, which ends with LF or CRLF.
   * @param withTrailing with its end
   * @returns null at the end of the content
   */
  readLine(withTrailing = false): string | null {
    this.check();
    if (this.atEnd) return null;
    const found = this.content.indexOf(LINE_FEED, this.at);
    const line = this.advance(found < 0 ? this.content.length : found + 1);
    if (withTrailing || found < 0) return line.toString("utf8");
    const end = line.length - (line.at(-2) === CARRIAGE_RETURN ? 2 : 1);
    return line.toString("utf8", 0, end);
  }

  /** All that is left, as UTF-8; "" at the end. */
  readAll(): string {
    return this.readAllBytes().toString("utf8");
  }

  /** All that is left. @returns a view that stays valid */
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
