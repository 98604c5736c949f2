import type { TlsOptions } from "node:tls";
import { callHandler, isThenable } from "../delivery/call-handler.ts";
import { PorticoError } from "../exchange/errors.ts";
import { EventQueue, type ServerEvent } from "../exchange/server-event.ts";
import type { Limits } from "../limits/limits.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Listener } from "../server/listener.ts";
import { Server } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { EventType, SERVER_ID, WebServerMessage } from "./message.ts";

export interface WebServerOptions {
  /** The IP address to listen on. Default: all addresses. */
  host?: string;
  /** Serves over TLS, with Node's options. */
  tls?: TlsOptions;
  /**
   * The time between two polls, in milliseconds. Default 16. With 0 the program calls `ProcessDeferredEvents` itself.
   */
  pollIntervalMs?: number;
  /** Engine limits that differ from the defaults. */
  limits?: Partial<Limits>;
  /**
   * Receives errors of handlers while the timer polls, rejections of async handlers, and errors of aborted responses.
   * Default: prints them to the console.
   */
  onError?: (error: unknown) => unknown;
}

export const webServerOptionNames: OptionNames<WebServerOptions> = {
  host: true,
  tls: true,
  pollIntervalMs: true,
  limits: true,
  onError: true,
};

const DEFAULT_PORT = 9001;
const DEFAULT_POLL_INTERVAL_MS = 16;
/** The events of every server. */
export const SERVER_EVENTS: readonly string[] = [
  "SERVER_STARTED_LISTENING",
  "SERVER_STOPPED_LISTENING",
  "ASYNC_POLLING_UPDATE",
];
/** What the interface does not know. */
const INTERFACE_LIMITS: Partial<Limits> = {
  handlerTimeoutMs: 0,
  maxQueueBytesPerSocket: Number.POSITIVE_INFINITY,
};
/** Time for clients to read the last data after the server has stopped. */
const LINGER_MS = 2_500;

/**
 * The base of HttpServer and WebSocketServer. Sockets are served in the background. Events wait in a queue until a
 * timer or {@link ProcessDeferredEvents} runs their handlers. Handlers are methods named after their event. Override
 * them in a subclass, or replace them on the instance.
 */
export abstract class WebServer {
  static readonly DEFAULT_PORT: number = DEFAULT_PORT;
  readonly DEFAULT_PORT: number = DEFAULT_PORT;
  protected engine: Server;
  private readonly options: WebServerOptions;
  private readonly pollIntervalMs: number;
  private readonly engineOptions: ServerOptions;
  private readonly queue: EventQueue;
  private listener: Listener | undefined;
  /** The second of two simultaneous events. It is handled before those in the queue. */
  protected upcoming: ServerEvent | undefined;
  /** Whether ASYNC_POLLING_UPDATE is running, which can poll as well. */
  private isUpdating = false;
  private timer: NodeJS.Timeout | undefined;

