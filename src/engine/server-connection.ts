import { randomUUID } from "node:crypto";
import type { Transport } from "../transport/transport.ts";
import { GOING_AWAY } from "../websocket/close-codes.ts";
import type { Exchange } from "./exchange.ts";
import { HttpConnection } from "./http-connection.ts";
import { WebSocket } from "./web-socket.ts";

const known = new WeakMap<Transport, ServerConnection>();

/** An open connection of a server, to look at; the same object for as long as it lives, also through an upgrade. */
export class ServerConnection {
  /** A UUID (RFC 9562). */
  readonly id: string = randomUUID();
  private readonly transport: Transport;

  /** Made by the server. */
  constructor(transport: Transport) {
    this.transport = transport;
  }

  get kind(): "http" | "websocket" {
    return this.transport.sink instanceof WebSocket ? "websocket" : "http";
  }

  /** The peer's address; undefined for a Unix socket. */
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

  /** Bytes that were written and that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.transport.bufferedBytes;
  }

  /** What it serves now: an exchange that is not complete, or a WebSocket that is not closed. */
  get serves(): Exchange | WebSocket | undefined {
    const { sink } = this.transport;
    return sink instanceof WebSocket || sink instanceof HttpConnection ? sink.serves : undefined;
  }

  /** Ends it: a WebSocket with 1001; a request that has no answer yet is answered with 503. */
  close(): void {
    const { sink } = this.transport;
    if (sink instanceof WebSocket) sink.close(GOING_AWAY);
    else if (sink instanceof HttpConnection) sink.cutOff();
  }
}

/** The object for the connection on a transport. */
export function connectionOn(transport: Transport): ServerConnection {
  let found = known.get(transport);
  if (found === undefined) {
    found = new ServerConnection(transport);
    known.set(transport, found);
  }
  return found;
}
