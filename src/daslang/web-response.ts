import { constants as fsConstants } from "node:fs";
import { open } from "node:fs/promises";
import type { Exchange } from "../exchange/exchange.ts";
import { mediaType } from "../protocol/http/media-type.ts";
import { type CookieOptions, setCookie } from "../web/cookies.ts";

// Without it, opening a pipe blocks; Windows does not have it.
const OPEN_FLAGS = fsConstants.O_RDONLY | (fsConstants.O_NONBLOCK ?? 0);

/** A response. It is sent when the handler returns a status, unless the handler has begun to stream it. */
export class WebResponse {
  /** The body. It is sent with the status that the handler returns. */
  body: string | Uint8Array = "";
  /** @internal */
  readonly exchange: Exchange;
  private isStreaming = false;

  /** @internal Made by the server. */
  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** Whether more can be sent: the response is not complete, and the client is connected. */
  get is_open(): boolean {
    return !this.exchange.finished;
  }

  /**
   * Sends a piece of the body now. The status that the handler returns is ignored then, so set it before.
   * @param status the status, used only with the first piece
   * @returns whether to continue; after false, send more in a later tick
   */
  write(chunk: string | Uint8Array, status = 200): boolean {
    if (!this.exchange.headSent) this.exchange.status(status);
    this.isStreaming = true;
    return this.exchange.write(chunk);
  }

  /** Completes a streamed response. @returns false if it had already ended */
  end(chunk: string | Uint8Array = ""): boolean {
    this.isStreaming = true;
    return this.exchange.end(chunk);
  }

  /** @internal @returns the status */
  async sendFile(path: string): Promise<number> {
    const { exchange } = this;
    const handle = await open(path, OPEN_FLAGS).catch(() => undefined);
    const stat = await handle?.stat();
    if (handle === undefined || stat?.isFile() !== true) {
      await handle?.close();
      return 404;
    }
    this.isStreaming = true;
    exchange.setHeader("Content-Type", mediaType(path)).setHeader("Content-Length", stat.size);
    if (exchange.method === "HEAD" || stat.size === 0) {
      await handle.close();
      exchange.end();
    } else await exchange.stream(handle.createReadStream({ end: stat.size - 1 }));
    return exchange.statusCode;
  }

  /** @internal */
  finish(status: number): void {
    if (this.isStreaming || this.exchange.headSent) return;
    this.exchange.status(status).end(this.body);
  }
}

/** Sets a header field, replacing those of the same name. @throws FieldError for a field that cannot be sent */
export function set_header(resp: WebResponse, name: string, value: string | number): void {
  resp.exchange.setHeader(name, value);
}

/** Sets the type of the body. @throws FieldError for a type that cannot be sent */
export function set_content_type(resp: WebResponse, type: string): void {
  resp.exchange.setHeader("Content-Type", type);
}

/** Adds a cookie. @throws FieldError for a cookie that a browser would refuse */
export function set_cookie(resp: WebResponse, name: string, value: string, options?: CookieOptions): void {
  setCookie(resp.exchange, name, value, options);
}

function answer(resp: WebResponse, type: string, body: string | Uint8Array, status: number): number {
  set_content_type(resp, type);
  resp.body = body;
  return status;
}

/** Answers with plain text. @returns the status, for the handler to return */
export function TEXT_PLAIN(resp: WebResponse, text: string, status = 200): number {
  return answer(resp, "text/plain; charset=utf-8", text, status);
}

/**
 * Answers with a file, which is read as fast as the client receives it. `STATIC` also answers ranges and conditional
 * requests.
 * @returns a promise of the status, for the handler to return: 404 if the file does not exist
 */
export function SERVE_FILE(resp: WebResponse, path: string): Promise<number> {
  return resp.sendFile(path);
}

/**
 * Redirects the client to another address.
 * @param status 301, 302, 303, 307 or 308
 * @returns it, for the handler to return
 */
export function REDIRECT(resp: WebResponse, location: string, status = 302): number {
  set_header(resp, "Location", location);
  return status;
}

// A declaration of this name would hide the global in this file.
const named = {
  JSON: (resp: WebResponse, text: string, status = 200): number =>
    answer(resp, "application/json", text, status),
};
/** Answers with text that is JSON already. @returns the status, for the handler to return */
const answerJson: (resp: WebResponse, text: string, status?: number) => number = named.JSON;

export { answerJson as JSON };
