import type { ServerOptions } from "./limits.ts";
import { NetworkServer, type ServerInstance } from "./network-server.ts";

function present(server: NetworkServer | null): NetworkServer {
  if (server === null) throw new Error("null server");
  return server;
}

/**
 * Creates a NetworkServer for an instance. It becomes the instance's `_server` and calls its callbacks.
 * @throws Error "can't make server" if the instance already has one
 */
export function make_server(instance: ServerInstance, options: ServerOptions = {}): NetworkServer {
  if (instance._server !== null) throw new Error("can't make server");
  const server = new NetworkServer(options);
  server.bind(instance);
  return server;
}

/**
 * Binds and listens; the port is open when this returns.
 * @param port 0 for any free port
 * @returns false after `onError("can't bind", errno)`
 * @throws Error "null server"
 */
export function server_init(server: NetworkServer | null, port: number): boolean {
  return present(server).init(port);
}

/**
 * Returns whether it listens.
 * @throws Error "null server"
 */
export function server_is_open(server: NetworkServer | null): boolean {
  return present(server).isOpen;
}

/**
 * Returns whether a client is connected, as of the last tick.
 * @throws Error "null server"
 */
export function server_is_connected(server: NetworkServer | null): boolean {
  return present(server).isConnected;
}

/**
 * Runs the callbacks; see `Server.tick`. Does nothing while it belongs to no instance.
 * @throws Error "null server", and the error of a callback
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
 * Gives it to another instance, of any class. It calls that instance's callbacks from now on, and no longer those of
 * the old one.
 * @throws Error "null server", and if the instance has another server that listens or serves
 */
export function server_restore(server: NetworkServer | null, instance: ServerInstance): void {
  present(server).bind(instance);
}

/**
 * Closes it; see `Server.close`. The original does so when the last reference is released.
 * @throws Error "null server"
 */
export function server_close(server: NetworkServer | null): void {
  present(server).close();
}
