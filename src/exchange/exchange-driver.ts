import { NO_BYTES } from "../bytes/no-bytes.ts";
import { callHandler } from "../delivery/call-handler.ts";
import { Waiters } from "../delivery/waiters.ts";
import { inContext } from "../node/async-context.ts";
import { cryptoModule } from "../node/builtins.ts";
import type { Fields } from "../protocol/http/fields.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { failExchange } from "./fail-exchange.ts";
import { endedStream, type HttpStream } from "./http-stream.ts";
import { RequestBody } from "./request-body.ts";
import { answeredResponse, type Response } from "./response.ts";

export interface DrivenRequest {
  readonly requestHead: { readonly chunked: boolean; readonly contentLength: number };
}

/** The inside of an exchange: between its connection, which reports, and the callbacks of the program. */
export class ExchangeDriver<Exchange extends DrivenRequest, Upgrade> {
  /** What the program gets. */
  readonly exchange: Exchange;
  readonly context: ExchangeContext<Exchange>;
  response: Response;
  /** By performance.now(); 0 when nobody observes. */
  startedAt = 0;
  stream: HttpStream<Upgrade>;
  /** Ends the wait of a response that is sent from a source. */
  interruptSource: (() => void) | undefined = undefined;
  /** How long the client waits for the head of the response, in milliseconds; undefined for the limit of the server. */
  answerTimeoutMs: number | undefined = undefined;
  /** The program has said that it answers after its handler has ended. */
  isAnsweredLater = false;
  /** The program has aborted it: of the events that wait, only the abort is of use. */
  isGivenUp = false;
  /** Its events are delivered at once, however the others of the server are. */
  isImmediate = false;
  writableListener: ((offset: number) => unknown) | undefined = undefined;
  trailerFields: Fields | null = null;
  private uuid: string | undefined = undefined;
  private isAbortReported = false;
  private controller: AbortController | undefined = undefined;
  private body: RequestBody | undefined = undefined;
  private abortListeners: (() => unknown)[] | undefined = undefined;
  private drainWaiters: Waiters | undefined = undefined;

  constructor(
    exchange: Exchange,
    context: ExchangeContext<Exchange>,
    stream: HttpStream<Upgrade>,
    response: Response,
  ) {
    this.exchange = exchange;
    this.context = context;
    this.stream = stream;
    this.response = response;
  }

  get id(): string {
    if (this.uuid === undefined) {
      this.uuid = cryptoModule().randomUUID();
      if (!this.response.isFinished) this.context.byId.set(this.uuid, this.exchange);
    }
    return this.uuid;
  }

