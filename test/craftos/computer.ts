import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import { Agent } from "undici";
import { createHttp, type Http } from "../../src/craftos/index.ts";
import { type Ask, ask, type Reply } from "../support/ask.ts";
import { codeOf } from "../support/harness.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, sleep, within } from "../support/waiting.ts";
import { type Message, opened, WsClient } from "../support/ws-client.ts";

export type Options = NonNullable<Parameters<typeof createHttp>[0]>;
export type Event = Awaited<ReturnType<Http["pullEvent"]>>;
export type RequestHandle = Parameters<Parameters<Http["listen"]>[1]>[0];
export type ResponseHandle = Parameters<Parameters<Http["listen"]>[1]>[1];
export type ServerHandle = Extract<ReturnType<Http["websocketServer"]>, { readonly port: number }>;
export type ClientHandle = NonNullable<Awaited<ReturnType<ServerHandle["listen"]>>>;

/** What a handle says that is used after its close. */
export const CLOSED = { name: "Error", message: "attempt to use a closed file" };
/** What a waiter says after a `terminate` event. */
export const TERMINATED = { name: "Error", message: "Terminated" };

/** A computer for one test and its clients; all closed after it. */
export interface Room {
  readonly http: Http;
  /** One more computer. */
  another(options?: Options): Http;
  /** Sends a request; nothing has to be awaited. */
  ask(port: number, target?: string, how?: Ask): Promise<Reply>;
  /** A client that sends and gets bytes. */
  raw(port: number): Promise<RawClient>;
  /** A WebSocket client, its handshake done. */
  client(port: number, target?: string): Promise<Client>;
}

export function room(t: TestContext, options: Options = {}): Room {
  const agent = new Agent();
  const computers: Http[] = [];
  const ends: (() => void)[] = [];
  const another = (more: Options = {}): Http => {
    const computer = createHttp({ host: "127.0.0.1", ...more });
    computers.push(computer);
    return computer;
  };
  t.after(async () => {
    for (const end of ends) end();
    await agent.destroy();
    for (const computer of computers) await within(computer.close(), "a computer to close after the test");
  });
  return {
    http: another(options),
    another,
    ask(port, target = "/", how = {}) {
      const asked = ask(port, target, { dispatcher: agent, ...how });
      const reply = within(asked, `the reply to ${target}`, 20_000);
      reply.catch(() => {});
      return reply;
    },
    async raw(port) {
      const client = await within(tcpClient(port), "a connection");
      ends.push(() => client.destroy());
      return client;
    },
    async client(port, target = "/") {
      const client = new Client(`ws://127.0.0.1:${port}${target}`, { perMessageDeflate: false });
      ends.push(() => client.socket.terminate());
      await within(opened(client.socket), "a WebSocket's handshake");
      return client;
    },
  };
}

/** A client of the package ws that keeps what comes. */
export class Client extends WsClient {
  /** Waits until the peer takes no more, and tells how many bytes are left then. */
  async stalled(): Promise<number> {
    let same = 0;
    let last = -1;
    while (same < 20) {
      await sleep(10);
      same = this.socket.bufferedAmount === last ? same + 1 : 0;
      last = this.socket.bufferedAmount;
    }
    return last;
  }
}

/** Events that one loop of pullEvent sees, until it is rejected. */
export class Recorder {
  readonly seen: Event[] = [];
  /** What ended the loop. */
  failure: unknown;

  constructor(http: Http, filter?: string) {
    const loop = async (): Promise<never> => {
      for (;;) this.seen.push(await http.pullEvent(filter));
    };
    loop().catch((error: unknown) => {
      this.failure = error;
    });
  }

  get names(): string[] {
    return this.seen.map((event) => String(event[0]));
  }

  of(name: string): Event[] {
    return this.seen.filter((event) => event[0] === name);
  }

  async until(count: number, name?: string): Promise<void> {
    const found = (): Event[] => (name === undefined ? this.seen : this.of(name));
    await eventually(() => found().length >= count, `${count} events${name === undefined ? "" : ` ${name}`}`);
  }
}

