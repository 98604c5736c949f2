import { listenNow, type TransportListener } from "../transport/listen.ts";
import type { Transport } from "../transport/transport.ts";
import type { NetworkCallbacks } from "./callbacks.ts";
import { Connection } from "./connection.ts";
import { type ServerOptions, serverOptions } from "./limits.ts";
import { Session } from "./session.ts";
import { errnoNamed, errnoOf } from "./system-error.ts";

/** An instance that a NetworkServer can belong to: a Server of any version of its module. */
export interface ServerInstance extends NetworkCallbacks {
  _server: NetworkServer | null;
}

/** Holds a NetworkServer while it belongs to no instance. */
export interface NetworkServerHolder {
  current: NetworkServer | null;
}

/**
 * The listener, the connected and the waiting clients, and all undelivered data. It belongs to one instance at a time,
 * or to none, and keeps receiving in either case. Use it with the low-level functions.
 */
export class NetworkServer {
  private readonly options: ReturnType<typeof serverOptions>;
  private readonly session: Session;
  private instance: ServerInstance | null = null;
  private listener: TransportListener | undefined;
  private waiting: Connection[] = [];
  /** The number of the last error of the listening socket, until a tick reports it. */
  private acceptError: number | undefined;

  /** @throws RangeError or TypeError for invalid options */
  constructor(options: ServerOptions = {}) {
    this.options = serverOptions(options);
    this.session = new Session(this.options, "connection accepted");
  }

  get isOpen(): boolean {
    return this.listener !== undefined;
  }

  get isConnected(): boolean {
    return this.session.isConnected;
  }

  /** The port it listens on, or 0. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /**
   * Makes it belong to one instance. A running tick ends after its current callback.
   * @throws Error if the instance has another NetworkServer that listens or serves
   */
  bind(instance: ServerInstance): void {
    const other = instance._server;
    if (other !== null && other !== this) {
      if (other.isOpen || other.isConnected)
        throw new Error("can't restore: the instance has another server. Save or close that first");
      other.release();
    }
    this.release();
    instance._server = this;
    this.instance = instance;
  }

  /** Makes it belong to no instance. A running tick ends after its current callback. */
  release(): void {
    this.session.interrupt();
    if (this.instance !== null) this.instance._server = null;
    this.instance = null;
  }

  init(port: number): boolean {
    const { host } = this.options;
    let failure: number;
    if (this.listener !== undefined) {
      failure = errnoNamed("EINVAL");
    } else {
      try {
        const handlers = {
          accept: (transport: Transport) => this.accept(transport),
          acquireSlot: () => undefined,
          error: (error: Error) => {
            this.acceptError = errnoOf(error);
          },
        };
        this.listener = listenNow(host === undefined ? { port } : { port, host }, handlers, true, 0);
        return true;
      } catch (error) {
        failure = errnoOf(error);
      }
    }
    this.instance?.onError("can't bind", failure);
    return false;
  }

  tick(): void {
    const { instance, acceptError } = this;
    if (instance === null) return;
    if (acceptError !== undefined) {
      this.acceptError = undefined;
      instance.onError("can't accept", acceptError);
      if (this.instance !== instance) return;
    }
    this.session.tick(instance, () => this.waiting.shift());
  }

  send(data: Uint8Array | string, size: number | undefined): boolean {
    return this.session.send(this.instance, data, size);
  }

  /**
   * Stops listening, disconnects waiting clients, and closes the connection after sending all accepted data. Calls no
   * callbacks.
   */
  close(): void {
    this.release();
    this.listener?.close();
    this.listener = undefined;
    this.acceptError = undefined;
    for (const connection of this.waiting) connection.destroy();
    this.waiting = [];
    this.session.close();
  }

  private accept(transport: Transport): void {
    if (this.listener === undefined || this.waiting.length >= this.options.backlog) {
      transport.destroy();
      return;
    }
    const connection = new Connection(transport, this.options);
    connection.pause();
    this.waiting.push(connection);
  }
}
