import { isIP, type ListenOptions, type Server } from "node:net";

const DEFAULT_BACKLOG = 511;
const IPV6_ONLY = 1;

/**
 * Begins to listen and is bound when it returns, which Node does not promise: `listen` without a host binds at once,
 * but tells an error in a later tick; with a host it first looks that up, even if it is an address. What Node has
 * below `listen` does without; where it is absent, only addresses without a host can be bound at once.
 * @param target with a literal address as host, or none. In a cluster's worker the port is not shared
 * @throws the system's error (EADDRINUSE, EACCES …) when the address cannot be bound
 */
export function bindNow(server: Server, target: ListenOptions): void {
  const { host, path, port = 0, backlog = DEFAULT_BACKLOG, ipv6Only = false } = target;
  if (path === undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`${port} is not a port: 0 to 65535`);
  }
  const setUp: unknown = Reflect.get(server, "_listen2");
  if (host !== undefined && (isIP(host) === 0 || typeof setUp !== "function")) {
    throw new TypeError(`${host} cannot be bound at once: give a literal address, such as 127.0.0.1`);
  }
  const error = errorOf(() => {
    if (host === undefined || typeof setUp !== "function") server.listen({ ...target, exclusive: true });
    else setUp.call(server, host, port, isIP(host), backlog, undefined, ipv6Only ? IPV6_ONLY : 0);
  });
  if (server.listening) return;
  // The same error comes as an event, too, when it is known already.
  server.once("error", () => {});
  throw error ?? new Error(`port ${port} cannot be bound`);
}

/** The error that a call passes to `process.nextTick` to be told later. */
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