/** Adds a listener at any free port. */
export function addPort(http: Http): number {
  const before = new Set(http.ports);
  http.addListener(0);
  const port = http.ports.find((each) => !before.has(each));
  assert.ok(port !== undefined && port > 0, "ports tells the port of the new listener");
  return port;
}

/** The port of a computer that has one listener, as soon as it has it. */
export async function portOf(http: Http): Promise<number> {
  await eventually(() => http.ports.length > 0, "a listener");
  return http.ports[0]!;
}

/** Starts a WebSocket server at any free port. */
export function webSockets(http: Http, headers?: Record<string, string>): ServerHandle {
  const handle = headers === undefined ? http.websocketServer(0) : http.websocketServer(0, headers);
  assert.ok("port" in handle, `no WebSocket server: ${String(handle)}`);
  return handle;
}

/** A room with a WebSocket server. */
export function webSocketRoom(t: TestContext, options: Options = {}): Room & { server: ServerHandle } {
  const made = room(t, options);
  return { ...made, server: webSockets(made.http) };
}

/** The same with one client, its WebSocket and its handle. */
export async function joined(t: TestContext, options: Options = {}) {
  const made = webSocketRoom(t, options);
  const remote = await made.client(made.server.port);
  return { ...made, remote, socket: remote.socket, handle: await nextClient(made.server) };
}

/** A room with a listener. */
export function listeningRoom(t: TestContext, options: Options = {}): Room & { port: number } {
  const made = room(t, options);
  return { ...made, port: addPort(made.http) };
}

/** The same with a client that sends and gets bytes. */
export async function rawRoom(t: TestContext, options: Options = {}) {
  const { http, port, raw } = listeningRoom(t, options);
  return { http, port, client: await raw(port) };
}

/** A room in which `http.listen` serves, at any free port. */
export async function servingRoom(t: TestContext, callback: Parameters<Http["listen"]>[1]) {
  const made = room(t);
  const listening = made.http.listen(0, callback);
  return { ...made, listening, port: await portOf(made.http) };
}

/** The parts of an event `http_request`. */
export function requestOf(event: Event): { port: number; request: RequestHandle; response: ResponseHandle } {
  const [name, port, request, response] = event as readonly unknown[];
  assert.equal(name, "http_request");
  return { port: port as number, request: request as RequestHandle, response: response as ResponseHandle };
}

/** Pulls the next request. */
export async function pullRequest(http: Http): Promise<ReturnType<typeof requestOf>> {
  return requestOf(await within(http.pullEvent("http_request"), "a request"));
}

/** Answers with a text. */
export function answer(response: ResponseHandle, text: string): void {
  response.write(text);
  response.close();
}

/** Answers the next request with a text, which its client must get. */
export async function serves(http: Http, text: string, reply: Promise<{ text: string }>): Promise<void> {
  answer((await pullRequest(http)).response, text);
  assert.equal((await reply).text, text);
}

/** The next client of a WebSocket server. */
export async function nextClient(server: ServerHandle): Promise<ClientHandle> {
  const handle = await within(server.listen(), "a client's handle");
  assert.ok(handle !== null, "listen without a timeout gave null");
  return handle;
}

/** The next message of a client. */
export async function nextMessage(handle: ClientHandle): Promise<Message> {
  const message = await within(handle.receive(), "a message from a client");
  assert.ok(message !== null, "receive gave null");
  return [message[0], message[1]];
}

/** Pulls the next event of a name. */
export async function pulled(http: Http, name: string): Promise<readonly unknown[]> {
  return within(http.pullEvent(name), `an event ${name}`);
}

/** Whether another program could listen at a port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Whether connections to a port are refused. */
export async function isRefused(port: number): Promise<boolean> {
  try {
    (await tcpClient(port)).destroy();
    return false;
  } catch (error) {
    return codeOf(error) === "ECONNREFUSED";
  }
}
