export { PorticoError } from "../engine/errors.ts";
export type { Limits } from "../engine/limits.ts";
export type { DeflateOptions } from "../websocket/permessage-deflate.ts";
export type { HttpMethod, RequestDetails } from "./http-server.ts";
export { HttpServer } from "./http-server.ts";
export { EventType, WebServerMessage } from "./message.ts";
export type { WebServerOptions } from "./web-server.ts";
export type { WebSocketServerOptions } from "./web-socket-server.ts";
export { SendStatus, WebSocketServer } from "./web-socket-server.ts";
