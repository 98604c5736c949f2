import { channel } from "node:diagnostics_channel";

const open = channel("portico:websocket:open");
const close = channel("portico:websocket:close");
const failure = channel("portico:error");

/** @param server undefined for a WebSocket that this side has opened */
export function publishOpen(server: object | undefined, socket: object): void {
  if (open.hasSubscribers) open.publish({ server, socket });
}

/** @param server undefined for a WebSocket that this side has opened */
export function publishClose(server: object | undefined, socket: object, code: number, reason: string): void {
  if (close.hasSubscribers) close.publish({ server, socket, code, reason });
}

/**
 * Publishes an error that is not the other side's.
 * @param where the exchange or WebSocket whose handler it left
 */
export function publishError(server: object | undefined, error: unknown, where: object | undefined): void {
  if (failure.hasSubscribers) failure.publish({ server, error, where });
}
