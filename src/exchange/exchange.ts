import { FieldError } from "../protocol/http/field-lines.ts";
import type { FieldValue } from "../protocol/http/field-values.ts";
import type { RequestHead } from "../protocol/http1/request-head.ts";
import { refusedBytes } from "../transport/transport.ts";
import { REFUSAL, type Refusal } from "../websocket/handshake-result.ts";
import type { WebSocket as AnyWebSocket } from "../websocket/web-socket.ts";
import {
  checkUpgradeOptions,
  type HandlersOf,
  type LentBuffer,
  type OptionsOf,
  type ProgramOf,
} from "../websocket/web-socket-handlers.ts";
import { handlersOf } from "../websocket/web-socket-program.ts";
import type { Answered } from "./answered.ts";
import { upgradeOrFail } from "./ask-upgrade.ts";
import { type ChunkSource, readerOf } from "./chunk-source.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { ExchangeDriver } from "./exchange-driver.ts";
import type { HttpStream } from "./http-stream.ts";
import { type Client, IncomingRequest } from "./incoming-request.ts";
import type { TryEndResult } from "./response.ts";
import { sendSource } from "./send-source.ts";

/** One WebSocket connection, whose `request` is the exchange that was upgraded. */
export type WebSocket<Data = unknown> = AnyWebSocket<Data, Exchange>;
/** What a program does with its WebSockets. All functions are optional, and called one at a time. */
export type WebSocketHandlers<Data = undefined> = HandlersOf<WebSocket<Data>, Data, Exchange>;
/** The same for a route with the option `lent`. */
export type LentWebSocketHandlers<Data = undefined> = HandlersOf<WebSocket<Data>, Data, Exchange, LentBuffer>;
/** The same without `upgrade`, for requests that have been let in. */
export type OpenHandlers<Data = undefined> = Omit<WebSocketHandlers<Data>, "upgrade"> & { upgrade?: never };
/** A program for one WebSocket, in place of handlers. */
export type WebSocketProgram<Data = undefined> = ProgramOf<WebSocket<Data>>;
/** What the server says to a WebSocket's opening handshake, and how it treats the WebSocket. */
export type UpgradeOptions<Data = unknown> = OptionsOf<Data, Exchange>;

/** What a connection is to become. */
export interface Upgrade {
  readonly handlers: WebSocketHandlers<unknown>;
  readonly options: UpgradeOptions;
}

/**
 * A request and its response. You can keep it and call it at any time: once the response is complete, or the client has
 * disconnected, calls return false or undefined instead of throwing. Only mistakes of the program throw: header fields that
 * cannot be sent, and reading the body twice.
 */
export class Exchange<Params = Record<string, string>> extends IncomingRequest<Params> {
  /** @internal */
  readonly driver: ExchangeDriver<Exchange, Upgrade>;

  /** @internal Made by the server. */
  constructor(
    context: ExchangeContext<Exchange>,
    stream: HttpStream<Upgrade>,
    head: RequestHead,
    client: Client,
  ) {
    super(head, client);
    this.driver = new ExchangeDriver<Exchange, Upgrade>(this as unknown as Exchange, context, stream, head);
  }

  /** A UUID (RFC 9562) of this exchange, made when first asked for; `server.find(id)` knows it until the end. */
  get id(): string {
    return this.driver.id;
  }

  /** Aborted when the client disconnects before the response is complete, or the time for an answer is over. */
  get signal(): AbortSignal {
    return this.driver.signal;
  }

  /**
   * Promises an answer after the handler has ended, and sets its time in place of `handlerTimeoutMs`: from now, or from the
   * end of the request, to the head of the response. Then 503 is answered.
   * @param ms in milliseconds; 0 and Infinity stand for never
   * @throws RangeError for what is not a number from 0 on
   */
  answerWithin(ms: number): this {
    this.driver.answerWithin(ms);
    return this;
  }

  /** Calls back once if the client disconnects, or is refused, before the response is complete, or when that has happened. */
  onAbort(listener: () => unknown): void {
    this.driver.onAbort(listener);
  }

  /** Whether the head of the response has been sent. */
  get headSent(): boolean {
    return this.driver.response.state !== "pending";
  }

  /** Whether the response is complete, or can never be because the client has disconnected. */
  get finished(): boolean {
    return this.driver.response.isFinished;
  }

  /** Whether its status or a header field has been set, or its head sent. */
  get begun(): boolean {
    return this.driver.response.isTouched || this.headSent;
  }

  /** Bytes of content that were accepted so far. */
  get offset(): number {
    return this.driver.response.offset;
  }

  /** Bytes of the response that the client has not received yet, with those that this turn of the program has written. */
  get bufferedBytes(): number {
    return this.finished ? 0 : this.driver.stream.output.bufferedBytes;
  }

  /**
   * Bytes of the response that wait because the system refused them: more than 0 means that the client is slower than the
   * program. What this turn has written does not count until it ends, or until `server.flush()`.
   */
  get pendingBytes(): number {
    return this.finished ? 0 : refusedBytes(this.driver.stream.output);
  }

  /** The status code that is or will be sent. */
  get statusCode(): number {
    return this.driver.response.statusCode;
  }

  /**
   * Sets the status; without effect once the head has been sent.
   * @param code 200 to 599 (interim responses are sent by the server itself)
   * @param reason in place of the registered phrase
   * @throws FieldError when they may not be sent
   */
  status(code: number, reason?: string): this {
    this.driver.response.setStatus(code, reason);
    return this;
  }

