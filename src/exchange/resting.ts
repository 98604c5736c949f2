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
