import { connectTransport } from "../transport/connect.ts";
import { NetworkCallbacks } from "./callbacks.ts";
import { Connection } from "./connection.ts";
import { type ConnectionLimits, connectionLimits } from "./limits.ts";
import { Session } from "./session.ts";
import { errnoNamed, errnoOf } from "./system-error.ts";

/** A connection that is being made, and what came of it. */
type Attempt =
  | { readonly type: "connecting"; readonly abort: AbortController }
  | { readonly type: "connected"; readonly connection: Connection }
  | { readonly type: "failed"; readonly code: number };

/**
 * A TCP client that mirrors Server: subclass it and override the callbacks. They run only inside `tick`, and inside a
 * `send` that fails.
 */
export class Client extends NetworkCallbacks {
  readonly #limits: Required<ConnectionLimits>;
  readonly #session: Session;
  #attempt: Attempt | undefined;
  /** Why the last `connect` returned false, until a tick reports it. */
  #refusal: number | undefined;

  /** @throws RangeError for a limit below 1 */
  constructor(options: ConnectionLimits = {}) {
    super();
    this.#limits = connectionLimits(options);
    this.#session = new Session(this.#limits, "connection established");
  }

  /**
   * Starts to connect. A later tick calls `onLog("connection established")` and `onConnect`, or `onError("can't
   * connect", errno)`.
   * @param host a host name or an IP address
   * @returns false if it cannot start: already connected (EISCONN), already connecting (EALREADY), or an invalid port
   *   (EINVAL). The next tick calls `onError("can't connect", errno)`. An existing connection continues
   */
  connect(host: string, port: number): boolean {
    if (this.is_connected()) this.#refusal = errnoNamed("EISCONN");
    else if (this.#attempt !== undefined) this.#refusal = errnoNamed("EALREADY");
    else if (!Number.isInteger(port) || port < 0 || port > 65_535) this.#refusal = errnoNamed("EINVAL");
    else {
      this.#begin(host, port);
      return true;
    }
    return false;
  }

  /** Returns whether it is connected, as of the last tick or `disconnect`. */
  is_connected(): boolean {
    return this.#session.isConnected;
  }

  /**
   * Runs one turn: reports the result of `connect`, or delivers received data in order, up to `maxTickBytes`, and then
   * the end. An error of a callback is thrown from here. Its event is not repeated; the remaining events come in the
   * next tick.
   */
  tick(): void {
    const refusal = this.#refusal;
    if (refusal !== undefined) {
      this.#refusal = undefined;
      this.onError("can't connect", refusal);
    }
    let failure: number | undefined;
    this.#session.tick(this, () => {
      const attempt = this.#attempt;
      if (attempt === undefined || attempt.type === "connecting") return undefined;
      this.#attempt = undefined;
      if (attempt.type === "connected") return attempt.connection;
      failure = attempt.code;
      return undefined;
    });
    if (failure !== undefined) this.onError("can't connect", failure);
  }

  /**
   * Sends data to the server, all or nothing, as `Server.send` does.
   * @param size the number of bytes of `data` to send; all by default
   */
  send(data: Uint8Array | string, size?: number): boolean {
    return this.#session.send(this, data, size);
  }

  /**
   * Closes the connection after sending all accepted data. The next tick calls `onLog("connection closed")` and
   * `onDisconnect`. Undelivered data is dropped. Cancels a connection attempt without a callback.
   */
  disconnect(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt?.type === "connected") attempt.connection.destroy();
    else if (attempt?.type === "connecting") attempt.abort.abort();
    this.#session.leave();
  }

  #begin(host: string, port: number): void {
    const abort = new AbortController();
    const begun: Attempt = { type: "connecting", abort };
    this.#attempt = begun;
    connectTransport({ host, port, signal: abort.signal }).then(
      (transport) => {
        // Given up in the moment in which it was made.
        if (this.#attempt !== begun) transport.destroy();
        else this.#attempt = { type: "connected", connection: new Connection(transport, this.#limits) };
      },
      (error: unknown) => {
        if (this.#attempt === begun) this.#attempt = { type: "failed", code: errnoOf(error) };
      },
    );
  }
}
