import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  make_server,
  type NetworkServer,
  Server,
  type ServerOptions,
  server_close,
  server_init,
  server_is_connected,
  server_is_open,
  server_restore,
  server_send,
  server_tick,
} from "../../src/daslang/index.ts";
import type { Journal } from "./journal.ts";
import { ACCEPTED, CLOSED } from "./journal.ts";
import { connectPeer } from "./peer.ts";
import { arrived, newServer, RecordingServer, settle, tickUntil } from "./recorder.ts";

/** A NetworkServer, the instance that it tells, and a loop for it. */
class LowLevel {
  readonly instance = new RecordingServer();
  readonly journal: Journal = this.instance.journal;
  readonly server: NetworkServer;

  constructor(t: TestContext, options: ServerOptions = {}) {
    this.server = make_server(this.instance, { host: "127.0.0.1", ...options });
    t.after(() => {
      server_close(this.server);
      this.journal.verify();
    });
  }

  tick(): void {
    this.journal.during("server_tick", () => server_tick(this.server));
  }
  init(port: number): boolean {
    return this.journal.duringFailure("server_init", () => server_init(this.server, port));
  }
  send(data: Uint8Array | string, size?: number): boolean {
    return this.journal.duringFailure("server_send", () => server_send(this.server, data, size));
  }
}

describe("low level", () => {
  it("make_server(instance) binds a NetworkServer to the instance, which is told of everything", async (t) => {
    const low = new LowLevel(t);
    assert.equal(server_is_open(low.server), false);
    assert.equal(low.init(0), true);
    assert.equal(server_is_open(low.server), true);
    const peer = await connectPeer(t, low.server.port);
    await settle();
    assert.equal(server_is_connected(low.server), false);
    assert.equal(low.journal.length, 0);
    await tickUntil(low, () => server_is_connected(low.server), "the client");
    await peer.send("hello").sent();
    await tickUntil(low, () => low.journal.text === "hello", "the data");
    assert.equal(low.send("answered"), true);
    assert.equal(low.send(Buffer.from(" and counted"), 4), true);
    await peer.until(() => peer.text === "answered and", "the answer");
    await peer.end().sent();
    await tickUntil(low, () => !server_is_connected(low.server), "the close");
    assert.deepEqual(low.journal.story, [...ACCEPTED, "data hello", ...CLOSED]);
    assert.equal(server_is_open(low.server), true);
  });

  it("make_server: an instance can be bound once", (t) => {
    const low = new LowLevel(t);
    assert.throws(() => make_server(low.instance), { message: "can't make server" });
    assert.throws(() => low.instance.make_server_adapter(), { message: "can't make server" });
    const other = newServer(t);
    assert.throws(() => make_server(other), { message: "can't make server" });
  });

  it("make_server takes options", async (t) => {
    const low = new LowLevel(t, { maxTickBytes: 3 });
    assert.equal(low.init(0), true);
    const peer = await connectPeer(t, low.server.port);
    await tickUntil(low, () => server_is_connected(low.server), "the client");
    await arrived(peer.send("abcdef"));
    low.tick();
    assert.equal(low.journal.text, "abc");
  });

  it('server_init: on failure onError("can\'t bind", errno) and false; server_is_open is false then', async (t) => {
    const taken = newServer(t);
    assert.equal(taken.init(0), true);
    const low = new LowLevel(t);
    assert.equal(low.init(taken.port), false);
    assert.deepEqual(low.journal.story, ["error can't bind EADDRINUSE"]);
    assert.equal(server_is_open(low.server), false);
  });

  it("server_send: not connected", (t) => {
    const low = new LowLevel(t);
    assert.equal(low.send("x"), false);
    assert.deepEqual(low.journal.story, ["error can't send, not connected -1"]);
  });

  it("server_restore binds the callbacks to another instance", async (t) => {
    const low = new LowLevel(t);
    assert.equal(low.init(0), true);
    const peer = await connectPeer(t, low.server.port);
    await tickUntil(low, () => server_is_connected(low.server), "the client");
    await arrived(peer.send("unread"));
    const other = new RecordingServer();
    server_restore(low.server, other);
    assert.equal(other.journal.length, 0);
    assert.equal(other._server, low.server);
    assert.equal(low.instance._server, null, "it belongs to one instance at a time");
    assert.equal(server_is_connected(low.server), true);
    low.journal.clear();
    const loop = {
      tick: (): void => other.journal.during("server_tick", () => server_tick(low.server)),
    };
    await tickUntil(loop, () => other.journal.text === "unread", "the data");
    await peer.end().sent();
    await tickUntil(loop, () => other.journal.has("disconnect"), "the close");
    assert.equal(low.journal.length, 0, "the first instance is told nothing");
    other.journal.verify();
  });

  const calls: [name: string, call: () => unknown][] = [
    ["server_init", () => server_init(null, 0)],
    ["server_is_open", () => server_is_open(null)],
    ["server_is_connected", () => server_is_connected(null)],
    ["server_tick", () => server_tick(null)],
    ["server_send", () => server_send(null, "x")],
    ["server_send with a size", () => server_send(null, Buffer.from("x"), 1)],
    ["server_close", () => server_close(null)],
    ["server_restore", () => server_restore(null, new Server())],
  ];
  for (const [name, call] of calls) {
    it(`${name}, with the NetworkServer as first argument; null: error "null server"`, () => {
      assert.throws(call, (error) => error instanceof Error && error.message === "null server");
    });
  }
});
