import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Client, type ConnectionLimits, Server, type ServerOptions } from "../../src/daslang/index.ts";
import type { RawClient } from "../support/raw-client.ts";
import { sleep, turns } from "../support/waiting.ts";
import { Journal } from "./journal.ts";
import { connectPeer } from "./peer.ts";

/** A server that writes down all callbacks. */
export class RecordingServer extends Server {
  readonly journal = new Journal();

  override init(port: number): boolean {
    return this.journal.duringFailure("init", () => super.init(port));
  }
  override tick(): void {
    this.journal.during("tick", () => super.tick());
  }
  override send(data: Uint8Array | string, size?: number): boolean {
    return this.journal.duringFailure("send", () => super.send(data, size));
  }
  override onConnect(): void {
    this.journal.connect();
  }
  override onDisconnect(): void {
    this.journal.disconnect();
  }
  override onData(buf: Buffer, size: number): void {
    this.journal.data(buf, size);
  }
  override onError(msg: string, code: number): void {
    this.journal.error(msg, code);
  }
  override onLog(msg: string): void {
    this.journal.log(msg);
  }
}

/** A client that writes down all callbacks. */
export class RecordingClient extends Client {
  readonly journal = new Journal();

  override tick(): void {
    this.journal.during("tick", () => super.tick());
  }
  override send(data: Uint8Array | string, size?: number): boolean {
    return this.journal.duringFailure("send", () => super.send(data, size));
  }
  override onConnect(): void {
    this.journal.connect();
  }
  override onDisconnect(): void {
    this.journal.disconnect();
  }
  override onData(buf: Buffer, size: number): void {
    this.journal.data(buf, size);
  }
  override onError(msg: string, code: number): void {
    this.journal.error(msg, code);
  }
  override onLog(msg: string): void {
    this.journal.log(msg);
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
export async function serving(
  t: TestContext,
  options: ServerOptions = {},
): Promise<{ server: RecordingServer; peer: RawClient }> {
  const server = openServer(t, options);
  const peer = await connectPeer(t, server.port, { allowHalfOpen: true });
  await tickUntil(server, () => server.is_connected(), "the client to be accepted");
  return { server, peer };
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
  ms = 3_000,
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
