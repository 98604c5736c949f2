import type { Socket } from "node:net";
import { DirectTransport } from "./direct-transport.ts";
import { directWriteHandle } from "./direct-write.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import type { SocketTransport } from "./socket-transport.ts";
import { StreamTransport } from "./stream-transport.ts";

/**
 * A TCP, TLS or Unix socket of Node as a transport.
 * @param socket connected, and not read from yet
 * @param direct read into the buffer that all sockets share and write to the handle, where that is possible
 * @param peer who is at the other end, when that is not the socket's peer
 * @param rest what has been read from it all the same
 */
export function openSocket(
  socket: Socket,
  direct: boolean,
  peer?: ProxiedPeer,
  rest?: Buffer,
): SocketTransport {
  const handle = direct && socket.writableLength === 0 ? directWriteHandle(socket) : undefined;
  return handle === undefined
    ? new StreamTransport(socket, direct, peer, rest)
    : new DirectTransport(socket, handle, peer, rest);
}
