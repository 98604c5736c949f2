import { HttpConnection } from "../connection/http-connection.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import type { Connection } from "../limits/connection.ts";
import { cryptoModule } from "../node/builtins.ts";
import { GOING_AWAY } from "../protocol/websocket/close-codes.ts";
import type { Transport } from "../transport/transport.ts";
import { WebSocketConnection } from "../websocket/web-socket-connection.ts";
import { WebSocketDriver } from "../websocket/web-socket-driver.ts";

const known = new WeakMap<Transport, ServerConnection>();

/**
 * An open connection of a server, for inspection. It stays the same object until the connection ends, even through an
 * upgrade.
 */
export class ServerConnection {
  /** A UUID (RFC 9562). */
  readonly id: string = cryptoModule().randomUUID();
  private readonly transport: Transport;

  /** @internal Made by the server. */
  constructor(transport: Transport) {
    this.transport = transport;
  }

  get kind(): "http" | "websocket" {
    return this.transport.sink instanceof WebSocketConnection ? "websocket" : "http";
  }

  /** The client's address; undefined for a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.transport.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.transport.remotePort;
  }

  get encrypted(): boolean {
    return this.transport.encrypted;
  }

  /** The time since it was accepted, in milliseconds. */
  get ageMs(): number {
    return performance.now() - this.transport.openedAt;
  }

  /** The number of bytes received so far; with TLS, after decryption. */
  get bytesReceived(): number {
    return this.transport.bytesReceived;
  }

  get bytesSent(): number {
    return this.transport.bytesSent;
  }

  /** The number of written bytes that the client has not received yet. */
  get bufferedBytes(): number {
    return this.transport.bufferedBytes;
  }

  /** The incomplete exchange or open WebSocket that it serves now. */
  get active(): Exchange | WebSocket | undefined {
    return activeOn(this.transport);
  }

  /** Ends the connection: a WebSocket with 1001, an unanswered request with 503. */
  close(): void {
    const { sink } = this.transport;
    if (sink instanceof WebSocketConnection) sink.close(GOING_AWAY, "");
    else if (sink instanceof HttpConnection) sink.forceClose();
  }
}

/** Returns the incomplete exchange or open WebSocket that a connection serves now. */
export function activeOn({ sink }: Transport): Exchange | WebSocket | undefined {
  if (sink instanceof HttpConnection) return sink.active;
  if (!(sink instanceof WebSocketConnection)) return undefined;
  const driver: unknown = sink.active;
  return driver instanceof WebSocketDriver ? (driver.socket as WebSocket) : undefined;
}

/** Returns the object for a connection, which is the same after an upgrade. */
export function serverConnectionOf({ transport }: Connection): ServerConnection {
  let found = known.get(transport);
  if (found === undefined) {
    found = new ServerConnection(transport);
    known.set(transport, found);
  }
  return found;
}
