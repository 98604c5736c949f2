// What a case is given: a way to open connections to one echo server.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { RawClient, socketWire } from "../support/raw-client.ts";
import {
  agreedDeflate,
  checkSwitch,
  type HandshakeOptions,
  handshakeRequest,
  parseResponse,
  type Response,
} from "../support/web-socket-handshake.ts";
import { Connection } from "./websocket-connection.ts";

/** An echo server and what it is able to do. */
export interface Target {
  readonly name: string;
  /** ws:// */
  readonly url: string;
  /** Accepts permessage-deflate. */
  readonly deflate: boolean;
  /** Subprotocols that it knows. */
  readonly protocols: readonly string[];
  /** Largest message in bytes; undefined: unknown. */
  readonly maxMessageBytes: number | undefined;
}

export class Client {
  readonly target: Target;
  private readonly url: URL;
  private readonly connections: Connection[] = [];

  constructor(target: Target) {
    this.target = target;
    this.url = new URL(target.url);
  }

  /** A connection on which nothing has been said. */
  connect(): Connection {
    const { hostname, port } = this.url;
    const socket = connect({ host: hostname, port: Number(port || 80), allowHalfOpen: true });
    const connection = new Connection(new RawClient(socketWire(socket)));
    this.connections.push(connection);
    return connection;
  }

  /** The answer to a handshake, right or wrong; undefined when the server has closed without one. */
  async ask(options: HandshakeOptions = {}): Promise<Response | undefined> {
    const connection = this.connect();
    connection.send(Buffer.from(handshakeRequest(this.url, options).head, "latin1"));
    const head = await connection.responseHead();
    return head === undefined ? undefined : parseResponse(head);
  }

  /** An open WebSocket. `early` goes out in the same write as the handshake. */
  async open(options: HandshakeOptions = {}, early: readonly Uint8Array[] = []): Promise<Connection> {
    const connection = this.connect();
    const request = handshakeRequest(this.url, options);
    connection.send(Buffer.from(request.head, "latin1"), ...early);
    const head = await connection.responseHead();
    assert.ok(head !== undefined, "closed instead of an answer to the handshake");
    const response = parseResponse(head);
    checkSwitch(request, response);
    connection.response = response;
    connection.opened(agreedDeflate(response));
    return connection;
  }

  /** An open WebSocket for which this offer of extensions was accepted. */
  async deflating(offer = "permessage-deflate"): Promise<Connection> {
    const connection = await this.open({ fields: { "Sec-WebSocket-Extensions": offer } });
    assert.ok(connection.agreed !== null, `declined ${offer}`);
    return connection;
  }

  /** Drops what is still open. */
  dispose(): void {
    for (const { raw } of this.connections) raw.destroy();
  }
}
