import { ByteCollector } from "../engine/byte-collector.ts";
import type { Exchange } from "../engine/exchange.ts";
import { closedFile } from "./events.ts";

/**
 * A response, written like a file. Nothing is sent before `close`. A handle that is never closed is closed after the
 * computer's `responseTimeout`. Every use after that throws "attempt to use a closed file".
 */
export class ResponseHandle {
  private readonly exchange: Exchange;
  private readonly content = new ByteCollector();
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** Made by the listener. @param timeoutMs after which it closes itself, once {@link startTimeout} was called */
  constructor(exchange: Exchange, timeoutMs: number) {
    this.exchange = exchange;
    this.timeoutMs = timeoutMs;
  }

  /** @internal The program has got it. */
  startTimeout(): void {
    if (!this.closed) this.timer ??= setTimeout(() => this.close(), this.timeoutMs).unref();
  }

  /** @param code 200 to 599, default 200 @throws FieldError for another */
  setStatusCode(code: number): void {
    this.check();
    this.exchange.status(code);
  }

  /** Sets a header field in place of those of the same name. @throws FieldError for what may not be sent */
  setResponseHeader(name: string, value: string): void {
    this.check();
    this.exchange.setHeader(name, value);
  }

  /** Adds to the content; text as UTF-8, bytes are copied. */
  write(data: string | Uint8Array): void {
    this.check();
    this.content.append(typeof data === "string" ? Buffer.from(data) : data);
  }

  writeLine(text: string): void {
    this.write(`${text}\n`);
  }

  /** Does nothing: the content is sent as a whole by `close`. */
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
