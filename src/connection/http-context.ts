import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeContext } from "../exchange/exchange-context.ts";
import type { ExchangeDelivery } from "../exchange/exchange-delivery.ts";
import type { Connection } from "../limits/connection.ts";
import type { HttpLimits } from "../protocol/http1/http-limits.ts";
import type { WebSocket } from "../websocket/web-socket.ts";
import type { WebSocketContext, WebSocketDelivery, WebSocketDriver } from "../websocket/web-socket-driver.ts";

/**
 * How an exchange has ended: its response is complete; the client has disconnected before, or the response was broken
 * off; or it has become a WebSocket.
 */
export type Outcome = "complete" | "aborted" | "upgraded";

/** What an HTTP connection needs of its server. */
export interface HttpContext extends ExchangeContext<Exchange>, WebSocketContext<WebSocket> {
  readonly byId: Map<string, Exchange | WebSocket>;
  /** The limits of the protocol, with the content limit of the route that takes the most. */
  readonly httpLimits: HttpLimits;
  readonly isClosing: boolean;
  /** Whether a client that has ended its half gets the responses that it waits for. */
  readonly allowHalfOpen: boolean;
  readonly exchangeDelivery: ExchangeDelivery;
  readonly webSocketDelivery: WebSocketDelivery<WebSocketDriver<WebSocket>>;
  /** Whether requests are refused because nobody polls for them any more. */
  readonly isRefusingRequests: boolean;
  /** Whether {@link onRequest} and {@link onResponse} are to be called. */
  readonly hasExchangeObservers: boolean;
  /** Tells hooks of a request. @returns undefined when they are done, or a promise of it, which never rejects */
  onRequest(exchange: Exchange): Promise<void> | undefined;
  onResponse(exchange: Exchange, outcome: Outcome, status: number): void;
  /** Finds the route of an exchange. @returns its content limit in bytes, or undefined where there is no route */
  route(exchange: Exchange): number | undefined;
  /**
   * Hooks have let a request pass: it is answered here where it has no route, or a WebSocket is opened.
   * @returns whether its handler is to run
   */
  admit(exchange: Exchange): boolean;
  /** Tells the program of an error that is not the client's. */
  report(error: unknown, where: Exchange | WebSocket | undefined): void;
  /** The bytes of a client were not a request whose head could be read. */
  onInvalidRequest(status: number, code: string): void;
  onConnectionClosed(connection: Connection): void;
  /** The connection goes on as another one, on the same transport. */
  onConnectionReplaced(connection: Connection): void;
}
