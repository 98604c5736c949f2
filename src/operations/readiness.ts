import type { Server } from "../engine/server.ts";

const leaving = new WeakSet<Server>();

/** From here on the server is not ready any more, though it still answers. */
export function beginLeaving(server: Server): void {
  leaving.add(server);
}

export function isLeaving(server: Server): boolean {
  return leaving.has(server);
}
