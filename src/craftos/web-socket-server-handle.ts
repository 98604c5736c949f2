import { ChurnSet } from "../bytes/churn-map.ts";
import type { Listener } from "../server/listener.ts";
import type { ClientHandle } from "./client-handle.ts";
import { closedFile } from "./errors.ts";
import { type WaitableQueue, waitFor } from "./wait-for.ts";

/** A WebSocket server. */
export class WebSocketServerHandle {
  /** The port that the server listens on. */
  readonly port: number;
  private readonly listener: Listener;
  private readonly queue: WaitableQueue;
  /** Connected clients that the program has not seen, either through `listen` or through their event. */
  private readonly arrived = new ChurnSet<ClientHandle>();
  private waiting: ((client: ClientHandle | null) => void)[] = [];
  private readonly onClose: () => void;
  private closed = false;

  /** @internal Made by `http.websocketServer`. */
  constructor(listener: Listener, queue: WaitableQueue, onClose: () => void) {
    this.listener = listener;
    this.port = listener.port;
    this.queue = queue;
    this.onClose = onClose;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /**
   * Returns the next new client, in order of connection. A client is not new if it has disconnected, or if the program
   * has pulled its `websocket_server_connect` event.
   * @param timeout in seconds
   * @returns null after the timeout, or if the server is closed meanwhile
   * @throws Error "attempt to use a closed file" after `close`; "Terminated"
   */
  async listen(timeout?: number): Promise<ClientHandle | null> {
    if (this.closed) throw closedFile();
    for (const client of this.arrived) {
      this.arrived.delete(client);
      if (client.isConnected) return client;
    }
    return waitFor(this.queue, this.waiting, timeout);
  }

  /** Accepts no more clients; connected ones stay. A second call does nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.listener.close();
    this.arrived.clear();
    const { waiting } = this;
    this.waiting = [];
    for (const wake of waiting) wake(null);
    this.onClose();
  }

  /** @internal Called when a client has connected. @param isPulled whether the program has got its event */
  addClient(client: ClientHandle, isPulled: boolean): void {
    if (!client.isConnected) return;
    const wake = this.waiting.shift();
    if (wake !== undefined) wake(client);
    else if (!this.closed && !isPulled) this.arrived.add(client);
  }

  /** @internal Called when a client has disconnected. */
  removeClient(client: ClientHandle): void {
    this.arrived.delete(client);
  }
}
