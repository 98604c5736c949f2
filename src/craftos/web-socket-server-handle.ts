import { Fifo } from "../engine/fifo.ts";
import type { Listener } from "../engine/listener.ts";
import type { ClientHandle } from "./client-handle.ts";
import type { ComputerQueue } from "./computer-queue.ts";
import { closedFile } from "./events.ts";
import { waitFor } from "./wait-for.ts";

/** Clients that nobody has asked for are forgotten when they have gone, but for the last of them. */
const GONE_CLIENTS = 64;

/** A WebSocket server. */
export class WebSocketServerHandle {
  /** The port that it listens on. */
  readonly port: number;
  private readonly listener: Listener;
  private readonly queue: ComputerQueue;
  /** Clients that nobody has asked for yet, and of them those that have gone. */
  private readonly arrived = new Set<ClientHandle>();
  private readonly gone = new Fifo<ClientHandle>();
  private waiting: ((client: ClientHandle | null) => void)[] = [];
  private readonly onClose: () => void;
  private closed = false;

  /** Made by `http.websocketServer`. */
  constructor(listener: Listener, queue: ComputerQueue, onClose: () => void) {
    this.listener = listener;
    this.port = listener.port;
    this.queue = queue;
    this.onClose = onClose;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /**
   * The next client, in the order in which they came; again for each.
   * @param timeout in seconds
   * @returns null after the timeout, or when the server is closed meanwhile
   * @throws Error "attempt to use a closed file" after `close`; "Terminated"
   */
  async listen(timeout?: number): Promise<ClientHandle | null> {
    if (this.closed) throw closedFile();
    for (const client of this.arrived) {
      this.arrived.delete(client);
      return client;
    }
    return waitFor(this.queue, this.waiting, timeout);
  }

  /** Accepts no more clients; those that are connected stay. A second time it does nothing. */
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

  /** @internal A client has connected. */
  arrive(client: ClientHandle): void {
    const wake = this.waiting.shift();
    if (wake !== undefined) wake(client);
    else if (!this.closed) this.arrived.add(client);
  }

  /** @internal A client has gone. */
  depart(client: ClientHandle): void {
    if (!this.arrived.has(client)) return;
    this.gone.push(client);
    const forgotten = this.gone.length > GONE_CLIENTS ? this.gone.shift() : undefined;
    if (forgotten !== undefined) this.arrived.delete(forgotten);
  }
}
