import type { Exchange, UpgradeOptions, WebSocketHandlers } from "../exchange/exchange.ts";
import { hasToken } from "../protocol/http/token.ts";
import { UPGRADE_REQUIRED } from "../protocol/websocket/handshake.ts";
import type { HandlerResult } from "./handler-result.ts";
import { ANY, type Match, Router } from "./router.ts";

const HEAD_METHODS = ["HEAD", "GET"];

/**
 * Answers an exchange with its result, or with calls such as `end`, now or later. An error or rejection is reported and
 * answered with 500. So is a promise that resolves with undefined, unless the exchange has been answered by then, or
 * `onBody`, `stream` or `answerWithin` has been called. A synchronous handler can answer later, within
 * `handlerTimeoutMs`.
 */
export type Handler<Params = Record<string, string>> = (
  exchange: Exchange<Params>,
) => HandlerResult | PromiseLike<HandlerResult>;

/** The target of a route: a handler, or WebSockets. */
export type Target =
  | {
      readonly kind: "http";
      readonly handler: Handler;
      readonly maxBodyBytes: number | undefined;
      readonly handlerTimeoutMs: number | undefined;
      readonly isImmediate: boolean;
    }
  | {
      readonly kind: "websocket";
      readonly handlers: WebSocketHandlers<unknown>;
      readonly options: UpgradeOptions;
      readonly maxBodyBytes: undefined;
      readonly handlerTimeoutMs: undefined;
      readonly isImmediate: boolean;
    };

/** Returns the target of an exchange's route, or undefined if it has none. */
export function targetOf(exchange: Exchange): Target | undefined {
  return (exchange.matched as Match<Target> | undefined)?.route.target;
}

/** Options for requests without a matching route. */
export interface RouteTableOptions {
  readonly autoHead: boolean;
  readonly autoOptions: boolean;
  readonly autoAllow: boolean;
}

/** The routes of a server. */
export class RouteTable {
  /** The largest body limit of a route, in bytes. */
  maxBodyBytes = 0;
  private readonly options: RouteTableOptions;
  private routes: Router<Target> = new Router();
  private webSocketRoutes: Router<Target> = new Router();

  constructor(options: RouteTableOptions) {
    this.options = options;
  }

  /** @throws PorticoError ERR_ROUTE */
  add(method: string, pattern: string, target: Target): void {
    const router = target.kind === "http" ? this.routes : this.webSocketRoutes;
    router.add(method, pattern, target);
    this.maxBodyBytes = Math.max(this.maxBodyBytes, target.maxBodyBytes ?? 0);
  }

  /** Replaces all routes by those that `add` adds. If it throws, the previous routes stay. */
  replace(add: () => void): void {
    const { routes, webSocketRoutes, maxBodyBytes } = this;
    this.routes = new Router();
    this.webSocketRoutes = new Router();
    this.maxBodyBytes = 0;
    try {
      add();
    } catch (error) {
      Object.assign(this, { routes, webSocketRoutes, maxBodyBytes });
      throw error;
    }
  }

  /** Finds the route of a request. @returns undefined if none matches: see {@link refuseUnmatched} */
  match(exchange: Exchange): Target | undefined {
    if (exchange.hasAmbiguousPath || isForNoResource(exchange)) return undefined;
    const match = this.find(exchange);
    if (match === null) return undefined;
    exchange.matched = match;
    return match.route.target;
  }

  private find(exchange: Exchange): Match<Target> | null {
    const { method, path } = exchange;
    if (exchange.wantsUpgrade && hasToken(exchange.header("upgrade") ?? "", "websocket")) {
      const match = this.webSocketRoutes.match([ANY], path);
      if (match !== null) return match;
    }
    const methods = method === "HEAD" && this.options.autoHead ? HEAD_METHODS : [method];
    return this.routes.match(methods, path);
  }

  /**
   * Answers a request without a route. RFC 9110 §15.5.5, §15.5.6 and §15.5.22: 404, 405 with Allow, or 426 if the path
   * serves only WebSockets.
   */
  refuseUnmatched(exchange: Exchange): void {
    if (isForNoResource(exchange)) {
      exchange.driver.refuse(204, { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" });
      return;
    }
    const { autoHead, autoOptions, autoAllow } = this.options;
    const { method, path, driver } = exchange;
    const allowed = new Set<string>();
    if (autoAllow || (autoOptions && method === "OPTIONS")) this.routes.match([], path, allowed);
    if (allowed.size === 0) {
      const isOnlyWebSocket = this.webSocketRoutes.match([ANY], path) !== null;
      if (isOnlyWebSocket) driver.fail(426, "HTTP_UPGRADE_REQUIRED", undefined, UPGRADE_REQUIRED);
      else driver.fail(404, "HTTP_NOT_FOUND");
      return;
    }
    if (autoHead && allowed.has("GET")) allowed.add("HEAD");
    if (autoOptions) allowed.add("OPTIONS");
    const headers = { Allow: [...allowed].join(", ") };
    if (autoOptions && method === "OPTIONS") driver.refuse(204, headers);
    else driver.fail(405, "HTTP_METHOD_NOT_ALLOWED", undefined, headers);
  }
}

/** RFC 9110 §7.1: OPTIONS * asks about the server. */
function isForNoResource(exchange: Exchange): boolean {
  return exchange.requestHead.form === "asterisk";
}
