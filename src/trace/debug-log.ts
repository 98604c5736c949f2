import { debuglog } from "node:util";

/** Prints one line about a connection. */
export type DebugLog = (connection: object, text: string) => void;

/** No line is longer: a head or a message can be of any size. */
const MAX_TEXT = 512;
const numbers = new WeakMap<object, number>();
let count = 0;

/**
 * What `NODE_DEBUG=portico-http,portico-ws,portico-transport` prints to the console, one line for each head, frame and
 * change of state. Undefined where the name is not in NODE_DEBUG, which is decided when Portico is loaded: code that
 * asks `log !== undefined` costs nothing then.
 */
export const httpLog: DebugLog | undefined = logFor("portico-http");
export const webSocketLog: DebugLog | undefined = logFor("portico-ws");
export const transportLog: DebugLog | undefined = logFor("portico-transport");

function logFor(name: string): DebugLog | undefined {
  const print = debuglog(name);
  if (!print.enabled) return undefined;
  return (connection, text) => {
    const line = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
    print("#%d %s", numberOf(connection), line);
  };
}

/** Connections are numbered from 1 in the order in which they are first printed. */
function numberOf(connection: object): number {
  let number = numbers.get(connection);
  if (number === undefined) {
    number = ++count;
    numbers.set(connection, number);
  }
  return number;
}

/** Text, or bytes as UTF-8, in quotes; everything that is not visible ASCII is escaped. */
export function quoted(data: string | Uint8Array): string {
  const text = typeof data === "string" ? data : Buffer.from(data.subarray(0, MAX_TEXT)).toString();
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
