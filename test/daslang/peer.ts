import type { NetConnectOpts } from "node:net";
import type { TestContext } from "node:test";
import { type RawClient, tcpClient } from "../support/raw-client.ts";

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
