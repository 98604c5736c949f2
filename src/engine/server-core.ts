import type { HttpLimits } from "../http1/limits.ts";
import { hasToken } from "../http1/request-head.ts";
import { MAX_TIMER_MS } from "../transport/max-timer.ts";
import type { Peer, Transport } from "../transport/transport.ts";
import { type Connection, type Core, PAUSED_BY_QUEUE, PAUSED_BY_SERVER } from "./core.ts";
import type { Counters } from "./counters.ts";
import { PorticoError } from "./errors.ts";
import { EventQueue, type EventSource, type ServerEvent } from "./event-queue.ts";
import type { Exchange } from "./exchange.ts";
import { HttpConnection } from "./http-connection.ts";
import type { Limits } from "./limits.ts";
import { Observers } from "./observers.ts";
import { ANY, type Match, Router } from "./router.ts";
import type { Server } from "./server.ts";
import { isThenable } from "./thenable.ts";
import { Ticker } from "./ticker.ts";
import { Topics } from "./topics.ts";
import { UPGRADE_REQUIRED } from "./upgrade.ts";
import type { WebSocket } from "./web-socket.ts";
import type { UpgradeOptions, WebSocketHandlers } from "./web-socket-handlers.ts";

const HEAD_METHODS = ["HEAD", "GET"];

/** Answers an exchange, now or later. What it throws, or what a promise that it returns rejects with, is reported and answered with 500. */
export type Handler<Params = Record<string, string>> = (exchange: Exchange<Params>) => unknown;

/** Gets an error and the exchange or WebSocket whose handler it left. */
export type ErrorReporter = (error: unknown, where: Exchange | WebSocket | undefined) => unknown;

/** What a route leads to: a handler, or WebSockets. */
export type Target =
  | { readonly kind: "http"; readonly handler: Handler; readonly maxBodyBytes: number | undefined }
  | {
      readonly kind: "websocket";
      readonly handlers: WebSocketHandlers<unknown>;
      readonly options: UpgradeOptions;
      readonly maxBodyBytes: undefined;
    };

export interface CoreOptions {
  readonly delivery: "immediate" | "deferred" | EventQueue;
  readonly onError: ErrorReporter;
  readonly autoHead: boolean;
  readonly autoOptions: boolean;
  readonly autoAllow: boolean;
  /** Undefined for a client. */
  readonly server: Server | undefined;
}

/** The inside of a server: its connections, its routes and the way of an event to its handler. */
export class ServerCore implements Core, EventSource {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly connections: Set<Connection> = new Set();
  readonly topics: Topics<WebSocket> = new Topics();
  readonly found: Map<string, Exchange | WebSocket> = new Map();
  readonly ticker: Ticker;
  readonly queue: EventQueue | null;
  readonly readerLimits: HttpLimits;
  readonly observers: Observers;
  closing = false;
  private routes: Router<Target> = new Router();
  private webSocketRoutes: Router<Target> = new Router();
  isHeld = false;
  /** Connections that are not read from because the queue is full, and what they had sent by then. */
  private readonly heldBack = new Map<Connection, number>();
  private heldBackBytes = 0;
  /** They hold as much as the queue: no connection is read from. */
  private holdsBackAll = false;
  private readonly options: CoreOptions;
  private addresses: Map<string, number> | undefined;
  private admitted = 0;
  private readonly releaseOne = (): void => {
    this.admitted--;
  };
  private routeCeiling = 0;
  private emptied: (() => void) | undefined;
  private cutOffTimer: NodeJS.Timeout | undefined;
  private cutOffAt = Number.POSITIVE_INFINITY;

  constructor(limits: Limits, counters: Counters, options: CoreOptions) {
    const { delivery } = options;
    this.limits = limits;
    this.counters = counters;
    this.options = options;
    this.observers = new Observers(options.server);
    this.ticker = new Ticker(this.connections, limits);
    this.readerLimits = Object.create(limits, {
      maxBodyBytes: { get: () => Math.max(limits.maxBodyBytes, this.routeCeiling) },
    });
    if (delivery === "immediate") this.queue = null;
    else if (delivery === "deferred") this.queue = new EventQueue(() => limits.maxQueueBytes);
    else if (typeof delivery === "object") this.queue = delivery;
    else throw new TypeError(`delivery is "immediate", "deferred" or an EventQueue, not ${delivery}`);
    this.queue?.addSource(this);
  }

  addRoute(method: string, pattern: string, target: Target): void {
    const router = target.kind === "http" ? this.routes : this.webSocketRoutes;
    router.add(method, pattern, target);
    this.routeCeiling = Math.max(this.routeCeiling, target.maxBodyBytes ?? 0);
  }

