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
  /**
   * The limit of request bodies on this route, in bytes. It replaces `limits.maxBodyBytes` and can be higher or lower.
   */
  maxBodyBytes?: number;
  /**
   * How long the handler of this route can take to answer, in milliseconds, instead of `limits.handlerTimeoutMs`. 0
   * means no timeout.
   */
  handlerTimeoutMs?: number;
  /**
   * "immediate": the handler runs as soon as a request arrives, even on a server with deferred delivery. Use it for
   * routes outside of your program's loop, such as metrics. Default: the delivery of the server.
   */
  delivery?: "immediate";
}

const routeOptionNames: OptionNames<RouteOptions> = {
  maxBodyBytes: true,
  handlerTimeoutMs: true,
  delivery: true,
};

/** The base of classes that accept routes. */
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
  /** Adds a route for all methods without a separate route on this path. */
  any<Path extends string>(path: Path, handler: Handler<RouteParams<Path>>, options?: RouteOptions): this {
    return this.route(ANY, path, handler, options);
  }

  /**
   * Adds a route. You can add routes while the server runs.
   * @param method a token such as "GET", or "ANY"
   * @param path static segments, ":name" and, at the end, "*"; docs/routes.md explains which route wins
   * @param handler receives an exchange with the parameters that the path names
   * @throws PorticoError ERR_ROUTE if the path is invalid or ambiguous, or if the route already exists. TypeError for
   *   an unknown option. RangeError for a time that is not a number of at least 0
   */
  route<Path extends string>(
    method: string,
    path: Path,
    handler: Handler<RouteParams<Path>>,
    options: RouteOptions = {},
  ): this {
    if (!isToken(method))
      throw new PorticoError("ERR_ROUTE", `${JSON.stringify(method)} is not a method. Use one such as "GET"`);
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    checkOptions(`the route ${path}`, options, routeOptionNames);
    const { handlerTimeoutMs } = options;
    if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs >= 0)) {
      throw new RangeError(`handlerTimeoutMs cannot be ${handlerTimeoutMs}. Use a number of at least 0`);
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
   * Serves requests that match no route with a handler of the Fetch Standard, such as `app.fetch` of Hono or H3. The
   * parts of the Request are created when the handler reads them. Bodies are streamed at the speed of the slower side.
   * @param handler receives the Request, and details of the client as second argument
   * @param path serves only this path and paths below it
   * @throws PorticoError ERR_ROUTE as in {@link route}
   */
  fetch(handler: FetchHandler, path = "/", options?: RouteOptions): this {
    const base = path.replace(/\/$/, "");
    if (typeof handler !== "function") throw new PorticoError("ERR_ROUTE", "the handler is not a function");
    const route = fetchRoute(handler);
    if (base !== "") this.any(base, route, options);
    return this.any(`${base}/*`, route, options);
  }

  /**
   * Serves WebSockets on a path (RFC 6455). Other requests to the path go to the HTTP routes, and get 426 if none
   * matches.
   * @param path as in {@link route}
   * @param handlers functions for each event, or one function that reads `socket.messages()`
   * @throws PorticoError ERR_ROUTE as in {@link route}, RangeError for compression settings out of range, FieldError
   *   for header fields that cannot be sent, TypeError for an unknown handler or option
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
  throw new TypeError(`the delivery of a route cannot be ${String(delivery)}. Use "immediate", or omit it`);
}

/** Refuses a promise as the result of a function that must be synchronous. @throws PorticoError ERR_ROUTE */
export function refuseAsync(result: unknown, name: string): void {
  if (!isThenable(result)) return;
  result.then(undefined, () => {});
  throw new PorticoError(
    "ERR_ROUTE",
    `the function for ${name} is asynchronous. Await its work before calling ${name}`,
  );
}
