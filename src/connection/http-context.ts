import type { ChurnMap } from "../bytes/churn-map.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeContext } from "../exchange/exchange-context.ts";
import type { ExchangeDelivery } from "../exchange/exchange-delivery.ts";
import type { Connection } from "../limits/connection.ts";
import type { HttpLimits } from "../protocol/http1/http-limits.ts";
import type { WebSocket } from "../websocket/web-socket.ts";
import type { WebSocketContext, WebSocketDelivery, WebSocketDriver } from "../websocket/web-socket-driver.ts";

/**
 * How an exchange ended. "complete": the response was sent. "aborted": the client disconnected, or the response was cut
 * off. "upgraded": the connection became a WebSocket.
 */
export type Outcome = "complete" | "aborted" | "upgraded";

/** The part of a server that an HTTP connection uses. */
export interface HttpContext extends ExchangeContext<Exchange>, WebSocketContext<WebSocket> {
  readonly byId: ChurnMap<string, Exchange | WebSocket>;
  /** The limits of the protocol. The body limit is the highest of all routes. */
  readonly httpLimits: HttpLimits;
  readonly isClosing: boolean;
  /** Whether a client that has ended its half of the connection still gets its responses. */
  readonly allowHalfOpen: boolean;
  readonly exchangeDelivery: ExchangeDelivery;
  readonly webSocketDelivery: WebSocketDelivery<WebSocketDriver<WebSocket>>;
  /** Whether requests are refused because nobody polls for them any more. */
  readonly isRefusingRequests: boolean;
  /** Whether {@link onRequest} and {@link onResponse} are to be called. */
  readonly hasExchangeObservers: boolean;
  /** Runs the hooks of a request. @returns undefined when they are done, or a promise of it, which never rejects */
  onRequest(exchange: Exchange): Promise<void> | undefined;
  onResponse(exchange: Exchange, outcome: Outcome, status: number): void;
  /** Finds the route of an exchange. @returns its body limit in bytes, or undefined if no route matches */
  route(exchange: Exchange): number | undefined;
  /**
   * Continues after the hooks: answers a request without a route, or opens a WebSocket.
   * @returns whether to run its handler
   */
  admit(exchange: Exchange): boolean;
  /** Reports an error that the client did not cause. */
  report(error: unknown, where: Exchange | WebSocket | undefined): void;
  /** Called when a client's bytes are not a valid request head. */
  onInvalidRequest(status: number, code: string): void;
  onConnectionClosed(connection: Connection): void;
  /** Called when another connection object takes over the transport. */
  onConnectionReplaced(connection: Connection): void;
}
