export type { Limits } from "../engine/limits.ts";
export { FieldError } from "../http1/response-head.ts";
export type { ClientHandle, Message } from "./client-handle.ts";
export type { Event, EventOf, Events } from "./events.ts";
export type { HttpOptions, RequestCallback } from "./http.ts";
export { createHttp, Http, http } from "./http.ts";
export type { RequestHandle } from "./request-handle.ts";
export type { ResponseHandle } from "./response-handle.ts";
export type { WebSocketServerHandle } from "./web-socket-server-handle.ts";
