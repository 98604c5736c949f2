import type { TestContext } from "node:test";
import {
  HttpServer,
  type WebServerMessage,
  type WebServerOptions,
  WebSocketServer,
  type WebSocketServerOptions,
} from "../../src/evo/index.ts";
import type { Answer } from "../support/http-response.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
export const POLLING = "ASYNC_POLLING_UPDATE";

/** Names of events that come in this order. */
export const LISTENING = "SERVER_STARTED_LISTENING";
export const STOPPED = "SERVER_STOPPED_LISTENING";
export const REQUEST = ["HTTP_REQUEST_STARTED", "HTTP_REQUEST_FINISHED"] as const;

/** One event as `OnEvent` saw it. */
export interface Recorded {
  readonly name: string;
  readonly payload: WebServerMessage;
  readonly id: string;
  readonly text: string;
}

/** A server whose events are written down before its handlers run. */
export class Recording<S extends HttpServer | WebSocketServer> {
  readonly server: S;
  /** All events but the polling updates. */
  readonly events: Recorded[] = [];
  /** Polling updates so far. */
  updates = 0;
  private readonly clients: RawClient[] = [];

  constructor(t: TestContext, server: S) {
    this.server = server;
    const inherited = server.OnEvent;
    server.OnEvent = (name, payload) => {
      if (payload !== undefined) {
        this.events.push({ name, payload, id: payload.clientID, text: payload.text });
      }
      inherited.call(server, name, payload);
    };
    const { ASYNC_POLLING_UPDATE } = server;
    server.ASYNC_POLLING_UPDATE = (name) => {
      this.updates++;
      ASYNC_POLLING_UPDATE.call(server, name);
    };
    t.after(() => {
      for (const client of this.clients) client.destroy();
      server.OnEvent = () => {};
      server.ASYNC_POLLING_UPDATE = () => {};
      server.StopListening();
    });
  }

  /** The names of the events in their order. */
  get names(): string[] {
    return this.events.map((event) => event.name);
  }

  /** The names and texts of one client's events, in their order. */
  of(id: string): string[] {
    return this.events.filter((event) => event.id === id).map((event) => `${event.name} ${event.text}`);
  }

  /** The texts of all events, in their order. */
  get texts(): string[] {
    return this.events.map((event) => event.text);
  }

  /** All events of that name. */
  named(name: string): Recorded[] {
    return this.events.filter((event) => event.name === name);
  }

  poll(): void {
    this.server.ProcessDeferredEvents();
  }

  /** Polls until a condition holds. */
  until(condition: () => boolean, what: string, ms?: number): Promise<void> {
    const go = (): boolean => {
      this.poll();
      return condition();
    };
    return eventually(go, what, ms);
  }

  /** Polls until the event has come for the so-and-so-many-th time. */
  async event(name: string, count = 1): Promise<Recorded> {
    const find = (): Recorded | undefined => this.named(name)[count - 1];
    await this.until(() => find() !== undefined, `${name}, ${count} times; so far ${this.names}`);
    return find()!;
  }

  /** A client on a raw socket. */
  async client(): Promise<RawClient> {
    const client = await tcpClient(this.server.port);
    this.clients.push(client);
    return client;
  }

  /** An open WebSocket. */
  async socket(target = "/", lines = ""): Promise<WebSocketClient> {
    return open(await this.client(), target, lines);
  }

  /** Waits, without a poll, until the server has read what was sent to it before. */
  async received(): Promise<void> {
    const client = await this.client();
    client.send("no request\r\n\r\n");
    await client.over("the server to refuse what is no request");
  }

  /** The same, and then polls: nothing is left that could still come. */
  async quiet(): Promise<void> {
    await this.received();
    this.poll();
  }
}

/** Options of a server that the test polls. */
export const MANUAL = { host: "127.0.0.1", pollIntervalMs: 0 } as const;

/** An `HttpServer` with a route, `/*` by default, listening on 127.0.0.1, polled by the test. */
export function httpServer(
  t: TestContext,
  options: WebServerOptions = {},
  route = "/*",
  method: Parameters<HttpServer["AddRoute"]>[1] = "ANY",
): Recording<HttpServer> {
  const recording = new Recording(t, new HttpServer({ ...MANUAL, ...options }));
  recording.server.AddRoute(route, method);
  recording.server.StartListening(0);
  return recording;
}

/** A `WebSocketServer` listening on 127.0.0.1, polled by the test. */
export function webSocketServer(
  t: TestContext,
  options: WebSocketServerOptions = {},
): Recording<WebSocketServer> {
  const recording = new Recording(t, new WebSocketServer({ ...MANUAL, ...options }));
  recording.server.StartListening(0);
  return recording;
}

/** A server of a test's own class, recorded, polled by the test and not listening. */
export function recorded<S extends HttpServer | WebSocketServer>(t: TestContext, server: S): Recording<S> {
  return new Recording(t, server);
}

/** Sends a GET and polls until it has come. */
export async function request(recording: Recording<HttpServer>, target = "/", lines = "") {
  const client = await recording.client();
  client.get(target, lines);
  return { client, id: await nextFinished(recording) };
}

/** Polls until one more request is complete, and gives its id. */
export async function nextFinished(recording: Recording<HttpServer>): Promise<string> {
  const count = recording.named("HTTP_REQUEST_FINISHED").length;
  return (await recording.event("HTTP_REQUEST_FINISHED", count + 1)).id;
}

/** Opens a WebSocket and polls until the server has told of it. */
export async function connected(recording: Recording<WebSocketServer>, lines = "") {
  const count = recording.named("WEBSOCKET_CONNECTION_ESTABLISHED").length;
  const socket = await recording.socket("/", lines);
  const { id } = await recording.event("WEBSOCKET_CONNECTION_ESTABLISHED", count + 1);
  return { socket, id };
}

/** An {@link httpServer} with a client, and what that has sent. */
export async function httpClient(t: TestContext, bytes: string | Uint8Array = "") {
  const web = httpServer(t);
  return { web, client: (await web.client()).send(bytes) };
}

/** A {@link webSocketServer} with an open WebSocket, of which no poll has told. */
export async function socketServer(t: TestContext) {
  const web = webSocketServer(t);
  return { web, socket: await web.socket() };
}

/** An {@link httpServer} that has got a GET. */
export async function requested(t: TestContext, target = "/", lines = "") {
  const web = httpServer(t);
  return { web, ...(await request(web, target, lines)) };
}

/** A {@link webSocketServer} with an open WebSocket. */
export async function connectedServer(t: TestContext, lines = "") {
  const web = webSocketServer(t);
  return { web, ...(await connected(web, lines)) };
}

/** Ends the response with a body. @returns what the client got */
export function respond(
  web: Recording<HttpServer>,
  client: RawClient,
  id: string,
  body: string | Buffer = "",
): Promise<Answer> {
  web.server.SendResponse(id, body);
  return client.answer();
}
