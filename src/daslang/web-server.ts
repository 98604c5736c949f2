import type { Exchange } from "../exchange/exchange.ts";
import { type EventStream, eventStream } from "../web/event-stream.ts";
import { serveFiles } from "../web/serve-files.ts";
import {
  handlerTarget,
  NetworkWebServer,
  type NetworkWebServerHolder,
  type RouteTarget,
  type WebRoute,
  type WebServerInstance,
  type WebServerOptions,
} from "./network-web-server.ts";
import type { WebChannel } from "./web-channel.ts";
import { WebRequest } from "./web-request.ts";
import type { WebResponse } from "./web-response.ts";

/** Serves a request. Returns the status, or a promise of it. */
export type WebHandler = (req: WebRequest, resp: WebResponse) => number | Promise<number>;

/**
 * An HTTP and WebSocket server for programs with their own loop: subclass it, register routes in `onInit`, and call `tick`.
 * Handlers and callbacks run inside `tick` only. All clients survive `save` and `restore`. Every path can be a WebSocket.
 */
export class WebServer implements WebServerInstance {
  /** Listener and clients; null before `init`, after `save` and after `cleanup`. */
  _server: NetworkWebServer | null = null;
  readonly #options: WebServerOptions;
  #routes = new Map<string, WebRoute>();
  #allowsCors = false;
  #isInitializing = false;
  #port = 0;

  constructor(options: WebServerOptions = {}) {
    this.#options = { ...options };
  }

  /** Called by `init` and by `restore`: register routes here. */
  onInit(): void {}
  /** Called at the end of each tick. */
  onTick(): void {}
  /** A client has opened a WebSocket. @param _url the path with the query, as sent */
  onWsOpen(_channel: WebChannel, _url: string): void {}
  /** A WebSocket is over. */
  onWsClose(_channel: WebChannel): void {}
  /** A message has arrived: text as a string, binary data as a Buffer, which is yours to keep. */
  onWsMessage(_channel: WebChannel, _msg: string | Buffer): void {}
  /**
   * Something failed: "can't bind", or what a handler has thrown, which the client gets as 500. Prints by default.
   * @param code the system's number as in Node's `err.errno` (negative), -1 where there is none
   */
  onError(msg: string, code: number, error?: unknown): void {
    console.error(error ?? `${msg} (${code})`);
  }

  /** The bound port; 0 when it does not listen. */
  get port(): number {
    return this._server?.port ?? 0;
  }

  /** Whether it listens. */
  is_open(): boolean {
    return this._server?.isOpen ?? false;
  }

  /** Whether it has a session: between `init` or `restore`, and `save` or `cleanup`. */
  has_session(): boolean {
    return this._server !== null;
  }

  /**
   * Makes the session and calls `onInit`. Nothing listens before `start`.
   * @param port 0 for any free one
   * @throws Error "can't make server" when it has a session; what `onInit` throws
   */
  init(port: number): void {
    if (this._server !== null) throw new Error("can't make server");
    this.#port = port;
    this.#adopt(new NetworkWebServer(this.#options));
  }

