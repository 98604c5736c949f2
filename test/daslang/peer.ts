import { once } from "node:events";
import type { AddressInfo, NetConnectOpts, Server, Socket } from "node:net";
import type { TestContext } from "node:test";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { within } from "../support/waiting.ts";

/** How long a test waits for something that takes a while, in milliseconds. */
export const LONG_MS = 20_000;

/** Connects, and destroys the connection after the test. */
export async function connectPeer(
  t: TestContext,
  port: number,
  options: Partial<NetConnectOpts> = {},
): Promise<RawClient> {
  const peer = await tcpClient({ port, host: "127.0.0.1", allowHalfOpen: false, ...options });
  t.after(() => peer.destroy());
  return peer;
}

/** The same several times, one after the other. */
export async function connectPeers(t: TestContext, port: number, count: number): Promise<RawClient[]> {
  const peers: RawClient[] = [];
  while (peers.length < count) peers.push(await connectPeer(t, port));
  return peers;
}

/** Listens for one test. @returns the port */
export async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await within(once(server, "listening"), "a server to listen");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
