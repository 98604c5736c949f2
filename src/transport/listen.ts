import { createServer, type ListenOptions as NetListenOptions, type Server, type Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import { bindNow } from "../node/bind.ts";
import { tlsModule } from "../node/builtins.ts";
import { descriptorOf } from "../node/listening-descriptor.ts";
import { timerMs } from "../node/max-timer.ts";
import { takeConnections } from "../node/taken-handles.ts";
import { socketBelow } from "../node/tls-parent.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { HandleTransport } from "./handle-transport.ts";
import { PendingConnections, type TransportListenerHandlers } from "./pending-connections.ts";
import { type ProxyProtocolOptions, proxyHeaderReader } from "./proxy-protocol.ts";
import { bindPath, bindPathNow, checkUnixAddress } from "./unix-path.ts";

/** An address to listen at. */
export interface TransportAddress {
  /** The TCP port. Default 0: any free port. */
  port?: number;
  /** The address to listen on. Default: all addresses. */
  host?: string;
  /**
   * The path of a Unix socket, instead of a port, at most 107 bytes (103 on systems other than Linux). `listen`
   * replaces the file of a server that no longer runs; `listenNow` does not.
   */
  path?: string;
  /**
   * The file mode of a Unix socket, such as 0o660, which decides who can connect. Default: depends on the umask of the
   * process.
   */
  mode?: number;
  /** A listening file descriptor, instead of a port. */
  fd?: number;
  /** The name of a socket of `activatedSockets`. It has no effect. */
  name?: string;
  /** The number of connections that can wait to be accepted. Default: that of Node. */
  backlog?: number;
  /** Accepts only IPv6 on an IPv6 address. Default false. */
  ipv6Only?: boolean;
  /** In a cluster worker: does not share the port with the other workers. Default false. */
  exclusive?: boolean;
  /**
   * Shares the port with other sockets that use this option (SO_REUSEPORT). Requires Node 22.12, 23.1 or newer. Default
   * false.
   */
  reusePort?: boolean;
  /** Options of `tls.createServer`, such as key and certificate. With them the listener uses TLS. */
  tls?: TlsOptions;
  /**
   * Expects a PROXY protocol header, version 1 or 2, at the start of each connection. The header has the client's
   * address and is never encrypted. A connection without it is closed. Use it only for addresses that only a proxy can
   * reach, or with `from`.
   */
  proxyProtocol?: boolean | ProxyProtocolOptions;
}

const addressNames: OptionNames<TransportAddress> = {
  port: true,
  host: true,
  path: true,
  mode: true,
  fd: true,
  name: true,
  backlog: true,
  ipv6Only: "boolean",
  exclusive: "boolean",
  reusePort: "boolean",
  tls: true,
  proxyProtocol: true,
};

const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true };

/** A listening socket. */
export class TransportListener {
  private readonly server: Server;
  private readonly secure: ((options: SecureContextOptions) => void) | undefined;
  private readonly pending: PendingConnections;

  constructor(
    server: Server,
    pending: PendingConnections,
    secure: ((options: SecureContextOptions) => void) | undefined,
  ) {
    this.server = server;
    this.pending = pending;
    this.secure = secure;
  }

  /** The TCP port it listens on; 0 for a Unix socket. */
  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The address it listens on, or the path of a Unix socket. */
  get host(): string {
    const address = this.server.address();
    return typeof address === "string" ? address : (address?.address ?? "");
  }

  /** The file descriptor, for other listeners of this process; -1 if Node does not provide it (Windows). */
  get fd(): number {
    return descriptorOf(this.server);
  }

  get encrypted(): boolean {
    return this.secure !== undefined;
  }

  /** Changes the key and certificate for new connections. */
  setSecureContext(options: SecureContextOptions): void {
    this.secure?.(options);
  }

  /** Stops accepting connections. Accepted connections continue. */
  close(): void {
    this.server.close();
    this.pending.clear();
  }
}

/**
 * Listens for connections.
 * @param directIo see {@link openSocket}
 * @param handshakeTimeoutMs how long a TLS handshake can take, in milliseconds
 * @throws the system's error (EADDRINUSE, EACCES …) if the address cannot be bound; TypeError for an invalid address
 */
