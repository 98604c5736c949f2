import { createServer, type ListenOptions as NetListenOptions, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContextOptions, type TlsOptions } from "node:tls";
import { bindNow } from "./bind.ts";
import { Entrance, type TransportListenerHandlers } from "./entrance.ts";
import { timerMs } from "./max-timer.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import { type ProxyProtocolOptions, proxyHeaderReader } from "./proxy-protocol.ts";

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
  /**
   * Each connection begins with a header of the PROXY protocol, version 1 or 2, in clear also before TLS. It tells the
   * peer's address; a connection without one is closed. Only for addresses that nobody but a proxy can reach, or with
   * `from`.
   */
  proxyProtocol?: boolean | ProxyProtocolOptions;
}

const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true };

/** A socket that listens. */
export class TransportListener {
  private readonly server: Server;
  private readonly secure: ((options: SecureContextOptions) => void) | undefined;
  private readonly entrance: Entrance;

  constructor(
    server: Server,
    entrance: Entrance,
    secure: ((options: SecureContextOptions) => void) | undefined,
  ) {
    this.server = server;
    this.entrance = entrance;
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
    this.entrance.clear();
  }
}

/**
 * Listens for connections.
 * @param directIo see {@link openSocket}
 * @param handshakeTimeoutMs how long a TLS handshake may take
 * @throws the system's error (EADDRINUSE, EACCES …) when the address cannot be bound; TypeError for what is no address
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
  if (typeof address !== "object")
    throw new TypeError("an address to listen at is an object, such as { port: 9001 }");
  const { tls, proxyProtocol = false, ...where } = address;
  const elsewhere = where.path !== undefined || where.fd !== undefined;
  const target: NetListenOptions = elsewhere ? where : { port: 0, ...where };
  const proxied = proxyProtocol !== false;
  const entrance = new Entrance(handlers, directIo);
  const secured =
    tls && secureServer({ ...tls, ...SOCKET_OPTIONS }, handlers, entrance, proxied, handshakeTimeoutMs);
  const server = secured === undefined || proxied ? createServer(SOCKET_OPTIONS) : secured.server;
  if (proxied) {
    const readHeader = proxyHeaderReader(proxyProtocol === true ? {} : proxyProtocol);
    server.on("connection", (socket: Socket) => {
      if (!entrance.admit(socket, undefined, {})) return;
      readHeader(socket, {
        done(peer, rest) {
          entrance.leave(socket);
          if (secured === undefined) entrance.open(socket, peer, rest);
          else {
            if (rest.length > 0) socket.unshift(rest);
            secured.server.emit("connection", socket, peer);
          }
        },
        failed: (error) => error !== undefined && handlers.error(error),
      });
    });
  } else if (secured === undefined) server.on("connection", (socket: Socket) => entrance.open(socket));
  return { server, listener: new TransportListener(server, entrance, secured?.setContext), target };
}

interface SecureServer {
  readonly server: Server;
  setContext(options: SecureContextOptions): void;
}

/** @param proxied its connections come from a server that has read who the peer is */
function secureServer(
  options: TlsOptions,
  handlers: TransportListenerHandlers,
  entrance: Entrance,
  proxied: boolean,
  handshakeTimeoutMs: number,
): SecureServer {
  const server = createTlsServer({
    ALPNProtocols: ["http/1.1", "http/1.0"],
    handshakeTimeout: timerMs(handshakeTimeoutMs),
    ...options,
  });
  // Before Node's own listener, which goes by it: who ends a half during the handshake is gone.
  server.prependListener("connection", (socket: Socket) => {
    socket.allowHalfOpen = false;
  });
  server.on("connection", (socket: Socket, peer?: ProxiedPeer) => {
    entrance.admit(socket, peer, peer ?? socket);
  });
  server.on("secureConnection", (socket: Socket) => {
    socket.allowHalfOpen = true;
    // The TCP socket below, which Node does not document; without it close() waits for handshakes to end.
    const entered = entrance.leave(Reflect.get(socket, "_parent"));
    // Nor would it be known whose the connection is.
    if (proxied && entered === undefined) socket.destroy();
    else entrance.open(socket, entered?.peer);
  });
  server.on("tlsClientError", (error, socket) => {
    handlers.error(error);
    // Node itself leaves a socket open whose handshake took too long.
    socket.destroy();
  });
  // What is not named again stays as it was: versions, ciphers, authorities.
  let current: SecureContextOptions = options;
  return {
    server,
    setContext(changes) {
      const next = { ...current, ...changes };
      server.setSecureContext(next);
      current = next;
    },
  };
}
