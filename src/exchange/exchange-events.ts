import { EVENT_BYTES, QueuedEvent } from "../delivery/event-queue.ts";
import type { Exchange } from "./exchange.ts";

/** The size of an exchange without the head of its request. */
const EXCHANGE_BYTES = 1_024;
/** A connection, which an event keeps in memory after the client has disconnected. */
const CONNECTION_BYTES = 4_096;

/** An event of an exchange with deferred delivery. */
export type ExchangeEvent = RequestEvent | BodyEvent | AbortEvent | WritableEvent;

abstract class OneExchangeEvent extends QueuedEvent {
  readonly exchange: Exchange;

  /** @internal */
  constructor(cost: number, exchange: Exchange) {
    super(cost);
    this.exchange = exchange;
  }

  /** @internal */
  override get isOver(): boolean {
    return this.exchange.driver.isGivenUp;
  }
}

/** The head of a request is complete. */
export class RequestEvent extends OneExchangeEvent {
  readonly type = "request";

  constructor(exchange: Exchange) {
    super(EVENT_BYTES + EXCHANGE_BYTES + exchange.headBytes, exchange);
  }

  run(): void {
    if (!this.isOver) this.exchange.driver.context.dispatchRequest(this.exchange);
  }
}

/** A piece of the body. The piece with `last` ends the body and can be empty. */
export class BodyEvent extends OneExchangeEvent {
  readonly type = "body";
  readonly data: Buffer;
  readonly last: boolean;

  constructor(exchange: Exchange, data: Buffer, last: boolean) {
    super(EVENT_BYTES + data.length, exchange);
    this.data = data;
    this.last = last;
  }

  run(): void {
    if (!this.isOver) this.exchange.driver.dispatchBody(this.data, this.last);
  }
}

/** The client disconnected before the response was complete. */
export class AbortEvent extends OneExchangeEvent {
  readonly type = "abort";

  constructor(exchange: Exchange) {
    super(EVENT_BYTES + CONNECTION_BYTES + exchange.headBytes, exchange);
  }

  run(): void {
    this.exchange.driver.dispatchAbort();
  }

  /** @internal */
  override get isOver(): boolean {
    return false;
  }
}

/** All waiting data of the response has been sent. */
export class WritableEvent extends OneExchangeEvent {
  readonly type = "writable";

  constructor(exchange: Exchange) {
    super(EVENT_BYTES, exchange);
  }

  run(): void {
    if (!this.isOver) this.exchange.driver.dispatchWritable();
  }
}
