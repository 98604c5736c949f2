import type { TestContext } from "node:test";
import {
  type HttpRequest,
  HttpResponse,
  type HttpServer,
  type HttpSettings,
  start_http_server,
  Websocket,
  websocket_upgrade,
} from "../../src/facil/index.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, PATIENCE_MS, signal, within } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";

/** What `websocket_upgrade` takes. */
export type Settings = Parameters<typeof websocket_upgrade>[0];
/** What the callbacks of a WebSocket are given. */
export type Ws = Parameters<typeof Websocket.get_uuid>[0];

/** A server for one test, stopped after it. */
export interface Service {
  readonly server: HttpServer;
  readonly port: number;
  /** What `start_http_server` returned. */
  readonly stopped: Promise<void>;
  /** Stops it and waits until it has. */
  stop(ms?: number): Promise<void>;
  connect(): Promise<RawClient>;
  open(target?: string, lines?: string): Promise<WebSocketClient>;
}

/** Starts a server on a free port of 127.0.0.1 that leaves signals alone. */
export async function serve(
  t: TestContext,
  on_request: (request: HttpRequest) => unknown,
  settings: HttpSettings = {},
  udata: unknown = null,
): Promise<Service> {
  const up = signal<HttpServer>();
  const clients: RawClient[] = [];
  const stopped = start_http_server(on_request, udata, {
    port: "0",
    address: "127.0.0.1",
    signals: false,
    grace: 1,
    ...settings,
    on_init(server) {
      settings.on_init?.(server);
      up.give(server);
    },
  });
  const server = await within(Promise.race([up.promise, failure(stopped)]), "on_init");
  t.after(async () => {
    for (const client of clients) client.destroy();
    server.stop();
    await within(stopped, "the server to stop after the test", 4_000);
  });
  const connect = async (): Promise<RawClient> => {
    const client = await tcpClient(server.port);
    clients.push(client);
    return client;
  };
  return {
    server,
    port: server.port,
    stopped,
    async stop(ms) {
      server.stop();
      await within(stopped, "the server to stop", ms);
    },
    connect,
    open: async (target = "/", lines = "") => open(await connect(), target, lines),
  };
}

/** The same with a client. */
export async function serveOne(...given: Parameters<typeof serve>): Promise<Service & { client: RawClient }> {
  const service = await serve(...given);
  return { ...service, client: await service.connect() };
}

async function failure(stopped: Promise<void>): Promise<never> {
  await stopped;
  throw new Error("stopped before on_init");
}

/** Both ends of a WebSocket. */
export interface Pair {
  readonly client: WebSocketClient;
  readonly ws: Ws;
}

/** A server whose requests all become WebSockets. */
export interface Sockets extends Service {
  /** What `on_open` was given, in order. */
  readonly accepted: Ws[];
  /** What `on_close` was given, in order. */
  readonly closed: Ws[];
  /** Opens one more and waits for its `on_open`. */
  pair(lines?: string): Promise<Pair>;
}

export async function serveSockets(
  t: TestContext,
  callbacks: Partial<Settings> = {},
  settings: HttpSettings = {},
): Promise<Sockets> {
  const accepted: Ws[] = [];
  const closed: Ws[] = [];
  const service = await serve(
    t,
    (request) =>
      websocket_upgrade({
        on_message() {},
        ...callbacks,
        request,
        on_open(ws) {
          accepted.push(ws);
          return callbacks.on_open?.(ws);
        },
        on_close(ws) {
          closed.push(ws);
          return callbacks.on_close?.(ws);
        },
      }),
    settings,
  );
  return {
    ...service,
    accepted,
    closed,
    async pair(lines = "") {
      const before = accepted.length;
      const client = await service.open("/", lines);
      await eventually(() => accepted.length > before, "on_open");
      return { client, ws: accepted[before] as Ws };
    },
  };
}

/** The same with one that is open. */
export async function servePair(
  t: TestContext,
  callbacks: Partial<Settings> = {},
  settings: HttpSettings = {},
): Promise<Sockets & Pair> {
  const sockets = await serveSockets(t, callbacks, settings);
  return { ...sockets, ...(await sockets.pair()) };
}

/** Sends each message back. */
export const echo: Settings["on_message"] = (ws, data, size, is_text) =>
  void Websocket.write(ws, data, size, is_text);

/**
 * Reads what comes up to the server's close frame, answers it and hangs up, as clients do.
 * @returns the code
 */
export async function leave(client: WebSocketClient, ms: number = PATIENCE_MS): Promise<number> {
  const { code } = await client.closeFrame(ms);
  await client.raw.over();
  client.raw.end();
  return code;
}

/** A server with a client whose first request waits for an answer. */
export async function heldRequest(
  t: TestContext,
  send: (client: RawClient) => unknown = (client) => client.get("/"),
  settings: HttpSettings = {},
): Promise<Service & { client: RawClient; request: HttpRequest }> {
  const held = signal<HttpRequest>();
  const service = await serveOne(t, (request) => held.give(request), settings);
  send(service.client);
  return { ...service, request: await held.wait("the request") };
}

/** Sets a property of all WebSockets for one test. */
export function setForTest(t: TestContext, name: "max_msg_size" | "timeout", value: number): void {
  const before = Websocket[name];
  Websocket[name] = value;
  t.after(() => {
    Websocket[name] = before;
  });
}

/** Answers with a text. */
export function answer(request: HttpRequest, text: string): void {
  const response = HttpResponse.create(request);
  HttpResponse.write_body(response, text);
  HttpResponse.destroy(response);
}
