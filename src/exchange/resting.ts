import type { ExchangeContext } from "./exchange-context.ts";
import { type DrivenRequest, ExchangeDriver } from "./exchange-driver.ts";
import { endedStream } from "./http-stream.ts";
import { answeredResponse } from "./response.ts";

/** An exchange whose connection has become a WebSocket. */
interface Upgraded {
  rest(): void;
}

/** Kept from when this was loaded: fake timers of a program's tests must not hold it. */
const { setImmediate: nextTurn } = globalThis;

let waiting: Upgraded[] = [];

/** Lets an exchange release memory in the next turn: until then the program looks at it most. */
export function restLater(exchange: Upgraded): void {
  if (waiting.push(exchange) === 1) nextTurn(restAll);
}

function restAll(): void {
  const exchanges = waiting;
  waiting = [];
  for (const exchange of exchanges) exchange.rest();
}

/** Makes the driver again of an exchange that has released it. */
export function wakenDriver<Exchange extends DrivenRequest, Upgrade>(
  exchange: Exchange,
  context: ExchangeContext<Exchange>,
): ExchangeDriver<Exchange, Upgrade> {
  return new ExchangeDriver(exchange, context, endedStream, answeredResponse);
}
