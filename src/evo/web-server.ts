import type { TlsOptions } from "node:tls";
import { PorticoError } from "../engine/errors.ts";
import { EventQueue, type ServerEvent } from "../engine/event-queue.ts";
import type { Limits } from "../engine/limits.ts";
import type { Listener } from "../engine/listener.ts";
import { Server, type ServerOptions } from "../engine/server.ts";
import { isThenable } from "../engine/thenable.ts";
import { MAX_TIMER_MS } from "../transport/max-timer.ts";
import { EventType, SERVER_ID, WebServerMessage } from "./message.ts";

export interface WebServerOptions {
  /** A literal address to bind; all addresses when absent. */
  host?: string;
  /** Serve over TLS, with Node's own options. */
  tls?: TlsOptions;
  /** Time between two polls in milliseconds, default 16; 0: the program calls `ProcessDeferredEvents` itself. */
  pollIntervalMs?: number;
  /** Limits of the engine that differ from the defaults. */
  limits?: Partial<Limits>;
  /**
   * Gets what a handler throws while the timer polls, what an async handler rejects with, and responses that had to
   * be broken off. Default: to the console.
   */
  onError?: (error: unknown) => unknown;
}

const DEFAULT_PORT = 9001;
const DEFAULT_POLL_INTERVAL_MS = 16;
/** Events that every server has. */
export const SERVER_EVENTS: readonly string[] = [
  "SERVER_STARTED_LISTENING",
  "SERVER_STOPPED_LISTENING",
  "ASYNC_POLLING_UPDATE",
];
/** How long peers may take to read what they were sent when the server stopped. */
const LINGER_MS = 2_500;

/**
 * What HttpServer and WebSocketServer have in common. Sockets are served in the background; what happens waits in a
 * queue, and the event handlers run when it is processed: by a timer, or by {@link ProcessDeferredEvents}. Handlers
 * are methods named after their event; override them in a subclass or replace them on the instance.
 */
export abstract class WebServer {
  static readonly DEFAULT_PORT: number = DEFAULT_PORT;
  readonly DEFAULT_PORT: number = DEFAULT_PORT;
  protected engine: Server;
  private readonly options: WebServerOptions;
  private readonly engineOptions: ServerOptions;
  private readonly queue: EventQueue;
  private listener: Listener | undefined;
  /** An event that comes before those of the queue: the second of two that happened together. */
  protected upcoming: ServerEvent | undefined;
  /** ASYNC_POLLING_UPDATE is running; it may poll. */
  private updating = false;
  private timer: NodeJS.Timeout | undefined;

