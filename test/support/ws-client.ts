import { once } from "node:events";
import type WebSocket from "ws";

/** Resolves when the handshake of a client of the package ws is done. */
export async function opened(socket: WebSocket): Promise<WebSocket> {
  await once(socket, "open");
  return socket;
}

/** The next message, as latin1 text. */
export async function nextMessage(socket: WebSocket): Promise<{ data: string; binary: boolean }> {
  const [data, binary] = (await once(socket, "message")) as [Buffer, boolean];
  return { data: data.toString("latin1"), binary };
}
