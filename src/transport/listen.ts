import { createServer, type ListenOptions as NetListenOptions, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContextOptions, type TlsOptions } from "node:tls";
import { bindNow } from "./bind.ts";
import { MAX_TIMER_MS } from "./max-timer.ts";
import { SocketTransport } from "./socket-transport.ts";
import type { Peer, Transport } from "./transport.ts";

/** Where to listen. */
export interface TransportAddress {
  /** TCP port; 0, as by default, for any free one. */
  port?: number;
  /** Address to bind; all addresses when absent. */
  host?: string;
  /** Path of a Unix socket, in place of a port. */
  path?: string;
  /** A descriptor that listens already, in place of a port. */
  fd?: number;
  /** Connections that may wait to be accepted. */
  backlog?: number;
  /** Only IPv6 where the address is an IPv6 one. */
  ipv6Only?: boolean;
  /** In a cluster's worker: do not share the port with the other workers. */
  exclusive?: boolean;
  /** Share the port with other sockets that ask for it (SO_REUSEPORT); Node 22.12, 23.1 and newer. */
  reusePort?: boolean;
  /** Key, certificate, CA, SNI and all else that `tls.createServer` takes; the listener then speaks TLS. */
  tls?: TlsOptions;
}

export interface TransportListenerHandlers {
  accept(transport: Transport): void;
  /**
   * A connection begins its TLS handshake.
   * @returns what to call when the handshake has ended in any way, or undefined to turn the connection away
   */
  admit(peer: Peer): (() => void) | undefined;
  /** A connection that never came to be (a failed TLS handshake), or a failure of the listening socket. */
  error(error: Error): void;
}

/** A socket that listens. */
export class TransportListener {
  private readonly server: Server;
  private readonly secure: ((options: SecureContextOptions) => void) | undefined;
  private readonly handshaking: ReadonlyMap<Socket, () => void>;

  constructor(
    server: Server,
    handshaking: ReadonlyMap<Socket, () => void>,
    secure: ((options: SecureContextOptions) => void) | undefined,
  ) {
    this.server = server;
    this.handshaking = handshaking;
    this.secure = secure;
  }

  /** The bound TCP port; 0 for a Unix socket. */
  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The bound address, or the path of a Unix socket. */
  get host(): string {
    const address = this.server.address();
    return typeof address === "string" ? address : (address?.address ?? "");
  }

  /** Its descriptor, which others of this process may listen at, too; -1 where Node does not tell (Windows). */
  get fd(): number {
    const handle: unknown = Reflect.get(this.server, "_handle");
    const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
    return typeof fd === "number" ? fd : -1;
  }

  get encrypted(): boolean {
    return this.secure !== undefined;
  }

  /** New key and certificate for the connections that are accepted from now on. */
  setSecureContext(options: SecureContextOptions): void {
    this.secure?.(options);
  }

  /** Accepts no more; those that were accepted go on. */
  close(): void {
    this.server.close();
    for (const socket of this.handshaking.keys()) socket.destroy();
  }
}

/**
 * Listens for connections.
 * @param directIo see {@link SocketTransport}
 * @param handshakeTimeoutMs how long a TLS handshake may take
 * @throws the system's error (EADDRINUSE, EACCES …) when the address cannot be bound
 */
export function listen(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): Promise<TransportListener> {
  const { server, listener, target } = prepare(address, handlers, directIo, handshakeTimeoutMs);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(target, () => {
      server.off("error", reject);
      server.on("error", handlers.error);
      resolve(listener);
    });
  });
}

/**
 * Like {@link listen}, but bound when it returns.
 * @param address a port, and as host a literal address or none
 */
export function listenNow(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): TransportListener {
  const { server, listener, target } = prepare(address, handlers, directIo, handshakeTimeoutMs);
  bindNow(server, target);
  server.on("error", handlers.error);
  return listener;
}

function prepare(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): { server: Server; listener: TransportListener; target: NetListenOptions } {
  const { tls, ...where } = address;
  const elsewhere = where.path !== undefined || where.fd !== undefined;
  const target: NetListenOptions = elsewhere ? where : { port: 0, ...where };
  const base = { allowHalfOpen: true, noDelay: true };
  const handshaking = new Map<Socket, () => void>();
  const accept = (socket: Socket): void => handlers.accept(new SocketTransport(socket, directIo));
  if (tls === undefined) {
    const server = createServer(base, accept);
    return { server, listener: new TransportListener(server, handshaking, undefined), target };
  }
  const leave = (socket: Socket): void => {
    handshaking.get(socket)?.();
    handshaking.delete(socket);
  };
  const server = createTlsServer({
    ALPNProtocols: ["http/1.1", "http/1.0"],
    handshakeTimeout: Math.min(handshakeTimeoutMs, MAX_TIMER_MS),
    ...tls,
    ...base,
  });
  server.on("connection", (socket: Socket) => {
    const left = handlers.admit(socket);
    if (left === undefined) {
      socket.destroy();
      return;
    }
    handshaking.set(socket, left);
    socket.once("close", () => leave(socket));
  });
  server.on("secureConnection", (socket: Socket) => {
    // The TCP socket below, which Node does not document; without it close() waits for handshakes to end.
    leave(Reflect.get(socket, "_parent"));
    accept(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    handlers.error(error);
    // Node itself leaves a socket open whose handshake took too long.
    socket.destroy();
  });
  // What is not named again stays as it was: versions, ciphers, authorities.
  let current: SecureContextOptions = tls;
  const secure = (options: SecureContextOptions): void => {
    current = { ...current, ...options };
    server.setSecureContext(current);
  };
  return { server, listener: new TransportListener(server, handshaking, secure), target };
}
