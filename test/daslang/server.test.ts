import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Server } from "../../src/daslang/index.ts";
import { takenPort } from "../support/places.ts";
import { connectPeer } from "./peer.ts";
import {
  accepted,
  arrived,
  newInstance,
  newServer,
  openServer,
  serving,
  settle,
  tickOn,
  tickUntil,
} from "./recorder.ts";

/** Has a server listen, after it has sent something to nobody. */
function opened(t: TestContext, server: Server): void {
  t.after(() => server.close());
  server.make_server_adapter();
  assert.equal(server.send("nobody is there"), false);
  assert.equal(server.init(0), true);
}

describe("class Server", () => {
  it("has the field _server, which is null at first", () => {
    assert.equal(new Server()._server, null);
  });

  it("all callbacks are optional: a server that overrides none serves", async (t) => {
    const server = new Server({ host: "127.0.0.1" });
    opened(t, server);
    const peer = await accepted(t, server);
    await arrived(peer.send("unheard"));
    server.tick();
    assert.equal(server.send("heard"), true);
    await peer.until(() => peer.text === "heard", "what the server sent");
    peer.reset();
    await tickUntil(server, () => !server.is_connected(), "the client to be gone");
  });

  it("a subclass overrides onConnect, onDisconnect, onData(buf, size), onError(msg, code) and onLog(msg)", async (t) => {
    const calls: unknown[][] = [];
    class Own extends Server {
      override onConnect(...given: unknown[]): void {
        calls.push(["onConnect", ...given]);
      }
      override onDisconnect(...given: unknown[]): void {
        calls.push(["onDisconnect", ...given]);
      }
      override onData(buf: Buffer, size: number, ...more: unknown[]): void {
        calls.push(["onData", buf.toString(), size, ...more]);
      }
      override onError(...given: unknown[]): void {
        calls.push(["onError", ...given]);
      }
      override onLog(...given: unknown[]): void {
        calls.push(["onLog", ...given]);
      }
    }
    const server = new Own({ host: "127.0.0.1" });
    opened(t, server);
    const peer = await connectPeer(t, server.port);
    await peer.send("hello").sent();
    await tickUntil(server, () => calls.some(([name]) => name === "onData"), "the data");
    await peer.end().sent();
    await tickUntil(server, () => !server.is_connected(), "the close");
    assert.deepEqual(calls, [
      ["onError", "can't send, not connected", -1],
      ["onLog", "connection accepted"],
      ["onConnect"],
      ["onData", "hello", 5],
      ["onLog", "connection closed"],
      ["onDisconnect"],
    ]);
  });

  it("calls callbacks that are put on the instance later", async (t) => {
    const { server, peer } = await serving(t);
    const heard: string[] = [];
    server.onData = (buf) => void heard.push(buf.toString());
    await peer.send("to the new one").sent();
    await tickUntil(server, () => heard.length > 0, "the data");
    assert.deepEqual(heard, ["to the new one"]);
  });

  it("close gives up the listener, the client and those that wait, and calls nothing", async (t) => {
    const { server, peer } = await serving(t);
    const { port } = server;
    const waiting = await connectPeer(t, port);
    await settle();
    server.journal.clear();
    server.close();
    assert.deepEqual([server.is_open(), server.is_connected(), server.port], [false, false, 0]);
    await peer.over("the client's end");
    await waiting.over("the end of the one that waits");
    await assert.rejects(connectPeer(t, port), { code: "ECONNREFUSED" });
    await tickOn(server);
    assert.ok(!server.journal.has("connect"));
    server.close();
  });
});

