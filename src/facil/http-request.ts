import type { Exchange, UpgradeOptions } from "../exchange/exchange.ts";
import type { Connection, HttpServer } from "./http-server.ts";
import type { TemporaryFile } from "./request-content.ts";

/** The part of a server that the upgrade of a request to a WebSocket uses. */
export interface RequestOwner extends HttpServer {
  /** The timeouts that a new WebSocket inherits from `Websocket.timeout`. */
  webSocketTimeouts(): UpgradeOptions;
}

const filesOf = new WeakMap<object, TemporaryFile>();

/** Removes the file with the body of a request that has been answered without a response. */
export function removeContentFile(exchange: object): void {
  filesOf.get(exchange)?.remove();
}

/** A request whose body is complete. You can keep it; everything but `body_file` stays valid. */
export class HttpRequest {
  /** @internal */
  readonly exchange: Exchange;
  /** The server object that received it. */
  readonly server: RequestOwner;
  /** The method, as sent. */
  readonly method: string;
  /** The path as sent: not decoded, without the query. */
  readonly path: string;
  /** The part of the target after "?", or "". */
  readonly query: string;
  /** The program's data. The initial value is that of the server. */
  udata: unknown;
  /** The body, or null when there is none or when it is in `body_file`. */
  readonly body: Buffer | null;
  private readonly file: TemporaryFile | undefined;

  /** @internal Made by the server. */
  constructor(exchange: Exchange, server: RequestOwner, body: Buffer | null, file?: TemporaryFile) {
    this.exchange = exchange;
    this.server = server;
    this.method = exchange.method;
    this.path = exchange.requestHead.path;
    this.query = exchange.query;
    this.udata = server.udata;
    this.body = body;
    this.file = file;
    if (file === undefined) return;
    filesOf.set(exchange, file);
    exchange.onAbort(() => file.remove());
  }

  /** The connection, for the functions of `Server`. It is the same object for all requests of a connection. */
  get sockfd(): Connection {
    return this.exchange.client;
  }

  /** The Host field; undefined for an HTTP/1.0 request without one. */
  get host(): string | undefined {
    return this.exchange.header("host");
  }

  /** The Content-Type field; undefined if it was not sent. */
  get content_type(): string | undefined {
    return this.exchange.header("content-type");
  }

  /** The length of the body in bytes, 0 without one. */
  get content_length(): number {
    return this.body?.length ?? this.file?.bytes ?? 0;
  }

  /** The body as UTF-8 text; null if `body` is null. */
  get body_str(): string | null {
    return this.body?.toString("utf8") ?? null;
  }

  /** "HTTP/1.1" or "HTTP/1.0". */
  get version(): string {
    return `HTTP/${this.exchange.httpVersion}`;
  }

  /** The value of the Upgrade field when the client asks for another protocol, such as "websocket". */
  get upgrade(): string | undefined {
    return this.exchange.wantsUpgrade ? this.exchange.header("upgrade") : undefined;
  }

  /** All header fields by lower-case name; lines with the same name are joined with ", " (Cookie: "; "). */
  get headers(): Record<string, string> {
    return this.exchange.headers;
  }

  /** Returns the value of a header field. @param name case-insensitive @returns undefined if it was not sent */
  header(name: string): string | undefined {
    return this.exchange.header(name);
  }

  /**
   * The path of a temporary file with the body if it is larger than `max_body_in_memory`, otherwise null. The file is
   * removed when the response is complete or the client has disconnected: read, link or rename it before.
   */
  get body_file(): string | null {
    return this.file?.path ?? null;
  }

  /** @internal Called when the response is complete, or when there will be none. */
  removeFile(): void {
    this.file?.remove();
  }
}
