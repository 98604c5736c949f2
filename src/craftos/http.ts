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
  /** A literal address to bind; all addresses when absent. */
  host?: string;
  /** After so many seconds a response that was not closed is sent as it is. Default 15. */
  responseTimeout?: number;
  /** The largest WebSocket message in both directions, in bytes. Default 131,072. */
  maxWebSocketMessage?: number;
  /** What may wait in the queue, in bytes, before the clients are slowed down. Default 16 MiB. */
  maxQueueBytes?: number;
  /** Limits of the engine that differ from the defaults. */
  limits?: Partial<Limits>;
}

const httpOptionNames: OptionNames<HttpOptions> = {
  host: true,
  responseTimeout: true,
  maxWebSocketMessage: true,
  maxQueueBytes: true,
  limits: true,
};

/** What `http.listen` calls for each request. Any answer but `false`, `null` and `undefined` ends it. */
export type RequestCallback = (request: RequestHandle, response: ResponseHandle) => unknown;

const DEFAULT_RESPONSE_TIMEOUT_S = 15;
const DEFAULT_MAX_MESSAGE_BYTES = 131_072;
/** For a last client to take what was sent to it, after its server was closed. */
const CLOSE_MS = 2_500;
const DEFAULT_MAX_QUEUE_BYTES = 16_777_216;

/**
 * The `http` interface of one computer: a queue of events that the program pulls, and handles that behave like
 * files. What blocks the coroutine in CraftOS returns a promise. Listeners belong to their computer.
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
   * Starts a listener, and is bound when it returns: each request becomes an event `http_request`. A listener that
   * there is on this port already is replaced.
   * @param port 0 for any free one; see {@link ports}
   * @throws RangeError for what is not a port; Error "Could not open server: …" when it cannot be bound
   */
  addListener(port: number): void {
    this.openListener(port);
  }

  /**
   * Stops a listener, and the `listen` that serves it; the port is free at once. Responses to requests that were
   * taken can still be sent.
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
   * Serves requests until the callback returns a value (or a promise of one) that is true in Lua, which is any but `false`,
   * `null` and `undefined`, or until a `server_stop` event comes; then the listener is removed. Requests that come while the callback is busy wait for it. It ends, too, when the listener is
   * removed or replaced.
   * @throws what the callback throws, after the listener was removed; Error "Terminated"; what {@link addListener} throws
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
   * Starts a WebSocket server, and is bound when it returns.
   * @param port 0 for any free one; the handle has it
   * @param headers further fields of the response that opens a connection. Sec-WebSocket-Protocol lists the subprotocols that the
   *   server speaks, by preference; the first that the client offers is chosen
   * @returns the handle, or null and the reason
   * @throws RangeError for what is not a port; FieldError for fields that may not be sent
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

  /** Adds an event to the queue. It is never refused. */
  queueEvent(name: string, ...parameters: unknown[]): void {
    this.queue.push([name, ...parameters]);
  }

  /**
   * The next event. Everybody who waits sees it; while nobody waits, events are kept.
   * @param filter the name of the event; others that come meanwhile are passed over
   * @throws Error "Terminated" on a `terminate` event
   */
  pullEvent<Name extends string>(filter: Name): Promise<EventOf<Name>>;
  pullEvent(filter?: string): Promise<Event>;
  pullEvent(filter?: string): Promise<Event> {
    return this.queue.pull(filter, false);
  }

  /** Like {@link pullEvent}, but `terminate` is an event like any other, which every filter admits. */
  pullEventRaw(filter?: string): Promise<Event> {
    return this.queue.pull(filter, true);
  }

  /**
   * Every event from now on, also those that come while the program is busy with one. End it by leaving the loop,
   * or by `return()`: what it keeps slows the clients down.
   * @throws Error "Terminated" on a `terminate` event
   */
  events(): AsyncIterableIterator<Event> {
    return this.queue.subscribe(() => true);
  }

  /**
   * Stops everything, for good. All that waits is terminated; WebSockets are closed with 1001.
   * @returns when all connections are gone
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
 * A separate interface, with its own queue and listeners.
 * @throws RangeError for an option or a limit that is unknown or out of range
 */
export function createHttp(options: HttpOptions = {}): Http {
  return new Http(options);
}

/** One that is ready, for programs that are one computer. */
export const http: Http = createHttp();

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function couldNotOpen(error: Error): string {
  return `Could not open server: ${error.message}`;
}
