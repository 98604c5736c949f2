import { shouldFillBorrowedMemory, withLease } from "../bytes/lease.ts";
import { messageMemory } from "../bytes/message-memory.ts";
import type { Backlog } from "../limits/backlog.ts";
import type { WebSocket } from "./web-socket.ts";
import type { WebSocketDelivery, WebSocketDriver } from "./web-socket-driver.ts";
import {
  CloseEvent,
  DrainEvent,
  MessageEvent,
  OpenEvent,
  PingEvent,
  PongEvent,
  type WebSocketEvent,
} from "./web-socket-events.ts";

/** Smaller ones never lie in the memory of messages. */
const SMALL_BYTES = 4_096;

type Driver = WebSocketDriver<WebSocket>;

/** Leaves a message to the program, in memory that nobody else uses. */
function owned(data: Buffer): Buffer {
  if (data.length > SMALL_BYTES) messageMemory.disown(data);
  return data;
}

/** Handlers run when something happens. */
export class ImmediateWebSocketDelivery implements WebSocketDelivery<Driver> {
  readonly isLending = true;

  open(driver: Driver): void {
    driver.dispatchOpen();
  }

  message(driver: Driver, data: Buffer, binary: boolean, isBorrowed: boolean): void {
    if (!driver.isLending) driver.dispatchMessage(isBorrowed ? Buffer.from(data) : owned(data), binary);
    else if (data.length === 0 || (isBorrowed && !shouldFillBorrowedMemory))
      driver.dispatchMessage(data, binary);
    else withLease(data, isBorrowed ? "overwrite" : "recycle", () => driver.dispatchMessage(data, binary));
  }

  ping(driver: Driver, data: Buffer): void {
    if (driver.isLending) withLease(data, "overwrite", () => driver.dispatchPing(data));
    else driver.dispatchPing(Buffer.from(data));
  }

  pong(driver: Driver, data: Buffer): void {
    if (driver.isLending) withLease(data, "overwrite", () => driver.dispatchPong(data));
    else driver.dispatchPong(Buffer.from(data));
  }

  drain(driver: Driver): void {
    driver.dispatchDrain();
  }

  close(driver: Driver, code: number, reason: string): void {
    driver.dispatchClose(code, reason);
  }
}

/** Events wait in a queue. Their data is copied, so that it stays valid. */
export class DeferredWebSocketDelivery implements WebSocketDelivery<Driver> {
  readonly isLending = false;
  private readonly backlog: Backlog;

  constructor(backlog: Backlog) {
    this.backlog = backlog;
  }

  open(driver: Driver): void {
    this.push(new OpenEvent(driver.socket), driver);
  }

  message(driver: Driver, data: Buffer, binary: boolean, isBorrowed: boolean): void {
    const own = isBorrowed ? Buffer.from(data) : owned(data);
    if (driver.hasEnqueueHandler && !driver.enqueue(own, binary)) return;
    driver.connection.isReadDespiteFullQueue = false;
    this.push(new MessageEvent(driver.socket, own, binary), driver);
  }

  ping(driver: Driver, data: Buffer): void {
    this.push(new PingEvent(driver.socket, Buffer.from(data)), driver);
  }

  pong(driver: Driver, data: Buffer): void {
    this.push(new PongEvent(driver.socket, Buffer.from(data)), driver);
  }

  drain(driver: Driver): void {
    this.push(new DrainEvent(driver.socket), driver);
  }

  close(driver: Driver, code: number, reason: string): void {
    this.push(new CloseEvent(driver.socket, code, reason), driver);
  }

  private push(event: WebSocketEvent, driver: Driver): void {
    this.backlog.push(event, driver.connection);
  }
}
