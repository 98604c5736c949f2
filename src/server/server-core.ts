import { ChurnMap, ChurnSet } from "../bytes/churn-map.ts";
import { HttpConnection } from "../connection/http-connection.ts";
import type { HttpContext, Outcome } from "../connection/http-context.ts";
import { IntakePool } from "../connection/intake-pool.ts";
import { callHandler } from "../delivery/call-handler.ts";
import { upgradeOrFail } from "../exchange/ask-upgrade.ts";
import { PorticoError } from "../exchange/errors.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import {
  DeferredExchangeDelivery,
  type ExchangeDelivery,
  ImmediateExchangeDelivery,
} from "../exchange/exchange-delivery.ts";
import type { EventQueue } from "../exchange/server-event.ts";
import { Backlog } from "../limits/backlog.ts";
import type { Connection } from "../limits/connection.ts";
import type { Counters } from "../limits/counters.ts";
import { DeadlineTimer } from "../limits/deadline-timer.ts";
import { IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { Limits } from "../limits/limits.ts";
import { PAUSED_BY_SERVER } from "../limits/pausing.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import type { HttpLimits } from "../protocol/http1/http-limits.ts";
import type { Peer, Transport } from "../transport/transport.ts";
import { type Receiver, Topics } from "../websocket/topics.ts";
import { DeferredWebSocketDelivery, ImmediateWebSocketDelivery } from "../websocket/web-socket-delivery.ts";
import type { WebSocketDelivery, WebSocketDriver } from "../websocket/web-socket-driver.ts";
import type { Broker } from "./broker.ts";
import { ConnectionSlots } from "./connection-slots.ts";
import { answerFailure, shapeFailure, warnOnce } from "./failures.ts";
import { HandlerCalls } from "./handler-calls.ts";
import { Observers } from "./observers.ts";
import { queueFor } from "./polling.ts";
import { RouteTable, type RouteTableOptions, targetOf } from "./router.ts";
import { TopicRelay } from "./topic-relay.ts";
import { refuseUnmatched } from "./unmatched.ts";

/** Receives an error, and the exchange or WebSocket whose handler threw it. */
export type ErrorReporter = (error: unknown, where: Exchange | WebSocket | undefined) => unknown;

export interface CoreOptions extends RouteTableOptions {
  readonly delivery: "immediate" | "deferred" | EventQueue;
  readonly onError: ErrorReporter;
  readonly broker: Broker | undefined;
  readonly isBare: boolean;
  readonly allowHalfOpen: boolean;
}

/** The internal part of a server: its connections, and the delivery of their events to the program. */
export class ServerCore implements HttpContext {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly connections: ChurnSet<Connection> = new ChurnSet();
  readonly topics: Topics<Receiver> = new Topics();
  readonly byId: ChurnMap<string, Exchange | WebSocket> = new ChurnMap();
  readonly timer: DeadlineTimer;
  readonly incompleteBytes: IncompleteBytes;
  readonly httpLimits: HttpLimits;
  readonly observers: Observers;
  readonly routes: RouteTable;
  readonly slots: ConnectionSlots;
  readonly exchangeDelivery: ExchangeDelivery;
  readonly webSocketDelivery: WebSocketDelivery<WebSocketDriver<WebSocket>>;
  readonly allowHalfOpen: boolean;
  /** The queue of events; undefined with immediate delivery. */
  readonly queue: EventQueue | undefined;
  readonly isBare: boolean;
  readonly relay: TopicRelay | undefined;
  isClosing = false;
  isRefusingRequests = false;
  isPaused = false;
  private readonly backlog: Backlog | undefined;
  private readonly onError: ErrorReporter;
  readonly answerFailure: typeof answerFailure = answerFailure;
  private readonly handlers = new HandlerCalls(this);
  private readonly intakes = new IntakePool(this);
  private onEmpty: (() => void) | undefined;
  private forceCloseTimer: NodeJS.Timeout | undefined;
  private forceCloseAt = Number.POSITIVE_INFINITY;

  /** @param server the object for subscribers of node:diagnostics_channel */
  constructor(limits: Limits, counters: Counters, options: CoreOptions, server: object) {
    this.limits = limits;
    this.counters = counters;
    this.onError = options.onError;
    this.isBare = options.isBare;
    this.allowHalfOpen = options.allowHalfOpen;
    this.observers = new Observers(server);
    this.routes = new RouteTable(options);
    this.timer = new DeadlineTimer(this.connections, limits);
    this.incompleteBytes = new IncompleteBytes(limits, counters);
    this.slots = new ConnectionSlots(limits, counters, this.connections);
    this.httpLimits = Object.create(limits, {
      maxBodyBytes: { get: () => Math.max(limits.maxBodyBytes, this.routes.maxBodyBytes) },
    });
    this.queue = queueFor(options.delivery, limits);
    if (this.queue === undefined) {
      this.exchangeDelivery = new ImmediateExchangeDelivery();
      this.webSocketDelivery = new ImmediateWebSocketDelivery();
    } else {
      this.backlog = new Backlog(this.queue, this.connections, limits);
      this.exchangeDelivery = new DeferredExchangeDelivery(this.backlog);
      this.webSocketDelivery = new DeferredWebSocketDelivery(this.backlog);
    }
    this.relay = options.broker && new TopicRelay(options.broker, this);
    this.topics.link = this.relay;
  }

  /** Serves a connection, unless a limit is reached or it has ended. */
  accept(transport: Transport): void {
    const releaseSlot = transport.closed ? undefined : this.acquireSlot(transport);
    if (releaseSlot === undefined) {
      transport.destroy();
      return;
    }
    this.counters.connections++;
    this.counters.openConnections++;
    transport.totals = this.counters;
    const connection = new HttpConnection(this.intakes, transport, releaseSlot);
    this.connections.add(connection);
    if (this.isPaused) connection.pauseFor(PAUSED_BY_SERVER);
    this.backlog?.onOpen(connection);
    this.timer.start();
    this.observers.connectionOpened(connection);
  }

  /**
   * Counts a connection, or the handshake that precedes it.
   * @returns a function that releases its slot, or undefined if it is refused
   */
  acquireSlot(client: Peer): (() => void) | undefined {
    return this.isClosing ? this.slots.refuse() : this.slots.acquire(client);
  }

  onInput(connection: Connection, bytes: number): void {
    this.backlog?.onInput(connection, bytes);
  }

  onConnectionReplaced(connection: Connection): void {
    this.connections.delete(connection);
    this.timer.forget(connection);
    this.backlog?.onClose(connection);
  }

  onWebSocketAttached(connection: Connection): void {
    this.connections.add(connection);
  }

  onConnectionClosed(connection: Connection): void {
    if (!this.connections.has(connection)) return;
    this.onConnectionReplaced(connection);
    this.counters.openConnections--;
    connection.releaseSlot?.();
    this.observers.connectionClosed(connection);
    if (this.connections.size === 0) this.onEmpty?.();
  }

  get isLending(): boolean {
    return this.queue === undefined;
  }

  get hasExchangeObservers(): boolean {
    return this.observers.hasExchangeObservers;
  }

  onRequest(exchange: Exchange): Promise<void> | undefined {
    const { driver } = exchange;
    try {
      const hooks = this.observers.requestBegan(exchange);
      if (hooks === undefined) return driver.endHooks();
      driver.response.keepFields();
      return hooks.then(() => driver.endHooks()).catch((error: unknown) => this.failHooks(error, exchange));
    } catch (error) {
      return this.failHooks(error, exchange);
    }
  }

  private failHooks(error: unknown, exchange: Exchange): undefined {
    exchange.driver.response.keepFields();
    this.onHandlerError(error, exchange);
  }

  onResponse(exchange: Exchange, outcome: Outcome, status: number): void {
    this.observers.responseEnded(exchange, outcome, status, (error) => this.report(error, exchange));
  }

  onWebSocketOpen(socket: WebSocket): void {
    this.observers.webSocketOpened(socket);
  }

  onWebSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.observers.webSocketClosed(socket, code, reason);
  }

  route(exchange: Exchange): number | undefined {
    const { driver } = exchange;
    const target = this.routes.match(exchange);
    driver.answerTimeoutMs = target?.handlerTimeoutMs;
    driver.isImmediate = target?.isImmediate === true;
    return target && (target.maxBodyBytes ?? this.limits.maxBodyBytes);
  }

  admit(exchange: Exchange): boolean {
    const target = targetOf(exchange);
    if (target?.kind === "http" || target?.handlers.upgrade !== undefined) return true;
    try {
      if (target !== undefined) exchange.driver.upgrade(target);
      else if (exchange.hasAmbiguousPath) {
        this.counters.countError("HTTP_BAD_PATH");
        exchange.driver.fail(400, "HTTP_BAD_PATH");
      } else refuseUnmatched(exchange, this.routes);
    } catch (error) {
      this.onHandlerError(error, exchange);
    }
    return false;
  }

  dispatchRequest(exchange: Exchange): void {
    const target = targetOf(exchange);
    if (target === undefined) return;
    // callHandler, written out for `get-pipelined`: it would need a closure for each request.
    try {
      if (target.kind === "http") this.handlers.call(target.handler, exchange);
      else void upgradeOrFail(exchange.driver, target);
    } catch (error) {
      this.onHandlerError(error, exchange);
    }
  }

  report(error: unknown, where?: Exchange | WebSocket): void {
    this.observers.errorReported(error, where);
    callHandler(
      () => this.onError(error, where),
      (second) => console.error(second),
    );
  }

  onHandlerError(error: unknown, exchange: Exchange): void {
    const { driver } = exchange;
    const own = error instanceof PorticoError;
    // The program did not notice that the client had disconnected, or has given up because of it.
    if (own && error.code === "ERR_ABORTED" && exchange.finished) return;
    if (error instanceof Error && error.name === "AbortError" && driver.signal.aborted) return;
    this.counters.countError(own ? error.code : "HANDLER");
    if (!own || error.status >= 500) this.report(error, exchange);
    if (!driver.fail(own ? error.status : 500, own ? error.code : "HANDLER", error)) driver.abort();
  }

  shapeFailure(exchange: Exchange, status: number, code: string): boolean {
    warnOnce(status, code, `${exchange.method} ${exchange.path}`);
    const onError = (thrown: unknown): void => this.report(thrown, exchange);
    return shapeFailure(this.observers.failureHooks, exchange, status, code, onError);
  }

  onInvalidRequest(status: number, code: string): void {
    if (!this.isBare) warnOnce(status, code, "What a client sent");
  }

  /** Stops reading from all connections, old and new, until it is called with false. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    for (const connection of this.connections) {
      // A resumed connection can call the program, which can pause again.
      if (this.isPaused !== isPaused) return;
      if (isPaused) connection.pauseFor(PAUSED_BY_SERVER);
      else connection.resumeFrom(PAUSED_BY_SERVER);
    }
  }

  /** Lets connections end by themselves for `graceMs`, and then ends them. */
  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    // Programs that poll have stopped to do so, or have been told of the last event.
    this.isRefusingRequests = this.queue !== undefined;
    for (const connection of this.connections) connection.beginShutdown();
    if (this.connections.size > 0) {
      this.forceCloseAfter(graceMs);
      await new Promise<void>((resolve) => {
        this.onEmpty = resolve;
      });
    }
    clearTimeout(this.forceCloseTimer);
    this.backlog?.close();
    await this.relay?.close();
  }

  /** Sets how long connections can still take. A time set earlier applies if it ends sooner. */
  forceCloseAfter(graceMs: number): void {
    const end = performance.now() + graceMs;
    if (end >= this.forceCloseAt) return;
    this.forceCloseAt = end;
    clearTimeout(this.forceCloseTimer);
    this.forceCloseTimer = setTimeout(
      () => {
        for (const connection of this.connections) connection.forceClose();
      },
      Math.min(graceMs, MAX_TIMER_MS),
    );
  }
}