  /** Whether nothing is lost with it once the connection is a WebSocket. */
  get isUnused(): boolean {
    const { uuid, controller, body, abortListeners } = this;
    return (uuid ?? controller ?? body ?? abortListeners) === undefined && !this.isGivenUp;
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.isLost) this.controller.abort();
    return this.controller.signal;
  }

  get requestBody(): RequestBody {
    if (this.body === undefined) {
      this.body = new RequestBody(this);
      const { chunked, contentLength } = this.exchange.requestHead;
      if (!chunked && contentLength <= 0) this.body.receive(NO_BYTES, true);
      // Content of a client that has disconnected can still be in the queue.
      else if (this.response.state === "done" || this.isAbortReported) this.body.fail();
    }
    return this.body;
  }

  /** Whether the program reads the content of the request. */
  get isBodyRead(): boolean {
    return this.body?.isFlowing ?? false;
  }

  /** Whether the program reads all of the content, however it answers meanwhile. */
  get isBodyReadToEnd(): boolean {
    return this.body?.isFlowingToEnd ?? false;
  }

  /** Whether content that comes is of use to the program. */
  get isBodyWanted(): boolean {
    return !this.response.isFinished || this.isBodyRead;
  }

  /** Whether nothing that the program sends can reach the client any more. */
  get isLost(): boolean {
    return this.isAbortReported || this.response.state === "gone";
  }

  /** Whether the program has begun an answer. A source that it streams might have produced nothing yet. */
  get hasAnswer(): boolean {
    return this.response.state !== "pending" || this.interruptSource !== undefined;
  }

  get isAnswered(): boolean {
    return this.hasAnswer || this.isAnsweredLater;
  }

  get isWritableWanted(): boolean {
    return this.drainWaiters !== undefined || this.writableListener !== undefined;
  }

  // What RequestBody asks for. BodyHost

  wantBody(): void {
    this.stream.readBody("wanted");
  }

  pauseBody(): void {
    this.body?.setPaused(true);
    if (this.isBodyWanted) this.stream.readBody("paused");
  }

  resumeBody(): void {
    this.body?.setPaused(false);
    this.stream.readBody("resumed");
  }

  holdsBody(change: number): boolean {
    return this.context.incompleteBytes.change(change);
  }

  // What the program asks for

  onWritable(listener: (offset: number) => unknown): void {
    this.writableListener = inContext((offset: number) => this.call(() => listener(offset)));
  }

  onAbort(listener: () => unknown): void {
    if (this.isAbortReported) queueMicrotask(() => this.call(listener));
    this.abortListeners ??= [];
    this.abortListeners.push(inContext(() => this.call(listener)));
  }

  drained(): Promise<boolean> {
    if (this.response.isFinished) return Promise.resolve(false);
    const { output, highWaterBytes } = this.stream;
    // An output that has closed is about to report it.
    if (!output.closed && output.bufferedBytes < highWaterBytes) return Promise.resolve(true);
    output.requestDrain();
    this.drainWaiters ??= new Waiters();
    return this.drainWaiters.wait();
  }

  answerWithin(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`${ms} is not a time in milliseconds. Use a number of at least 0`);
    this.answerTimeoutMs = ms;
    this.isAnsweredLater = true;
    this.stream.restartAnswer();
  }

  abort(): void {
    if (!this.response.isFinished) this.stream.abort();
  }

  /** A status from 300 on that was set refuses. */
  upgrade(to: Upgrade): boolean {
    if (this.hasAnswer || this.refuseAsSet()) return false;
    return this.stream.upgrade(to);
  }

  /** The hooks are done: what they have set stays in any answer, and a status from 300 on that they have set is the answer. */
  endHooks(): undefined {
    this.response.keepFields();
    this.refuseAsSet();
  }

  /** Answers with the status that was set, if it lets nothing pass and was not sent. @returns whether it was */
  private refuseAsSet(): boolean {
    const { response } = this;
    return !this.hasAnswer && response.statusCode >= 300 && response.end("");
  }

  /** Answers with this, whatever was set for the response. @returns false when the response has begun */
  refuse(status: number, headers: Readonly<Record<string, string>> = {}, content = ""): boolean {
    if (this.response.state !== "pending") return false;
    this.response.replaceBy(status, headers);
    return this.response.end(content);
  }

  fail(status: number, code: string, error?: unknown, headers?: Readonly<Record<string, string>>): boolean {
    return failExchange(this, status, code, error, headers);
  }

  // What the connection reports

  /** The response is complete. */
  finish(): void {
    this.forgetId();
    this.releaseWaiters();
    // Content that nobody reads is discarded.
    if (this.body?.isFlowing === false) this.body.fail();
  }

  /** Takes back received data that the program has not read. */
  takeKeptBody(): { readonly data: Buffer; readonly isLast: boolean } | undefined {
    return this.body?.takeKept();
  }

  /** Called when the request was read and the response sent: the connection is done. */
  detach(): void {
    this.body?.release();
    this.leaveStream();
  }

  /**
   * Called when the connection is lost to this exchange.
   * @returns whether to call {@link dispatchAbort}: not if the response is complete
   */
  abandon(): boolean {
    const wasFinished = this.response.isFinished;
    this.leaveStream();
    if (wasFinished) this.body?.fail();
    else {
      this.response.state = "gone";
      this.forgetId();
    }
    return !wasFinished;
  }

  /** The request can get no further: it is answered, if it still can be, and lost to the program. */
  failAndAbandon(status: number, code: string, error: unknown): void {
    this.fail(status, code, error, { Connection: "close" });
    this.response.state = "gone";
    this.forgetId();
    this.leaveStream();
  }

  /** The connection has become a WebSocket. @returns field lines of the program for the answer */
  completeUpgrade(): string {
    this.response.state = "done";
    this.finish();
    this.leaveStream();
    const { fieldLines } = this.response;
    this.response = answeredResponse;
    return fieldLines;
  }

  // Calls of the program, at once or out of the queue

  dispatchBody(data: Buffer, last: boolean): void {
    if (this.isBodyWanted) this.requestBody.receive(data, last);
  }

  dispatchWritable(): void {
    this.releaseWaiters();
    const { writableListener, response } = this;
    if (writableListener !== undefined && !response.isFinished) writableListener(response.offset);
  }

  dispatchAbort(): void {
    this.isAbortReported = true;
    this.controller?.abort();
    this.body?.fail();
    this.releaseWaiters();
    for (const listener of this.abortListeners ?? []) listener();
  }

  /** Code that waits in `drained` and `stream` looks again. */
  releaseWaiters(): void {
    const { drainWaiters } = this;
    const { isFinished } = this.response;
    this.drainWaiters = undefined;
    drainWaiters?.release(!isFinished);
    if (isFinished) this.interruptSource?.();
  }

  /** Calls a callback of the program: what it throws is reported and ends the exchange, not the server. */
  call(callback: () => unknown): void {
    callHandler(callback, (error) => this.context.onHandlerError(error, this.exchange));
  }

  /** The connection must not stay in memory while the program keeps the exchange. */
  private leaveStream(): void {
    this.stream = endedStream;
    this.response.stream = endedStream;
  }

  private forgetId(): void {
    if (this.uuid !== undefined) this.context.byId.delete(this.uuid);
  }
}
