import assert from "node:assert/strict";
import type { NetConnectOpts } from "node:net";
import type { TestContext } from "node:test";
import {
  Client,
  type ConnectionLimits,
  type NetworkServerHolder,
  Server,
  type ServerOptions,
} from "../../src/daslang/index.ts";
import type { RawClient } from "../support/raw-client.ts";
import { PATIENCE_MS, sleep, turns } from "../support/waiting.ts";
import { Journal } from "./journal.ts";
import { connectPeer } from "./peer.ts";

/** Has a journal write down all callbacks. */
function journalOf(told: Server | Client): Journal {
  const journal = new Journal();
  told.onConnect = () => journal.connect();
  told.onDisconnect = () => journal.disconnect();
  told.onData = (buf, size) => journal.data(buf, size);
  told.onError = (msg, code) => journal.error(msg, code);
  told.onLog = (msg) => journal.log(msg);
  return journal;
}

/** A server that writes down all callbacks. */
export class RecordingServer extends Server {
  readonly journal = journalOf(this);

  override init(port: number): boolean {
    return this.journal.duringFailure("init", () => super.init(port));
  }
  override tick(): void {
    this.journal.during("tick", () => super.tick());
  }
  override send(data: Uint8Array | string, size?: number): boolean {
    return this.journal.duringFailure("send", () => super.send(data, size));
  }
}

/** A client that writes down all callbacks. */
export class RecordingClient extends Client {
  readonly journal = journalOf(this);

  override tick(): void {
    this.journal.during("tick", () => super.tick());
  }
  override send(data: Uint8Array | string, size?: number): boolean {
    return this.journal.duringFailure("send", () => super.send(data, size));
  }
}

/** Something that a loop ticks. */
export interface Ticked {
  tick(): void;
}

/** An instance for one test, without a NetworkServer; closed after it, and its callbacks checked. */
export function newInstance(t: TestContext, options: ServerOptions = {}): RecordingServer {
  const server = new RecordingServer({ host: "127.0.0.1", ...options });
  t.after(() => {
    server.close();
    server.journal.verify();
  });
  return server;
}

/** A server for one test, not listening. */
export function newServer(t: TestContext, options: ServerOptions = {}): RecordingServer {
  const server = newInstance(t, options);
  server.make_server_adapter();
  return server;
}

/** A server for one test that listens on a free port. */
export function openServer(t: TestContext, options: ServerOptions = {}): RecordingServer {
  const server = newServer(t, options);
  assert.equal(server.init(0), true);
  return server;
}

/** A server with a client that it has accepted. */
export async function serving(t: TestContext, options: ServerOptions = {}) {
  const server = openServer(t, options);
  return { server, peer: await accepted(t, server, { allowHalfOpen: true }) };
}

/** Connects, and ticks until the server has accepted it. */
export async function accepted(
  t: TestContext,
  server: Server,
  options: Partial<NetConnectOpts> = {},
): Promise<RawClient> {
  const peer = await connectPeer(t, server.port, options);
  await tickUntil(server, () => server.is_connected(), "the client to be accepted");
  return peer;
}

/** What a server has, moved into a holder. */
export function saved(server: Server): NetworkServerHolder {
  const orphan: NetworkServerHolder = { current: null };
  server.save(orphan);
  return orphan;
}

/** The same, moved into a new instance. */
export function restored(t: TestContext, orphan: NetworkServerHolder): RecordingServer {
  const server = newInstance(t);
  server.restore(orphan);
  return server;
}

/** A client for one test; disconnected after it, and its callbacks checked. */
export function newClient(t: TestContext, options: ConnectionLimits = {}): RecordingClient {
  const client = new RecordingClient(options);
  t.after(() => {
    client.disconnect();
    client.journal.verify();
  });
  return client;
}

/** The program's loop: ticks until something has happened. */
export async function tickUntil(
  ticked: Ticked | readonly Ticked[],
  condition: () => boolean,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<void> {
  const all = "tick" in ticked ? [ticked] : ticked;
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still ticking for ${what} after ${ms} ms`);
    for (const one of all) one.tick();
    if (!condition()) await sleep(1);
  }
}

/** Ticks a few times, with time for events between. */
export async function tickOn(ticked: Ticked, count = 5): Promise<void> {
  for (let i = 0; i < count; i++) {
    ticked.tick();
    await turns(3);
  }
}

/** Time in which what the peers have done arrives, although the program ticks nothing and sees nothing. */
export async function settle(): Promise<void> {
  await turns(20);
  await sleep(20);
  await turns(5);
}

/** The same, once the system has taken what a client has sent. */
export async function arrived(client: RawClient): Promise<void> {
  await client.sent();
  await settle();
}
