import { EVENT_BYTES, QueuedEvent } from "../delivery/event-queue.ts";
import type { WebSocket } from "./web-socket.ts";

/**
 * The size of a connection without the head of its request. An event keeps it in memory after the client has
 * disconnected.
 */
const CONNECTION_BYTES = 4_096;

/** The length of the head of its request, which stays in memory, too. */
function requestBytes({ request }: WebSocket): number {
  return typeof request === "object" && request !== null && "headBytes" in request
    ? Number(request.headBytes)
    : 0;
}

/** An event of a WebSocket with deferred delivery. */
export type WebSocketEvent<Socket extends WebSocket = WebSocket> =
  | OpenEvent<Socket>
  | MessageEvent<Socket>
  | PingEvent<Socket>
  | PongEvent<Socket>
  | DrainEvent<Socket>
  | CloseEvent<Socket>;

abstract class SocketEvent<Socket extends WebSocket> extends QueuedEvent {
  readonly socket: Socket;

  /** @internal */
  constructor(cost: number, socket: Socket) {
    super(cost);
    this.socket = socket;
  }

  /** @internal */
  override get isOver(): boolean {
    return this.socket.driver.isEndedByProgram;
  }
}

abstract class DataEvent<Socket extends WebSocket> extends SocketEvent<Socket> {
  readonly data: Buffer;

  constructor(socket: Socket, data: Buffer) {
    super(EVENT_BYTES + data.length, socket);
    this.data = data;
  }
}

export class OpenEvent<Socket extends WebSocket = WebSocket> extends SocketEvent<Socket> {
  readonly type = "open";

  constructor(socket: Socket) {
    super(EVENT_BYTES + CONNECTION_BYTES + requestBytes(socket), socket);
  }

  run(): void {
    if (!this.isOver) this.socket.driver.dispatchOpen();
  }

  /** @internal From now on messages are reported when they come. */
  override onShift(): void {
    this.socket.driver.isReportingMessages = true;
  }
}

export class MessageEvent<Socket extends WebSocket = WebSocket> extends DataEvent<Socket> {
  readonly type = "message";
  readonly binary: boolean;

  constructor(socket: Socket, data: Buffer, binary: boolean) {
    super(socket, data);
    this.binary = binary;
  }

  run(): void {
    if (!this.isOver) this.socket.driver.dispatchMessage(this.data, this.binary);
  }
}

export class PingEvent<Socket extends WebSocket = WebSocket> extends DataEvent<Socket> {
  readonly type = "ping";

  run(): void {
    if (!this.isOver) this.socket.driver.dispatchPing(this.data);
  }
}

export class PongEvent<Socket extends WebSocket = WebSocket> extends DataEvent<Socket> {
  readonly type = "pong";

  run(): void {
    if (!this.isOver) this.socket.driver.dispatchPong(this.data);
  }
}

export class DrainEvent<Socket extends WebSocket = WebSocket> extends SocketEvent<Socket> {
  readonly type = "drain";

  constructor(socket: Socket) {
    super(EVENT_BYTES, socket);
  }

  run(): void {
    if (!this.isOver) this.socket.driver.dispatchDrain();
  }
}

export class CloseEvent<Socket extends WebSocket = WebSocket> extends SocketEvent<Socket> {
  readonly type = "close";
  readonly code: number;
  readonly reason: string;

  constructor(socket: Socket, code: number, reason: string) {
    super(EVENT_BYTES + CONNECTION_BYTES + requestBytes(socket), socket);
    this.code = code;
    this.reason = reason;
  }

  run(): void {
    this.socket.driver.dispatchClose(this.code, this.reason);
  }

  /** @internal */
  override get isOver(): boolean {
    return false;
  }
}
