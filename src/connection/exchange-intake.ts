import { NO_BYTES } from "../bytes/no-bytes.ts";
import { PorticoError } from "../exchange/errors.ts";
import { Exchange } from "../exchange/exchange.ts";
import { type ExchangeDelivery, ImmediateExchangeDelivery } from "../exchange/exchange-delivery.ts";
import { restLater } from "../exchange/resting.ts";
import { TURN_IS_OVER, TURN_STEPS } from "../limits/turns.ts";
import { partOf } from "../node/fast-buffers.ts";
import { HttpError } from "../protocol/http/http-error.ts";
import { NEED_BYTES, RequestReader } from "../protocol/http1/request-reader.ts";
import { httpLog, quoted } from "../trace/debug-log.ts";
import type { Progress } from "./deadline.ts";
import type { HttpContext, Outcome } from "./http-context.ts";
import { type AnsweredRequest, Http1Stream } from "./http1-stream.ts";
import type { IntakeHost } from "./intake-host.ts";
import { mustCloseAfter } from "./must-close.ts";
import { CLOSING, type Refusal, TOO_LARGE } from "./refusal.ts";

const PROGRESS_BYTES = 65_536;
const AT_ONCE = new ImmediateExchangeDelivery();
const CLOSE = { Connection: "close" };

/** Makes exchanges of what a reader has found, and hands their events to the server, one exchange at a time. */
export class ExchangeIntake implements AnsweredRequest, Progress {
  /** The exchange in progress. */
  exchange: Exchange | undefined = undefined;
  /** The client waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1). */
  isContinueExpected = false;
  readonly reader: RequestReader;
  readonly context: HttpContext;
  connection: IntakeHost;
  private readonly stream: Http1Stream;
  /** Hooks are deciding about the exchange, or have answered it. Nothing else sees it. */
  private isGuarded = false;
  private isLastDelivered = false;
  private discardedBytes = 0;
  private progressBytes = 0;

  constructor(context: HttpContext, connection: IntakeHost) {
    const { limits, counters, httpLimits } = context;
    this.context = context;
    this.connection = connection;
    this.reader = new RequestReader(httpLimits);
    this.stream = new Http1Stream(connection, this, connection.transport, limits, counters);
  }

  /** Continues with the requests of another connection. */
  serve(connection: IntakeHost): void {
    this.connection = connection;
    this.stream.serve(connection, connection.transport);
  }

  /** Whether nothing of a request is here. */
  get isAtRest(): boolean {
    return this.exchange === undefined && this.reader.isAtRest;
  }

  get requests(): number {
    return this.connection.requests;
  }

  /** Lends bytes to the reader. */
  receive(bytes: Buffer, start: number, end: number): void {
    this.connection.steps += (end - start) >>> 10;
    this.reader.receive(bytes, start, end);
  }

  /** Hooks run at once. With deferred delivery the program gets an exchange after them. */
  get delivery(): ExchangeDelivery {
    const isAtOnce = this.isGuarded || this.exchange?.driver.isImmediate === true;
    return isAtOnce ? AT_ONCE : this.context.exchangeDelivery;
  }

  /** Looks for the next head, piece of content or end of a request. */
  next(): ReturnType<RequestReader["next"]> | typeof TURN_IS_OVER {
    const { connection } = this;
    if (connection.steps >= TURN_STEPS) {
      connection.steps = 0;
      return TURN_IS_OVER;
    }
    const signal = this.reader.next();
    if (signal !== NEED_BYTES) connection.steps++;
    return signal;
  }

  /** The exchange whose response is not complete. */
  get active(): Exchange | undefined {
    return this.exchange?.finished === false ? this.exchange : undefined;
  }

  /** Whether the program reads the body of the exchange in progress. */
  get isRead(): boolean {
    return this.exchange?.driver.isBodyRead ?? false;
  }

  /** Begins an exchange. Hooks also see a request whose head is refused. */
  begin(): void {
    const { context, stream, connection } = this;
    const { head, error } = this.reader;
    if (head === undefined) return;
    const { transport } = connection;
    if (httpLog !== undefined)
      httpLog(transport, `< ${head.method} ${head.target} ${quoted(head.fields.raw)}`);
    connection.requests++;
    this.isLastDelivered = false;
    this.isContinueExpected = head.expectContinue && (head.chunked || head.contentLength > 0);
    this.progressBytes = 0;
    this.discardedBytes = 0;
    context.counters.requests++;
    stream.begin(head);
    const exchange = new Exchange(context, stream, head, transport);
    this.exchange = exchange;
    if (error !== null) {
      context.counters.countError(error.code);
      if (exchange.hasBody) exchange.driver.requestBody.fail();
    }
    const limit = context.route(exchange);
    if (limit !== undefined) this.reader.maxBodyBytes = limit;
    this.isGuarded = true;
    if (context.hasExchangeObservers) {
      const hooks = context.onRequest(exchange);
      if (hooks !== undefined) {
        // Meanwhile the exchange can have ended, and the next one can have begun.
        void hooks.then(() => this.isGuarded && this.exchange === exchange && this.admit(exchange, error));
        return;
      }
    }
    this.admit(exchange, error);
  }

