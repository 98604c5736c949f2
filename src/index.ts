export { HttpError } from "./http1/http-error.ts";
export { Fields } from "./http1/fields.ts";
export { FieldError } from "./http1/response-head.ts";
export type { CloseOptions, RouteOptions, ServerOptions } from "./engine/server.ts";
export { Server } from "./engine/server.ts";
export { Exchange } from "./engine/exchange.ts";
export { WebSocket } from "./engine/web-socket.ts";
export type { SendOptions, SendResult, UpgradeOptions, WebSocketHandlers } from "./engine/web-socket-handlers.ts";
