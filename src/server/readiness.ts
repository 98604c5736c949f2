import type { Exchange } from "../exchange/exchange.ts";

const leaving = new WeakSet<object>();

/** From here on the server is not ready any more, though it still answers. */
export function beginLeaving(server: object): void {
  leaving.add(server);
}

export function isLeaving(server: object): boolean {
  return leaving.has(server);
}

/** A client that keeps its connection can send a request in the moment in which it is closed, and lose it. */
export function closeAfter(exchange: Exchange): void {
  exchange.setHeader("Connection", "close");
}
