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
  private arrived: ClientHandle[] = [];
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
    return this.arrived.shift() ?? waitFor(this.queue, this.waiting, timeout);
  }

  /** Accepts no more clients; those that are connected stay. A second time it does nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.listener.close();
    this.arrived = [];
    const { waiting } = this;
    this.waiting = [];
    for (const wake of waiting) wake(null);
    this.onClose();
  }

  /** @internal A client has connected. */
  arrive(client: ClientHandle): void {
    const wake = this.waiting.shift();
    if (wake !== undefined) wake(client);
    else if (!this.closed) this.arrived.push(client);
  }

  /** @internal A client has gone. */
  depart(): void {
    const gone = this.arrived.filter((client) => !client.isOpen);
    const forgotten = new Set(gone.slice(0, -GONE_CLIENTS));
    if (forgotten.size > 0) this.arrived = this.arrived.filter((client) => !forgotten.has(client));
  }
}
