import { createServer, type Server } from "node:net";
import { bindNow } from "./bind.ts";

/**
 * Returns the descriptor of a listening socket, at which other threads of this process can listen, too. Node does not
 * document it: it is a property of the server's handle.
 * @returns -1 if it is not known (Windows)
 */
export function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return typeof fd === "number" ? fd : -1;
}

/** Whether {@link descriptorOf} works here. Tried with a socket that listens at a loopback address for that moment. */
export function hasListeningDescriptor(): boolean {
  try {
    const server = createServer();
    bindNow(server, { host: "127.0.0.1", port: 0 });
    const fd = descriptorOf(server);
    server.close();
    return fd >= 0;
  } catch {
    return false;
  }
}
