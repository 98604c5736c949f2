import type { TransportListenerHandlers } from "../transport/entrance.ts";
import { listen, listenNow, type TransportAddress, type TransportListener } from "../transport/listen.ts";
import type { Transport } from "../transport/transport.ts";
import { deflateSettings } from "../websocket/permessage-deflate.ts";
import { Counters } from "./counters.ts";
import { PorticoError } from "./errors.ts";
import { type EventQueue, runEvent, type ServerEvent } from "./event-queue.ts";
import { Exchange } from "./exchange.ts";
import { type FetchHandler, fetchRoute } from "./fetch-handler.ts";
import { type Limits, limitsFrom } from "./limits.ts";
import { Listener } from "./listener.ts";
import { handlersOf } from "./message-inbox.ts";
import type { Hooks, RequestHook, ResponseHook } from "./observers.ts";
import { ANY, type RouteParams } from "./router.ts";
import { connectionOn, type ServerConnection } from "./server-connection.ts";
import { type ErrorReporter, type Handler, ServerCore } from "./server-core.ts";
import { isThenable } from "./thenable.ts";
import { checkHandshakeField } from "./upgrade.ts";
import { publish, WebSocket } from "./web-socket.ts";
import type {
  SendOptions,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "./web-socket-handlers.ts";

export interface ServerOptions {
  /** Limits and timeouts that differ from the defaults. */
  limits?: Partial<Limits>;
  /**
   * "immediate" (default): handlers run when something happens. "deferred": everything waits in a queue until
   * {@link Server.poll} or {@link Server.events} takes it. Or a queue that several servers share.
   */
  delivery?: "immediate" | "deferred" | EventQueue;
  /** Gets the errors that handlers throw, and all else that is not a peer's fault. Default: to the console, after the request's method and path. */
  onError?: ErrorReporter;
  /** Answer HEAD with the route for GET, without its content. Default true. */
  autoHead?: boolean;
  /** Answer OPTIONS with 204 and Allow where no route does. Default true. */
  autoOptions?: boolean;
  /** Answer 405 with Allow where a path has routes, but not for the method; false: 404. Default true. */
  autoAllow?: boolean;
  /**
   * Read from all sockets into one buffer and write to their handles, where Node allows it. Default true; false uses
   * their streams only, which is slower.
   */
  directIo?: boolean;
}

export interface RouteOptions {
  /** Content limit of this route in place of `limits.maxBodyBytes`, smaller or larger, in bytes. */
  maxBodyBytes?: number;
}

export interface CloseOptions {
  /** How long exchanges and WebSockets may take to end by themselves, in milliseconds. Default 5,000. */
  graceMs?: number;
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The default of `onError`: says which request the error belongs to. */
const toConsole: ErrorReporter = (error, where) => {
  const exchange = where instanceof WebSocket ? where.request : where;
  if (exchange === undefined) console.error(error);
  else console.error(`${exchange.method} ${exchange.path}:`, error);
};

/** A server for HTTP/1.1 and WebSocket on any number of addresses. */
export class Server implements AsyncDisposable {
  /** May be changed while the server runs; what is under way keeps what it began with. */
  readonly limits: Limits;
  /** What has happened so far. */
  readonly counters: Counters = new Counters();
  private readonly core: ServerCore;
  private readonly directIo: boolean;
  private readonly listeners = new Set<Listener>();
  private readonly closeCallbacks: (() => unknown)[] = [];
  private closed: Promise<void> | undefined;

  /** @throws RangeError for a limit that is unknown or not a number from 0 on */
  constructor(options: ServerOptions = {}) {
    this.limits = limitsFrom(options.limits ?? {});
    this.directIo = options.directIo ?? true;
    this.core = new ServerCore(this.limits, this.counters, {
      delivery: options.delivery ?? "immediate",
      onError: options.onError ?? toConsole,
      autoHead: options.autoHead ?? true,
      autoOptions: options.autoOptions ?? true,
      autoAllow: options.autoAllow ?? true,
      server: this,
    });
  }

  get<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("GET", path, handler, options);
  }
  head<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("HEAD", path, handler, options);
  }
  post<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("POST", path, handler, options);
  }
  put<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("PUT", path, handler, options);
  }
  patch<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("PATCH", path, handler, options);
  }
  delete<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("DELETE", path, handler, options);
  }
  options<Path extends string>(
    path: Path,
    handler: Handler<RouteParams<Path>>,
    options?: RouteOptions,
  ): this {
    return this.route("OPTIONS", path, handler, options);
  }
  /** A route for every method that has none of its own on this path. */
  any<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route(ANY, path, handler, options);
  }

  /**
   * Adds a route; also while the server runs.
   * @param method a token such as "GET", or "ANY"
   * @param path static segments, ":name" and, at the end, "*"; see the guide for what is preferred to what
   * @param handler its exchange has the parameters that the path names
   * @throws PorticoError ERR_ROUTE when the path is malformed or the route is there already
   */
  route<Path extends string>(
    method: string,
    path: Path,
    handler: Handler<RouteParams<Path>>,
    options: RouteOptions = {},
  ): this {
    if (!METHOD.test(method)) throw new PorticoError("ERR_ROUTE", `${method} is not a method`);
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    this.core.addRoute(method, path, {
      kind: "http",
      handler: handler as Handler<never> as Handler,
      maxBodyBytes: options.maxBodyBytes,
    });
    return this;
  }

  /**
   * Serves what no route takes by a handler of the Fetch Standard, such as `app.fetch` of Hono or H3. The Request is
   * made of what the handler asks for; content comes and goes at the speed of the slower side.
   * @param handler gets the Request, and as second argument who the peer is
   * @param path only this path and what lies below it
   * @throws PorticoError ERR_ROUTE like in {@link route}
   */
  fetch(handler: FetchHandler, path = "/", options?: RouteOptions): this {
    const base = path.replace(/\/$/, "");
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    const route = fetchRoute(handler);
    if (base !== "") this.any(base, route, options);
    return this.any(`${base}/*`, route, options);
  }

  /**
   * Serves WebSockets on a path (RFC 6455). A request there that asks for none goes to the HTTP routes, and gets
   * 426 where they have nothing.
   * @param path like in {@link route}
   * @param handlers what is done when something happens, or one function that reads `socket.messages()`
   * @throws PorticoError ERR_ROUTE like in {@link route}, RangeError for settings of the compression out of range,
   *   FieldError for header fields that may not be sent
   */
  websocket<Data = undefined>(
    path: string,
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options: UpgradeOptions<Data> = {},
  ): this {
    if (typeof options.compression === "object") deflateSettings(options.compression);
    for (const [name, value] of Object.entries(options.headers ?? {})) checkHandshakeField(name, value);
    this.core.addRoute(ANY, path, {
      kind: "websocket",
      handlers: handlersOf(handlers) as WebSocketHandlers<unknown>,
      options: options as UpgradeOptions,
      maxBodyBytes: undefined,
    });
    return this;
  }

  /**
   * Replaces all routes, those of WebSockets among them, at once: no request meets a part of them. What is under way
   * keeps its handlers.
   * @param add adds the new routes to the server, before it returns; when it throws, the former ones stay
   * @throws what `add` throws; PorticoError ERR_ROUTE when it returns a promise
   */
  replaceRoutes(add: (server: this) => void): this {
    this.core.replaceRoutes(() => {
      const result: unknown = add(this);
      if (!isThenable(result)) return;
      result.then(undefined, () => {});
      throw new PorticoError("ERR_ROUTE", "the function for replaceRoutes is asynchronous: wait before");
    });
    return this;
  }

  /** Calls a function with the server: for parts that bring their own routes and hooks, such as the console. */
  mount(part: (server: this) => unknown): this {
    part(this);
    return this;
  }

  /**
   * Runs a function for each request when its head has arrived, before a route is looked for; with deferred delivery,
   * too, it runs at once. Header fields that it sets are part of any answer, of errors as well. When it answers, no
   * other hook and no route sees the request. What it throws is answered with 500. A promise that it returns is not
   * waited for: the route runs meanwhile, so what decides who may go on must answer before it returns.
   */
  onRequest(hook: RequestHook): this {
    this.core.observers.requestHooks.push(hook);
    return this;
  }

  /** Runs a function for each request when its response is complete or can never be. What it throws goes to `onError`. */
  onResponse(hook: ResponseHook): this {
    this.core.observers.responseHooks.push(hook);
    return this;
  }

  /** @internal Puts hooks in place of others, behind those that stay. */
  replaceHooks(former: Hooks, next: Hooks): void {
    this.core.observers.replaceHooks(former, next);
  }

  /** Runs a function when {@link close} is called first. */
  onClose(callback: () => unknown): this {
    this.closeCallbacks.push(callback);
    return this;
  }

  /**
   * Listens at an address; may be called for several.
   * @returns when connections are accepted
   * @throws the system's error (EADDRINUSE …) when it cannot be bound; PorticoError ERR_LISTENING after `close`
   */
  async listen(address: TransportAddress = {}): Promise<Listener> {
    if (this.closed !== undefined) throw new PorticoError("ERR_LISTENING");
    const { limits, directIo, transportHandlers } = this;
    const listener = this.keep(await listen(address, transportHandlers, directIo, limits.headTimeoutMs));
    if (this.closed !== undefined) listener.close();
    return listener;
  }

  /**
   * Listens at an address, for programs that cannot wait: it is bound when this returns. In a cluster's worker the
   * port is not shared with the other workers.
   * @param address a port, and as host a literal address or none
   * @throws the system's error (EADDRINUSE …) when it cannot be bound; PorticoError ERR_LISTENING after `close`;
   *   TypeError for a host that must be looked up
   */
  listenNow(address: TransportAddress = {}): Listener {
    if (this.closed !== undefined) throw new PorticoError("ERR_LISTENING");
    const { limits, directIo, transportHandlers } = this;
    return this.keep(listenNow(address, transportHandlers, directIo, limits.headTimeoutMs));
  }

  /** Serves a connection that was accepted elsewhere, such as one end of a pair in memory. */
  accept(transport: Transport): void {
    this.core.accept(transport);
  }

  /**
   * Runs the handlers of the events that wait, on the caller's stack. Handlers may poll, too.
   * @param maxEvents how many at the most
   * @returns how many there were
   * @throws PorticoError ERR_DELIVERY when events are delivered at once
   */
  poll(maxEvents: number = Number.POSITIVE_INFINITY): number {
    const queue = this.queue();
    let count = 0;
    while (count < maxEvents) {
      const event = queue.shift();
      if (event === undefined) break;
      count++;
      runEvent(event);
    }
    return count;
  }

  /**
   * The events one by one, as they come, until the server is closed. Their handlers are not run, unless with
   * {@link run}.
   * @throws PorticoError ERR_DELIVERY when events are delivered at once
   */
  async *events(): AsyncGenerator<ServerEvent, void, undefined> {
    const queue = this.queue();
    for (;;) {
      const event = queue.shift();
      if (event === undefined) {
        if (await this.waitForEvent()) continue;
        return;
      }
      // Whoever takes events takes the content, which comes as events, too.
      if (event.type === "request") event.exchange.wantBody();
      // Who waits in `drained` does not wait for its event to be run.
      else if (event.type === "writable" || event.type === "abort") event.exchange.releaseWaiters();
      else if (event.type === "drain" || event.type === "close") event.socket.releaseWaiters();
      yield event;
    }
  }

  /** Runs the handler of an event that came from {@link events}. */
  run(event: ServerEvent): void {
    runEvent(event);
  }

  /**
   * Waits until there is something to poll, and takes nothing: `while (await server.waitForEvent()) server.poll()`.
   * @returns true when events wait; false when the server has closed and none are left
   * @throws PorticoError ERR_DELIVERY when events are delivered at once
   */
  async waitForEvent(): Promise<boolean> {
    const queue = this.queue();
    while (queue.length === 0) {
      if (this.closed !== undefined && this.core.connections.size === 0) return false;
      await queue.waitForEvent();
    }
    return true;
  }

  /** Events that wait to be polled. */
  get waitingEvents(): number {
    return this.core.queue?.length ?? 0;
  }

  /** Reads no more from any connection, and takes nothing from new ones, until {@link resume}. */
  pause(): void {
    this.core.holdAll(true);
  }

  resume(): void {
    this.core.holdAll(false);
  }

  /** Sends to all that have joined a topic. Framed once, and compressed once. @returns how many took it */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = {}): number {
    return publish(this.core, topic, data, options);
  }

  /** How many have joined a topic. */
  subscribers(topic: string): number {
    return this.core.topics.of(topic)?.size ?? 0;
  }

  /** The connections that are open now. */
  get connections(): ServerConnection[] {
    return [...this.core.connections].map((connection) => connectionOn(connection.transport));
  }

  /** The exchanges whose responses are not complete now. */
  get exchanges(): Exchange[] {
    return this.served().filter((served) => served instanceof Exchange);
  }

  /** The WebSockets that are open or closing now. */
  get webSockets(): WebSocket[] {
    return this.served().filter((served) => served instanceof WebSocket);
  }

  /** The exchange or WebSocket whose `id` was asked for before, while it lives. */
  find(id: string): Exchange | WebSocket | undefined {
    return this.core.found.get(id);
  }

  /**
   * Stops: accepts nothing more, closes idle connections, closes WebSockets with 1001 and lets exchanges end; after
   * `graceMs` those that are left are answered with 503 and destroyed.
   * @returns when all connections are gone; the same promise at each call. A later call can shorten the time
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { graceMs = 5_000 } = options;
    if (this.closed !== undefined) {
      if (this.core.connections.size > 0) this.core.cutOffAfter(graceMs);
      return this.closed;
    }
    let settle = (_done: Promise<void>): void => {};
    this.closed = new Promise((resolve) => {
      settle = resolve;
    });
    // Set before: the callbacks of `onClose` may close as well.
    settle(this.shutDown(graceMs));
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private keep(socket: TransportListener): Listener {
    const listener = new Listener(socket, (gone) => this.listeners.delete(gone));
    this.listeners.add(listener);
    return listener;
  }

  /** @internal What becomes of connections, for a listener that is not the server's own. */
  get transportHandlers(): TransportListenerHandlers {
    return {
      accept: (transport) => this.core.accept(transport),
      admit: (peer) => this.core.admit(peer),
      error: (error) => this.counters.countError("code" in error ? String(error.code) : error.name),
    };
  }

  private async shutDown(graceMs: number): Promise<void> {
    for (const callback of this.closeCallbacks) this.core.attempt(callback);
    for (const listener of this.listeners) listener.close();
    await this.core.close(graceMs);
    this.core.queue?.release();
  }

  private served(): (Exchange | WebSocket)[] {
    return [...this.core.connections].flatMap((connection) => connection.serves ?? []);
  }

  private queue(): EventQueue {
    if (this.core.queue === null) throw new PorticoError("ERR_DELIVERY");
    return this.core.queue;
  }
}