describe("make_server_adapter()", () => {
  it("creates the NetworkServer", (t) => {
    const server = newInstance(t);
    server.make_server_adapter();
    assert.notEqual(server._server, null);
  });

  it("binds it to this instance: its callbacks are called", async (t) => {
    const server = newInstance(t);
    server.make_server_adapter();
    const made = server._server;
    assert.equal(server.init(0), true);
    assert.equal(server._server, made);
    await connectPeer(t, server.port);
    await tickUntil(server, () => server.journal.has("connect"), "the client to be accepted");
  });

  it('an instance can be bound once ("can\'t make server" otherwise)', (t) => {
    const server = newInstance(t);
    server.make_server_adapter();
    const made = server._server;
    assert.throws(() => server.make_server_adapter(), { message: "can't make server" });
    assert.equal(server._server, made, "the first one stays");
    assert.equal(server.init(0), true);
  });

  it("does not listen and calls nothing", (t) => {
    const server = newInstance(t);
    server.make_server_adapter();
    server.tick();
    assert.equal(server.is_open(), false);
    assert.equal(server.is_connected(), false);
    assert.equal(server.journal.length, 0);
  });
});

describe("is_open()", () => {
  it("is true while it listens, with a client and without", async (t) => {
    const server = newServer(t);
    assert.equal(server.is_open(), false);
    assert.equal(server.init(0), true);
    assert.equal(server.is_open(), true);
    const peer = await accepted(t, server);
    assert.equal(server.is_open(), true);
    await peer.end().sent();
    await tickUntil(server, () => !server.is_connected(), "the client to be gone");
    assert.equal(server.is_open(), true);
  });

  it("is false after a failed init, at once and later", async (t) => {
    const port = (await takenPort(t)).port;
    const server = newServer(t);
    server.init(port);
    assert.equal(server.is_open(), false);
    assert.equal(server.port, 0);
    await settle();
    assert.equal(server.is_open(), false);
  });
});

describe("is_connected()", () => {
  it("is still true inside onDisconnect, and false afterwards, also when that throws", async (t) => {
    for (const how of ["end", "destroy"] as const) {
      const { server, peer } = await serving(t);
      const seen: boolean[] = [];
      server.journal.reactions.disconnect = () => {
        seen.push(server.is_connected());
        server.journal.reactions.disconnect = () => {};
        throw new Error("a mistake");
      };
      peer[how]();
      await settle();
      assert.throws(() => {
        for (let i = 0; i < 1_000; i++) server.tick();
      }, /a mistake/);
      assert.deepEqual(seen, [true]);
      assert.equal(server.is_connected(), false);
    }
  });

  it("is true from the tick that accepted the client to the tick that tells of its end", async (t) => {
    const server = openServer(t);
    const peer = await connectPeer(t, server.port);
    await settle();
    assert.equal(server.is_connected(), false, "not accepted before a tick");
    server.tick();
    assert.equal(server.is_connected(), true);
    await arrived(peer.end());
    assert.equal(server.is_connected(), true, "as of the last tick");
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    assert.equal(server.is_connected(), false);
  });

  it("is true as of the last tick after a reset, too", async (t) => {
    const { server, peer } = await serving(t);
    peer.reset();
    await settle();
    assert.equal(server.is_connected(), true);
    await tickUntil(server, () => server.journal.has("disconnect"), "the error");
    assert.equal(server.is_connected(), false);
  });

  it("is true in onConnect and in onDisconnect", async (t) => {
    const server = openServer(t);
    const seen: boolean[] = [];
    server.journal.reactions = {
      connect: () => void seen.push(server.is_connected()),
      disconnect: () => void seen.push(server.is_connected()),
    };
    const peer = await connectPeer(t, server.port);
    await tickUntil(server, () => seen.length === 1, "the client to be accepted");
    await peer.end().sent();
    await tickUntil(server, () => seen.length === 2, "the close");
    assert.deepEqual(seen, [true, true]);
  });
});

describe("has_session()", () => {
  it("says whether _server is not null", (t) => {
    const server = newInstance(t);
    assert.equal(server.has_session(), false);
    server.make_server_adapter();
    assert.equal(server.has_session(), true);
    const orphan = { current: null };
    server.save(orphan);
    assert.equal(server._server, null);
    assert.equal(server.has_session(), false);
    server.restore(orphan);
    assert.equal(server.has_session(), true);
  });
});
