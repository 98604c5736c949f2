import type { Fields } from "../protocol/http/fields.ts";
import { queryParameters } from "../protocol/http/percent-encoding.ts";
import { readPath } from "../protocol/http/request-path.ts";
import type { RequestHead } from "../protocol/http1/request-head.ts";
import type { LentBuffer } from "../websocket/web-socket-handlers.ts";
import { type BodyOwner, callWithBody } from "./body-callback.ts";
import { PorticoError } from "./errors.ts";
import { type JsonOptions, jsonContent, textContent } from "./parsed-content.ts";
import type { BodyConsumer, BodyOptions } from "./request-body.ts";

/** Objects with this prototype inherit nothing. Unlike objects made from null, V8 does not turn them into dictionaries. */
const NO_PARAMS = Object.freeze(Object.create(null));

/** The client at the other end of a connection. */
export interface Client {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly encrypted: boolean;
}

/** The route that a request matched, as far as an exchange uses it. */
export interface MatchedRoute {
  readonly route: { readonly pattern: string; readonly names: readonly string[] };
  readonly values: readonly string[];
}

/** The internal part of an exchange that handles the request body. */
export interface ContentDriver extends BodyOwner<unknown> {
  readonly stream: { readonly maxBodyBytes: number };
  wantBody(): void;
  pauseBody(): void;
  resumeBody(): void;
  call(callback: () => unknown): void;
  fail(status: number, code: string, error: unknown): boolean;
}

/** A request as the program sees it. */
export abstract class IncomingRequest<Params> {
  /** @internal */
  abstract readonly driver: ContentDriver;
  /** The method, as sent. */
  readonly method: string;
  /**
   * The path without the query, in its normal form (RFC 3986 §6.2.2): escapes of letters, digits and "-._~" are
   * decoded, and all others are kept in upper case. Hooks, routes and handlers see the same path, so comparing it is
   * safe. {@link target} is the original.
   */
  readonly path: string;
  /** The part of the target after "?", or "". */
  readonly query: string;
  /** @internal */
  readonly requestHead: RequestHead;
  /** @internal Whether others could read another path: no route serves it. */
  readonly hasAmbiguousPath: boolean;
  /** @internal */
  matched: MatchedRoute | undefined = undefined;
  /** @internal */
  trailerFields: Fields | null = null;
  /** @internal One object for all requests of a connection. */
  readonly client: Client;
  private paramsRecord: Params | undefined = undefined;

  /** @internal */
  constructor(head: RequestHead, client: Client) {
    this.method = head.method;
    if (head.hasPlainTarget) {
      this.path = head.path;
      this.hasAmbiguousPath = false;
    } else {
      const { path, isAmbiguous } = readPath(head.path);
      this.path = path;
      this.hasAmbiguousPath = isAmbiguous;
    }
    this.query = head.query;
    this.requestHead = head;
    this.client = client;
  }

  /** The parameters of the route, percent-decoded. Hooks see them, too. */
  get params(): Params {
    if (this.paramsRecord === undefined) {
      const record: Record<string, string> = Object.create(NO_PARAMS);
      const { matched } = this;
      const names = matched?.route.names ?? [];
      for (let i = 0; i < names.length; i++) record[names[i] ?? ""] = matched?.values[i] ?? "";
      this.paramsRecord = record as Params;
    }
    return this.paramsRecord;
  }

  /** The pattern of the matching route, or "". Hooks see it, too. */
  get route(): string {
    return this.matched?.route.pattern ?? "";
  }

  /** The decoded query, as a new object at each access. */
  get searchParams(): URLSearchParams {
    return queryParameters(this.query);
  }

  /** The request target as sent: the original path with the query. */
  get target(): string {
    return this.requestHead.target;
  }

  /** "1.0" or "1.1". */
  get httpVersion(): string {
    return `1.${this.requestHead.minorVersion}`;
  }

  /** The requested host, with its port if the client sent one. */
  get authority(): string | undefined {
    return this.requestHead.host;
  }

  /** All header fields by lower-case name; lines with the same name are joined with ", " (Cookie: "; "). */
  get headers(): Record<string, string> {
    return this.requestHead.fields.record();
  }

  /** The header field lines as received, each with its CRLF. */
  get rawHeaders(): string {
    return this.requestHead.fields.raw;
  }

