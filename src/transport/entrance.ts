import type { Socket } from "node:net";
import { openSocket } from "./open-socket.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import type { Peer, Transport } from "./transport.ts";

export interface TransportListenerHandlers {
  accept(transport: Transport): void;
  /**
   * A connection begins its TLS handshake, or waits for the header of a proxy, when it is not known yet whose it is.
   * @returns what to call when that has ended in any way, or undefined to turn the connection away
   */
  admit(peer: Peer): (() => void) | undefined;
  /** A connection that never came to be (a failed TLS handshake), or a failure of the listening socket. */
  error(error: Error): void;
}

interface Entering {
  readonly peer: ProxiedPeer | undefined;
  /** Takes it from the count of its server. */
  readonly release: () => void;
}

/** Where connections wait for what comes before their bytes: a proxy's header, a TLS handshake. */
export class Entrance {
  private readonly handlers: TransportListenerHandlers;
  private readonly directIo: boolean;
  private readonly entering = new Map<Socket, Entering>();

  constructor(handlers: TransportListenerHandlers, directIo: boolean) {
    this.handlers = handlers;
    this.directIo = directIo;
  }

  /**
   * @param peer who a proxy says is at the other end
   * @param counted who limits are held to
   * @returns false when the socket was turned away
   */
  admit(socket: Socket, peer: ProxiedPeer | undefined, counted: Peer): boolean {
    const release = this.handlers.admit(counted);
    if (release === undefined) {
      socket.destroy();
      return false;
    }
    this.entering.set(socket, { peer, release });
    socket.once("close", () => this.leave(socket));
    return true;
  }

  /** @returns what was known of a socket that waited here */
  leave(socket: Socket): Entering | undefined {
    const entered = this.entering.get(socket);
    this.entering.delete(socket);
    entered?.release();
    return entered;
  }

  /**
   * Serves a connection.
   * @param rest what was read already
   */
  open(socket: Socket, peer?: ProxiedPeer, rest?: Buffer): void {
    this.handlers.accept(openSocket(socket, this.directIo, peer, rest));
  }

  /** Destroys all that wait. */
  clear(): void {
    for (const socket of this.entering.keys()) socket.destroy();
  }
}
