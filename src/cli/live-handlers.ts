import type { Exchange, Server, UpgradeOptions, WebSocket, WebSocketHandlers } from "../index.ts";
import { checkOptions } from "../options/check-options.ts";
import type { Hooks } from "../server/observers.ts";
import { handlerNames, upgradeOptionNames } from "../websocket/web-socket-handlers.ts";
import type { HandlerModule } from "./handler-module.ts";

/** What one loading of a file has asked of its server. */
class Generation {
  /** Adds the routes. */
  readonly routes: ((server: Server) => unknown)[] = [];
  readonly hooks: Hooks = { request: [], response: [], failure: [] };
  readonly closeCallbacks: (() => unknown)[] = [];
}

type Sockets = WebSocketHandlers<unknown>;

/** Methods of a server whose calls wait until all routes are replaced. */
const ADDS_ROUTES = ["get", "head", "post", "put", "patch", "delete", "options", "any", "route", "fetch"];

/** The handlers of a file on a server, which can be exchanged for those of its next loading while connections live. */
export class LiveHandlers {
  private readonly server: Server;
  private current = new Generation();
  /** By path. A path that the file does not have any more keeps its last handlers for the WebSockets that are open. */
  private readonly sockets = new Map<string, Sockets>();

  constructor(server: Server) {
    this.server = server;
    server.onClose(() => this.leave(this.current));
  }

  /**
   * Puts the handlers of a module in place of those that there are: at once, or not at all.
   * @throws what its `setup` throws, and PorticoError ERR_ROUTE for routes that cannot be added
   */
  async take(module: HandlerModule): Promise<void> {
    const next = new Generation();
    const sockets = new Map<string, Sockets>();
    try {
      const server = this.recorder(next, sockets);
      await module.setup?.(server);
      addHandlers(server, module);
      this.server.replaceRoutes((real) => {
        for (const add of next.routes) add(real);
      });
    } catch (error) {
      await this.leave(next);
      throw error;
    }
    const former = this.current;
    this.current = next;
    this.server.replaceHooks(former.hooks, next.hooks);
    for (const [path, handlers] of sockets) this.sockets.set(path, handlers);
    await this.leave(former);
  }

  private async leave(generation: Generation): Promise<void> {
    for (const callback of generation.closeCallbacks.splice(0)) {
      try {
        await callback();
      } catch (error) {
        console.error(error);
      }
    }
  }

  /** The server as a generation sees it: what it adds belongs to it and ends with it. */
  private recorder(generation: Generation, sockets: Map<string, Sockets>): Server {
    const { server } = this;
    const keep =
      <Part>(list: Part[], add: (part: Part) => unknown = () => {}) =>
      (part: Part): Server => {
        list.push(part);
        // A part that comes later than `setup` counts at once.
        if (generation === this.current) add(part);
        return recorder;
      };
    const addRoute = keep(generation.routes, (add) => add(server));
    const own: Record<string, unknown> = {
      onRequest: keep(generation.hooks.request, (hook) => server.onRequest(hook)),
      onResponse: keep(generation.hooks.response, (hook) => server.onResponse(hook)),
      onFailure: keep(generation.hooks.failure, (hook) => server.onFailure(hook)),
      onClose: keep(generation.closeCallbacks),
      mount: (part: (server: Server) => unknown): Server => {
        server.mount(() => part(recorder));
        return recorder;
      },
      websocket: (path: string, handlers: Sockets, options?: UpgradeOptions): Server => {
        const isSet = typeof handlers === "object" && handlers !== null;
        if (isSet) (generation === this.current ? this.sockets : sockets).set(path, handlers);
        return addRoute((real) =>
          real.websocket(path, isSet ? this.delegates(path, handlers) : handlers, options),
        );
      },
    };
    for (const name of ADDS_ROUTES) {
      own[name] = (...values: unknown[]): Server =>
        addRoute((real) => Reflect.apply(Reflect.get(real, name), real, values));
    }
    const recorder: Server = new Proxy(server, {
      get(_target, name) {
        if (typeof name === "string" && Object.hasOwn(own, name)) return own[name];
        const value: unknown = Reflect.get(server, name);
        return typeof value === "function" ? value.bind(server) : value;
      },
    });
    return recorder;
  }

  /** Handlers that look for those of the last loading at each event. Only `upgrade` belongs to its own loading. */
  private delegates(path: string, handlers: Sockets): Sockets {
    const now = (): Sockets => this.sockets.get(path) ?? handlers;
    const { upgrade } = handlers;
    return {
      ...(upgrade === undefined ? {} : { upgrade: (exchange: Exchange) => upgrade.call(handlers, exchange) }),
      open: (socket: WebSocket) => now().open?.(socket),
      message: (socket: WebSocket, data: Buffer, binary: boolean) => now().message?.(socket, data, binary),
      drain: (socket: WebSocket) => now().drain?.(socket),
      ping: (socket: WebSocket, data: Buffer) => now().ping?.(socket, data),
      pong: (socket: WebSocket, data: Buffer) => now().pong?.(socket, data),
      close: (socket: WebSocket, code: number, reason: string) => now().close?.(socket, code, reason),
    };
  }
}

/** Adds the handlers of a module to a server. */
function addHandlers(server: Server, module: HandlerModule): void {
  for (const [path, target] of Object.entries(module.routes ?? {})) {
    if (typeof target === "function") server.any(path, target);
    else for (const [method, handler] of Object.entries(target)) server.route(method, path, handler);
  }
  for (const [path, handlers] of Object.entries(module.websockets ?? {})) {
    if (typeof handlers === "function") server.websocket(path, handlers);
    else server.websocket(path, ...separated(path, handlers));
  }
  const { fetch } = module;
  if (fetch !== undefined) server.fetch(fetch);
}

/** A file has the handlers and the options of a path in one object. The handlers keep it as `this`. */
function separated(
  path: string,
  both: Sockets & UpgradeOptions,
): [handlers: Sockets, options: UpgradeOptions] {
  checkOptions(`the WebSocket route ${path}`, both, { ...handlerNames, ...upgradeOptionNames });
  const options = Object.entries(both).filter(([name]) => Object.hasOwn(upgradeOptionNames, name));
  return [Object.create(both), Object.fromEntries(options)];
}
