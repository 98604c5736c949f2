import type { HttpErrorCode } from "../protocol/http/http-error.ts";
import type { WebSocketErrorCode } from "../protocol/websocket/websocket-error.ts";
import type { TransportTotals } from "../transport/transport.ts";

/** The codes that the engine counts: errors of clients, timeouts, and errors of programs. */
export type CountedCode =
  | HttpErrorCode
  | WebSocketErrorCode
  | "HTTP_CLOSING"
  | `HTTP_${"HEAD" | "BODY" | "WRITE"}_TIMEOUT`
  | `WS_${"WRITE" | "PONG"}_TIMEOUT`
  | "WS_MESSAGE_RATE"
  | `ERR_${Uppercase<string>}`
  | "HANDLER";

/** The counters of a server. They are plain numbers that you can read at any time. */
export class Counters implements TransportTotals {
  /** Connections accepted so far. */
  connections = 0;
  /** Connections open now, WebSockets included. */
  openConnections = 0;
  /** Connections refused because of a limit. */
  refusedConnections = 0;
  requests = 0;
  /** WebSockets opened so far. */
  webSockets = 0;
  openWebSockets = 0;
  messagesReceived = 0;
  messagesSent = 0;
  /** WebSocket messages not sent because of a backpressure limit. */
  messagesDropped = 0;
  /** Topic messages that the broker has accepted for other servers. */
  brokerMessagesSent = 0;
  /** Topic messages received from other servers. */
  brokerMessagesReceived = 0;
  /** Topic messages that did not reach other servers, because too many waited or the broker lost or refused them. */
  brokerMessagesDropped = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Bytes that wait for all slow clients now. */
  pendingBytes = 0;
  /** Bytes in all incomplete messages and request bodies now. */
  incompleteBytes = 0;
  /** The number of errors so far, by code. */
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
