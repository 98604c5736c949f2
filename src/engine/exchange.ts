import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Fields } from "../http1/fields.ts";
import { queryParameters } from "../http1/percent-encoding.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { type ChunkReader, type ChunkSource, readerOf } from "./chunk-source.ts";
import { PorticoError } from "./errors.ts";
import { FormerHost } from "./former-host.ts";
import { handlersOf } from "./message-inbox.ts";
import { type BodyConsumer, RequestBody } from "./request-body.ts";
import { type ResponseHost, ResponseWriter } from "./response-writer.ts";
import type { Match } from "./router.ts";
import { isThenable } from "./thenable.ts";
import { TURN_STEPS, turn } from "./turns.ts";
import type { UpgradeOptions, WebSocketHandlers, WebSocketProgram } from "./web-socket-handlers.ts";

/** What an exchange needs of its connection, beside what its response needs. */
export interface ExchangeHost extends ResponseHost {
  /** The content limit that holds for this request, in bytes. */
  readonly maxBodyBytes: number;
  // What a stale exchange asks for concerns nobody: the connection compares it with its own.
  wantBody(exchange: Exchange): void;
  pauseBody(exchange: Exchange): void;
  resumeBody(exchange: Exchange): void;
  /** The content of an exchange takes more memory, or less. @returns whether it may */
  holdsBody(change: number): boolean;
  /** Destroys the connection. */
  abort(exchange: Exchange): void;
  upgrade(exchange: Exchange, handlers: WebSocketHandlers<unknown>, options: UpgradeOptions): boolean;
  register(id: string, exchange: Exchange): void;
  unregister(id: string): void;
  /** Runs the handler. */
  handle(exchange: Exchange): void;
  /** An error has left a callback of the program. */
  fault(error: unknown, exchange: Exchange): void;
}

const NO_CONTENT = Buffer.alloc(0);
/** Objects made from it have no other properties, and unlike those that are made from null they are no dictionaries. */
const NO_PARAMS = Object.freeze(Object.create(null));

/**
 * A request and its response. It may be kept and called at any time: when the response is complete or the peer has
 * gone, calls answer (false, undefined) instead of throwing. Only mistakes that are the program's own throw: fields
 * that may not be sent, and reading the content twice.
 */
export class Exchange<Params = Record<string, string>> extends ResponseWriter {
  /** The method, as sent. */
  readonly method: string;
  /** The path as sent: not decoded, without the query. */
  readonly path: string;
  /** What follows "?" in the target, or "". */
  readonly query: string;
  /** @internal */
  routed: Match<unknown> | undefined;
  /** @internal */
  trailerFields: Fields | null = null;
  /** @internal By performance.now(); 0 when nobody looked on. */
  startedAt = 0;
  protected host: ExchangeHost;
  private readonly head: RequestHead;
  private paramsRecord: Params | undefined;
  private uuid: string | undefined;
  private abortTold = false;
  private controller: AbortController | undefined;
  private content: RequestBody | undefined;
  private abortListeners: (() => unknown)[] | undefined;
  private writableListener: ((offset: number) => unknown) | undefined;
  /** Ends the wait of {@link stream} for its source. */
  private interrupt: (() => void) | undefined;
  private drainWaiters: ((writable: boolean) => void)[] | undefined;

  /** Made by the server. */
  constructor(host: ExchangeHost, head: RequestHead) {
    super();
    this.host = host;
    this.head = head;
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
  }

  protected get minorVersion(): number {
    return this.head.minorVersion;
  }
  protected get isHead(): boolean {
    return this.head.method === "HEAD";
  }

  /** A UUID (RFC 9562) of this exchange, made when first asked for; `server.find(id)` knows it until the end. */
  get id(): string {
    if (this.uuid === undefined) {
      this.uuid = randomUUID();
      if (!this.finished) this.host.register(this.uuid, this.self);
    }
    return this.uuid;
  }