  /**
   * Returns the value of a request header field, or undefined if it was not sent.
   * @param name case-insensitive
   */
  header(name: string): string | undefined {
    return this.requestHead.fields.get(name);
  }

  /** The trailer fields of a chunked request by lower-case name, complete once the body is (RFC 9110 §6.5). */
  get trailers(): Record<string, string> {
    return this.trailerFields?.record() ?? Object.create(null);
  }

  /** Whether the client asks for a WebSocket or another protocol (RFC 9110 §7.8). */
  get wantsUpgrade(): boolean {
    return this.requestHead.upgrade;
  }

  /** Whether the request has a body. */
  get hasBody(): boolean {
    return this.requestHead.chunked || this.requestHead.contentLength > 0;
  }

  /** The Content-Length in bytes; undefined for a chunked body. */
  get contentLength(): number | undefined {
    return this.requestHead.chunked ? undefined : Math.max(0, this.requestHead.contentLength);
  }

  /** The client's address; undefined for a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.client.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.client.remotePort;
  }

  /** Whether the connection is encrypted. */
  get encrypted(): boolean {
    return this.client.encrypted;
  }

  /**
   * Reads the body as bytes.
   * @param limit the limit in bytes; the server's `maxBodyBytes` applies as well
   * @throws PorticoError ERR_BODY_TOO_LARGE (answered with 413 if the handler throws it), ERR_ABORTED, ERR_OVERLOADED,
   *   ERR_BODY_USED
   */
  bytes(limit: number = this.driver.stream.maxBodyBytes): Promise<Buffer> {
    if ((this.contentLength ?? 0) > limit) {
      return Promise.reject(new PorticoError("ERR_BODY_TOO_LARGE", `${limit} bytes`));
    }
    return this.driver.requestBody.bytes(limit);
  }

  /** Reads the body as text. Invalid UTF-8 is answered with 400. Otherwise like {@link bytes}. */
  text(limit: number = this.driver.stream.maxBodyBytes): Promise<string> {
    return textContent(this, limit);
  }

  /**
   * Reads the body as JSON. Invalid JSON is answered with 400, and another Content-Type with 415 (RFC 9110 §15.5.16).
   * The type protects you: forms of other sites can send any text, but not as application/json. Otherwise like {@link
   * bytes}.
   * @param options the limit in bytes, or an object with `limit` and `anyType: true`, which accepts any Content-Type
   * @throws PorticoError ERR_JSON_TYPE, ERR_BODY_NOT_JSON, ERR_BODY_NOT_TEXT
   */
  json(options: number | JsonOptions = {}): Promise<unknown> {
    return jsonContent(this, options);
  }

  /** The body piece by piece. Portico reads from the client only as fast as your loop does. */
  get body(): AsyncIterable<Buffer> {
    return this.driver.requestBody;
  }

  /**
   * Passes the body to a callback piece by piece, as it arrives, in the current asynchronous context.
   * @param consumer receives each chunk, which belongs to the program. `last` is true once, possibly with an empty
   *   chunk, unless the client disconnects. If it throws or rejects, the client gets 500 and it is not called again
   * @param options with `lent`, chunks are lent instead, which saves a copy. Valid until the handler returns. Copy it
   *   to keep it.
   * @throws PorticoError ERR_BODY_USED if the body is already being read
   */
  onBody(consumer: BodyConsumer, options?: { lent?: false }): void;
  onBody(consumer: BodyConsumer<LentBuffer>, options: { lent: boolean }): void;
  onBody(consumer: BodyConsumer, options: BodyOptions = {}): void {
    callWithBody(this.driver, consumer, options);
  }

  /** Sends 100 (Continue) to a client that waits for it. All calls that read the body do so. */
  wantBody(): void {
    this.driver.wantBody();
  }

  /** Stops reading the body. `onBody` can still be called for data that was already read. */
  pauseBody(): void {
    this.driver.pauseBody();
  }

  resumeBody(): void {
    this.driver.resumeBody();
  }

  /** @internal All of the content, without a promise's turn. Nothing comes when the client disconnects. */
  collect(done: (content: Buffer) => unknown): void {
    const { driver } = this;
    driver.isAnsweredLater = true;
    driver.requestBody.collect(
      driver.stream.maxBodyBytes,
      (content) => driver.call(() => done(content)),
      (error) => driver.fail(error.status, error.code, error),
    );
  }
}
