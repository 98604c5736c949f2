import type { SecureContextOptions } from "node:tls";
import type { Counters } from "../limits/counters.ts";
import type { TransportListener } from "../transport/listen.ts";
import type { TransportListenerHandlers } from "../transport/pending-connections.ts";
import type { Peer, Transport } from "../transport/transport.ts";
import { fleet } from "./fleet.ts";

/** The part of a server that a listener uses. */
interface Acceptor {
  readonly counters: Counters;
  accept(transport: Transport): void;
  acquireSlot(client: Peer): (() => void) | undefined;
}

/** Returns the functions that handle the connections of a listener. */
export function transportHandlersOf(server: Acceptor): TransportListenerHandlers {
  return {
    accept: (transport) => server.accept(transport),
    acquireSlot: (client) => server.acquireSlot(client),
    error: (error) => server.counters.countSystemError(error),
  };
}

/** An address at which a server listens. */
export class Listener {
  private readonly socket: TransportListener;
  private readonly onClose: (listener: Listener) => void;

  /** @internal Made by `server.listen`. */
  constructor(socket: TransportListener, onClose: (listener: Listener) => void) {
    this.socket = socket;
    this.onClose = onClose;
    this.port = socket.port;
    this.host = socket.host;
    fleet()?.onListening(this);
  }

  /** The TCP port; 0 for a Unix socket. */
  readonly port: number;
  /** The address, or the path of a Unix socket. */
  readonly host: string;

  /** The file descriptor, for other listeners of this process with `{ fd }`; -1 if Node does not provide it. */
  get fd(): number {
    return this.socket.fd;
  }

  /** The URL for clients on this machine, or the path of a Unix socket. */
  get url(): string {
    if (this.port === 0) return this.host;
    const any = this.host === "::" || this.host === "0.0.0.0";
    const host = any ? "localhost" : this.host.includes(":") ? `[${this.host}]` : this.host;
    return `${this.socket.encrypted ? "https" : "http"}://${host}:${this.port}`;
  }

  /**
   * Changes the key and certificate for new connections.
   * @param options as for `tls.createSecureContext`
   */
  setSecureContext(options: SecureContextOptions): void {
    this.socket.setSecureContext(options);
  }

  /** Stops accepting connections. Existing connections continue. */
  close(): void {
    this.socket.close();
    this.onClose(this);
  }
}
