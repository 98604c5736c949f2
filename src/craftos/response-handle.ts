import { ByteCollector } from "../bytes/byte-collector.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { asBytes } from "../transport/payload.ts";
import { closedFile } from "./errors.ts";
import { luaText, type Writable } from "./lua-text.ts";

/**
 * A response that you write like a file. Nothing is sent before `close`. An unclosed handle is closed after the
 * computer's `responseTimeout`. Any use after that throws "attempt to use a closed file".
 */
export class ResponseHandle {
  private readonly exchange: Exchange;
  private readonly content = new ByteCollector();
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @internal Made by the listener. @param timeoutMs after which it closes itself, once {@link startTimeout} was called */
  constructor(exchange: Exchange, timeoutMs: number) {
    this.exchange = exchange;
    this.timeoutMs = timeoutMs;
  }

  /** @internal Called when the program has received the handle. */
  startTimeout(): void {
    if (!this.closed) this.timer ??= setTimeout(() => this.close(), this.timeoutMs).unref();
  }

  /**
   * Sets the status, which is 200 by default.
   * @param code 200 to 599; text such as "404" is converted, as in Lua
   * @param reason replaces the registered phrase
   * @throws FieldError for a status that cannot be sent
   */
  setStatusCode(code: number | string, reason?: string): void {
    this.check();
    this.exchange.status(typeof code === "string" ? Number(code.trim() || Number.NaN) : code, reason);
  }

  /** Sets a header field, replacing those of the same name. @throws FieldError for a field that cannot be sent */
  setResponseHeader(name: string, value: string | number): void {
    this.check();
    this.exchange.setHeader(name, value);
  }

  /**
   * Appends to the body. Text is sent as UTF-8, bytes are copied, and numbers and booleans become text as in Lua.
   * @throws TypeError for other values
   */
  write(data: Writable): void {
    this.check();
    this.content.append(asBytes(luaText(data)));
  }

  /** Appends to the body like {@link write}, and ends the line with LF. */
  writeLine(data: Writable): void {
    this.write(data);
    this.write("\n");
  }

  /** Does nothing: `close` sends the body as a whole. */
  flush(): void {
    this.check();
  }

  /** Sends the response, with a Content-Length. */
  close(): void {
    this.check();
    this.closed = true;
    clearTimeout(this.timer);
    const content = this.content.take();
    // A length that was declared is corrected where the content is known.
    if (this.exchange.method !== "HEAD") this.exchange.removeHeader("Content-Length");
    this.exchange.end(content);
  }

  private check(): void {
    if (this.closed) throw closedFile();
  }
}
