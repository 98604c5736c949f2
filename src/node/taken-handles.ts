import { createServer, type Server, type Socket } from "node:net";
import { bindNow } from "./bind.ts";
import { factsFrom, isRawHandle, type RawHandle } from "./handles.ts";
import { isTlsSocket } from "./tls-parent.ts";

/*
 * A connection needs no net.Socket: the handle below it reads, writes and closes. A listening handle passes each accepted one
 * to its property `onconnection`. Without sockets, a connection with one request takes about half of the processor time
 * (`npm run bench -- full --cells churn`), and an idle one takes less memory.
 */

/** What the classes of handles take for a connection; 1 is for a listening one. */
const FOR_A_CONNECTION = 0;

/**
 * Takes the connections of a listening server as handles. Its event "connection" no longer occurs. If this runtime's
 * handles differ from the known ones, calling this has no effect.
 * @param server already listens
 */
export function takeConnections(server: Server, accept: (handle: RawHandle) => void): void {
  const listening: unknown = Reflect.get(server, "_handle");
  if (typeof listening !== "object" || listening === null) return;
  const original: unknown = Reflect.get(listening, "onconnection");
  if (typeof original !== "function") return;
  const onConnection = function (this: unknown, status: number, handle: unknown): void {
    if (status === 0 && isRawHandle(handle) && factsFrom(handle) !== null) {
      handle.setNoDelay?.(true);
      accept(handle);
    } else Reflect.apply(original, this, [status, handle]);
  };
  Reflect.set(listening, "onconnection", onConnection);
}

/**
 * Takes the handle out of a connected TCP or Unix socket, which closes without it.
 * @param socket belongs to the caller alone; nothing waits in it to be read or written
 * @returns undefined when this socket cannot do it, and is left as it was
 */
export function takeHandle(socket: Socket): RawHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (isTlsSocket(socket) || !isRawHandle(handle) || factsFrom(handle) === null) return undefined;
  Reflect.set(socket, "_handle", null);
  socket.destroy();
  handle.readStop();
  return handle;
}

/** Whether {@link takeConnections} works here. Tried with a handle that listens at a loopback address for that moment. */
export function hasRawHandles(): boolean {
  try {
    const server = createServer();
    bindNow(server, { host: "127.0.0.1", port: 0 });
    const listening: object = Reflect.get(server, "_handle");
    const handle: unknown = Reflect.construct(listening.constructor, [FOR_A_CONNECTION]);
    server.close();
    if (!isRawHandle(handle)) return false;
    const isKnown = factsFrom(handle) !== null;
    handle.close(() => {});
    return isKnown;
  } catch {
    return false;
  }
}
