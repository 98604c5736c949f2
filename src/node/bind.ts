import { createServer, isIP, type ListenOptions, type Server } from "node:net";

const DEFAULT_BACKLOG = 511;
const IPV6_ONLY = 1;
const REUSE_PORT = 2;

/** What Node's `listen` accepts; its types for Node 20 do not have the last one. */
export type BindTarget = ListenOptions & { reusePort?: boolean };

/**
 * Starts to listen and is bound when it returns, which Node does not guarantee. Node's `listen` without a host binds at
 * once, but reports an error in a later tick. With a host it first looks that up, even if it is an address. The
 * functions below `listen` do not. Other runtimes, such as Bun, do not have them, and bind an address at once.
 * @param target its `host` is an IP address or absent. In a cluster worker the port is not shared
 * @throws the system's error (EADDRINUSE, EACCES …) if the address cannot be bound
 */
export function bindNow(server: Server, target: BindTarget): void {
  const { host, path, port = 0, backlog = DEFAULT_BACKLOG, ipv6Only = false, reusePort = false } = target;
  if (path === undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`${port} is not a port. Use 0 to 65535`);
  }
  if (host !== undefined && isIP(host) === 0) {
    throw new TypeError(`${host} cannot be bound synchronously. Use an IP address such as 127.0.0.1`);
  }
  const setUp: unknown = Reflect.get(server, "_listen2");
  const flags = (ipv6Only ? IPV6_ONLY : 0) | (reusePort ? REUSE_PORT : 0);
  const error = errorOf(() => {
    if (host === undefined || typeof setUp !== "function") server.listen({ ...target, exclusive: true });
    else setUp.call(server, host, port, isIP(host), backlog, undefined, flags);
  });
  if (server.listening) return;
  // The same error comes as an event, too, when it is known already.
  server.once("error", () => {});
  // Where it is about to be bound later, it is not bound at all.
  if (error === undefined) server.close();
  throw error ?? new Error(`${path ?? `port ${port} of ${host ?? "all addresses"}`} cannot be bound at once`);
}

/** Whether {@link bindNow} can bind an address. Tried with a socket that listens at a loopback address for that moment. */
export function hasBindNow(): boolean {
  const server = createServer();
  try {
    bindNow(server, { host: "127.0.0.1", port: 0 });
    return server.listening;
  } catch {
    return false;
  } finally {
    if (server.listening) server.close();
  }
}

/** The error that a call passes to `process.nextTick` to report it later. */
function errorOf(call: () => void): Error | undefined {
  const { nextTick } = process;
  let error: Error | undefined;
  process.nextTick = (callback, ...args: unknown[]) => {
    error ??= args.find((arg) => arg instanceof Error);
    nextTick(callback, ...args);
  };
  try {
    call();
  } finally {
    process.nextTick = nextTick;
  }
  return error;
}