  /** Hands an exchange on, unless hooks have answered it. @param error why its head is refused */
  private admit(exchange: Exchange, error: HttpError | null): void {
    const { context, connection } = this;
    if (exchange.driver.hasAnswer) return;
    if (context.isRefusingRequests && !exchange.driver.isImmediate) {
      exchange.driver.fail(CLOSING.status, CLOSING.code);
      return;
    }
    if (error !== null) {
      exchange.driver.fail(error.status, error.code, error, CLOSE);
      return;
    }
    if (!context.admit(exchange)) return;
    const limit = this.reader.maxBodyBytes;
    if (exchange.requestHead.contentLength > limit) {
      context.counters.countError(TOO_LARGE.code);
      const reason = new HttpError("HTTP_BODY_TOO_LARGE", `more than ${limit} bytes of body`);
      exchange.driver.fail(TOO_LARGE.status, TOO_LARGE.code, reason, CLOSE);
      return;
    }
    this.isGuarded = false;
    this.delivery.request(exchange, connection);
  }

  /** Delivers a piece of the content. @returns false when the client has sent too much that nobody reads */
  receiveBody(): boolean {
    const { context, exchange, reader } = this;
    const length = reader.bodyEnd - reader.bodyStart;
    this.isContinueExpected = false;
    this.progressBytes += length;
    if (this.progressBytes >= PROGRESS_BYTES) {
      this.progressBytes = 0;
      this.connection.deadline.start("body");
    }
    if (exchange === undefined) return true;
    if (!exchange.driver.isBodyWanted) {
      this.discardedBytes += length;
      return this.discardedBytes <= context.limits.maxDiscardBytes;
    }
    const isLast = reader.complete;
    this.isLastDelivered = isLast;
    const data = partOf(reader.bytes, reader.bodyStart, reader.bodyEnd);
    this.delivery.body(exchange, data, isLast, this.connection);
    return true;
  }

  /** The request is complete. */
  endRequest(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    const { trailers } = this.reader;
    if (trailers !== null) exchange.driver.trailerFields = trailers;
    if (exchange.hasBody && !this.isLastDelivered && exchange.driver.isBodyWanted) {
      this.delivery.body(exchange, NO_BYTES, true, this.connection);
    }
  }

  /** The response is complete. */
  finishResponse(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    exchange.driver.finish();
    this.observeEnd(exchange, "complete", exchange.statusCode);
    this.discardedBytes = 0;
  }

  /** Both request and response are complete. */
  complete(): void {
    this.exchange?.driver.detach();
    this.exchange = undefined;
    this.isGuarded = false;
    this.reader.trailers = null;
    this.reader.head = undefined; // one that waits must not keep its last request alive
  }

  /** The exchange becomes a WebSocket. @returns the first bytes of that */
  takeUpgradeHead(): Buffer {
    this.exchange = undefined;
    this.isGuarded = false;
    return this.reader.takeUpgradeHead();
  }

  /** The exchange has become a WebSocket. */
  completeUpgrade(exchange: Exchange): void {
    this.observeEnd(exchange, "upgraded", 101);
    restLater(exchange);
  }

  /**
   * Answers with an error status what cannot be answered by the program.
   * @returns false when that is too late: the response has begun and is not complete
   */
  refuse(reason: Refusal): boolean {
    const { exchange, context, connection, delivery } = this;
    const { status, code } = reason;
    if (reason !== CLOSING) context.counters.countError(code);
    if (httpLog !== undefined) httpLog(connection.transport, `< refused: ${code}`);
    if (exchange === undefined) {
      context.onInvalidRequest(status, code);
      this.stream.refuse(status);
    } else if (exchange.headSent) {
      if (!exchange.finished) return false;
      this.abandon();
    } else {
      this.exchange = undefined;
      this.isGuarded = false;
      exchange.driver.failAndAbandon(status, code, reason);
      this.observeEnd(exchange, "aborted", exchange.statusCode);
      delivery.abort(exchange, connection);
    }
    return true;
  }

  /** Called when the exchange cannot continue. The program learns of it once. */
  abandon(): void {
    const { exchange, delivery } = this;
    this.exchange = undefined;
    this.isGuarded = false;
    if (exchange === undefined) return;
    const sent = exchange.headSent ? exchange.statusCode : 0;
    if (!exchange.driver.abandon()) return;
    this.observeEnd(exchange, "aborted", sent);
    delivery.abort(exchange, this.connection);
  }

  // AnsweredRequest

  get maxBodyBytes(): number {
    return this.reader.maxBodyBytes;
  }

  takeContinue(): boolean {
    const isOwed = this.isContinueExpected;
    this.isContinueExpected = false;
    return isOwed && this.exchange?.headSent === false;
  }

  mustClose(isWhole: boolean): boolean {
    return mustCloseAfter(this, isWhole);
  }

  // Progress

  get inProgress(): boolean {
    return this.reader.inProgress;
  }

  get answerMs(): number {
    const { exchange } = this;
    if (exchange === undefined || exchange.headSent) return 0;
    return exchange.driver.answerTimeoutMs ?? this.context.limits.handlerTimeoutMs;
  }

  /** The program has not answered in time: it is told, and the client gets 503. */
  expire(): void {
    // Another connection can have the intake once the program has answered.
    const { exchange, context, delivery, connection } = this;
    connection.deadline.stopAnswer();
    if (exchange === undefined || exchange.headSent) return;
    const about = `${exchange.method} ${exchange.route}, ${this.answerMs} ms`;
    context.onHandlerError(new PorticoError("ERR_HANDLER_TIMEOUT", about), exchange);
    delivery.abort(exchange, connection);
  }

  private observeEnd(exchange: Exchange, outcome: Outcome, status: number): void {
    // 0: nobody observed when it began.
    if (exchange.driver.startedAt !== 0) this.context.onResponse(exchange, outcome, status);
  }
}