  /**
   * Binds and listens; the port is open when this returns.
   * @returns false after `onError("can't bind", errno)`
   * @throws Error "null server" without a session
   */
  start(): boolean {
    if (this._server === null) throw new Error("null server");
    return this._server.start(this.#port);
  }

  /** One turn: runs handlers and callbacks for what has arrived so far, in order, then `onTick`. Without a session it does nothing. */
  tick(): void {
    if (this._server === null) return;
    this._server.tick();
    this.onTick();
  }

  /** Listens no more, ends all clients (WebSockets with 1001), and reports that in later ticks. `start` begins again. */
  stop(): void {
    this._server?.stop();
  }

  /** Stops, and gives the session up. Nothing is reported any more. */
  cleanup(): void {
    this._server?.stop();
    this._server?.release();
  }

  /**
   * Moves the session out of this instance. It goes on receiving, and delivers nothing until it is restored.
   * @throws Error when the holder holds another one
   */
  save(orphan: NetworkWebServerHolder): void {
    const server = this._server;
    if (server === null) return;
    if (orphan.current !== null && orphan.current !== server) {
      throw new Error("can't save: the holder holds another server");
    }
    orphan.current = server;
    server.release();
  }

  /**
   * Moves the session of a holder into this instance, and calls `onInit` for its routes: listener, HTTP and WebSocket clients,
   * and requests that wait go on, and are served by the new routes. An empty holder changes nothing.
   * @throws what `onInit` throws; the holder keeps the session then
   */
  restore(orphan: NetworkWebServerHolder): void {
    const server = orphan.current;
    if (server === null) return;
    this.#adopt(server);
    orphan.current = null;
  }

  GET(path: string, handler: WebHandler): void {
    this.#add("GET", path, handlerTarget(handler));
  }
  POST(path: string, handler: WebHandler): void {
    this.#add("POST", path, handlerTarget(handler));
  }
  PUT(path: string, handler: WebHandler): void {
    this.#add("PUT", path, handlerTarget(handler));
  }
  PATCH(path: string, handler: WebHandler): void {
    this.#add("PATCH", path, handlerTarget(handler));
  }
  DELETE(path: string, handler: WebHandler): void {
    this.#add("DELETE", path, handlerTarget(handler));
  }
  HEAD(path: string, handler: WebHandler): void {
    this.#add("HEAD", path, handlerTarget(handler));
  }
  /** Every method that has no route on this path. */
  ANY(path: string, handler: WebHandler): void {
    this.#add("ANY", path, handlerTarget(handler));
  }

  /** Serves the files of a folder below a path. @throws the system's error when there is no such folder */
  STATIC(path: string, dir: string): void {
    const serve = serveFiles(dir);
    this.#add("GET", `${path.replace(/\/$/, "")}/*`, (exchange: Exchange) => serve(exchange));
  }

  /** Answers with server-sent events, which the handler or a later tick sends by `stream.send({ data })`. */
  SSE(path: string, handler: (req: WebRequest, stream: EventStream) => void): void {
    this.#add("GET", path, (exchange, content) => {
      handler(new WebRequest(exchange, content), eventStream(exchange));
    });
  }

  /** Lets pages of all origins use the server (Fetch Standard §3.3). */
  allow_cors(): void {
    this.#allowsCors = true;
    this.#apply();
  }

  /**
   * Sends a message to a WebSocket.
   * @param opcode 1 for text, 2 for binary data; by default by the type of `msg`
   * @param fin false for a part: the message leaves when its last part is sent
   * @returns false when the client has left, or is so slow that `limits.maxBackpressureBytes` is reached
   */
  send(
    channel: WebChannel,
    msg: string | Uint8Array,
    opcode: number = typeof msg === "string" ? 1 : 2,
    fin = true,
  ): boolean {
    return channel.send(msg, opcode, fin);
  }

  /** Closes a WebSocket. `onWsClose` comes in a later tick. */
  close(channel: WebChannel): void {
    channel.close();
  }

  #add(method: string, path: string, target: RouteTarget): void {
    const key = `${method} ${path}`;
    if (this.#routes.has(key)) throw new Error(`${key} is already registered`);
    this.#routes.set(key, { method, path, target });
    try {
      this.#apply();
    } catch (error) {
      this.#routes.delete(key);
      throw error;
    }
  }

  /** Gives the routes to the session; during `onInit` they follow together. */
  #apply(): void {
    if (!this.#isInitializing) this._server?.setRoutes(new Map(this.#routes), this.#allowsCors);
  }

  #adopt(server: NetworkWebServer): void {
    const [routes, allowsCors] = [this.#routes, this.#allowsCors];
    this.#routes = new Map();
    this.#allowsCors = false;
    this.#isInitializing = true;
    try {
      this.onInit();
      server.setRoutes(new Map(this.#routes), this.#allowsCors);
    } catch (error) {
      [this.#routes, this.#allowsCors] = [routes, allowsCors];
      throw error;
    } finally {
      this.#isInitializing = false;
    }
    server.bind(this);
  }
}
