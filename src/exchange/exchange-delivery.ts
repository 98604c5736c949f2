import { shouldFillBorrowedMemory, withLease } from "../bytes/lease.ts";
import { ownCopy } from "../bytes/new-memory.ts";
import type { Backlog } from "../limits/backlog.ts";
import type { Pausable } from "../limits/pausing.ts";
import type { Exchange } from "./exchange.ts";
import { AbortEvent, BodyEvent, RequestEvent, WritableEvent } from "./exchange-events.ts";

/** Delivers the events of an exchange to the program: at once, or when it polls. */
export interface ExchangeDelivery {
  /** Called when a request has been routed. @param connection the connection, which can be paused */
  request(exchange: Exchange, connection: Pausable): void;
  /** Called with a piece of the body. @param data valid during the call */
  body(exchange: Exchange, data: Buffer, last: boolean, connection: Pausable): void;
  writable(exchange: Exchange, connection: Pausable): void;
  abort(exchange: Exchange, connection: Pausable): void;
}

/** Runs handlers as soon as something happens. */
export class ImmediateExchangeDelivery implements ExchangeDelivery {
  request(exchange: Exchange): void {
    exchange.driver.context.dispatchRequest(exchange);
  }

  body(exchange: Exchange, data: Buffer, last: boolean): void {
    if (shouldFillBorrowedMemory)
      withLease(data, "overwrite", () => exchange.driver.dispatchBody(data, last));
    else exchange.driver.dispatchBody(data, last);
  }

  writable(exchange: Exchange): void {
    exchange.driver.dispatchWritable();
  }

  abort(exchange: Exchange): void {
    exchange.driver.dispatchAbort();
  }
}

/** Queues events. Their data is copied, so that it stays valid. */
export class DeferredExchangeDelivery implements ExchangeDelivery {
  private readonly backlog: Backlog;

  constructor(backlog: Backlog) {
    this.backlog = backlog;
  }

  request(exchange: Exchange, connection: Pausable): void {
    this.backlog.push(new RequestEvent(exchange), connection);
    // What came while hooks waited, which are not part of the program's turn.
    const kept = exchange.hasBody ? exchange.driver.takeKeptBody() : undefined;
    if (kept === undefined) return;
    this.backlog.push(new BodyEvent(exchange, kept.data, kept.isLast), connection);
    exchange.driver.resumeBody();
  }

  body(exchange: Exchange, data: Buffer, last: boolean, connection: Pausable): void {
    this.backlog.push(new BodyEvent(exchange, ownCopy(data), last), connection);
  }

  writable(exchange: Exchange, connection: Pausable): void {
    this.backlog.push(new WritableEvent(exchange), connection);
  }

  abort(exchange: Exchange, connection: Pausable): void {
    this.backlog.push(new AbortEvent(exchange), connection);
  }
}
