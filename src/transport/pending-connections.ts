import type { Socket } from "node:net";
import { ChurnMap } from "../bytes/churn-map.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { openSocket } from "./open-socket.ts";
import type { Peer, Transport } from "./transport.ts";

export interface TransportListenerHandlers {
  accept(transport: Transport): void;
  /**
   * Called when a connection begins its TLS handshake, or waits for the header of a proxy. In the second case the
   * client is not known yet.
   * @returns a function to call when that has ended in any way, or undefined to refuse the connection
   */
  acquireSlot(peer: Peer): (() => void) | undefined;
  /** A connection that never came to be (a failed TLS handshake), or a failure of the listening socket. */
  error(error: Error): void;
}

interface PendingConnection {
  readonly peer: ProxiedPeer | undefined;
  /** Releases its slot in the server's count. */
  readonly release: () => void;
}

/** Connections that are not served yet, because they wait for a proxy's header or a TLS handshake. */
export class PendingConnections {
  private readonly handlers: TransportListenerHandlers;
  private readonly directIo: boolean;
  private readonly pending = new ChurnMap<Socket, PendingConnection>();

  constructor(handlers: TransportListenerHandlers, directIo: boolean) {
    this.handlers = handlers;
    this.directIo = directIo;
  }

  /**
   * Adds a connection.
   * @param peer the client that a proxy reports
   * @param counted the client whose connections are counted
   * @returns false if the socket was refused
   */
  add(socket: Socket, peer: ProxiedPeer | undefined, counted: Peer): boolean {
    const release = this.handlers.acquireSlot(counted);
    if (release === undefined) {
      socket.destroy();
      return false;
    }
    this.pending.set(socket, { peer, release });
    socket.once("close", () => this.remove(socket));
    return true;
  }

  /** Removes and returns a connection. */
  remove(socket: Socket): PendingConnection | undefined {
    const removed = this.pending.get(socket);
    this.pending.delete(socket);
    removed?.release();
    return removed;
  }

  /**
   * Serves a connection.
   * @param alreadyRead bytes already read from it
   */
  open(socket: Socket, peer?: ProxiedPeer, alreadyRead?: Buffer): void {
    this.handlers.accept(openSocket(socket, this.directIo, peer, alreadyRead));
  }

  /** Destroys all connections. */
  clear(): void {
    for (const socket of this.pending.keys()) socket.destroy();
  }
}
