import type { Exchange } from "../exchange/exchange.ts";
import { type Limits, limitsFrom } from "../limits/limits.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { Server } from "../server/server.ts";
import { clientHandlers, handshakeOptions } from "./client-handlers.ts";
import { ComputerQueue } from "./computer-queue.ts";
import { closedFile } from "./errors.ts";
import { type Event, SERVER_STOP } from "./event.ts";
import type { EventOf } from "./events.ts";
import { Listening } from "./listening.ts";
import { RequestHandle } from "./request-handle.ts";
import { ResponseHandle } from "./response-handle.ts";
import { WebSocketServerHandle } from "./web-socket-server-handle.ts";

export interface HttpOptions {
  /** The IP address to listen on. Default: all addresses. */
  host?: string;
  /** Seconds after which an unclosed response is sent as it is. Default 15. */
  responseTimeout?: number;
  /** The largest WebSocket message in either direction, in bytes. Default 131,072. */
  maxWebSocketMessage?: number;
  /** How many bytes can wait in the queue before Portico stops reading from clients. Default 16 MiB. */
  maxQueueBytes?: number;
  /** Engine limits that differ from the defaults. */
  limits?: Partial<Limits>;
}

const httpOptionNames: OptionNames<HttpOptions> = {
  host: true,
  responseTimeout: true,
  maxWebSocketMessage: true,
  maxQueueBytes: true,
  limits: true,
};

/** Called by `http.listen` for each request. Any result except `false`, `null` and `undefined` ends `listen`. */
export type RequestCallback = (request: RequestHandle, response: ResponseHandle) => unknown;

const DEFAULT_RESPONSE_TIMEOUT_S = 15;
const DEFAULT_MAX_MESSAGE_BYTES = 131_072;
/** For a last client to take what was sent to it, after its server was closed. */
const CLOSE_MS = 2_500;
const DEFAULT_MAX_QUEUE_BYTES = 16_777_216;

/**
 * The `http` API of one computer: a queue of events that the program pulls, and handles that behave like files.
 * Functions that block the coroutine in CraftOS return a promise here. Listeners belong to their computer.
 */
export class Http implements AsyncDisposable {
  private readonly host: string | undefined;
  private readonly responseTimeoutMs: number;
  private readonly limits: Limits;
  private readonly queue: ComputerQueue;
  private readonly listeners = new Map<number, Listening>();
  private readonly handles = new Set<WebSocketServerHandle>();
  /** All that have not ended yet. */
  private readonly servers = new Set<Server>();

  /** @internal Made by {@link createHttp}. */
  constructor(options: HttpOptions) {
    checkOptions("createHttp", options, httpOptionNames);
    const { responseTimeout = DEFAULT_RESPONSE_TIMEOUT_S, maxWebSocketMessage = DEFAULT_MAX_MESSAGE_BYTES } =
      options;
    if (!(typeof responseTimeout === "number" && responseTimeout >= 0))
      throw new RangeError("responseTimeout must be a number of seconds");
    this.host = options.host;
    this.responseTimeoutMs = Math.min(responseTimeout * 1_000, MAX_TIMER_MS);
    const maxQueueBytes = options.maxQueueBytes ?? DEFAULT_MAX_QUEUE_BYTES;
    this.limits = limitsFrom({
      handlerTimeoutMs: 0,
      ...options.limits,
      maxMessageBytes: maxWebSocketMessage,
      maxQueueBytes,
    });
    this.queue = new ComputerQueue(this.limits.maxQueueBytes);
  }

  /**
   * Starts a listener, which is bound when this returns. Each request becomes an event `http_request`. It replaces an
   * existing listener on this port.
   * @param port 0 for any free port; see {@link ports}
   * @throws RangeError for an invalid port; Error "Could not open server: …" if it cannot be bound
   */
  addListener(port: number): void {
    this.openListener(port);
  }

  /**
   * Stops a listener, and the `listen` that serves it. The port is free at once. You can still answer requests that you
   * have received.
   */
  removeListener(port: number): void {
    const listening = this.listeners.get(port);
    if (listening === undefined) return;
    this.listeners.delete(port);
    void this.end(listening.server, this.responseTimeoutMs);
    listening.detach();
  }

  /** The ports of the listeners. */
  get ports(): number[] {
    return [...this.listeners.keys()];
  }

  /**
   * Serves requests until the callback returns a value, or a promise of one, that is true in Lua: anything except
   * `false`, `null` and `undefined`. A `server_stop` event ends it as well. Then the listener is removed. Requests that
   * arrive while the callback is busy wait for it. It also ends when the listener is removed or replaced.
   * @throws the callback's error, after removing the listener; Error "Terminated"; the errors of {@link addListener}
   */
  async listen(port: number, callback: RequestCallback): Promise<void> {
    const real = this.openListener(port);
    const listening = this.listeners.get(real);
    const events = this.queue.subscribe(
      ([name, about]) => name === SERVER_STOP || (name === "http_request" && about === real),
      listening,
    );
    listening?.attach(events);
    try {
      for await (const event of events) {
        if (event[0] === SERVER_STOP) return;
        const [, , request, response] = event as EventOf<"http_request">;
        const answer: unknown = await callback(request, response);
        // What Lua takes for true.
        if (answer !== undefined && answer !== null && answer !== false) return;
      }
    } finally {
      if (this.listeners.get(real) === listening) this.removeListener(real);
    }
  }

