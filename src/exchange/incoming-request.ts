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

/** The route that a request has matched, as far as an exchange looks at it. */
export interface MatchedRoute {
  readonly route: { readonly pattern: string; readonly names: readonly string[] };
  readonly values: readonly string[];
}

/** The inside of an exchange, as far as the content of its request is concerned. */
export interface ContentDriver extends BodyOwner<unknown> {
  readonly stream: { readonly maxBodyBytes: number };
  wantBody(): void;
  pauseBody(): void;
  resumeBody(): void;
  call(callback: () => unknown): void;
  fail(status: number, code: string, error: unknown): boolean;
}

/** A request, as the program sees it. */
export abstract class IncomingRequest<Params> {
  /** @internal */
  abstract readonly driver: ContentDriver;
  /** The method, as sent. */
  readonly method: string;
  /**
   * The path without the query, in its normal form (RFC 3986 §6.2.2): escapes of letters, digits and "-._~" are decoded,
   * all others stay, in upper case. Hooks, routes and handlers read the same path, so comparing it is safe.
   * {@link target} has what was sent.
   */
  readonly path: string;
  /** What follows "?" in the target, or "". */
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
  private paramsRecord: Params | undefined;

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

  /** The parameters of the route, percent-decoded; hooks have them, too. */
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

  /** The pattern of the route that matched, or ""; hooks have it, too. */
  get route(): string {
    return this.matched?.route.pattern ?? "";
  }

  /** The query, decoded; a new object at each call. */
  get searchParams(): URLSearchParams {
    return queryParameters(this.query);
  }

  /** The request target as sent: the path that was asked for, unchanged, with the query. */
  get target(): string {
    return this.requestHead.target;
  }

  /** "1.0" or "1.1". */
  get httpVersion(): string {
    return `1.${this.requestHead.minorVersion}`;
  }

  /** The host that the request is for, with its port where there is one. */
  get authority(): string | undefined {
    return this.requestHead.host;
  }

  /** All header fields by lower-case name; lines of one name joined with ", " (Cookie: "; "). */
  get headers(): Record<string, string> {
    return this.requestHead.fields.record();
  }

  /** The header field lines as they came, each ended by CRLF. */
  get rawHeaders(): string {
    return this.requestHead.fields.raw;
  }

  /**
   * The value of a request header field.
   * @param name in any case
   */
  header(name: string): string | undefined {
    return this.requestHead.fields.get(name);
  }

  /** The trailer fields of a chunked request by lower-case name; complete when the content is (RFC 9110 §6.5). */
  get trailers(): Record<string, string> {
    return this.trailerFields?.record() ?? Object.create(null);
  }

  /** Whether the client asks for a WebSocket or another protocol (RFC 9110 §7.8). */
  get wantsUpgrade(): boolean {
    return this.requestHead.upgrade;
  }

  /** Whether the request announces content. */
  get hasBody(): boolean {
    return this.requestHead.chunked || this.requestHead.contentLength > 0;
  }

  /** The announced length of the content in bytes; undefined when it is chunked. */
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
   * The content as bytes.
   * @param limit in bytes; the server's `maxBodyBytes` holds as well
   * @throws PorticoError ERR_BODY_TOO_LARGE (answers 413 when it leaves the handler), ERR_ABORTED, ERR_BODY_USED
   */
  bytes(limit: number = this.driver.stream.maxBodyBytes): Promise<Buffer> {
    if ((this.contentLength ?? 0) > limit) {
      return Promise.reject(new PorticoError("ERR_BODY_TOO_LARGE", `${limit} bytes`));
    }
    return this.driver.requestBody.bytes(limit);
  }

  /** The content as text, which must be UTF-8 (else 400). Otherwise like {@link bytes}. */
  text(limit: number = this.driver.stream.maxBodyBytes): Promise<string> {
    return textContent(this, limit);
  }

  /**
   * The content parsed as JSON (else 400). Its type must be JSON (else 415, RFC 9110 §15.5.16): a form of another site can
   * send any text, but not as application/json. Otherwise like {@link bytes}.
   * @param options the limit in bytes, alone or with `anyType: true`, which takes content of any type
   * @throws PorticoError ERR_JSON_TYPE, ERR_BODY_NOT_JSON, ERR_BODY_NOT_TEXT
   */
  json(options: number | JsonOptions = {}): Promise<unknown> {
    return jsonContent(this, options);
  }

  /** The content piece by piece; the client is slowed down to the speed of the loop. */
  get body(): AsyncIterable<Buffer> {
    return this.driver.requestBody;
  }

  /**
   * The content piece by piece, by callback, at the speed at which it comes and in the asynchronous context of now.
   * @param consumer gets each chunk, which is the program's own. `last` comes once, perhaps with an empty chunk, unless the
   *   client disconnects. What it throws, or its promise rejects with, is answered 500; it is not called again
   * @param options `lent`: chunks are lent instead, which saves a copy. Valid until the handler returns. Copy it to keep it.
   * @throws PorticoError ERR_BODY_USED the second time
   */
  onBody(consumer: BodyConsumer, options?: { lent?: false }): void;
  onBody(consumer: BodyConsumer<LentBuffer>, options: { lent: boolean }): void;
  onBody(consumer: BodyConsumer, options: BodyOptions = {}): void {
    callWithBody(this.driver, consumer, options);
  }

  /** Asks a client that waits for it to send the content (100 Continue); done by all calls that read it. */
  wantBody(): void {
    this.driver.wantBody();
  }

  /** Reads no more content for now; `onBody` may still be called for what has been read. */
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
