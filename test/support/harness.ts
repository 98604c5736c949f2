import type { TestContext } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import type { Handler } from "../../src/server/target.ts";
import { certificate } from "./certificates.ts";
import { type ResponseStream, readStream } from "./http-response.ts";
import { memoryClient, type RawClient, tcpClient, tlsClient } from "./raw-client.ts";
import { signal, turns, within } from "./waiting.ts";

export type Way = "memory" | "TCP" | "TLS";

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
  /** Listens on 127.0.0.1 where that is needed, once for each way. */
  connectOver(way: Way): Promise<RawClient>;
}

export function harness(t: TestContext, options: ServerOptions = {}): Harness {
  const reports: Report[] = [];
  const server = new Server({ onError: (error, where) => reports.push({ error, where }), ...options });
  const clients: RawClient[] = [];
  const ports = new Map<Way, Promise<number>>();
  t.after(async () => {
    for (const client of clients) client.destroy();
    await within(server.close({ graceMs: 0 }), "the server to close after the test");
  });
  const kept = (client: RawClient): RawClient => {
    clients.push(client);
    return client;
  };
  const portFor = (way: Way): Promise<number> => {
    const secure = way === "TLS" ? { tls: certificate("localhost") } : {};
    const listening = async () => (await server.listen({ port: 0, host: "127.0.0.1", ...secure })).port;
    const port = ports.get(way) ?? listening();
    ports.set(way, port);
    return port;
  };
  const connect = (): RawClient => kept(memoryClient(server));
  const connectOver = async (way: Way): Promise<RawClient> => {
    if (way === "memory") return connect();
    return kept(await (way === "TCP" ? tcpClient : tlsClient)(await portFor(way)));
  };
  return { server, reports, connect, connectTcp: () => connectOver("TCP"), connectOver };
}

/** A server that answers `GET /` with "ok", and `POST /` with the content that it gets. */
export function simpleServer(t: TestContext, options: ServerOptions = {}): Harness {
  const made = harness(t, options);
  made.server.get("/", (exchange) => exchange.end("ok"));
  made.server.post("/", async (exchange) => exchange.end(await exchange.bytes()));
  return made;
}

/** Adds a route for `/`. */
export function routed(made: Harness, method: "get" | "post", handler: Handler): Harness {
  made.server[method]("/", handler);
  return made;
}

/** Adds a route for `GET /`, for which a client in memory asks at once. */
export function asked(made: Harness, handler: Handler): Harness & { readonly client: RawClient } {
  made.server.get("/", handler);
  return { ...made, client: made.connect().get("/") };
}

/** A request that waits for its answer, and both sides of it. */
export interface Pending extends Harness {
  readonly client: RawClient;
  readonly exchange: Exchange;
}

/** A server of which a client asks for `/`, which the test answers. @param handler what else the route does */
export async function pendingRequest(
  t: TestContext,
  options: ServerOptions = {},
  handler: Handler = () => {},
  over: Way = "memory",
): Promise<Pending> {
  const come = signal<Exchange>();
  const made = routed(harness(t, options), "get", (exchange) => {
    come.give(exchange);
    return handler(exchange);
  });
  const client = (await made.connectOver(over)).get("/");
  return { ...made, client, exchange: await come.wait("the request") };
}

/** Polls a server until the test ends, where its events wait for that. */
export function keepPolling(t: TestContext, server: Server, delivery: ServerOptions["delivery"]): void {
  if (delivery !== "deferred") return;
  const timer = setInterval(() => server.poll(), 1);
  t.after(() => clearInterval(timer));
}

/** The `code` of an error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** The errors that `onError` was told. */
export function errorsOf(reports: readonly Report[]): unknown[] {
  return reports.map(({ error }) => error);
}

/** Their codes. */
export function codesOf(reports: readonly Report[]): (string | undefined)[] {
  return reports.map(({ error }) => codeOf(error));
}

/** Both ways to a server, for what may depend on them. */
export const transports: readonly (readonly [where: string, connect: (h: Harness) => Promise<RawClient>])[] =
  [
    ["in memory", async (h) => h.connect()],
    ["on a socket", (h) => h.connectTcp()],
  ];

/** One property of each of the next answers, in their order: `await nextAnswers(client, "status", "text")`. */
export async function nextAnswers(
  client: RawClient,
  ...properties: readonly ("status" | "text")[]
): Promise<(number | string)[]> {
  const values: (number | string)[] = [];
  for (const property of properties) values.push((await client.answer())[property]);
  return values;
}

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
