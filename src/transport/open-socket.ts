import { Socket } from "node:net";
import { directWriteHandle } from "../node/raw-handle.ts";
import { takeHandle } from "../node/taken-handles.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { DirectTransport } from "./direct-transport.ts";
import { HandleTransport } from "./handle-transport.ts";
import { isOwned } from "./socket-transport.ts";
import { StreamTransport } from "./stream-transport.ts";
import { Transport } from "./transport.ts";

/**
 * Creates a transport for a TCP, TLS or Unix socket of Node that no other code uses.
 * @param socket connected, and not read from yet
 * @param direct whether to use its handle. If it needs its socket (TLS), it is read into the shared buffer and written
 *   through the handle, if possible
 * @param peer the client, if it differs from the socket's other end
 * @param alreadyRead bytes that other code has read from it
 */
export function openSocket(
  socket: Socket,
  direct: boolean,
  peer?: ProxiedPeer,
  alreadyRead?: Buffer,
): Transport {
  const isTaken = direct && socket.writableLength === 0 && socket.readableLength === 0;
  const bare = isTaken ? takeHandle(socket) : undefined;
  return bare === undefined
    ? keepSocket(socket, direct, peer, alreadyRead)
    : new HandleTransport(bare, peer, alreadyRead);
}

function keepSocket(socket: Socket, direct: boolean, peer?: ProxiedPeer, alreadyRead?: Buffer): Transport {
  const handle = direct && socket.writableLength === 0 ? directWriteHandle(socket) : undefined;
  return handle === undefined
    ? new StreamTransport(socket, direct, peer, alreadyRead)
    : new DirectTransport(socket, handle, peer, alreadyRead);
}

/**
 * Returns the transport of a connection that a program has accepted itself.
 * @param connection a transport, or a socket of Node
 * @throws TypeError for anything else, and for a socket that is not connected yet, that is read from
 *   or that is served already
 */
export function transportOf(connection: Transport | Socket, direct: boolean): Transport {
  if (
    connection instanceof Transport
      ? connection.isServed
      : connection instanceof Socket && isOwned(connection)
  ) {
    throw new TypeError("the connection is already served. Accept it only once");
  }
  if (connection instanceof Transport) return connection;
  if (!(connection instanceof Socket)) {
    throw new TypeError("accept needs a transport, or a socket of node:net or node:tls");
  }
  if (connection.connecting) {
    throw new TypeError("the socket is not connected yet. Wait for 'connect' or 'secureConnect'");
  }
  if (connection.listenerCount("data") > 0 || connection.listenerCount("readable") > 0) {
    throw new TypeError(
      "other code already reads from the socket. Accept it before anything listens for its data",
    );
  }
  connection.allowHalfOpen = true;
  connection.setNoDelay(true);
  // The program and its server still hold the socket, and wait for its end.
  return keepSocket(connection, direct);
}
