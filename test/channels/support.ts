import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { Client, type ClientOptions, type SocketLike, type Types } from "../../src/browser/index.ts";
import { type Channels, memoryStore } from "../../src/channels/index.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { eventually } from "../support/waiting.ts";

/** Fast, so that tests need not wait. */
export const quick = {
  leaveDelayMs: 60,
  presenceTtlMs: 600,
  syncIntervalMs: 200,
} as const;

export const fastClient = { minPauseMs: 5, maxPauseMs: 40 } as const;

/** A WebSocket that knows nothing of this project, on all versions of Node. */
export function makeSocket(url: string, protocols: string[]): SocketLike {
  return new WebSocket(url, protocols) as unknown as SocketLike;
}

/** Serves channels until the end of the test. @returns the URL of the channels */
export async function serve(
  t: TestContext,
  channels: { readonly part: (server: Server) => void },
  options: ServerOptions = {},
): Promise<{ server: Server; url: string }> {
  const server = new Server({ onError: () => {}, ...options });
  server.mount(channels.part);
  const { url } = await server.listen({ host: "127.0.0.1" });
  t.after(() => server.close({ graceMs: 0 }));
  return { server, url: `${url.replace("http", "ws")}/channels` };
}

/** A client until the end of the test. */
export function clientOf<App extends Types = Types>(
  t: TestContext,
  url: string,
  options: ClientOptions = {},
): Client<App> {
  const client = new Client<App>(url, { makeSocket, ...fastClient, ...options });
  t.after(() => client.close());
  return client;
}

/** Waits until a list is what it should be. */
export async function becomes<T>(list: () => T, wanted: T, what: string): Promise<void> {
  const text = JSON.stringify(wanted);
  await eventually(() => JSON.stringify(list()) === text, `${what}: ${text}, but it is now`).catch(
    (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(list())}`);
    },
  );
}

export { type Channels, memoryStore };