  /** The parameters of the route, percent-decoded. */
  get params(): Params {
    if (this.paramsRecord === undefined) {
      const record: Record<string, string> = Object.create(NO_PARAMS);
      const { routed } = this;
      const names = routed?.route.names ?? [];
      for (let i = 0; i < names.length; i++) record[names[i] ?? ""] = routed?.values[i] ?? "";
      this.paramsRecord = record as Params;
    }
    return this.paramsRecord;
  }

  /** The pattern of the route that matched, or "". */
  get route(): string {
    return this.routed?.route.pattern ?? "";
  }

  /** The query, decoded; a new object at each call. */
  get searchParams(): URLSearchParams {
    return queryParameters(this.query);
  }

  /** The request target as sent. */
  get target(): string {
    return this.head.target;
  }

  /** "1.0" or "1.1". */
  get httpVersion(): string {
    return `1.${this.head.minorVersion}`;
  }

  /** The host that the request is for, with its port where there is one. */
  get authority(): string | undefined {
    return this.head.host;
  }

  /** All header fields by lower-case name; lines of one name joined with ", " (Cookie: "; "). */
  get headers(): Record<string, string> {
    return this.head.fields.record();
  }

  /** The header field lines as they came, each ended by CRLF. */
  get rawHeaders(): string {
    return this.head.fields.raw;
  }

  /**
   * The value of a request header field.
   * @param name in any case
   */
  header(name: string): string | undefined {
    return this.head.fields.get(name);
  }

  /** The trailer fields of a chunked request by lower-case name; complete when the content is (RFC 9110 §6.5). */
  get trailers(): Record<string, string> {
    return this.trailerFields?.record() ?? Object.create(null);
  }

  /** Whether the client asks for a WebSocket or another protocol (RFC 9110 §7.8). */
  get wantsUpgrade(): boolean {
    return this.head.upgrade;
  }

  /** The peer's address; undefined for a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.host.transport.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.host.transport.remotePort;
  }

  /** Whether the connection is encrypted. */
  get encrypted(): boolean {
    return this.host.transport.encrypted;
  }

  /** Aborted when the peer goes before the response is complete. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.state === "gone") this.controller.abort();
    return this.controller.signal;
  }

  /** Whether the request announces content. */
  get hasBody(): boolean {
    return this.head.chunked || this.head.contentLength > 0;
  }

  /** The announced length of the content in bytes; undefined when it is chunked. */
  get contentLength(): number | undefined {
    return this.head.chunked ? undefined : Math.max(0, this.head.contentLength);
  }

  /**
   * The content as bytes.
   * @param limit in bytes; the server's `maxBodyBytes` holds as well
   * @throws PorticoError ERR_BODY_TOO_LARGE (answers 413 when it leaves the handler), ERR_ABORTED, ERR_BODY_USED
   */
  bytes(limit: number = this.host.maxBodyBytes): Promise<Buffer> {
    if (this.head.contentLength > limit) {
      return Promise.reject(new PorticoError("ERR_BODY_TOO_LARGE", `${limit} bytes`));
    }
    return this.requestBody().bytes(limit);
  }

  /** The content as text, which must be UTF-8 (else 400). Otherwise like {@link bytes}. */
  async text(limit: number = this.host.maxBodyBytes): Promise<string> {
    const bytes = await this.bytes(limit);
    if (!isUtf8(bytes)) throw new PorticoError("ERR_BODY_NOT_TEXT");
    return bytes.toString("utf8");
  }

  /** The content parsed as JSON (else 400). Otherwise like {@link bytes}. */
  async json(limit: number = this.host.maxBodyBytes): Promise<unknown> {
    const text = await this.text(limit);
    try {
      return JSON.parse(text);
    } catch {
      throw new PorticoError("ERR_BODY_NOT_JSON");
    }
  }

  /** The content piece by piece; the peer is slowed down to the speed of the loop. */
  get body(): AsyncIterable<Buffer> {
    return this.requestBody();
  }