  /**
   * Sets a header field in place of those of the same name. The case of the name is kept. Content-Length declares
   * the length of what will be written; Connection can only ask to close; Transfer-Encoding is not the program's.
   * Content gets a Content-Type where none was set: `text/plain; charset=utf-8` for text, `application/octet-stream` for
   * bytes, by the first piece. null sends none.
   * @param value latin1, without control characters; a list becomes one line for each element, in order (RFC 9110 §5.3)
   * @throws FieldError for a name or a value that may not be sent (CR, LF and NUL among them), for null in other fields, for
   *   `undefined`, objects and other values that are not text, and for a list of several values for a field that has one,
   *   such as Location
   */
  setHeader(name: string, value: FieldValue): this;
  setHeader(name: "Content-Type" | "content-type", value: null): this;
  setHeader(name: string, value: FieldValue | null): this {
    if (value === null) this.driver.response.omitHeader(name);
    else this.driver.response.setHeader(name, value);
    return this;
  }

  /** Adds a header field and keeps those of the same name (for Set-Cookie above all). Otherwise like {@link setHeader}. */
  appendHeader(name: string, value: FieldValue): this {
    this.driver.response.appendHeader(name, value);
    return this;
  }

  /** Removes the header fields of a name, in any case. */
  removeHeader(name: string): this {
    this.driver.response.removeHeader(name);
    return this;
  }

  /**
   * Sends a piece of the content and keeps the response open.
   * @param chunk text as UTF-8; bytes are copied up to 16 KiB, larger ones must not change until they are taken
   * @returns whether to go on; after false wait for `drained`. False, too, when the response is over
   * @throws TypeError for a chunk that is neither text nor bytes
   */
  write(chunk: string | Uint8Array): Answered {
    return this.driver.response.write(chunk) as Answered;
  }

  /**
   * Completes the response.
   * @param chunk like in {@link write}; a response of one piece gets a Content-Length
   * @returns false when the response was over already
   */
  end(chunk: string | Uint8Array = ""): Answered {
    return this.driver.response.end(chunk) as Answered;
  }

  /**
   * Refuses the request: sends a status from 300 to 599, the header fields that were set, and a body like {@link end}.
   * @returns what `upgrade` of a WebSocket can return
   * @throws FieldError for another status
   */
  refuse(code: number, content: string | Uint8Array = ""): Refusal {
    if (code < 300) throw new FieldError(`${code} refuses nothing: use a status from 300 to 599`);
    this.status(code).end(content);
    return REFUSAL;
  }

  /**
   * Sends as much of the data as the client takes soon, and buffers no more than that. What was not accepted is to be
   * sent again from `offset` on when the response is writable.
   * @param chunk the content from `offset` on, or a part of it
   * @param totalBytes the length of the whole content; needed in the first call, unless `chunk` is all that is left
   * @throws RangeError for a length that is not a whole number from 0 on
   */
  tryEnd(chunk: string | Uint8Array, totalBytes?: number): TryEndResult {
    return this.driver.response.tryEnd(chunk, totalBytes);
  }

  /** Calls back each time when all that waited has been taken, with the offset of the next byte. */
  onWritable(listener: (offset: number) => unknown): void {
    this.driver.onWritable(listener);
  }

  /** Resolves when the response can take more: true, or false when it is over. */
  drained(): Promise<boolean> {
    return this.driver.drained();
  }

  /**
   * Sends a source as the content, at the speed of the client, and completes the response.
   * @param source text, bytes, or an async iterable, a web ReadableStream or a Node Readable of them; it is cancelled
   *   when the client disconnects, or when the response is ended otherwise. An array can have borrowed bytes;
   *   what any other source gives later must be its own
   * @returns true when everything was sent, false when the client disconnected or the response was over
   * @throws what the source fails with, TypeError for a chunk that is neither text nor bytes. The answer is 500 when
   *   nothing was sent yet; otherwise the connection is destroyed. PorticoError ERR_STREAMING while another source is
   *   being sent
   */
  async stream(source: ChunkSource | string | Uint8Array): Promise<Answered> {
    return sendSource(this.driver, readerOf(source));
  }

  /**
   * Destroys the connection, so that the client sees a response that is not complete. Of the events that wait to be polled
   * only the abort is delivered.
   */
  abort(): void {
    if (this.driver.response.state !== "done") this.driver.isGivenUp = true;
    this.driver.abort();
  }

  /**
   * Makes the connection a WebSocket (RFC 6455 §4.2). Header fields that were set go into the answer. The handler
   * `upgrade` is asked first, if there is one.
   * @returns whether it has become one; with `upgrade` a promise, which never rejects. False: `upgrade` or a status from 300
   *   on has refused; it is no valid handshake and has been answered 400 or 426; or the response has begun
   * @throws TypeError for an unknown handler or option
   */
  upgrade<Data = undefined>(
    handlers: OpenHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data>,
  ): Answered;
  upgrade<Data = undefined>(
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data>,
  ): Answered | Promise<Answered>;
  upgrade<Data>(
    program: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options: UpgradeOptions<Data> = {},
  ): Answered | Promise<Answered> {
    checkUpgradeOptions("upgrade", options);
    const handlers = handlersOf(program) as WebSocketHandlers<unknown>;
    const to = { handlers, options: options as UpgradeOptions };
    const isOpen = handlers.upgrade === undefined ? this.driver.upgrade(to) : upgradeOrFail(this.driver, to);
    return isOpen as Answered | Promise<Answered>;
  }
}
