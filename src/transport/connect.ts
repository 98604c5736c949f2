import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { SocketTransport } from "./socket-transport.ts";
import type { Transport } from "./transport.ts";

/** Where to connect to. */
export interface ConnectAddress {
  port?: number;
  host?: string;
  /** Path of a Unix socket, in place of port and host. */
  path?: string;
  /** Speak TLS, with these options of `tls.connect`. */
  tls?: ConnectionOptions;
}

/**
 * Connects to a server.
 * @throws the system's error (ECONNREFUSED …), or TLS's
 */
export function connect(address: ConnectAddress): Promise<Transport> {
  const { tls, path, ...rest } = address;
  const where = path === undefined ? { host: "localhost", port: 0, ...rest } : { path };
  return new Promise((resolve, reject) => {
    const opened = (): void => {
      socket.off("error", reject);
      resolve(new SocketTransport(socket, true));
    };
    const socket: Socket =
      tls === undefined
        ? connectTcp({ ...where, allowHalfOpen: true, noDelay: true }, opened)
        : connectTls({ ...where, ...tls }, opened);
    socket.once("error", reject);
  });
}
