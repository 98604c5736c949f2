import type { TestContext } from "node:test";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { type ResponseStream, readStream } from "./http-response.ts";
import { memoryClient, type RawClient, tcpClient } from "./raw-client.ts";
import { turns, within } from "./waiting.ts";

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

/** The `code` of an error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Both ways to a server, for what may depend on them. */
export const transports: readonly (readonly [where: string, connect: (h: Harness) => Promise<RawClient>])[] =
  [
    ["in memory", async (h) => h.connect()],
    ["on a socket", (h) => h.connectTcp()],
  ];

/** The responses that have come so far. @param methods of the requests: HEAD has no content */
export function responsesOf(client: RawClient, methods: readonly string[]): ResponseStream {
  return readStream(client.received, methods, client.isOver);
}

/** The same, once so many final responses have come, or the server has ended its stream. */
export async function finalsOf(
  client: RawClient,
  methods: readonly string[],
  count: number = methods.length,
): Promise<ResponseStream> {
  const enough = (): boolean => responsesOf(client, methods).finals.length >= count;
  await client.until(() => client.isOver || enough(), "the responses");
  await turns(2);
  return responsesOf(client, methods);
}