  /**
   * The content piece by piece, by callback, at the speed at which it comes.
   * @param consumer `chunk` is lent for the call; `last` comes once, perhaps with no data, unless the peer goes
   */
  onBody(consumer: BodyConsumer): void {
    this.requestBody().consume((chunk, last) => this.guard(() => consumer(chunk, last)));
  }

  /** Asks a client that waits for it to send the content (100 Continue); done by all calls that read it. */
  wantBody(): void {
    this.host.wantBody(this.self);
  }

  /** Reads no more content for now; `onBody` may still be called for what has been read. */
  pauseBody(): void {
    this.content?.hold(true);
    if (!this.finished || this.readsBody) this.host.pauseBody(this.self);
  }

  /** @internal All of the content, without a promise's turn. Nothing comes when the peer goes. */
  collect(done: (content: Buffer) => unknown): void {
    this.requestBody().collect(
      this.host.maxBodyBytes,
      (content) => this.guard(() => done(content)),
      ({ status }) => this.refuse(status),
    );
  }

  /** @internal Everything has come: what has not been taken of the content is the program's. */
  releaseContent(): void {
    this.content?.release();
  }

  /** @internal */
  holdsBody(change: number): boolean {
    return this.host.holdsBody(change);
  }

  resumeBody(): void {
    this.content?.hold(false);
    this.host.resumeBody(this.self);
  }

  /** Calls back once if the peer goes before the response is complete, or has gone before. */
  onAbort(listener: () => unknown): void {
    if (this.abortTold) queueMicrotask(() => this.guard(listener));
    this.abortListeners ??= [];
    this.abortListeners.push(listener);
  }

  /** Calls back each time when all that waited has been taken, with the offset of the next byte. */
  onWritable(listener: (offset: number) => unknown): void {
    this.writableListener = listener;
  }

  /** Resolves when the response can take more: true, or false when it is over. */
  drained(): Promise<boolean> {
    if (this.finished) return Promise.resolve(false);
    const { transport, writeHighWaterBytes } = this.host;
    // A transport that has closed is about to tell so.
    if (!transport.closed && transport.bufferedBytes < writeHighWaterBytes) return Promise.resolve(true);
    transport.requestDrain();
    return new Promise((resolve) => {
      this.drainWaiters ??= [];
      this.drainWaiters.push(resolve);
    });
  }

  /**
   * Sends a source as the content, at the speed of the peer, and completes the response.
   * @param source an async iterable, a web ReadableStream or a Node Readable, of text or bytes; it is cancelled
   *   when the peer goes, or when the response is ended otherwise. An array may have bytes that a handler was lent;
   *   what any other source gives later must be its own
   * @returns true when everything was sent, false when the peer went or the response was over
   * @throws what the source fails with, TypeError for a chunk that is neither text nor bytes. The answer is 500 when
   *   nothing was sent yet; otherwise the connection is destroyed. PorticoError ERR_STREAMING while another source is
   *   being sent
   */
  async stream(source: ChunkSource): Promise<boolean> {
    return this.send(readerOf(source));
  }

  /** @internal */
  async send(reader: ChunkReader): Promise<boolean> {
    // Two sources at once would be mixed.
    if (this.interrupt !== undefined && !this.finished) {
      reader.cancel();
      throw new PorticoError("ERR_STREAMING");
    }
    if (this.isHead || this.finished) {
      const answered = this.state === "pending";
      if (answered) this.begin(-1);
      reader.cancel();
      return answered;
    }
    try {
      for (let steps = 0; ; steps++) {
        // A source that always has a chunk and a peer that always takes it would leave no time to anybody else.
        if (steps >= TURN_STEPS) {
          steps = 0;
          await turn();
          if (this.finished) break;
        }
        const chunk = await new Promise<string | Uint8Array | undefined>((resolve, reject) => {
          this.interrupt = () => resolve(undefined);
          reader.next().then(resolve, reject);
        });
        if (this.finished) break;
        if (chunk === undefined) return this.end();
        steps += chunk.length >>> 10;
        if (!this.write(chunk) && !(await this.drained())) break;
      }
      reader.cancel();
      return false;
    } catch (error) {
      reader.cancel();
      if (!this.refuse(error instanceof PorticoError ? error.status : 500)) this.abort();
      throw error;
    }
  }

