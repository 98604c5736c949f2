import { callHandler, isThenable } from "../delivery/call-handler.ts";
import { PorticoError } from "../exchange/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Counters } from "../limits/counters.ts";
import { answerWith } from "./handler-result.ts";
import type { Handler } from "./target.ts";

/** The listener of handler calls: their server. */
export interface HandlerHost {
  readonly counters: Counters;
  onHandlerError(error: unknown, exchange: Exchange): void;
  report(error: unknown, where: Exchange): void;
}

/** Calls the handlers of routes, and answers with what they return. */
export class HandlerCalls {
  private readonly host: HandlerHost;
  /** Routes of which it has been reported that they answer and return an answer as well. */
  private readonly answeredTwice = new WeakSet<object>();

  constructor(host: HandlerHost) {
    this.host = host;
  }

  /** @throws what the handler throws, and what {@link answerWith} throws */
  call(handler: Handler, exchange: Exchange): void {
    const result: unknown = handler(exchange);
    // Most have called `end`, which returns true.
    if (result === undefined || (result === true && exchange.headSent)) return;
    if (isThenable(result)) this.await(exchange, result);
    else this.take(exchange, result);
  }

  private await(exchange: Exchange, result: PromiseLike<unknown>): void {
    result.then(
      (value) => {
        if (value !== undefined) this.take(exchange, value);
        else if (!exchange.driver.isAnswered) {
          const error = new PorticoError("ERR_NO_ANSWER", `${exchange.method} ${exchange.route}`);
          this.host.onHandlerError(error, exchange);
        }
      },
      (error: unknown) => this.host.onHandlerError(error, exchange),
    );
  }

  private take(exchange: Exchange, result: unknown): void {
    callHandler(
      () => answerWith(exchange, result),
      (error) => {
        if (error instanceof PorticoError && error.code === "ERR_ANSWERED") this.reportOnce(error, exchange);
        else this.host.onHandlerError(error, exchange);
      },
    );
  }

  /** A mistake of the program that does no harm. */
  private reportOnce(error: PorticoError, exchange: Exchange): void {
    const { host } = this;
    const route = exchange.matched?.route;
    if (route === undefined || this.answeredTwice.has(route)) return;
    this.answeredTwice.add(route);
    host.counters.countError(error.code);
    host.report(error, exchange);
  }
}
