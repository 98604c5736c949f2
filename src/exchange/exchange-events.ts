import { EVENT_BYTES, QueuedEvent } from "../delivery/event-queue.ts";
import type { Exchange } from "./exchange.ts";

/** An exchange, besides the head of its request. */
const EXCHANGE_BYTES = 1_024;
/** A connection, which an event keeps in memory after the client has disconnected. */
const CONNECTION_BYTES = 4_096;

/** What an exchange with deferred delivery has to tell. */
export type ExchangeEvent = RequestEvent | BodyEvent | AbortEvent | WritableEvent;

abstract class OneExchangeEvent extends QueuedEvent {
  readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    super();
    this.exchange = exchange;
  }

  /** @internal */
  override get isOver(): boolean {
    return this.exchange.driver.isGivenUp;
  }
}

/** A request's head is complete. */
export class RequestEvent extends OneExchangeEvent {
  readonly type = "request";

  override get cost(): number {
    return EVENT_BYTES + EXCHANGE_BYTES + this.exchange.driver.headBytes;
  }

  run(): void {
    if (!this.isOver) this.exchange.driver.context.dispatchRequest(this.exchange);
  }
}

/** A piece of its content; `last` ends the content and may come with no data. */
export class BodyEvent extends OneExchangeEvent {
  readonly type = "body";
  readonly data: Buffer;
  readonly last: boolean;

  constructor(exchange: Exchange, data: Buffer, last: boolean) {
    super(exchange);
    this.data = data;
    this.last = last;
  }

  override get cost(): number {
    return EVENT_BYTES + this.data.length;
  }

  run(): void {
    if (!this.isOver) this.exchange.driver.dispatchBody(this.data, this.last);
  }
}

/** The client disconnected before the response was complete. */
export class AbortEvent extends OneExchangeEvent {
  readonly type = "abort";

  override get cost(): number {
    return EVENT_BYTES + CONNECTION_BYTES + this.exchange.driver.headBytes;
  }

  run(): void {
    this.exchange.driver.dispatchAbort();
  }

  /** @internal */
  override get isOver(): boolean {
    return false;
  }
}

/** What the response was waiting to send has been taken. */
export class WritableEvent extends OneExchangeEvent {
  readonly type = "writable";

  run(): void {
    if (!this.isOver) this.exchange.driver.dispatchWritable();
  }
}
