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

/** Serves a request. @returns the status, or a promise of it */
export type WebHandler = (req: WebRequest, resp: WebResponse) => number | Promise<number>;

/**
 * An HTTP and WebSocket server for programs with their own loop: subclass it, register routes in `onInit`, and call `tick`.
 * Handlers and callbacks run inside `tick` only. All clients survive `save` and `restore`. Every path can be a WebSocket.
 */
export class WebServer implements WebServerInstance {
  /** The listener and its clients; null before `init`, after `save` and after `cleanup`. */
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
  /** Called when a client has opened a WebSocket. @param _url the path with the query, as sent */
  onWsOpen(_channel: WebChannel, _url: string): void {}
  /** Called when a WebSocket has ended. */
  onWsClose(_channel: WebChannel): void {}
  /** Called with a message: text as a string, binary data as a Buffer, which is yours to keep. */
  onWsMessage(_channel: WebChannel, _msg: string | Buffer): void {}
  /**
   * Called on a failure: "can't bind", or the error of a handler, which is answered with 500. Prints by default.
   * @param code the system's error number, as in Node's `err.errno` (negative); -1 if there is none
   */
  onError(msg: string, code: number, error?: unknown): void {
    console.error(error ?? `${msg} (${code})`);
  }

  /** The port it listens on, or 0. */
  get port(): number {
    return this._server?.port ?? 0;
  }

  /** Returns whether it listens. */
  is_open(): boolean {
    return this._server?.isOpen ?? false;
  }

  /** Returns whether it has a session: after `init` or `restore`, and before `save` or `cleanup`. */
  has_session(): boolean {
    return this._server !== null;
  }

  /**
   * Creates the session and calls `onInit`. It listens only after `start`.
   * @param port 0 for any free port
   * @throws Error "can't make server" if it has a session; the error of `onInit`
   */
  init(port: number): void {
    if (this._server !== null) throw new Error("can't make server");
    this.#port = port;
    this.#adopt(new NetworkWebServer(this.#options));
  }

  /**
   * Starts to listen; the port is open when this returns.
   * @returns false after `onError("can't bind", errno)`
   * @throws Error "null server" without a session
   */
  start(): boolean {
    if (this._server === null) throw new Error("null server");
    return this._server.start(this.#port);
  }

  /**
   * Runs one turn: handlers and callbacks for everything that has arrived, in order, then `onTick`. Without a session
   * it does nothing.
   */
  tick(): void {
    if (this._server === null) return;
    this._server.tick();
    this.onTick();
  }

  /**
   * Stops listening and disconnects all clients (WebSockets with 1001), which later ticks report. `start` begins again.
   */
  stop(): void {
    this._server?.stop();
  }

  /** Stops and ends the session. No callbacks follow. */
  cleanup(): void {
    this._server?.stop();
    this._server?.release();
  }

  /**
   * Moves the session out of this instance into a holder. It keeps receiving, and delivers nothing until it is
   * restored.
   * @throws Error if the holder holds another one
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
   * Moves the session of a holder into this instance, and calls `onInit` for its routes. The listener, all clients and
   * waiting requests stay, and the new routes serve them. An empty holder changes nothing.
   * @throws the error of `onInit`; the holder then keeps the session
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
  /** Serves all methods without a separate route on this path. */
  ANY(path: string, handler: WebHandler): void {
    this.#add("ANY", path, handlerTarget(handler));
  }

  /** Serves the files of a folder below a path. @throws the system's error if the folder does not exist */
  STATIC(path: string, dir: string): void {
    const serve = serveFiles(dir);
    this.#add("GET", `${path.replace(/\/$/, "")}/*`, (exchange: Exchange) => serve(exchange));
  }

  /** Answers with server-sent events. The handler or a later tick sends them with `stream.send({ data })`. */
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
   * @param opcode 1 for text, 2 for binary data; by default depends on the type of `msg`
   * @param fin false for a part of a message, which is sent together with its last part
   * @returns false if the client has disconnected, or is so slow that `limits.maxBackpressureBytes` is reached
   */
  send(
    channel: WebChannel,
    msg: string | Uint8Array,
    opcode: number = typeof msg === "string" ? 1 : 2,
    fin = true,
  ): boolean {
    return channel.send(msg, opcode, fin);
  }

  /** Closes a WebSocket. A later tick calls `onWsClose`. */
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
