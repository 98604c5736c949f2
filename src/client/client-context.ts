import { ChurnMap, ChurnSet } from "../bytes/churn-map.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import type { EventQueue } from "../exchange/server-event.ts";
import { Backlog } from "../limits/backlog.ts";
import type { Connection } from "../limits/connection.ts";
import { Counters } from "../limits/counters.ts";
import { DeadlineTimer } from "../limits/deadline-timer.ts";
import { IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { Limits } from "../limits/limits.ts";
import { publishClose, publishError, publishOpen } from "../websocket/channels.ts";
import { type Receiver, Topics } from "../websocket/topics.ts";
import { DeferredWebSocketDelivery, ImmediateWebSocketDelivery } from "../websocket/web-socket-delivery.ts";
import type { WebSocketContext, WebSocketDelivery, WebSocketDriver } from "../websocket/web-socket-driver.ts";

/**
 * The context of a WebSocket that this side has opened. It has no server, and its events are delivered at once, or wait
 * in a queue of the program.
 */
export class ClientContext implements WebSocketContext<WebSocket> {
  readonly limits: Limits;
  readonly counters: Counters = new Counters();
  readonly timer: DeadlineTimer;
  readonly incompleteBytes: IncompleteBytes;
  readonly isPaused = false;
  readonly topics: Topics<Receiver> = new Topics();
  readonly byId: ChurnMap<string, WebSocket> = new ChurnMap();
  readonly webSocketDelivery: WebSocketDelivery<WebSocketDriver<WebSocket>>;
  private readonly connections = new ChurnSet<Connection>();
  private readonly backlog: Backlog | undefined;

  /** @param queue undefined: events are delivered at once */
  constructor(limits: Limits, queue: EventQueue | undefined) {
    this.limits = limits;
    this.backlog = queue && new Backlog(queue, this.connections, limits);
    this.webSocketDelivery =
      this.backlog === undefined
        ? new ImmediateWebSocketDelivery()
        : new DeferredWebSocketDelivery(this.backlog);
    this.timer = new DeadlineTimer(this.connections, limits);
    this.incompleteBytes = new IncompleteBytes(limits, this.counters);
  }

  onInput(connection: Connection, bytes: number): void {
    this.backlog?.onInput(connection, bytes);
  }

  onWebSocketOpen(socket: WebSocket): void {
    publishOpen(undefined, socket);
  }

  onWebSocketClose(socket: WebSocket, code: number, reason: string): void {
    publishClose(undefined, socket, code, reason);
  }

  onWebSocketAttached(connection: Connection): void {
    this.connections.add(connection);
  }

  onConnectionClosed(connection: Connection): void {
    this.connections.delete(connection);
    this.timer.forget(connection);
    this.backlog?.onClose(connection);
    this.backlog?.close();
  }

  report(error: unknown, socket: WebSocket): void {
    publishError(undefined, error, socket);
    console.error(error);
  }
}
