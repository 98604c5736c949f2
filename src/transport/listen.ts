import { createServer, type ListenOptions as NetListenOptions, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContextOptions, type TlsOptions } from "node:tls";
import { MAX_TIMER_MS } from "./max-timer.ts";
import { SocketTransport } from "./socket-transport.ts";
import type { Transport } from "./transport.ts";

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
  /** Key, certificate, CA, SNI and all else that `tls.createServer` takes; the listener then speaks TLS. */
  tls?: TlsOptions;
}

export interface TransportListenerHandlers {
  accept(transport: Transport): void;
  /**
   * A connection begins its TLS handshake.
   * @returns what to call when the handshake has ended in any way, or undefined to turn the connection away
   */
  admit(remoteAddress: string | undefined): (() => void) | undefined;
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
 * @param sharedRead see {@link SocketTransport}
 * @param handshakeTimeoutMs how long a TLS handshake may take
 * @throws the system's error (EADDRINUSE, EACCES …) when the address cannot be bound
 */
export function listen(
  address: TransportAddress,
  handlers: TransportListenerHandlers,
  sharedRead: boolean,
  handshakeTimeoutMs: number,
): Promise<TransportListener> {
  const { tls, ...where } = address;
  const base = { allowHalfOpen: true, noDelay: true };
  const handshaking = new Map<Socket, () => void>();
  const leave = (socket: Socket): void => {
    handshaking.get(socket)?.();
    handshaking.delete(socket);
  };
  const accept = (socket: Socket): void => handlers.accept(new SocketTransport(socket, sharedRead));
  let server: Server;
  let secure: ((options: SecureContextOptions) => void) | undefined;
  if (tls === undefined) {
    server = createServer(base, accept);
  } else {
    const secureServer = createTlsServer({
      ALPNProtocols: ["http/1.1", "http/1.0"],
      handshakeTimeout: Math.min(handshakeTimeoutMs, MAX_TIMER_MS),
      ...tls,
      ...base,
    });
    secureServer.on("connection", (socket: Socket) => {
      const left = handlers.admit(socket.remoteAddress);
      if (left === undefined) {
        socket.destroy();
        return;
      }
      handshaking.set(socket, left);
      socket.once("close", () => leave(socket));
    });
    secureServer.on("secureConnection", (socket: Socket) => {
      // The TCP socket below, which Node does not document; without it close() waits for handshakes to end.
      leave(Reflect.get(socket, "_parent"));
      accept(socket);
    });
    secureServer.on("tlsClientError", handlers.error);
    // What is not named again stays as it was: versions, ciphers, authorities.
    let current: SecureContextOptions = tls;
    secure = (options) => {
      current = { ...current, ...options };
      secureServer.setSecureContext(current);
    };
    server = secureServer;
  }
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const elsewhere = where.path !== undefined || where.fd !== undefined;
    const target: NetListenOptions = elsewhere ? where : { port: 0, ...where };
    server.listen(target, () => {
      server.off("error", reject);
      server.on("error", handlers.error);
      resolve(new TransportListener(server, handshaking, secure));
    });
  });
}
