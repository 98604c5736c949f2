import type { Exchange } from "../engine/exchange.ts";
import type { HttpServer } from "./http-server.ts";
import type { TemporaryFile } from "./request-content.ts";

/** A request whose content is complete. It may be kept; what it tells stays valid, but for `body_file`. */
export class HttpRequest {
  /** @internal */
  readonly exchange: Exchange;
  /** @internal */
  readonly server: HttpServer;
  /** The method, as sent. */
  readonly method: string;
  /** The path as sent: not decoded, without the query. */
  readonly path: string;
  /** What follows "?" in the target, or "". */
  readonly query: string;
  /** The program's own; at first that of the server. */
  udata: unknown;
  /** The content, or null when there is none or when it is in `body_file`. */
  readonly body: Buffer | null;
  private readonly file: TemporaryFile | undefined;

  /** Made by the server. */
  constructor(exchange: Exchange, server: HttpServer, body: Buffer | null, file?: TemporaryFile) {
    this.exchange = exchange;
    this.server = server;
    this.method = exchange.method;
    this.path = exchange.path;
    this.query = exchange.query;
    this.udata = server.udata;
    this.body = body;
    this.file = file;
    if (file !== undefined) exchange.onAbort(() => file.remove());
  }

  /** "HTTP/1.1" or "HTTP/1.0". */
  get version(): string {
    return `HTTP/${this.exchange.httpVersion}`;
  }

  /** The value of the Upgrade field when the client asks for another protocol, such as "websocket". */
  get upgrade(): string | undefined {
    return this.exchange.wantsUpgrade ? this.exchange.header("upgrade") : undefined;
  }

  /** All header fields by lower-case name; lines of one name joined with ", " (Cookie: "; "). */
  get headers(): Record<string, string> {
    return this.exchange.headers;
  }

  /** @param name in any case @returns undefined when it was not sent */
  header(name: string): string | undefined {
    return this.exchange.header(name);
  }

  /**
   * The path of a file with the content where that is larger than `max_body_in_memory`, otherwise null. The file is
   * removed when the response is complete or the peer has gone: read it, link it or rename it before.
   */
  get body_file(): string | null {
    return this.file?.path ?? null;
  }

  /** @internal The response is complete, or there will be none. */
  release(): void {
    this.file?.remove();
  }
}
