import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, type ServerOptions } from "../../src/engine/server.ts";
import { memoryClient, PATIENCE_MS, type RawClient, tcpClient, within } from "./raw-client.ts";

interface Report {
  readonly error: unknown;
  readonly where: unknown;
}

/** A server for one test, closed after it. */
export interface Harness {
  readonly server: Server;
  /** What `onError` was told. */
  readonly reports: Report[];
  /** A client in memory. */
  connect(): RawClient;
  /** Listens on 127.0.0.1 at the first call. */
  connectTcp(): Promise<RawClient>;
}

export function harness(t: TestContext, options: ServerOptions = {}): Harness {
  const reports: Report[] = [];
  const server = new Server({ onError: (error, where) => reports.push({ error, where }), ...options });
  const clients: RawClient[] = [];
  let port: Promise<number> | undefined;
  t.after(async () => {
    for (const client of clients) client.destroy();
    await within(server.close({ graceMs: 0 }), "the server to close after the test");
  });
  return {
    server,
    reports,
    connect(): RawClient {
      const client = memoryClient(server);
      clients.push(client);
      return client;
    },
    async connectTcp(): Promise<RawClient> {
      port ??= server.listen({ port: 0, host: "127.0.0.1" }).then((listener) => listener.port);
      const client = await tcpClient(await port);
      clients.push(client);
      return client;
    },
  };
}

/** A promise and its two ends. */
export interface Signal<T = void> {
  readonly promise: Promise<T>;
  give(value: T): void;
  /** The promise, for as long as a test is patient. */
  wait(what: string): Promise<T>;
}

export function signal<T = void>(): Signal<T> {
  let give: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    give = resolve;
  });
  return { promise, give: (value) => give(value), wait: (what) => within(promise, what) };
}

/** The `code` of an error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Waits for what no event tells. */
export async function eventually(
  condition: () => boolean,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still waiting for ${what} after ${ms} ms`);
    await sleep(2);
  }
}

/** Lets everything happen that is due, in memory. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export { sleep };
