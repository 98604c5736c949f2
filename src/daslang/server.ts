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
 * A TCP server for one client at a time, for programs with their own loop: subclass it and override the callbacks. They
 * run only inside `tick`, and inside an `init` or a `send` that fails. Return to Node's event loop between two ticks;
 * otherwise no data arrives.
 */
export class Server extends NetworkCallbacks {
  static {
    // The bundler would rename one of two classes of this name.
    Object.defineProperty(Server, "name", { value: "Server" });
  }
  /** The listener and its clients; null before `make_server_adapter` and after `save`. */
  _server: NetworkServer | null = null;
  readonly #options: ServerOptions;

  /** @throws RangeError for a limit below 1, TypeError for a host that is not an IP address */
  constructor(options: ServerOptions = {}) {
    super();
    serverOptions(options);
    this.#options = { ...options };
  }

  /** The port it listens on, or 0. */
  get port(): number {
    return this._server?.port ?? 0;
  }

  /**
   * Creates the NetworkServer of this instance.
   * @throws Error "can't make server" if it already has one
   */
  make_server_adapter(): void {
    make_server(this, this.#options);
  }

  /**
   * Starts to listen; the port is open when this returns.
   * @param port 0 for any free port, which `port` of this server then returns
   * @returns false after `onError("can't bind", errno)`; you can try again
   * @throws Error "null server" before `make_server_adapter`
   */
  init(port: number): boolean {
    return server_init(this._server, port);
  }

  /** Returns whether it listens. The original returns true even after an `init` that failed. */
  is_open(): boolean {
    return this._server !== null && server_is_open(this._server);
  }

  /** Returns whether a client is connected, as of the last tick. */
  is_connected(): boolean {
    return this._server !== null && server_is_connected(this._server);
  }

  /** Returns whether it has a NetworkServer. */
  has_session(): boolean {
    return this._server !== null;
  }

  /**
   * Runs one turn: accepts a waiting client, or delivers the data of the connected one in order, up to `maxTickBytes`,
   * and then its end. An error of a callback is thrown from here. Its event is not repeated; the remaining events come
   * in the next tick. Without a session it does nothing.
   */
  tick(): void {
    if (this._server !== null) server_tick(this._server);
  }

  /**
   * Sends data to the client, all or nothing. The data is copied: you can change it as soon as this returns.
   * @param data text is sent as UTF-8
   * @param size the number of bytes of `data` to send; all by default
   * @returns true if the data was accepted for sending, false after `onError`. The error is "can't send, not connected"
   *   with -1, or "can't send" with one of three codes: ENOBUFS (more than `maxSendBytes` would wait), EPIPE (the
   *   client has disconnected, which a later tick reports), EINVAL (an invalid size)
   */
  send(data: Uint8Array | string, size?: number): boolean {
    if (this._server !== null) return server_send(this._server, data, size);
    this.onError("can't send, not connected", -1);
    return false;
  }

  /**
   * Moves the NetworkServer out of this instance into a holder. It keeps receiving, and delivers nothing until it is
   * restored. Without a NetworkServer the holder stays as it is.
   * @throws Error if the holder holds another one
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
   * Moves the NetworkServer of a holder into this instance, with its listener, client and unread bytes. The instance
   * can be of a different class than the one that saved it. An empty holder changes nothing.
   * @throws Error if this instance has another server that listens or serves
   */
  restore(orphan: NetworkServerHolder): void {
    if (orphan.current === null) return;
    server_restore(orphan.current, this);
    orphan.current = null;
  }

  /**
   * Stops listening, disconnects the client after sending all accepted data, and ends the session. Calls no callbacks.
   * The original does so when the server is deleted.
   */
  close(): void {
    if (this._server !== null) server_close(this._server);
  }
}