  /** Destroys the connection, so that the peer sees a response that is not complete. */
  abort(): void {
    if (!this.finished) this.host.abort(this.self);
  }

  /**
   * Makes the connection a WebSocket (RFC 6455 §4.2). Header fields that were set go into the answer.
   * @returns false when it was not possible: the request is no valid handshake and has been answered 400 or 426,
   *   or the response has begun
   */
  upgrade<Data = undefined>(
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options: UpgradeOptions<Data> = {},
  ): boolean {
    if (this.state !== "pending") return false;
    return this.host.upgrade(
      this.self,
      handlersOf(handlers) as WebSocketHandlers<unknown>,
      options as UpgradeOptions,
    );
  }

  // What follows is called by the connection.

  /** @internal */
  runRequest(): void {
    this.host.handle(this.self);
  }

  /** @internal */
  runBody(data: Buffer, last: boolean): void {
    if (!this.finished || this.readsBody) this.requestBody().receive(data, last);
  }

  /** @internal */
  runWritable(): void {
    this.releaseWaiters();
    const listener = this.writableListener;
    if (listener !== undefined && !this.finished) this.guard(() => listener(this.offset));
  }

  /** @internal */
  get readsBody(): boolean {
    return this.content?.flows ?? false;
  }

  /** @internal */
  get wantsWritable(): boolean {
    return this.drainWaiters !== undefined || this.writableListener !== undefined;
  }

  /** @internal The response is complete. */
  conclude(): void {
    this.forget();
    this.releaseWaiters();
    // Content that nobody takes will be thrown away.
    if (this.content?.flows === false) this.content.fail();
  }

  /**
   * @internal The connection is lost to this exchange.
   * @returns whether the program is to be told by {@link runAbort}: not when the response is complete
   */
  lose(): boolean {
    if (this.finished) {
      this.content?.fail();
      return false;
    }
    this.state = "gone";
    this.forget();
    return true;
  }

  /** @internal */
  runAbort(): void {
    this.abortTold = true;
    this.controller?.abort();
    this.content?.fail();
    this.releaseWaiters();
    for (const listener of this.abortListeners ?? []) this.guard(listener);
  }

  /** @internal Refuses the request, whatever was set for its response. */
  refuse(code: number, headers: Record<string, string> = {}, content = ""): boolean {
    if (this.state !== "pending") return false;
    this.reset();
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return this.status(code).end(content);
  }

  /** @internal */
  takeUpgradeFields(): string {
    this.state = "done";
    this.conclude();
    // The connection has done its part, and must not stay in memory for as long as the WebSocket.
    this.host = new FormerHost(this.host.transport);
    this.head.fields.forgetPositions();
    return this.setFields;
  }

  /** @internal */
  get requestHead(): RequestHead {
    return this.head;
  }

  private requestBody(): RequestBody {
    if (this.content === undefined) {
      this.content = new RequestBody(this);
      if (!this.hasBody) this.content.receive(NO_CONTENT, true);
      // Of a peer that has gone, what came before may still be in the queue.
      else if (this.state === "done" || this.abortTold) this.content.fail();
    }
    return this.content;
  }

  private forget(): void {
    if (this.uuid !== undefined) this.host.unregister(this.uuid);
  }

  /** @internal Those who wait in {@link drained} and {@link stream} look again. */
  releaseWaiters(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = undefined;
    for (const resolve of waiters ?? []) resolve(!this.finished);
    if (this.finished) this.interrupt?.();
  }

  /** For all who do not care for the names of the parameters. */
  private get self(): Exchange {
    return this as unknown as Exchange;
  }

  /** @internal Runs a callback of the program: what it throws is reported and ends the exchange, not the server. */
  guard(callback: () => unknown): void {
    try {
      const result = callback();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.host.fault(error, this.self));
    } catch (error) {
      this.host.fault(error, this.self);
    }
  }
}
