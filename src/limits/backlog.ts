import { ChurnMap } from "../bytes/churn-map.ts";
import type { EventSource, PolledQueue, QueuedEvent } from "../delivery/event-queue.ts";
import type { Limits } from "./limits.ts";
import { PAUSED_BY_QUEUE, type Pausable } from "./pausing.ts";
import { Share } from "./share.ts";

/**
 * The connections of one server that are paused because the queue is full, and the bytes they had sent by then. Only
 * connections that send data are paused. If those together hold as much as the queue, all connections are paused.
 */
export class Backlog implements EventSource {
  readonly queue: PolledQueue<QueuedEvent>;
  private readonly connections: Iterable<Pausable>;
  private readonly limits: Pick<Limits, "maxQueueBytes" | "maxQueueBytesPerSocket">;
  private readonly waiting = new ChurnMap<Pausable, number>();
  private bytes = 0;
  private isPausingAll = false;

  /**
   * @param connections all connections of the server
   * @param limits `maxQueueBytes` is how much they can hold together before all of them are paused
   */
  constructor(
    queue: PolledQueue<QueuedEvent>,
    connections: Iterable<Pausable>,
    limits: Pick<Limits, "maxQueueBytes" | "maxQueueBytesPerSocket">,
  ) {
    this.queue = queue;
    this.connections = connections;
    this.limits = limits;
    queue.addSource(this);
  }

  /** Appends an event. Pauses its connection if the queue is full, or if the connection uses too much of it. */
  push(event: QueuedEvent, connection: Pausable): void {
    connection.share ??= new Share(connection, this.limits);
    this.queue.append(event, connection.share);
    if (this.queue.isFull) this.pauseSender(connection, 0);
  }

  /** Pauses a connection that has sent data while the queue is full. */
  onInput(connection: Pausable, bytes: number): void {
    if (this.queue.isFull) this.pauseSender(connection, bytes);
  }

  /** Pauses a new connection if all others are paused. */
  onOpen(connection: Pausable): void {
    if (this.isPausingAll) this.pauseSender(connection, 0);
  }

  /** Forgets a connection that has closed. */
  onClose(connection: Pausable): void {
    this.bytes -= this.waiting.get(connection) ?? 0;
    this.waiting.delete(connection);
  }

  resumeAll(): void {
    this.isPausingAll = false;
    for (const connection of this.waiting.keys()) {
      // A resumed connection has filled it again; those that are left come first next time.
      if (this.queue.isFull) return;
      this.onClose(connection);
      connection.resumeFrom(PAUSED_BY_QUEUE);
    }
  }

  /** Called when the server has closed. */
  close(): void {
    this.queue.removeSource(this);
  }

  private pauseSender(connection: Pausable, bytes: number): void {
    connection.pauseFor(PAUSED_BY_QUEUE);
    this.waiting.set(connection, (this.waiting.get(connection) ?? 0) + bytes);
    this.bytes += bytes;
    if (this.isPausingAll || this.bytes <= this.limits.maxQueueBytes) return;
    this.isPausingAll = true;
    for (const each of this.connections) {
      each.pauseFor(PAUSED_BY_QUEUE);
      if (!this.waiting.has(each)) this.waiting.set(each, 0);
    }
  }
}
