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
import { publish } from "../websocket/topics.ts";
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
  /**
   * The limits. You can change them while the server runs, with the same checks. Requests and messages in progress keep
   * their limits.
   */
  readonly limits: Limits;
  /** The counters of this server. */
  readonly counters: Counters = new Counters();
  /** @internal Also for parts of this package, such as channels. */
  readonly core: ServerCore;
  private readonly directIo: boolean;
  private readonly listeners = new Set<Listener>();
  private readonly closeCallbacks: (() => unknown)[] = [];
  private closed: Promise<void> | undefined;

  /** @throws TypeError for an unknown option; RangeError for an unknown limit, or one that is not a number of at least 0 */
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
   * Replaces all routes at once, including those of WebSockets. Exchanges in progress keep their handlers.
   * @param add adds the new routes to the server, synchronously; if it throws, the previous routes stay
   * @throws the error of `add`; PorticoError ERR_ROUTE if it returns a promise
   */
  replaceRoutes(add: (server: this) => void): this {
    this.core.routes.replace(() => {
      refuseAsync(add(this), "replaceRoutes");
    });
    return this;
  }

  /**
   * Calls a function with the server. Use it for parts with routes and hooks, such as the console.
   * @throws PorticoError ERR_ROUTE if it returns a promise, because requests could arrive before its hooks are added
   */
  mount(part: (server: this) => unknown): this {
    refuseAsync(part(this), "mount");
    return this;
  }

  /** Runs a function when {@link close} is called for the first time. */
  onClose(callback: () => unknown): this {
    this.closeCallbacks.push(callback);
    return this;
  }

  /**
   * Listens at an address. Call it several times for several addresses.
   * @param given the address, or a port on all addresses
   * @returns the listener, once it accepts connections
   * @throws the system's error, such as EADDRINUSE; PorticoError ERR_LISTENING after `close`; TypeError for an unknown
   *   option
   */
  async listen(...given: ListenArguments): Promise<Listener> {
    const listener = this.keep(await listen(...this.listenerArguments(given)));
    if (this.closed !== undefined) listener.close();
    return listener;
  }

  /**
   * Listens at an address synchronously: it is bound when this returns. In a cluster worker the port is not shared with
   * the other workers.
   * @param given a port, or an object whose `host` is an IP address or absent
   * @throws the system's error, such as EADDRINUSE, if it cannot be bound. PorticoError ERR_LISTENING after `close`.
   *   TypeError for a host name, and for an unknown option
   */
  listenNow(...given: ListenArguments): Listener {
    return this.keep(listenNow(...this.listenerArguments(given)));
  }

  /**
   * Serves a connection that was accepted elsewhere: one end of a pair in memory, or a socket of `node:net` or
   * `node:tls` that no other code reads from.
   * @throws TypeError for anything else, and for a connection that is not connected yet, that other code reads from, or
   *   that is already served
   */
  accept(connection: Transport | Socket): void {
    this.core.accept(transportOf(connection, this.directIo));
  }

  /**
   * Runs the handlers of the waiting events and of their direct consequences. A call that they add to an EventQueue
   * waits for the next poll. Handlers can poll, too.
   * @param budget how many events, or `{ maxEvents, maxMs }`. The remaining events come first next time
   * @returns the number of events removed from the queue, including those of sockets that have ended meanwhile
   * @throws PorticoError ERR_DELIVERY with immediate delivery; RangeError for a negative number
   */
  poll(budget?: number | PollBudget): number {
    return polledQueue(this.core.queue).poll(budget);
  }

  /**
   * Hands the output of all servers of the process to the system now, not at the end of this turn of the event loop.
   * The time it takes is then part of your tick, and `pendingBytes` is up to date.
   */
  flush(): void {
    flushAll();
  }

  /**
   * Returns the events one by one, as they arrive, until the server is closed. Run their handlers with {@link run}.
   * @throws PorticoError ERR_DELIVERY with immediate delivery
   */
  events(): AsyncGenerator<ServerEvent, void, undefined> {
    return eventsOf(() => polledQueue(this.core.queue), this);
  }

  /** Runs the handler of an event that came from {@link events}. */
  run(event: ServerEvent): void {
    event.run();
  }

  /**
   * Waits for an event without removing it from the queue: `while (await server.waitForEvent()) server.poll()`.
   * @returns true if events wait; false if the server has closed and no events are left
   * @throws PorticoError ERR_DELIVERY with immediate delivery
   */
  async waitForEvent(): Promise<boolean> {
    const isOver = (): boolean => this.closed !== undefined && this.core.connections.size === 0;
    return eventIn(polledQueue(this.core.queue), isOver);
  }

  /** The features of the JavaScript runtime that this server uses. */
  get runtime(): Runtime {
    return this.directIo ? runtime() : runtimeWithStreams();
  }

  /** The number of events that wait to be polled. */
  get waitingEvents(): number {
    return this.core.queue?.length ?? 0;
  }

  /**
   * Stops reading from all connections, including new ones, until {@link resume}. Clients that disconnect meanwhile are
   * still reported, with the little data that was read from them before.
   */
  pause(): void {
    this.core.setPaused(true);
  }
  resume(): void {
    this.core.setPaused(false);
  }

  /**
   * Sends a message to all subscribers of a topic, with a broker also to those of other servers. It is framed once, and
   * compressed once.
   * @returns the number of subscribers in this process that accepted it
   */
  publish(topic: string, data: string | Uint8Array, options: SendOptions = {}): number {
    checkSend("publish", options);
    return publish(this.core.topics, topic, data, options);
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

  /** Returns the number of subscribers of a topic in this process. */
  subscribers(topic: string): number {
    return this.core.topics.of(topic)?.size ?? 0;
  }

  /** Returns the WebSockets that subscribe to a topic in this process, one by one, in the order of subscription. */
  *subscribedTo(topic: string): IterableIterator<WebSocket> {
    for (const { socket } of this.core.topics.of(topic) ?? [])
      if (socket !== undefined) yield socket as WebSocket;
  }

  /** The topics with subscribers, and the number of subscribers of each. You can stop at any time. */
  get topics(): IterableIterator<readonly [topic: string, subscribers: number]> {
    return this.core.topics.sizes();
  }

  /** The open connections. */
  get connections(): ServerConnection[] {
    return [...this.core.connections].map(serverConnectionOf);
  }

  /** The exchanges with incomplete responses. */
  get exchanges(): Exchange[] {
    return this.active().filter((active) => active instanceof Exchange);
  }

  /** The open and closing WebSockets. */
  get webSockets(): WebSocket[] {
    return this.active().filter((active): active is WebSocket => !(active instanceof Exchange));
  }

  /** Returns the active exchange or WebSocket with an `id`. It finds only those whose `id` has been read before. */
  find(id: string): Exchange | WebSocket | undefined {
    return this.core.byId.get(id) as Exchange | WebSocket | undefined;
  }

  /**
   * Closes the server: stops accepting connections, closes idle ones and WebSockets (with 1001), and lets exchanges
   * end. After `graceMs` the remaining ones are answered with 503 and destroyed.
   * @returns when all connections have ended; the same promise at each call. A later call can shorten the time
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
    // Set before: the callbacks of `onClose` can close the server, too.
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
