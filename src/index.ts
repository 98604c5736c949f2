export type { ConnectOptions } from "./client/client.ts";
export { connect } from "./client/client.ts";
export type { ProxyOption } from "./client/proxy.ts";
export type { Outcome } from "./connection/http-context.ts";
export type { PollBudget } from "./delivery/poll-budget.ts";
export type { Answered } from "./exchange/answered.ts";
export type { ChunkSource } from "./exchange/chunk-source.ts";
export type { PorticoErrorCode } from "./exchange/errors.ts";
export { PorticoError } from "./exchange/errors.ts";
export type {
  Exchange,
  LentWebSocketHandlers,
  OpenHandlers,
  UpgradeOptions,
  WebSocket,
  WebSocketHandlers,
  WebSocketProgram,
} from "./exchange/exchange.ts";
export type { JsonOptions } from "./exchange/parsed-content.ts";
export type { BodyConsumer } from "./exchange/request-body.ts";
export type { ResponseState, TryEndResult } from "./exchange/response.ts";
export type { ServerEvent } from "./exchange/server-event.ts";
export { EventQueue } from "./exchange/server-event.ts";
export { replaceFetchGlobals } from "./fetch/fetch-globals.ts";
export type { FetchHandler, FetchInfo, FetchUpgrade } from "./fetch/fetch-handler.ts";
export type { Counters } from "./limits/counters.ts";
export type { Limits } from "./limits/limits.ts";
export { defaultLimits } from "./limits/limits.ts";
export type { Runtime } from "./node/runtime.ts";
export { FieldError } from "./protocol/http/field-lines.ts";
export type { FieldValue } from "./protocol/http/field-values.ts";
export type { HttpErrorCode } from "./protocol/http/http-error.ts";
export { HttpError } from "./protocol/http/http-error.ts";
export type { DeflateOptions } from "./protocol/websocket/permessage-deflate.ts";
export type { WebSocketErrorCode } from "./protocol/websocket/websocket-error.ts";
export { WebSocketError } from "./protocol/websocket/websocket-error.ts";
export type { Broker, BrokerReceiver, BrokerState } from "./server/broker.ts";
export type { FailureHook } from "./server/failures.ts";
export type { Content, HandlerResult, JsonContent } from "./server/handler-result.ts";
export type { Listener } from "./server/listener.ts";
export type { RequestHook, ResponseHook, ResponseReport } from "./server/observers.ts";
export type { BrokerNode } from "./server/relay-nodes.ts";
export type { RouteOptions } from "./server/routable.ts";
export type { RouteParams } from "./server/router.ts";
export { Server } from "./server/server.ts";
export type { ServerConnection } from "./server/server-connection.ts";
export type { ErrorReporter } from "./server/server-core.ts";
export type { CloseOptions, ServerOptions } from "./server/server-options.ts";
export type { Handler } from "./server/target.ts";
export type { BrokerStatus } from "./server/topic-relay.ts";
export type { TransportAddress } from "./transport/listen.ts";
export { MemoryTransport } from "./transport/memory-transport.ts";
export type { Transport, TransportSink } from "./transport/transport.ts";
export type { Refusal, UpgradeAnswer } from "./websocket/handshake-result.ts";
export type { LatestData } from "./websocket/latest-values.ts";
export type { BudgetOptions } from "./websocket/message-budget.ts";
export type { FillMessage } from "./websocket/send-into.ts";
export type { LentBuffer, Message, SendOptions, SendResult } from "./websocket/web-socket-handlers.ts";
export type { WebSocketState } from "./websocket/web-socket-states.ts";
export type { WindowOptions } from "./websocket/window-options.ts";
