import { listenNow, type TransportListener } from "../transport/listen.ts";
import type { Transport } from "../transport/transport.ts";
import type { NetworkCallbacks } from "./callbacks.ts";
import { Connection } from "./connection.ts";
import { type ServerOptions, serverOptions } from "./limits.ts";
import { Session } from "./session.ts";
import { errnoNamed, errnoOf } from "./system-error.ts";

/** What a NetworkServer can be bound to: a Server, of whatever module. */
export interface ServerInstance extends NetworkCallbacks {
  _server: NetworkServer | null;
}

/** Where a NetworkServer is kept while it belongs to no instance. */
export interface NetworkServerHolder {
  current: NetworkServer | null;
}

/**
 * The listener, the client that is served and those that wait, with all that was received and not delivered. It
 * belongs to one instance at a time, or to none, and goes on receiving in any case. Programs pass it around; what
 * there is to do with it are the functions of the low level.
 */
export class NetworkServer {
  private readonly options: ReturnType<typeof serverOptions>;
  private readonly session: Session;
  private instance: ServerInstance | null = null;
  private listener: TransportListener | undefined;
  private waiting: Connection[] = [];
  /** The number of the last error of the listening socket, until a tick tells it. */
  private acceptError: number | undefined;

  /** @throws RangeError or TypeError for options that cannot be */
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

  /** The bound port; 0 when it does not listen. */
  get port(): number {
    return this.listener?.port ?? 0;
  }

  /**
   * Makes it belong to an instance, and to no other. A tick that is running ends with its callback.
   * @throws Error when the instance has another NetworkServer that listens or serves
   */
  bind(instance: ServerInstance): void {
    const other = instance._server;
    if (other !== null && other !== this) {
      if (other.isOpen || other.isConnected)
        throw new Error("can't restore: the instance has a server of its own, save or close that first");
      other.release();
    }
    this.release();
    instance._server = this;
    this.instance = instance;
  }

  /** Makes it belong to nobody. A tick that is running ends with its callback. */
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

  /** Listens no more, turns away who waits, and sends the client what was accepted for it. Tells nothing. */
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