export async function listen(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): Promise<TransportListener> {
  const { server, listener, target, onListening } = prepare(address, handlers, directIo, handshakeTimeoutMs);
  await bindPath(address, () => bind(server, target, onListening));
  server.on("error", handlers.error);
  return listener;
}

function bind(server: Server, target: NetListenOptions, onListening: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(target, () => {
      server.off("error", reject);
      onListening();
      resolve();
    });
  });
}

/**
 * Like {@link listen}, but synchronous: it is bound when this returns.
 * @param address a port, or an object whose `host` is an IP address or absent
 */
export function listenNow(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): TransportListener {
  const { server, listener, target, onListening } = prepare(address, handlers, directIo, handshakeTimeoutMs);
  bindPathNow(address, () => bindNow(server, target));
  onListening();
  server.on("error", handlers.error);
  return listener;
}

function prepare(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  directIo: boolean,
  handshakeTimeoutMs: number,
): { server: Server; listener: TransportListener; target: NetListenOptions; onListening: () => void } {
  checkOptions("listen", address, addressNames);
  checkUnixAddress(address);
  const { tls, proxyProtocol = false, mode: _, ...where } = address;
  const elsewhere = where.path !== undefined || where.fd !== undefined;
  const target: NetListenOptions = elsewhere ? where : { port: 0, ...where };
  const proxied = proxyProtocol !== false;
  const pending = new PendingConnections(handlers, directIo);
  const secured =
    tls && secureServer({ ...tls, ...SOCKET_OPTIONS }, handlers, pending, proxied, handshakeTimeoutMs);
  const server = secured === undefined || proxied ? createServer(SOCKET_OPTIONS) : secured.server;
  if (proxied) {
    const readHeader = proxyHeaderReader(proxyProtocol === true ? {} : proxyProtocol);
    server.on("connection", (socket: Socket) => {
      if (!pending.add(socket, undefined, {})) return;
      readHeader(socket, {
        done(peer, alreadyRead) {
          pending.remove(socket);
          if (secured === undefined) pending.open(socket, peer, alreadyRead);
          else {
            if (alreadyRead.length > 0) socket.unshift(alreadyRead);
            secured.server.emit("connection", socket, peer);
          }
        },
        failed: (error) => error !== undefined && handlers.error(error),
      });
    });
  } else if (secured === undefined) server.on("connection", (socket: Socket) => pending.open(socket));
  const onListening = (): void => {
    if (!directIo || proxied || secured !== undefined) return;
    takeConnections(server, (handle) => handlers.accept(new HandleTransport(handle)));
  };
  const listener = new TransportListener(server, pending, secured?.setContext);
  return { server, listener, target, onListening };
}

interface SecureServer {
  readonly server: Server;
  setContext(options: SecureContextOptions): void;
}

/** @param proxied whether its connections come from a server that has read the client's address */
function secureServer(
  options: TlsOptions,
  handlers: TransportListenerHandlers,
  pending: PendingConnections,
  proxied: boolean,
  handshakeTimeoutMs: number,
): SecureServer {
  const server = tlsModule().createServer({
    ALPNProtocols: ["http/1.1", "http/1.0"],
    handshakeTimeout: timerMs(handshakeTimeoutMs),
    ...options,
  });
  // Before Node's own listener, which reads it: a client that ends its half during the handshake has disconnected.
  server.prependListener("connection", (socket: Socket) => {
    socket.allowHalfOpen = false;
  });
  server.on("connection", (socket: Socket, peer?: ProxiedPeer) => {
    pending.add(socket, peer, peer ?? socket);
  });
  server.on("secureConnection", (socket: Socket) => {
    socket.allowHalfOpen = true;
    // Without the socket below, close() waits for handshakes to end.
    const below = socketBelow(socket);
    const removed = below && pending.remove(below);
    // Behind a proxy, the client would be unknown, too.
    if (proxied && removed === undefined) socket.destroy();
    else pending.open(socket, removed?.peer);
  });
  server.on("tlsClientError", (error, socket) => {
    handlers.error(error);
    // After a timeout, Node itself leaves the socket open.
    socket.destroy();
  });
  // Options that are not given stay unchanged: versions, ciphers, authorities.
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
