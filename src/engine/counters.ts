import type { TransportTotals } from "../transport/transport.ts";

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
  bytesReceived = 0;
  bytesSent = 0;
  /** Bytes that wait for slow peers now, all together. */
  pendingBytes = 0;
  /** Bytes that incomplete messages and request bodies hold now, all together. */
  incompleteBytes = 0;
  /** What went wrong so far, by the code of the error. */
  readonly errors: Record<string, number> = Object.create(null);

  /** Counts one more error of this code. */
  countError(code: string): void {
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }
}
