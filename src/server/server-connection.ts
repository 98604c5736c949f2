import { HttpConnection } from "../connection/http-connection.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import type { Connection } from "../limits/connection.ts";
import { cryptoModule } from "../node/builtins.ts";
import { GOING_AWAY } from "../protocol/websocket/close-codes.ts";
import type { Transport } from "../transport/transport.ts";
import { WebSocketConnection } from "../websocket/web-socket-connection.ts";
import { WebSocketDriver } from "../websocket/web-socket-driver.ts";

const known = new WeakMap<Transport, ServerConnection>();

/** An open connection of a server, to look at; the same object while it lives, also through an upgrade. */
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

  /** Milliseconds since it was accepted. */
  get ageMs(): number {
    return performance.now() - this.transport.openedAt;
  }

  /** So far; with TLS the bytes before encryption. */
  get bytesReceived(): number {
    return this.transport.bytesReceived;
  }

  get bytesSent(): number {
    return this.transport.bytesSent;
  }

  /** Bytes that were written and that the client has not received yet. */
  get bufferedBytes(): number {
    return this.transport.bufferedBytes;
  }

  /** What it serves now: an exchange that is not complete, or a WebSocket that is not closed. */
  get active(): Exchange | WebSocket | undefined {
    return activeOn(this.transport);
  }

  /** Ends it: a WebSocket with 1001; a request that has no answer yet is answered with 503. */
  close(): void {
    const { sink } = this.transport;
    if (sink instanceof WebSocketConnection) sink.close(GOING_AWAY, "");
    else if (sink instanceof HttpConnection) sink.forceClose();
  }
}

/** What a connection serves now: an exchange that is not complete, or a WebSocket that is not closed. */
export function activeOn({ sink }: Transport): Exchange | WebSocket | undefined {
  if (sink instanceof HttpConnection) return sink.active;
  if (!(sink instanceof WebSocketConnection)) return undefined;
  const driver: unknown = sink.active;
  return driver instanceof WebSocketDriver ? (driver.socket as WebSocket) : undefined;
}

/** The object for a connection; the same one after an upgrade. */
export function serverConnectionOf({ transport }: Connection): ServerConnection {
  let found = known.get(transport);
  if (found === undefined) {
    found = new ServerConnection(transport);
    known.set(transport, found);
  }
  return found;
}