  /** Takes the routes that are added meanwhile in place of those that there are; keeps these when it throws. */
  replaceRoutes(add: () => void): void {
    const { routes, webSocketRoutes, routeCeiling } = this;
    this.routes = new Router();
    this.webSocketRoutes = new Router();
    this.routeCeiling = 0;
    try {
      add();
    } catch (error) {
      this.routes = routes;
      this.webSocketRoutes = webSocketRoutes;
      this.routeCeiling = routeCeiling;
      throw error;
    }
  }

  /** Serves a connection, unless a limit is reached or it has gone already. */
  accept(transport: Transport): void {
    const release = transport.closed ? undefined : this.admit(transport);
    if (release === undefined) {
      transport.destroy();
      return;
    }
    const { counters } = this;
    counters.connections++;
    counters.openConnections++;
    transport.totals = counters;
    const connection = new HttpConnection(this, transport);
    connection.release = release;
    this.connections.add(connection);
    if (this.isHeld) connection.pauseFor(PAUSED_BY_SERVER);
    if (this.holdsBackAll) this.holdBack(connection, 0);
    this.ticker.start();
    this.observers.connectionOpened(transport);
  }

  /**
   * Counts a connection, or the handshake that comes before it.
   * @returns what takes it from the count again, or undefined when a limit is reached
   */
  admit(peer: Peer): (() => void) | undefined {
    const { limits } = this;
    const counts = this.addressCounts();
    const address = counts && peer.remoteAddress;
    const same = (address !== undefined && counts?.get(address)) || 0;
    if (this.closing || this.admitted >= limits.maxConnections || same >= limits.maxConnectionsPerAddress) {
      this.counters.refusedConnections++;
      return undefined;
    }
    this.admitted++;
    return counts === undefined || address === undefined
      ? this.releaseOne
      : countAddress(counts, address, this.releaseOne);
  }

  /** Connections by address, counted from when a limit for them is first set: asking for an address costs memory. */
  private addressCounts(): Map<string, number> | undefined {
    if (this.addresses === undefined && this.limits.maxConnectionsPerAddress !== Number.POSITIVE_INFINITY) {
      this.addresses = new Map();
      for (const connection of this.connections) {
        const { remoteAddress } = connection.transport;
        if (remoteAddress !== undefined) {
          connection.release = countAddress(this.addresses, remoteAddress, this.releaseOne);
        }
      }
    }
    return this.addresses;
  }

  forget(connection: Connection): void {
    this.connections.delete(connection);
    this.ticker.forget(connection);
    this.release(connection);
  }

  removed(connection: Connection): void {
    if (!this.connections.has(connection)) return;
    this.forget(connection);
    this.counters.openConnections--;
    connection.release?.();
    this.observers.connectionClosed(connection.transport);
    if (this.connections.size === 0) this.emptied?.();
  }

  route(exchange: Exchange): number | undefined {
    const { requestHead: head } = exchange;
    if (head.form === "asterisk") {
      exchange.refuse(204, { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" });
      return undefined;
    }
    try {
      const match = this.match(exchange);
      if (match === null) {
        this.refuseUnmatched(exchange);
        return undefined;
      }
      const { target } = match.route;
      exchange.routed = match;
      if (target.kind === "websocket" && target.handlers.upgrade === undefined) {
        exchange.upgrade(target.handlers, target.options);
        return undefined;
      }
      return target.maxBodyBytes ?? this.limits.maxBodyBytes;
    } catch (error) {
      if (error instanceof URIError) {
        this.counters.countError("HTTP_BAD_PATH");
        exchange.refuse(400);
      } else this.fault(error, exchange);
      return undefined;
    }
  }

  handle(exchange: Exchange): void {
    const target = (exchange.routed as Match<Target> | undefined)?.route.target;
    if (target === undefined) return;
    try {
      const result: unknown =
        target.kind === "http" ? target.handler(exchange) : this.upgrade(exchange, target);
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.fault(error, exchange));
    } catch (error) {
      this.fault(error, exchange);
    }
  }

  /** Runs a callback of the program; what it throws is reported. */
  attempt(callback: () => unknown): void {
    try {
      const result = callback();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.report(error, undefined));
    } catch (error) {
      this.report(error, undefined);
    }
  }

  report(error: unknown, where: Exchange | WebSocket | undefined): void {
    const failed = (second: unknown): void => console.error(second);
    this.observers.failed(error, where);
    try {
      const result: unknown = this.options.onError(error, where);
      if (isThenable(result)) result.then(undefined, failed);
    } catch (second) {
      failed(second);
    }
  }

  /** An error that has left a handler. */
  fault(error: unknown, exchange: Exchange): void {
    const own = error instanceof PorticoError;
    // The program did not see that the peer had gone, or has given up because of it: nothing to report and nobody to answer.
    if (own && error.code === "ERR_ABORTED" && exchange.finished) return;
    if (error instanceof Error && error.name === "AbortError" && exchange.signal.aborted) return;
    this.counters.countError(own ? error.code : "HANDLER");
    if (!own || error.status >= 500) this.report(error, exchange);
    if (!exchange.refuse(own ? error.status : 500)) exchange.abort();
  }

