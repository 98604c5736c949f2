import { PAUSED_BY_TURN, type Pausable } from "./pausing.ts";

/**
 * How many steps of work a connection does before it lets the others go first: signals of its reader, KiB of its input
 * and of its messages (4 KiB where a WebSocket has only to unmask them). In all one or two milliseconds. libuv reads up
 * to 2 MiB of one client in one turn of the event loop. With the smallest requests, messages or fragments that would
 * delay all others by 100 to 200 ms.
 */
export const TURN_STEPS = 1_024;

/** In place of what a reader has found: the connection has done its share of work. */
export const TURN_IS_OVER = -1;

/** Kept from when this was loaded: fake timers of a program's tests must not hold its connections. */
const { setImmediate: nextTurn } = globalThis;

/** After so long the connections that still wait leave the event loop to others, and continue in its next turn. */
const SHARE_MS = 5;

let waiting: Pausable[] = [];

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve);
  });
}

/** Continues with a connection when the others have had their turn. */
export function waitForTurn(connection: Pausable): void {
  connection.pauseFor(PAUSED_BY_TURN);
  if (waiting.push(connection) === 1) nextTurn(beginTurn);
}

function beginTurn(): void {
  const connections = waiting;
  waiting = [];
  const end = performance.now() + SHARE_MS;
  let served = 0;
  for (const connection of connections) {
    if (performance.now() > end) break;
    served++;
    connection.resumeFrom(PAUSED_BY_TURN);
  }
  if (served === connections.length) return;
  // Those that wait again have been asked for a turn by now.
  if (waiting.length === 0) nextTurn(beginTurn);
  waiting = [...connections.slice(served), ...waiting];
}