  protected constructor(
    options: WebServerOptions,
    engineOptions: ServerOptions,
    names: OptionNames<WebServerOptions>,
  ) {
    checkOptions(new.target.name, options, names);
    this.options = options;
    // Not `this.limits`, which checks what is changed and takes longer: it is asked for at each event.
    this.queue = new EventQueue(() => this.engine.core.limits.maxQueueBytes);
    const { pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = options;
    if (!(pollIntervalMs >= 0))
      throw new RangeError("pollIntervalMs must be a number of milliseconds, at least 0");
    this.pollIntervalMs = pollIntervalMs;
    const onError = (error: unknown): void => this.report(error);
    this.engineOptions = { ...engineOptions, delivery: this.queue, onError, isBare: true };
    this.engine = new Server({
      ...this.engineOptions,
      limits: { ...INTERFACE_LIMITS, ...engineOptions.limits, ...options.limits },
    });
  }

  /** All limits of the engine. You can change them at any time. */
  get limits(): Limits {
    return this.engine.limits;
  }

  get isListening(): boolean {
    return this.listener !== undefined;
  }

  /** The port it listens on, or 0. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /**
   * Starts to listen; the port is bound when this returns. The event SERVER_STARTED_LISTENING has the port as its
   * message. If the port cannot be bound, this throws; the original only prints a message.
   * @param port 0 for any free port
   * @returns the port
   * @throws PorticoError ERR_ALREADY_LISTENING; the system's error (EADDRINUSE, EACCES …) if the port cannot be bound
   */
  StartListening(port: number = DEFAULT_PORT): number {
    if (this.listener !== undefined) {
      throw new PorticoError("ERR_ALREADY_LISTENING", "call StopListening first");
    }
    const { host, tls } = this.options;
    const { pollIntervalMs } = this;
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
   * Stops at once: answers pending requests with 503, and closes WebSockets with 1001. Then it processes the rest of
   * the queue. SERVER_STOPPED_LISTENING with the message "Going Away" is the last event, and ASYNC_POLLING_UPDATE is
   * called once more. It does nothing if the server does not listen. The server can listen again later. An error of a
   * handler is thrown from here; the remaining events then wait for `ProcessDeferredEvents`.
   */
  StopListening(): void {
    if (this.listener === undefined) return;
    this.listener = undefined;
    clearInterval(this.timer);
    const { engine } = this;
    // Clients that are still reading get time; the program sees nothing of it.
    void engine.close({ graceMs: LINGER_MS });
    this.endClients(engine);
    this.engine = new Server({ ...this.engineOptions, limits: engine.limits });
    this.setUp(this.engine);
    const message = new WebServerMessage(EventType.SERVER_STOPPED_LISTENING, SERVER_ID, "Going Away");
    this.queue.push({ type: "call", call: () => this.OnEvent("SERVER_STOPPED_LISTENING", message) });
    this.drain();
    this.dispatch("ASYNC_POLLING_UPDATE");
  }

  /**
   * Runs the handlers of all waiting events, in order. Handlers can call any method, including this one. An error of a
   * handler is thrown from here: its event is not repeated, and the others wait for the next call. With
   * `pollIntervalMs: 0` this is the poll, so ASYNC_POLLING_UPDATE is called at the end.
   */
  ProcessDeferredEvents(): void {
    this.drain();
    if (this.pollIntervalMs === 0) this.update();
  }

  /**
   * Calls the handler of an event. Every event passes through this method except ASYNC_POLLING_UPDATE, which has no
   * payload and is called directly.
   */
  OnEvent(eventName: string, payload?: WebServerMessage): void {
    this.dispatch(eventName, payload);
  }

  /** Called when the server listens. `message` is its port as a decimal string. */
  SERVER_STARTED_LISTENING(_eventName: string, _payload: WebServerMessage): void {}

  /** Called when the server has stopped. It is the last event. */
  SERVER_STOPPED_LISTENING(_eventName: string, _payload: WebServerMessage): void {}

  /** Called after each poll of the timer, even if there were no events, and once at the end of `StopListening`. */
  ASYNC_POLLING_UPDATE(_eventName: string): void {}

  /**
   * Called for an event without a handler.
   * @throws Error that names the event
   */
  UNKNOWN_OR_INVALID_WEBSERVER_EVENT(eventName: string, _payload?: WebServerMessage): void {
    throw new Error(`the event ${eventName} has no handler. Add a method with that name`);
  }

  /** The names of the events with handlers. */
  protected abstract get eventNames(): ReadonlySet<string>;
  /** Adds the routes to a new engine. */
  protected abstract setUp(engine: Server): void;
  /** Answers all requests and closes all WebSockets. */
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

  private dispatch(eventName: string, payload?: WebServerMessage): void {
    const handler: unknown = this.eventNames.has(eventName) ? this[eventName as keyof this] : undefined;
    if (typeof handler === "function") {
      const result: unknown = handler.call(this, eventName, payload);
      // Not `callHandler`: what a handler throws reaches the code that polls.
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.report(error));
    } else this.UNKNOWN_OR_INVALID_WEBSERVER_EVENT(eventName, payload);
  }

  private update(): void {
    if (this.isUpdating) return;
    this.isUpdating = true;
    try {
      this.dispatch("ASYNC_POLLING_UPDATE");
    } finally {
      this.isUpdating = false;
    }
  }

  private pollByTimer(): void {
    const onError = (error: unknown): void => this.report(error);
    do callHandler(() => this.ProcessDeferredEvents(), onError);
    while (this.queue.length > 0 || this.upcoming !== undefined);
    callHandler(() => this.update(), onError);
  }

  /** Reports an error that has no caller. */
  protected report(error: unknown): void {
    const { onError = console.error } = this.options;
    onError(error);
  }
}