  enqueue(event: ServerEvent, connection: Connection): void {
    this.queue?.push(event);
    if (this.queue?.isFull) this.holdBack(connection, 0);
  }

  holdBack(connection: Connection, bytes: number): void {
    connection.pauseFor(PAUSED_BY_QUEUE);
    this.heldBack.set(connection, (this.heldBack.get(connection) ?? 0) + bytes);
    this.heldBackBytes += bytes;
    if (this.holdsBackAll || this.heldBackBytes <= this.limits.maxQueueBytes) return;
    this.holdsBackAll = true;
    for (const each of this.connections) {
      each.pauseFor(PAUSED_BY_QUEUE);
      if (!this.heldBack.has(each)) this.heldBack.set(each, 0);
    }
  }

  private release(connection: Connection): void {
    this.heldBackBytes -= this.heldBack.get(connection) ?? 0;
    this.heldBack.delete(connection);
  }

  /** Reads from no connection, old or new, until it is called with false. */
  holdAll(held: boolean): void {
    this.isHeld = held;
    for (const connection of this.connections) {
      // What is resumed may call the program, and it may pause again.
      if (this.isHeld !== held) return;
      if (held) connection.pauseFor(PAUSED_BY_SERVER);
      else connection.resumeFrom(PAUSED_BY_SERVER);
    }
  }

  resumeAll(): void {
    this.holdsBackAll = false;
    for (const connection of this.heldBack.keys()) {
      // What was kept has filled it again; those that are left come first next time.
      if (this.queue?.isFull) return;
      this.release(connection);
      connection.resumeFrom(PAUSED_BY_QUEUE);
    }
  }

  /** Ends all connections: in their own time until `graceMs` have passed, and then at once. */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    for (const connection of this.connections) connection.shutDown();
    if (this.connections.size > 0) {
      const emptied = new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
      this.cutOffAfter(graceMs);
      await emptied;
    }
    clearTimeout(this.cutOffTimer);
    this.queue?.removeSource(this);
  }

  /** Sets how long connections may still take; a time that was set before holds if it ends sooner. */
  cutOffAfter(graceMs: number): void {
    const end = performance.now() + graceMs;
    if (end >= this.cutOffAt) return;
    this.cutOffAt = end;
    clearTimeout(this.cutOffTimer);
    this.cutOffTimer = setTimeout(
      () => {
        for (const connection of this.connections) connection.cutOff();
      },
      Math.min(graceMs, MAX_TIMER_MS),
    );
  }

  private match(exchange: Exchange): Match<Target> | null {
    const { method, path } = exchange;
    if (exchange.wantsUpgrade && hasToken(exchange.header("upgrade") ?? "", "websocket")) {
      const match = this.webSocketRoutes.match([ANY], path);
      if (match !== null) return match;
    }
    const methods = method === "HEAD" && this.options.autoHead ? HEAD_METHODS : [method];
    return this.routes.match(methods, path);
  }

  /** RFC 9110 §15.5.5, §15.5.6 and §15.5.22: 404, 405 with Allow, or 426 where only WebSockets are served. */
  private refuseUnmatched(exchange: Exchange): void {
    const { autoHead, autoOptions, autoAllow } = this.options;
    const allowed = new Set<string>();
    if (autoAllow || (autoOptions && exchange.method === "OPTIONS")) {
      this.routes.match([], exchange.path, allowed);
    }
    if (allowed.size === 0) {
      const onlyWebSocket = this.webSocketRoutes.match([ANY], exchange.path) !== null;
      if (onlyWebSocket) exchange.refuse(426, UPGRADE_REQUIRED);
      else exchange.refuse(404);
      return;
    }
    if (autoHead && allowed.has("GET")) allowed.add("HEAD");
    if (autoOptions) allowed.add("OPTIONS");
    const status = autoOptions && exchange.method === "OPTIONS" ? 204 : 405;
    exchange.refuse(status, { Allow: [...allowed].join(", ") });
  }

  /** Asks the program's `upgrade` first. */
  private upgrade(exchange: Exchange, target: Target & { kind: "websocket" }): unknown {
    const finish = (data: unknown): void => {
      if (!exchange.headSent) exchange.upgrade(target.handlers, { ...target.options, data });
    };
    const data = target.handlers.upgrade?.(exchange);
    return isThenable(data) ? Promise.resolve(data).then(finish) : finish(data);
  }
}

/** Counts a connection of an address. @returns what takes it from the count again */
function countAddress(counts: Map<string, number>, address: string, release: () => void): () => void {
  counts.set(address, (counts.get(address) ?? 0) + 1);
  return () => {
    release();
    const count = (counts.get(address) ?? 1) - 1;
    if (count === 0) counts.delete(address);
    else counts.set(address, count);
  };
}
