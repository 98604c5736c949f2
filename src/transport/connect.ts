import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { tlsModule } from "../node/builtins.ts";
import { openSocket } from "./open-socket.ts";
import type { Transport } from "./transport.ts";
import { checkUnixAddress } from "./unix-path.ts";

/** Where to connect to. */
export interface ConnectAddress {
  port?: number;
  host?: string;
  /** Path of a Unix socket, in place of port and host. */
  path?: string;
  /** Gives the attempt up when it is aborted. */
  signal?: AbortSignal;
  /** Uses TLS with these options of `tls.connect`. A host name is sent to the server (RFC 6066 §3). */
  tls?: ConnectionOptions;
}

/**
 * Connects to a server.
 * @throws the system's error (ECONNREFUSED …), TLS's, or the reason of the signal; RangeError for a path that is too long
 */
export function connectTransport(address: ConnectAddress): Promise<Transport> {
  const { tls, path, signal, host = "localhost", port = 0 } = address;
  const where = path === undefined ? { host, port } : { path };
  // RFC 6066 §3: an address is not a name.
  const name = isIP(host) === 0 ? { host, servername: host } : { host };
  return new Promise((resolve, reject) => {
    checkUnixAddress({ path });
    signal?.throwIfAborted();
    const fail = (error: unknown): void => {
      signal?.removeEventListener("abort", giveUp);
      reject(error);
    };
    const giveUp = (): void => {
      socket.destroy();
      fail(signal?.reason);
    };
    const opened = (): void => {
      signal?.removeEventListener("abort", giveUp);
      socket.off("error", fail);
      resolve(openSocket(socket, true));
    };
    const socket: Socket =
      tls === undefined
        ? connectTcp({ ...where, allowHalfOpen: true, noDelay: true }, opened)
        : tlsModule().connect({ ...where, ...name, ...tls }, opened);
    socket.once("error", fail);
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}
