import type { SecureContextOptions } from "node:tls";
import type { Counters } from "../limits/counters.ts";
import type { TransportListener } from "../transport/listen.ts";
import type { TransportListenerHandlers } from "../transport/pending-connections.ts";
import type { Peer, Transport } from "../transport/transport.ts";
import { fleet } from "./fleet.ts";

/** What is needed of a server. */
interface Acceptor {
  readonly counters: Counters;
  accept(transport: Transport): void;
  acquireSlot(client: Peer): (() => void) | undefined;
}

/** What becomes of the connections of a listener. */
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

  /** Its descriptor, for others of this process that listen at it with `{ fd }`; -1 where Node does not tell. */
  get fd(): number {
    return this.socket.fd;
  }

  /** Where a client on this machine reaches it; for a Unix socket its path. */
  get url(): string {
    if (this.port === 0) return this.host;
    const any = this.host === "::" || this.host === "0.0.0.0";
    const host = any ? "localhost" : this.host.includes(":") ? `[${this.host}]` : this.host;
    return `${this.socket.encrypted ? "https" : "http"}://${host}:${this.port}`;
  }

  /**
   * New key and certificate for connections from now on.
   * @param options as for `tls.createSecureContext`
   */
  setSecureContext(options: SecureContextOptions): void {
    this.socket.setSecureContext(options);
  }

  /** Accepts no more connections; those that there are go on. */
  close(): void {
    this.socket.close();
    this.onClose(this);
  }
}
