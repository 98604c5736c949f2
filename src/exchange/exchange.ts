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
import { Response, type TryEndResult } from "./response.ts";
import { wakenDriver } from "./resting.ts";
import { sendSource } from "./send-source.ts";

/** One WebSocket connection. Its `request` is the exchange that was upgraded. */
export type WebSocket<Data = unknown> = AnyWebSocket<Data, Exchange>;
/** The handlers of a WebSocket. All are optional, and run one at a time. */
export type WebSocketHandlers<Data = undefined> = HandlersOf<WebSocket<Data>, Data, Exchange>;
/** The handlers of a WebSocket route with the option `lent`. */
export type LentWebSocketHandlers<Data = undefined> = HandlersOf<WebSocket<Data>, Data, Exchange, LentBuffer>;
/** The handlers of a WebSocket without `upgrade`, for requests that you have accepted already. */
export type OpenHandlers<Data = undefined> = Omit<WebSocketHandlers<Data>, "upgrade"> & { upgrade?: never };
/** A function that handles one WebSocket, instead of handlers. */
export type WebSocketProgram<Data = undefined> = ProgramOf<WebSocket<Data>>;
/** Options of a WebSocket: the server's answer to the opening handshake, and limits of the connection. */
export type UpgradeOptions<Data = unknown> = OptionsOf<Data, Exchange>;

/** The WebSocket that a connection will become. */
export interface Upgrade {
  readonly handlers: WebSocketHandlers<unknown>;
  readonly options: UpgradeOptions;
}

/**
 * A request and its response. You can keep it and call it at any time: once the response is complete, or the client has
 * disconnected, calls return false or undefined instead of throwing. Only programming errors throw, such as invalid
 * header fields or reading the body twice.
 */
export class Exchange<Params = Record<string, string>> extends IncomingRequest<Params> {
  /** Undefined while the connection is a WebSocket and nobody asks for it. */
  private present: ExchangeDriver<Exchange, Upgrade> | undefined;
  private readonly context: ExchangeContext<Exchange>;

  /** @internal Made by the server. */
  constructor(
    context: ExchangeContext<Exchange>,
    stream: HttpStream<Upgrade>,
    head: RequestHead,
    client: Client,
  ) {
    super(head, client);
    const response = new Response(stream, head.method, context.isBare);
    this.present = new ExchangeDriver(this as unknown as Exchange, context, stream, response);
    this.context = context;
  }

  /** @internal */
  get driver(): ExchangeDriver<Exchange, Upgrade> {
    this.present ??= wakenDriver<Exchange, Upgrade>(this as unknown as Exchange, this.context);
    return this.present;
  }

  /** @internal The connection is a WebSocket. Parts that nobody uses are made again when they are needed. */
  rest(): void {
    if (this.driver.isUnused) this.present = undefined;
    this.restHead();
  }

  /**
   * A UUID (RFC 9562) of this exchange, created on first access. `server.find(id)` finds the exchange until it ends.
   */
  get id(): string {
    return this.driver.id;
  }

  /** Aborted when the client disconnects before the response is complete, or when the handler times out. */
  get signal(): AbortSignal {
    return this.driver.signal;
  }

  /**
   * Announces an answer after the handler has returned, and replaces `handlerTimeoutMs`. The time starts now, or at the
   * end of the request if that is later, and ends with the head of the response. After the timeout the client gets 503.
   * @param ms the timeout in milliseconds; 0 and Infinity mean no timeout
   * @throws RangeError for anything but a number of at least 0
   */
  answerWithin(ms: number): this {
    this.driver.answerWithin(ms);
    return this;
  }

  /**
   * Calls back once if the client disconnects, or is refused, before the response is complete. If that has already
   * happened, it calls back soon after.
   */
  onAbort(listener: () => unknown): void {
    this.driver.onAbort(listener);
  }

  /** Whether the head of the response has been sent. */
  get headSent(): boolean {
    return this.driver.response.state !== "pending";
  }

  /** Whether the response is complete, or the client has disconnected. */
  get finished(): boolean {
    return this.driver.response.isFinished;
  }

  /** Whether its status or a header field has been set, or the head has been sent. */
  get begun(): boolean {
    return this.driver.response.isTouched || this.headSent;
  }

  /** The number of body bytes accepted so far. */
  get offset(): number {
    return this.driver.response.offset;
  }

  /**
   * The number of response bytes that the client has not received yet, including those written in this turn of the
   * event loop.
   */
  get bufferedBytes(): number {
    return this.finished ? 0 : this.driver.stream.output.bufferedBytes;
  }

  /**
   * The number of response bytes that the operating system refused. More than 0 means that the client is slower than
   * the program. Bytes written in this turn of the event loop count only after it ends, or after `server.flush()`.
   */
  get pendingBytes(): number {
    return this.finished ? 0 : refusedBytes(this.driver.stream.output);
  }

  /** The status code of the response, sent or not. */
  get statusCode(): number {
    return this.driver.response.statusCode;
  }