  protected constructor(options: WebServerOptions, engineOptions: ServerOptions) {
    this.options = options;
    this.queue = new EventQueue(() => this.limits.maxQueueBytes);
    const { pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = options;
    if (!(pollIntervalMs >= 0)) throw new RangeError("pollIntervalMs must be a number of milliseconds");
    const onError = (error: unknown): void => this.report(error);
    this.engineOptions = { ...engineOptions, delivery: this.queue, onError };
    this.engine = new Server({
      ...this.engineOptions,
      limits: { ...engineOptions.limits, ...options.limits },
    });
  }

  /** Every limit of the engine; may be changed at any time. */
  get limits(): Limits {
    return this.engine.limits;
  }

  get isListening(): boolean {
    return this.listener !== undefined;
  }

  /** The port that it listens on; 0 when it does not. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /**
   * Begins to listen, and is bound when it returns. The event SERVER_STARTED_LISTENING has the port as its message.
   * The original only prints that a port cannot be bound; here the caller gets the error.
   * @param port 0 for any free one
   * @returns the port
   * @throws PorticoError ERR_ALREADY_LISTENING; the system's error (EADDRINUSE, EACCES …) when it cannot be bound
   */
  StartListening(port: number = DEFAULT_PORT): number {
    if (this.listener !== undefined) throw new PorticoError("ERR_ALREADY_LISTENING");
    const { host, tls, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = this.options;
    const listener = this.engine.listenNow({
      port,
      ...(host === undefined ? {} : { host }),
      ...(tls === undefined ? {} : { tls }),
    });
    this.listener = listener;
    if (pollIntervalMs > 0)
      this.timer = setInterval(() => this.pollByTimer(), Math.min(pollIntervalMs, MAX_TIMER_MS));
    const message = new WebServerMessage(EventType.SERVER_STARTED_LISTENING, SERVER_ID, `${listener.port}`);
    this.queue.push({ type: "call", call: () => this.OnEvent("SERVER_STARTED_LISTENING", message) });
    return listener.port;
  }

  /**
   * Ends everything at once: requests that are pending are answered with 503, WebSockets are closed with 1001. Then
   * the rest of the queue is processed, SERVER_STOPPED_LISTENING with the message "Going Away" comes as the last
   * event, and ASYNC_POLLING_UPDATE once more. Without effect when it does not listen. It may listen again later.
   * What a handler throws reaches the caller; what is left of the queue then waits for `ProcessDeferredEvents`.
   */
  StopListening(): void {
    if (this.listener === undefined) return;
    this.listener = undefined;
    clearInterval(this.timer);
    const { engine } = this;
    // Peers that are still reading are given time; nothing of that is seen by the program.
    void engine.close({ graceMs: LINGER_MS });
    this.endClients(engine);
    this.engine = new Server({ ...this.engineOptions, limits: engine.limits });
    this.setUp(this.engine);
    const message = new WebServerMessage(EventType.SERVER_STOPPED_LISTENING, SERVER_ID, "Going Away");
    this.queue.push({ type: "call", call: () => this.OnEvent("SERVER_STOPPED_LISTENING", message) });
    this.drain();
    this.OnEvent("ASYNC_POLLING_UPDATE");
  }

  /**
   * Runs the handlers of all events that wait, in order, on the caller's stack. Handlers may call any method, this
   * one too. What a handler throws reaches the caller: that event is used up, the others wait for the next call.
   */
  ProcessDeferredEvents(): void {
    this.drain();
    if (this.updating) return;
    this.updating = true;
    try {
      this.OnEvent("ASYNC_POLLING_UPDATE");
    } finally {
      this.updating = false;
    }
  }

  /** Every event comes through here on its way to its handler. */
  OnEvent(eventName: string, payload?: WebServerMessage): void {
    const handler: unknown = this.eventNames.has(eventName) ? this[eventName as keyof this] : undefined;
    if (typeof handler === "function") {
      const result: unknown = handler.call(this, eventName, payload);
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.report(error));
    } else this.UNKNOWN_OR_INVALID_WEBSERVER_EVENT(eventName, payload);
  }

  /** The server listens; `message` is its port as a decimal string. */
  SERVER_STARTED_LISTENING(_eventName: string, _payload: WebServerMessage): void {}

  /** The server has stopped; the last event. */
  SERVER_STOPPED_LISTENING(_eventName: string, _payload: WebServerMessage): void {}

  /** After each poll, even if there were no events. */
  ASYNC_POLLING_UPDATE(_eventName: string): void {}

  /**
   * For an event that has no handler.
   * @throws Error that names the event
   */
  UNKNOWN_OR_INVALID_WEBSERVER_EVENT(eventName: string, _payload?: WebServerMessage): void {
    throw new Error(`there is no handler for the event ${eventName}: add a method of that name`);
  }

  /** Names of the events that have handlers. */
  protected abstract get eventNames(): ReadonlySet<string>;
  /** Adds the routes to a new engine. */
  protected abstract setUp(engine: Server): void;
  /** Answers or closes all that is open. */
  protected abstract endClients(engine: Server): void;
  /** Runs the handlers of one event of the engine. */
  protected abstract handle(event: ServerEvent): void;

  private drain(): void {
    for (let event = this.next(); event !== undefined; event = this.next()) this.handle(event);
  }

  private next(): ServerEvent | undefined {
    const event = this.upcoming;
    if (event === undefined) return this.queue.shift();
    this.upcoming = undefined;
    return event;
  }

  private pollByTimer(): void {
    do {
      try {
        this.ProcessDeferredEvents();
      } catch (error) {
        this.report(error);
      }
    } while (this.queue.length > 0 || this.upcoming !== undefined);
  }

  private report(error: unknown): void {
    const { onError = console.error } = this.options;
    onError(error);
  }
}
