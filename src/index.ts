export type { ChunkSource } from "./engine/chunk-source.ts";
export type { ConnectOptions } from "./engine/client.ts";
export { connect } from "./engine/client.ts";
export type { Counters } from "./engine/counters.ts";
export type { PorticoErrorCode } from "./engine/errors.ts";
export { PorticoError } from "./engine/errors.ts";
export type { ServerEvent } from "./engine/event-queue.ts";
export { EventQueue } from "./engine/event-queue.ts";
export type { Exchange } from "./engine/exchange.ts";
export { replaceFetchGlobals } from "./engine/fetch-globals.ts";
export type { FetchHandler, FetchInfo } from "./engine/fetch-handler.ts";
export type { Limits } from "./engine/limits.ts";
export { defaultLimits } from "./engine/limits.ts";
export type { Listener } from "./engine/listener.ts";
export type { Outcome, RequestHook, ResponseHook, ResponseReport } from "./engine/observers.ts";
export type { BodyConsumer } from "./engine/request-body.ts";
export type { ResponseState, TryEndResult } from "./engine/response-writer.ts";
export type { RouteParams } from "./engine/router.ts";
export type { CloseOptions, RouteOptions, ServerOptions } from "./engine/server.ts";
export { Server } from "./engine/server.ts";
export type { ServerConnection } from "./engine/server-connection.ts";
export type { ErrorReporter, Handler } from "./engine/server-core.ts";
export type { WebSocket } from "./engine/web-socket.ts";
export type { WebSocketState } from "./engine/web-socket-connection.ts";
export type {
  Message,
  SendOptions,
  SendResult,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "./engine/web-socket-handlers.ts";
export type { HttpErrorCode } from "./http1/http-error.ts";
export { HttpError } from "./http1/http-error.ts";
export { FieldError } from "./http1/response-head.ts";
export type { TransportAddress } from "./transport/listen.ts";
export { MemoryTransport } from "./transport/memory-transport.ts";
export type { Transport, TransportSink } from "./transport/transport.ts";
export type { DeflateOptions } from "./websocket/permessage-deflate.ts";
export type { WebSocketErrorCode } from "./websocket/websocket-error.ts";
export { WebSocketError } from "./websocket/websocket-error.ts";
