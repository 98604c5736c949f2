import { NetworkCallbacks } from "./callbacks.ts";
import { type ServerOptions, serverOptions } from "./limits.ts";
import {
  make_server,
  server_close,
  server_init,
  server_is_connected,
  server_is_open,
  server_restore,
  server_send,
  server_tick,
} from "./low-level.ts";
import type { NetworkServer, NetworkServerHolder } from "./network-server.ts";

/**
 * A TCP server of one client at a time, for programs with their own loop: subclass it and override the
 * callbacks. They run inside `tick`, and inside an `init` or a `send` that fails, and at no other time. Between two
 * ticks the program has to return to Node's event loop, or nothing arrives.
 */
export class Server extends NetworkCallbacks {
  /** The bundler would rename one of two classes of this name. */
  static override readonly name: string = "Server";
  /** Listener and clients; null before `make_server_adapter` and after `save`. */
  _server: NetworkServer | null = null;
  readonly #options: ServerOptions;

  /** @throws RangeError for a limit below 1, TypeError for a host that is not an IP address */
  constructor(options: ServerOptions = {}) {
    super();
    serverOptions(options);
    this.#options = { ...options };
  }

  /** The bound port; 0 when it does not listen. */
  get port(): number {
    return this._server?.port ?? 0;
  }

  /**
   * Makes the NetworkServer of this instance.
   * @throws Error "can't make server" when it has one
   */
  make_server_adapter(): void {
    make_server(this, this.#options);
  }

  /**
   * Binds and listens; the port is open when this returns.
   * @param port 0 for any free one, which `port` then tells
   * @returns false after `onError("can't bind", errno)`; it may be tried again
   * @throws Error "null server" before `make_server_adapter`
   */
  init(port: number): boolean {
    return server_init(this._server, port);
  }

  /** Whether it listens. The original says true after an `init` that failed, too. */
  is_open(): boolean {
    return this._server !== null && server_is_open(this._server);
  }

  /** Whether a client is connected: accepted, and not yet disconnected, as of the last tick. */
  is_connected(): boolean {
    return this._server !== null && server_is_connected(this._server);
  }

  /** Whether it has a NetworkServer. */
  has_session(): boolean {
    return this._server !== null;
  }

  /**
   * One turn: without a client, accepts one that waits; with one, delivers what it has sent, in order and up to
   * `maxTickBytes`, and then its end. What a callback throws comes out here; that event has been used up, and the
   * others come in the next tick. Without a session it does nothing.
   */
  tick(): void {
    if (this._server !== null) server_tick(this._server);
  }

  /**
   * Sends to the client, all or nothing. The data is copied: it may be changed as soon as this returns.
   * @param data text is sent as UTF-8
   * @param size bytes of it to send; all by default
   * @returns true when it was accepted for sending, false after `onError`: "can't send, not connected" with -1, or
   *   "can't send" with ENOBUFS (more than `maxSendBytes` would wait), EPIPE (the client has gone, which a tick will
   *   tell) or EINVAL (no such size)
   */
  send(data: Uint8Array | string, size?: number): boolean {
    if (this._server !== null) return server_send(this._server, data, size);
    this.onError("can't send, not connected", -1);
    return false;
  }

  /**
   * Moves the NetworkServer out of this instance. It goes on receiving, and delivers nothing until it is restored.
   * Without one it leaves the holder as it is.
   * @throws Error when the holder holds another one
   */
  save(orphan: NetworkServerHolder): void {
    const server = this._server;
    if (server === null) return;
    if (orphan.current !== null && orphan.current !== server)
      throw new Error("can't save: the holder holds another server");
    orphan.current = server;
    server.release();
  }

  /**
   * Moves the NetworkServer of a holder into this instance, which may be of another class than the one that saved
   * it: listener, client and unread bytes go on. An empty holder changes nothing.
   * @throws Error when this instance has another server that listens or serves
   */
  restore(orphan: NetworkServerHolder): void {
    if (orphan.current === null) return;
    server_restore(orphan.current, this);
    orphan.current = null;
  }

  /**
   * Listens no more and gives up the client, after what was accepted for sending, and the session with them. Calls
   * nothing. The original does it when the server is deleted.
   */
  close(): void {
    if (this._server !== null) server_close(this._server);
  }
}