  /**
   * Starts a WebSocket server, which is bound when this returns.
   * @param port 0 for any free port; the handle has the port
   * @param headers additional header fields of the handshake response. Sec-WebSocket-Protocol lists the server's
   *   subprotocols, the preferred one first. The first one that the client offers is chosen
   * @returns the handle, or null and the reason
   * @throws RangeError for an invalid port; FieldError for header fields that cannot be sent
   */
  websocketServer(
    port: number,
    headers: Readonly<Record<string, string>> = {},
  ): WebSocketServerHandle | [null, string] {
    const { queue } = this;
    const { maxMessageBytes } = this.limits;
    const server = this.createServer();
    let handle: WebSocketServerHandle | undefined;
    const retire = (): void => {
      if (!handle?.isClosed) return;
      this.handles.delete(handle);
      if (server.counters.openWebSockets === 0) void this.end(server, CLOSE_MS);
    };
    const handlers = clientHandlers(queue, maxMessageBytes, () => handle, retire);
    try {
      server.websocket("/*", handlers, handshakeOptions(headers));
      handle = new WebSocketServerHandle(server.listenNow(this.address(port)), queue, retire);
    } catch (error) {
      void server.close();
      if (!isSystemError(error)) throw error;
      return [null, error.code === "EADDRINUSE" ? "Port already in use" : couldNotOpen(error)];
    }
    this.servers.add(server);
    this.handles.add(handle);
    return handle;
  }

  /** Adds an event to the queue. The queue accepts it even when it is full. */
  queueEvent(name: string, ...parameters: unknown[]): void {
    this.queue.push([name, ...parameters]);
  }

  /**
   * Returns the next event. All waiting calls receive it. While no call waits, events are kept.
   * @param filter the name of the event; other events are skipped
   * @throws Error "Terminated" on a `terminate` event
   */
  pullEvent<Name extends string>(filter: Name): Promise<EventOf<Name>>;
  pullEvent(filter?: string): Promise<Event>;
  pullEvent(filter?: string): Promise<Event> {
    return this.queue.pull(filter, false);
  }

  /** Like {@link pullEvent}, but `terminate` is an event like any other, and passes every filter. */
  pullEventRaw(filter?: string): Promise<Event> {
    return this.queue.pull(filter, true);
  }

  /**
   * Returns all events from now on, including those that arrive while the program handles one. Leave the loop or call
   * `return()` when you are done, because kept events slow clients down.
   * @throws Error "Terminated" on a `terminate` event
   */
  events(): AsyncIterableIterator<Event> {
    return this.queue.subscribe(() => true);
  }

  /**
   * Stops everything permanently. Waiting calls are terminated. WebSockets are closed with 1001.
   * @returns when all connections have ended
   */
  async close(): Promise<void> {
    this.queue.close();
    for (const handle of this.handles) handle.close();
    for (const port of this.ports) this.removeListener(port);
    await Promise.all([...this.servers].map((server) => this.end(server, 0)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private openListener(port: number): number {
    this.removeListener(port);
    const server = this.createServer();
    let real = 0;
    server.any("/*", (exchange) => {
      exchange.collect((content) => this.emitRequest(real, exchange, content));
    });
    try {
      real = server.listenNow(this.address(port)).port;
    } catch (error) {
      void server.close();
      throw isSystemError(error) ? new Error(couldNotOpen(error), { cause: error }) : error;
    }
    this.listeners.set(real, new Listening(server, this.limits.maxQueueBytes));
    this.servers.add(server);
    return real;
  }

  private emitRequest(port: number, exchange: Exchange, content: Buffer): void {
    const request = new RequestHandle(exchange, content);
    const response = new ResponseHandle(exchange, this.responseTimeoutMs);
    const onTaken = (): void => response.startTimeout();
    this.queue.deliver(["http_request", port, request, response], { bytes: content.length, onTaken });
  }

  private createServer(): Server {
    if (this.queue.isClosed) throw closedFile();
    return new Server({
      limits: this.limits,
      delivery: this.queue.source,
      autoHead: false,
      autoOptions: false,
      isBare: true,
    });
  }

  private address(port: number): { port: number; host?: string } {
    const { host } = this;
    return host === undefined ? { port } : { port, host };
  }

  private async end(server: Server, graceMs: number): Promise<void> {
    await server.close({ graceMs });
    this.servers.delete(server);
  }
}

/**
 * Creates a separate `http` API with its own queue and listeners.
 * @throws RangeError for an unknown limit, or one out of range; TypeError for an unknown option
 */
export function createHttp(options: HttpOptions = {}): Http {
  return new Http(options);
}

/** A ready-made instance, for programs that need one computer. */
export const http: Http = createHttp();

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function couldNotOpen(error: Error): string {
  return `Could not open server: ${error.message}`;
}
