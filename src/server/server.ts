import type { Socket } from "node:net";
import { callHandler } from "../delivery/call-handler.ts";
import type { PollBudget } from "../delivery/poll-budget.ts";
import { PorticoError } from "../exchange/errors.ts";
import { Exchange, type WebSocket } from "../exchange/exchange.ts";
import type { ServerEvent } from "../exchange/server-event.ts";
import { Counters } from "../limits/counters.ts";
import { changeableLimits, type Limits, limitsFrom } from "../limits/limits.ts";
import { noteBlobStreams } from "../node/blob-stream.ts";
import { type Runtime, runtime, runtimeWithStreams } from "../node/runtime.ts";
import { addressOf, type ListenArguments } from "../transport/address.ts";
import { flushAll } from "../transport/flush-scheduler.ts";
import { listen, listenNow, type TransportListener } from "../transport/listen.ts";
import { transportOf } from "../transport/open-socket.ts";
import type { TransportListenerHandlers } from "../transport/pending-connections.ts";
import type { Transport } from "../transport/transport.ts";
import { checkSend } from "../websocket/send-options.ts";
import { onTopic, publish } from "../websocket/topics.ts";
import type { SendOptions } from "../websocket/web-socket-handlers.ts";
import type { BrokerState } from "./broker.ts";
import { Hooked } from "./hooked.ts";
import { Listener, transportHandlersOf } from "./listener.ts";
import { eventIn, eventsOf, polledQueue } from "./polling.ts";
import { refuseAsync } from "./routable.ts";
import { activeOn, type ServerConnection, serverConnectionOf } from "./server-connection.ts";
import { ServerCore } from "./server-core.ts";
import { type CloseOptions, coreOptions, graceMsOf, type ServerOptions } from "./server-options.ts";
import type { Target } from "./target.ts";
import type { BrokerStatus } from "./topic-relay.ts";

/** A server for HTTP/1.1 and WebSocket on any number of addresses. */
export class Server extends Hooked implements AsyncDisposable {
  /** May be changed while the server runs, with the same checks; what is under way keeps what it began with. */
  readonly limits: Limits;
  /** What has happened so far. */
  readonly counters: Counters = new Counters();
  /** @internal */
  protected readonly core: ServerCore;
  private readonly directIo: boolean;
  private readonly listeners = new Set<Listener>();
  private readonly closeCallbacks: (() => unknown)[] = [];
  private closed: Promise<void> | undefined;

  /** @throws TypeError for an unknown option; RangeError for a limit that is unknown or not a number from 0 on */
  constructor(options: ServerOptions = {}) {
    super();
    noteBlobStreams();
    const core = coreOptions(options);
    const limits = limitsFrom(options.limits ?? {});
    this.limits = changeableLimits(limits);
    this.directIo = options.directIo ?? true;
    this.core = new ServerCore(limits, this.counters, core, this);
  }

  /**
   * Replaces all routes at once, those of WebSockets included. Exchanges in progress keep their handlers.
   * @param add adds the new routes to the server, before it returns; when it throws, the former ones stay
   * @throws what `add` throws; PorticoError ERR_ROUTE when it returns a promise
   */
  replaceRoutes(add: (server: this) => void): this {
    this.core.routes.replace(() => {
      refuseAsync(add(this), "replaceRoutes");
    });
    return this;
  }

  /**
   * Calls a function with the server: for parts that bring their own routes and hooks, such as the console.
   * @throws PorticoError ERR_ROUTE when it returns a promise: requests could pass before its hooks are there
   */
  mount(part: (server: this) => unknown): this {
    refuseAsync(part(this), "mount");
    return this;
  }

  /** Runs a function when {@link close} is called first. */
  onClose(callback: () => unknown): this {
    this.closeCallbacks.push(callback);
    return this;
  }

  /**
   * Listens at an address; may be called for several.
   * @param given where, or a port of all addresses
   * @returns when connections are accepted
   * @throws the system's error, such as EADDRINUSE; PorticoError ERR_LISTENING after `close`; TypeError for an unknown option
   */
  async listen(...given: ListenArguments): Promise<Listener> {
    const listener = this.keep(await listen(...this.listenerArguments(given)));
    if (this.closed !== undefined) listener.close();
    return listener;
  }

  /**
   * Listens at an address, for programs that cannot wait: it is bound when this returns. In a cluster's worker the
   * port is not shared with the other workers.
   * @param given a port, and as host a literal address or none
   * @throws the system's error (EADDRINUSE …) when it cannot be bound; PorticoError ERR_LISTENING after `close`;
   *   TypeError for a host that must be looked up, and for an option that is unknown
   */
  listenNow(...given: ListenArguments): Listener {
    return this.keep(listenNow(...this.listenerArguments(given)));
  }

  /**
   * Serves a connection that was accepted elsewhere: one end of a pair in memory, or a socket of `node:net` or `node:tls`
   * that nobody reads from.
   * @throws TypeError for anything else, and for a connection that is not connected yet, that is read from or that is served already
   */
  accept(connection: Transport | Socket): void {
    this.core.accept(transportOf(connection, this.directIo));
  }

  /**
   * Runs the handlers of the events that wait, on the caller's stack, and of what they lead to at once. A call that they put
   * into an EventQueue waits for the next poll. Handlers may poll, too.
   * @param budget how many events, or `{ maxEvents, maxMs }`. What is left comes first next time
   * @returns how many events it took, with those of sockets that have been ended meanwhile
   * @throws PorticoError ERR_DELIVERY when events are delivered at once; RangeError for a number below 0
   */
  poll(budget?: number | PollBudget): number {
    return polledQueue(this.core.queue).poll(budget);
  }

