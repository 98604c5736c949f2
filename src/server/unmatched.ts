import type { Exchange } from "../exchange/exchange.ts";
import { UPGRADE_REQUIRED } from "../protocol/websocket/handshake.ts";
import { asksAboutServer, type RouteTable } from "./router.ts";

/**
 * Answers a request that no route serves. RFC 9110 §15.5.5, §15.5.6 and §15.5.22: 404, 405 with Allow, or 426 where only
 * WebSockets are served.
 */
export function refuseUnmatched(exchange: Exchange, routes: RouteTable): void {
  const { method, path, driver } = exchange;
  if (asksAboutServer(exchange)) {
    driver.refuse(204, { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" });
    return;
  }
  const { autoHead, autoOptions, autoAllow } = routes.options;
  const showsMethods = autoAllow || (autoOptions && method === "OPTIONS");
  const allowed = showsMethods ? routes.methodsFor(path) : new Set<string>();
  if (allowed.size === 0) {
    if (routes.hasWebSocket(path)) driver.fail(426, "HTTP_UPGRADE_REQUIRED", undefined, UPGRADE_REQUIRED);
    else driver.fail(404, "HTTP_NOT_FOUND");
    return;
  }
  if (autoHead && allowed.has("GET")) allowed.add("HEAD");
  if (autoOptions) allowed.add("OPTIONS");
  const headers = { Allow: [...allowed].join(", ") };
  if (autoOptions && method === "OPTIONS") driver.refuse(204, headers);
  else driver.fail(405, "HTTP_METHOD_NOT_ALLOWED", undefined, headers);
}
