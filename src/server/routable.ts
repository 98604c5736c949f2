import { checkHandshakeField } from "../connection/upgrade.ts";
import { isThenable } from "../delivery/call-handler.ts";
import { PorticoError } from "../exchange/errors.ts";
import type {
  LentWebSocketHandlers,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "../exchange/exchange.ts";
import { type FetchHandler, fetchRoute } from "../fetch/fetch-handler.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { isToken } from "../protocol/http/token.ts";
import { deflateSettings } from "../protocol/websocket/permessage-deflate.ts";
import { checkUpgradeOptions } from "../websocket/web-socket-handlers.ts";
import { handlersOf } from "../websocket/web-socket-program.ts";
import { ANY, type RouteParams } from "./router.ts";
import type { Handler, Target } from "./target.ts";

export interface RouteOptions {
  /** Content limit of this route in place of `limits.maxBodyBytes`, smaller or larger, in bytes. */
  maxBodyBytes?: number;
  /** How long a handler of this route may take to answer, in place of `limits.handlerTimeoutMs`; 0: for ever. */
  handlerTimeoutMs?: number;
  /**
   * "immediate": the handler runs when a request arrives, on a server with deferred delivery, too: for what is not part of
   * the program's turn, such as figures of the server. Default: as the server delivers.
   */
  delivery?: "immediate";
}

const routeOptionNames: OptionNames<RouteOptions> = {
  maxBodyBytes: true,
  handlerTimeoutMs: true,
  delivery: true,
};

/** Something that routes can be added to. */
export abstract class Routable {
  /** @internal */
  protected abstract addRoute(method: string, path: string, target: Target): void;

  get<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("GET", path, handler, options);
  }
  head<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("HEAD", path, handler, options);
  }
  post<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("POST", path, handler, options);
  }
  put<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("PUT", path, handler, options);
  }
  patch<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("PATCH", path, handler, options);
  }
  delete<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route("DELETE", path, handler, options);
  }
  options<Path extends string>(
    path: Path,
    handler: Handler<RouteParams<Path>>,
    options?: RouteOptions,
  ): this {
    return this.route("OPTIONS", path, handler, options);
  }
  /** A route for every method that has no separate route on this path. */
  any<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route(ANY, path, handler, options);
  }

  /**
   * Adds a route; also while the server runs.
   * @param method a token such as "GET", or "ANY"
   * @param path static segments, ":name" and, at the end, "*"; see the guide for what is preferred to what
   * @param handler its exchange has the parameters that the path names
   * @throws PorticoError ERR_ROUTE when the path is malformed, looks as if it meant something else, or is there already;
   *   TypeError for an unknown option; RangeError for a time that is not a number from 0 on
   */
  route<Path extends string>(
    method: string,
    path: Path,
    handler: Handler<RouteParams<Path>>,
    options: RouteOptions = {},
  ): this {
    if (!isToken(method)) throw new PorticoError("ERR_ROUTE", `${method} is not a method`);
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    checkOptions(`the route ${path}`, options, routeOptionNames);
    const { handlerTimeoutMs } = options;
    if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs >= 0)) {
      throw new RangeError(`handlerTimeoutMs cannot be ${handlerTimeoutMs}: a number from 0 on is needed`);
    }
    this.addRoute(method, path, {
      kind: "http",
      handler: handler as Handler<never> as Handler,
      maxBodyBytes: options.maxBodyBytes,
      handlerTimeoutMs,
      isImmediate: isImmediate(options),
    });
    return this;
  }

  /**
   * Serves what no route takes by a handler of the Fetch Standard, such as `app.fetch` of Hono or H3. The Request is
   * made of what the handler asks for; content comes and goes at the speed of the slower side.
   * @param handler gets the Request, and as second argument who the client is
   * @param path only this path and what lies below it
   * @throws PorticoError ERR_ROUTE like in {@link route}
   */
  fetch(handler: FetchHandler, path = "/", options?: RouteOptions): this {
    const base = path.replace(/\/$/, "");
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    const route = fetchRoute(handler);
    if (base !== "") this.any(base, route, options);
    return this.any(`${base}/*`, route, options);
  }

  /**
   * Serves WebSockets on a path (RFC 6455). A request there that asks for none goes to the HTTP routes, and gets
   * 426 where they have nothing.
   * @param path like in {@link route}
   * @param handlers what is done when something happens, or one function that reads `socket.messages()`
   * @throws PorticoError ERR_ROUTE like in {@link route}, RangeError for settings of the compression out of range,
   *   FieldError for header fields that may not be sent, TypeError for an unknown handler or option
   */
  websocket<Data = undefined>(
    path: string,
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data> & { lent?: false },
  ): this;
  websocket<Data = undefined>(
    path: string,
    handlers: LentWebSocketHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data>,
  ): this;
  websocket<Data = undefined>(
    path: string,
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options: UpgradeOptions<Data> = {},
  ): this {
    checkUpgradeOptions(`the WebSocket route ${path}`, options);
    if (typeof options.compression === "object") deflateSettings(options.compression);
    for (const [name, value] of Object.entries(options.headers ?? {})) checkHandshakeField(name, value);
    this.addRoute(ANY, path, {
      kind: "websocket",
      handlers: handlersOf(handlers) as WebSocketHandlers<unknown>,
      options: options as UpgradeOptions,
      maxBodyBytes: undefined,
      handlerTimeoutMs: undefined,
      isImmediate: isImmediate(options),
    });
    return this;
  }
}

/** @throws TypeError for a way of delivery that a route cannot have */
function isImmediate({ delivery }: { readonly delivery?: unknown }): boolean {
  if (delivery === undefined || delivery === "immediate") return delivery !== undefined;
  throw new TypeError(`the delivery of a route cannot be ${String(delivery)}: "immediate" or nothing`);
}

/** @throws PorticoError ERR_ROUTE for what a function with an effect later has returned */
export function refuseAsync(result: unknown, name: string): void {
  if (!isThenable(result)) return;
  result.then(undefined, () => {});
  throw new PorticoError("ERR_ROUTE", `the function for ${name} is asynchronous: wait before`);
}
