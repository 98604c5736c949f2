import type { HttpErrorCode } from "../protocol/http/http-error.ts";
import type { WebSocketErrorCode } from "../protocol/websocket/websocket-error.ts";
import type { TransportTotals } from "../transport/transport.ts";

/** What the engine counts by itself: what clients did wrong, what took too long, and how programs failed. */
export type CountedCode =
  | HttpErrorCode
  | WebSocketErrorCode
  | "HTTP_CLOSING"
  | `HTTP_${"HEAD" | "BODY" | "WRITE"}_TIMEOUT`
  | `WS_${"WRITE" | "PONG"}_TIMEOUT`
  | "WS_MESSAGE_RATE"
  | `ERR_${Uppercase<string>}`
  | "HANDLER";

/** What a server has done so far. Plain numbers, readable at any time. */
export class Counters implements TransportTotals {
  /** Connections accepted so far. */
  connections = 0;
  /** Connections open now, WebSockets included. */
  openConnections = 0;
  /** Connections turned away by a limit. */
  refusedConnections = 0;
  requests = 0;
  /** WebSockets opened so far. */
  webSockets = 0;
  openWebSockets = 0;
  messagesReceived = 0;
  messagesSent = 0;
  /** WebSocket messages not sent because of a backpressure limit. */
  messagesDropped = 0;
  /** Messages of topics that the broker has taken for other servers. */
  brokerMessagesSent = 0;
  /** Messages of topics that other servers have published. */
  brokerMessagesReceived = 0;
  /** Messages of topics that did not reach other servers: too many waited, or the broker lost or refused them. */
  brokerMessagesDropped = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Bytes that wait for slow clients now, all together. */
  pendingBytes = 0;
  /** Bytes that incomplete messages and request bodies hold now, all together. */
  incompleteBytes = 0;
  /** What went wrong so far, by the code of the error. */
  readonly errors: Record<string, number> = Object.create(null);

  /** Counts one more error of this code. */
  countError(code: CountedCode): void {
    this.count(code);
  }

  /** Counts an error of the system by its code, such as ECONNRESET. */
  countSystemError(error: Error): void {
    this.count("code" in error ? String(error.code) : error.name);
  }

  private count(code: string): void {
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }
}