  /**
   * Hands what all servers of the process have sent to the system now, not when this turn of the program ends: so that the
   * time it takes is part of a tick, and `pendingBytes` are up to date.
   */
  flush(): void {
    flushAll();
  }

  /**
   * The events one by one, as they come, until the server is closed. Run their handlers with {@link run}.
   * @throws PorticoError ERR_DELIVERY when events are delivered at once
   */
  events(): AsyncGenerator<ServerEvent, void, undefined> {
    return eventsOf(() => polledQueue(this.core.queue), this);
  }

  /** Runs the handler of an event that came from {@link events}. */
  run(event: ServerEvent): void {
    event.run();
  }

  /**
   * Waits until there is something to poll, and takes nothing: `while (await server.waitForEvent()) server.poll()`.
   * @returns true when events wait; false when the server has closed and none are left
   * @throws PorticoError ERR_DELIVERY when events are delivered at once
   */
  async waitForEvent(): Promise<boolean> {
    const isOver = (): boolean => this.closed !== undefined && this.core.connections.size === 0;
    return eventIn(polledQueue(this.core.queue), isOver);
  }

  /** What the JavaScript runtime gives this server, and which ways it uses: fast or slower ones. */
  get runtime(): Runtime {
    return this.directIo ? runtime() : runtimeWithStreams();
  }

  /** Events that wait to be polled. */
  get waitingEvents(): number {
    return this.core.queue?.length ?? 0;
  }

  /**
   * Reads no more from any connection, and takes nothing from new ones, until {@link resume}. Clients that disconnect
   * meanwhile are reported anyway, with the little that was read from them before.
   */
  pause(): void {
    this.core.setPaused(true);
  }
  resume(): void {
    this.core.setPaused(false);
  }

  /**
   * Sends to all that have joined a topic, with a broker also to those of other servers. Framed once, and compressed once.
   * @returns how many took it in this process
   * @throws TypeError for an unknown option
   */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = {}): number {
    checkSend("publish", options);
    return publish(this.core.topics, topic, data, options);
  }

  /** @internal See {@link onTopic}. @returns what ends it */
  onTopic(topic: string, listener: (data: string | Uint8Array) => void): () => void {
    return onTopic(this.core.topics, topic, listener);
  }

  /** @internal An error of a part. */
  report(error: unknown): void {
    this.core.report(error);
  }

  /** Whether topics reach the servers of other processes; undefined when there is no broker. */
  get brokerState(): BrokerState | undefined {
    return this.core.relay?.state;
  }

  /**
   * Returns what is known of the broker and of the other servers that use it; undefined without a broker. It asks the other
   * servers, at most every 2 s, so call it again for their answers.
   */
  brokerStatus(): BrokerStatus | undefined {
    return this.core.relay?.status();
  }

  /** How many have joined a topic in this process. */
  subscribers(topic: string): number {
    return this.core.topics.of(topic)?.size ?? 0;
  }

  /** The topics that have subscribers now, with the number of subscribers of each. Read lazily: stop at any time. */
  get topics(): IterableIterator<readonly [topic: string, subscribers: number]> {
    return this.core.topics.sizes();
  }

  /** The connections that are open now. */
  get connections(): ServerConnection[] {
    return [...this.core.connections].map(serverConnectionOf);
  }

  /** The exchanges whose responses are not complete now. */
  get exchanges(): Exchange[] {
    return this.active().filter((active) => active instanceof Exchange);
  }

  /** The WebSockets that are open or closing now. */
  get webSockets(): WebSocket[] {
    return this.active().filter((active): active is WebSocket => !(active instanceof Exchange));
  }

  /** The exchange or WebSocket whose `id` was asked for before, while it lives. */
  find(id: string): Exchange | WebSocket | undefined {
    return this.core.byId.get(id) as Exchange | WebSocket | undefined;
  }

  /**
   * Stops: accepts nothing more, closes idle connections, closes WebSockets with 1001 and lets exchanges end; after
   * `graceMs` those that are left are answered with 503 and destroyed.
   * @returns when all connections are gone; the same promise at each call. A later call can shorten the time
   */
  close(options: CloseOptions = {}): Promise<void> {
    const graceMs = graceMsOf(options);
    if (this.closed !== undefined) {
      if (this.core.connections.size > 0) this.core.forceCloseAfter(graceMs);
      return this.closed;
    }
    let settle = (_done: Promise<void>): void => {};
    this.closed = new Promise((resolve) => {
      settle = resolve;
    });
    // Set before: the callbacks of `onClose` may close as well.
    settle(this.closeAll(graceMs));
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private listenerArguments(given: ListenArguments): Parameters<typeof listenNow> {
    if (this.closed !== undefined) throw new PorticoError("ERR_LISTENING");
    return [addressOf(given), this.transportHandlers, this.directIo, this.limits.headTimeoutMs];
  }

  private keep(socket: TransportListener): Listener {
    const listener = new Listener(socket, (gone) => this.listeners.delete(gone));
    this.listeners.add(listener);
    return listener;
  }

  /** @internal */
  protected override addRoute(method: string, path: string, target: Target): void {
    this.core.routes.add(method, path, target);
  }

  /** @internal What becomes of connections, for a listener that is not the server's own. */
  get transportHandlers(): TransportListenerHandlers {
    return transportHandlersOf(this.core);
  }

  private async closeAll(graceMs: number): Promise<void> {
    for (const callback of this.closeCallbacks) {
      callHandler(callback, (error) => this.core.report(error, undefined));
    }
    for (const listener of this.listeners) listener.close();
    await this.core.close(graceMs);
    this.core.queue?.release();
  }

  private active(): (Exchange | WebSocket)[] {
    return [...this.core.connections].flatMap(({ transport }) => activeOn(transport) ?? []);
  }
}