  /**
   * Sets the status. It has no effect once the head has been sent.
   * @param code 200 to 599 (the server itself sends interim responses)
   * @param reason replaces the registered phrase
   * @throws FieldError for a code or a reason that cannot be sent
   */
  status(code: number, reason?: string): this {
    this.driver.response.setStatus(code, reason);
    return this;
  }

  /**
   * Sets a header field, replacing those of the same name. The case of the name is kept. Content-Length declares the
   * length of the body. Connection can only ask to close. The server sets Transfer-Encoding. If you set no
   * Content-Type, the first piece of the body decides: `text/plain; charset=utf-8` for text, `application/octet-stream`
   * for bytes. Set null to send none.
   * @param value latin1 text without control characters; a list becomes one line for each element, in order (RFC 9110
   *   §5.3)
   * @throws FieldError for a name or a value that cannot be sent, such as one with CR, LF or NUL. FieldError for null
   *   in other fields, for `undefined` and objects, and for several values of a field that has only one, such as
   *   Location
   */
  setHeader(name: string, value: FieldValue): this;
  setHeader(name: "Content-Type" | "content-type", value: null): this;
  setHeader(name: string, value: FieldValue | null): this {
    if (value === null) this.driver.response.omitHeader(name);
    else this.driver.response.setHeader(name, value);
    return this;
  }

  /** Adds a header field and keeps those of the same name, for example Set-Cookie. Otherwise like {@link setHeader}. */
  appendHeader(name: string, value: FieldValue): this {
    this.driver.response.appendHeader(name, value);
    return this;
  }

  /** Removes the header fields of a name, ignoring case. */
  removeHeader(name: string): this {
    this.driver.response.removeHeader(name);
    return this;
  }

  /**
   * Sends a piece of the body and keeps the response open.
   * @param chunk text is sent as UTF-8; bytes are copied up to 16 KiB. Do not change larger ones until they have been
   *   sent
   * @returns whether to continue. After false, wait for {@link drained}. Also false if the response has ended
   * @throws TypeError for a chunk that is neither text nor bytes
   */
  write(chunk: string | Uint8Array): Answered {
    return this.driver.response.write(chunk) as Answered;
  }

  /**
   * Completes the response.
   * @param chunk as in {@link write}; a response in one piece gets a Content-Length
   * @returns false if the response had already ended
   */
  end(chunk: string | Uint8Array = ""): Answered {
    return this.driver.response.end(chunk) as Answered;
  }

  /**
   * Refuses the request: sends a status from 300 to 599, the header fields set so far, and a body as {@link end} does.
   * @returns a value that the `upgrade` handler of a WebSocket can return
   * @throws FieldError for another status
   */
  refuse(code: number, content: string | Uint8Array = ""): Refusal {
    if (code < 300) throw new FieldError(`${code} does not refuse a request. Use a status from 300 to 599`);
    this.status(code).end(content);
    return REFUSAL;
  }

  /**
   * Sends as much of the data as the client receives soon, and buffers no more than that. Send the rest again, starting
   * at {@link offset}, when the response is writable.
   * @param chunk the body from {@link offset} on, or a part of it
   * @param totalBytes the length of the whole body in bytes; required in the first call, unless `chunk` is the whole
   *   body
   * @throws RangeError for a length that is not an integer of at least 0
   */
  tryEnd(chunk: string | Uint8Array, totalBytes?: number): TryEndResult {
    return this.driver.response.tryEnd(chunk, totalBytes);
  }

  /** Calls back each time all waiting data has been sent, with the offset of the next byte. */
  onWritable(listener: (offset: number) => unknown): void {
    this.driver.onWritable(listener);
  }

  /** Resolves with true when more can be written, or with false when the response has ended. */
  drained(): Promise<boolean> {
    return this.driver.drained();
  }

  /**
   * Sends a source as the body, as fast as the client receives it, and completes the response.
   * @param source text, bytes, or an async iterable, a web ReadableStream or a Node Readable of them. It is cancelled
   *   if the client disconnects or the response ends for another reason. An array can hold borrowed bytes. Other
   *   sources must not reuse the memory of chunks that they have produced
   * @returns true if everything was sent, false if the client disconnected or the response had ended
   * @throws the error of the source, and TypeError for a chunk that is neither text nor bytes. The client gets 500 if
   *   nothing was sent yet; otherwise the connection is destroyed. PorticoError ERR_STREAMING while another source is
   *   being sent
   */
  async stream(source: ChunkSource | string | Uint8Array): Promise<Answered> {
    return sendSource(this.driver, readerOf(source));
  }

  /**
   * Destroys the connection, so that the client sees an incomplete response. Of the queued events only the abort is
   * delivered.
   */
  abort(): void {
    if (this.driver.response.state !== "done") this.driver.isGivenUp = true;
    this.driver.abort();
  }

  /**
   * Turns the connection into a WebSocket (RFC 6455 §4.2). The handshake response includes the header fields set so
   * far. An `upgrade` handler is called first.
   * @returns whether it succeeded; with an `upgrade` handler a promise, which never rejects. False if `upgrade` or a
   *   status of at least 300 refused the request, or if the response has begun. Also false for an invalid handshake,
   *   which is answered with 400 or 426
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
