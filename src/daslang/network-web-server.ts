import type { Exchange, OpenHandlers } from "../exchange/exchange.ts";
import { EventQueue } from "../exchange/server-event.ts";
import type { Limits } from "../limits/limits.ts";
import type { Listener } from "../server/listener.ts";
import { Server } from "../server/server.ts";
import { cors } from "../web/cors.ts";
import { errnoNamed, errnoOf } from "./system-error.ts";
import { WebChannel } from "./web-channel.ts";
import { WebRequest } from "./web-request.ts";
import { WebResponse } from "./web-response.ts";

/** The function that serves a route. */
export type RouteTarget = (exchange: Exchange, content: Buffer) => unknown;

/** A route of a WebServer. */
export interface WebRoute {
  readonly method: string;
  readonly path: string;
  readonly target: RouteTarget;
}

/** The functions that a NetworkWebServer calls, always inside a tick. */
export interface WebServerInstance {
  _server: NetworkWebServer | null;
  onWsOpen(channel: WebChannel, url: string): void;
  onWsClose(channel: WebChannel): void;
  onWsMessage(channel: WebChannel, msg: string | Buffer): void;
  onError(msg: string, code: number, error?: unknown): void;
}

export interface WebServerOptions {
  /** The IP address to listen on. Default: all addresses. Host names are not looked up. */
  host?: string;
  /** Engine limits that differ from the defaults. */
  limits?: Partial<Limits>;
}

/** Holds a NetworkWebServer while it belongs to no instance. */
export interface NetworkWebServerHolder {
  current: NetworkWebServer | null;
}

/** For clients to read the last data after `stop`. */
const GRACE_MS = 2_000;

/**
 * The listener, all clients, and all undelivered data. It belongs to one instance at a time, or to none, and keeps
 * receiving in either case.
 */
export class NetworkWebServer {
  private readonly options: WebServerOptions;
  private readonly queue: EventQueue;
  private readonly addCors = cors();
  private instance: WebServerInstance | null = null;
  private routes: ReadonlyMap<string, WebRoute> = new Map();
  private allowsCors = false;
  private engine: Server;
  private listener: Listener | undefined;
  private readonly sockets: OpenHandlers<WebChannel | undefined> = {
    open: (socket) => {
      const channel = new WebChannel(socket);
      socket.data = channel;
      this.instance?.onWsOpen(channel, socket.request?.target ?? "");
    },
    message: ({ data: channel }, data, binary) => {
      if (channel !== undefined) this.instance?.onWsMessage(channel, binary ? data : data.toString("utf8"));
    },
    close: ({ data: channel }) => {
      if (channel !== undefined) this.instance?.onWsClose(channel);
    },
  };

  /** @throws RangeError for an unknown limit, or one out of range */
  constructor(options: WebServerOptions) {
    this.options = options;
    this.queue = new EventQueue(() => this.engine.limits.maxQueueBytes);
    this.engine = this.createEngine();
  }

  get isOpen(): boolean {
    return this.listener !== undefined;
  }

  /** The port it listens on, or 0. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /** Makes it belong to one instance. @throws Error if the instance has another one that listens */
  bind(instance: WebServerInstance): void {
    const other = instance._server;
    if (other !== null && other !== this) {
      if (other.isOpen)
        throw new Error("can't restore: the instance has another open server. Save it or clean it up first");
      other.release();
    }
    this.release();
    instance._server = this;
    this.instance = instance;
  }

  /** Makes it belong to no instance. A running tick ends after its current callback. */
  release(): void {
    if (this.instance !== null) this.instance._server = null;
    this.instance = null;
  }

  /** Replaces all routes at once. Undelivered requests use the new routes. @throws PorticoError ERR_ROUTE */
  setRoutes(routes: ReadonlyMap<string, WebRoute>, allowsCors: boolean): void {
    this.engine.replaceRoutes(() => this.addRoutes(this.engine, routes));
    this.routes = routes;
    this.allowsCors = allowsCors;
  }

  /** Starts to listen. @returns false after `onError("can't bind", errno)` */
  start(port: number): boolean {
    let failure = errnoNamed("EINVAL");
    if (this.listener === undefined) {
      const { host } = this.options;
      try {
        this.listener = this.engine.listenNow(host === undefined ? { port } : { port, host });
        return true;
      } catch (error) {
        failure = errnoOf(error);
      }
    }
    this.instance?.onError("can't bind", failure);
    return false;
  }

  /** Delivers everything that had arrived when it was called. */
  tick(): void {
    const { instance } = this;
    for (let left = this.queue.length; left > 0 && this.instance === instance && instance !== null; left--) {
      this.queue.shift()?.run();
    }
  }

  /** Stops listening, closes WebSockets with 1001, and ends requests. Later ticks report this. It can start again. */
  stop(): void {
    if (this.listener === undefined) return;
    this.listener = undefined;
    void this.engine.close({ graceMs: GRACE_MS });
    this.engine = this.createEngine();
    this.addRoutes(this.engine, this.routes);
  }

  private createEngine(): Server {
    const { limits } = this.options;
    const engine = new Server({
      delivery: this.queue,
      ...(limits && { limits }),
      // It can fail between two ticks.
      onError: (error) => this.queue.push({ type: "call", call: () => this.report(error) }),
    });
    engine.onRequest((exchange) => {
      if (this.allowsCors) this.addCors(exchange);
      if (!exchange.headSent && exchange.wantsUpgrade) exchange.upgrade(this.sockets);
    });
    return engine;
  }

  private report(error: unknown): void {
    this.instance?.onError(error instanceof Error ? error.message : String(error), errnoOf(error), error);
  }

  private addRoutes(engine: Server, routes: ReadonlyMap<string, WebRoute>): void {
    for (const [key, { method, path }] of routes) {
      engine.route(method, path, (exchange) => {
        exchange.collect((content) => {
          const route = this.routes.get(key);
          // The route was removed while the request waited.
          if (route === undefined) exchange.status(404).end();
          return route?.target(exchange as unknown as Exchange, content);
        });
      });
    }
  }
}

/** Makes a route of a handler that returns the status. */
export function handlerTarget(
  handler: (req: WebRequest, resp: WebResponse) => number | Promise<number>,
): RouteTarget {
  return (exchange, content) => {
    const resp = new WebResponse(exchange);
    const status = handler(new WebRequest(exchange, content), resp);
    return typeof status === "number" ? resp.finish(status) : status.then((late) => resp.finish(late));
  };
}
