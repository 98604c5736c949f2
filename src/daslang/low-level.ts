import type { ServerOptions } from "./limits.ts";
import { NetworkServer, type ServerInstance } from "./network-server.ts";

function present(server: NetworkServer | null): NetworkServer {
  if (server === null) throw new Error("null server");
  return server;
}

/**
 * Makes a NetworkServer, bound to an instance: it becomes the instance's `_server`, and its callbacks go there.
 * @throws Error "can't make server" when the instance has one
 */
export function make_server(instance: ServerInstance, options: ServerOptions = {}): NetworkServer {
  if (instance._server !== null) throw new Error("can't make server");
  const server = new NetworkServer(options);
  server.bind(instance);
  return server;
}

/**
 * Binds and listens; the port is open when this returns.
 * @param port 0 for any free one
 * @returns false after `onError("can't bind", errno)`
 * @throws Error "null server"
 */
export function server_init(server: NetworkServer | null, port: number): boolean {
  return present(server).init(port);
}

/**
 * Whether it listens.
 * @throws Error "null server"
 */
export function server_is_open(server: NetworkServer | null): boolean {
  return present(server).isOpen;
}

/**
 * Whether a client is connected, as of the last tick.
 * @throws Error "null server"
 */
export function server_is_connected(server: NetworkServer | null): boolean {
  return present(server).isConnected;
}

/**
 * Runs the callbacks of what has happened; see `Server.tick`. Does nothing while it is bound to no instance.
 * @throws Error "null server", and whatever a callback throws
 */
export function server_tick(server: NetworkServer | null): void {
  present(server).tick();
}

/**
 * Sends to the client; see `Server.send`.
 * @throws Error "null server"
 */
export function server_send(server: NetworkServer | null, data: Uint8Array | string, size?: number): boolean {
  return present(server).send(data, size);
}

/**
 * Binds it to another instance, of any class: callbacks go there from now on, and the old instance has none.
 * @throws Error "null server", and when the instance has another server that listens or serves
 */
export function server_restore(server: NetworkServer | null, instance: ServerInstance): void {
  present(server).bind(instance);
}

/**
 * Closes it, as the original does when the last reference goes; see `Server.close`.
 * @throws Error "null server"
 */
export function server_close(server: NetworkServer | null): void {
  present(server).close();
}
