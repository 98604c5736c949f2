import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Server } from "../../src/daslang/index.ts";
import { pattern } from "../support/bytes.ts";
import { ACCEPTED, CLOSED, RESET } from "./journal.ts";
import { connectPeer } from "./peer.ts";
import { arrived, newServer, openServer, serving, settle, tickOn, tickUntil } from "./recorder.ts";

describe("tick()", () => {
  it("nothing happens between two ticks as far as the program can see", async (t) => {
    const server = openServer(t);
    const { journal } = server;
    const first = await connectPeer(t, server.port);
    await settle();
    assert.equal(journal.length, 0, "a connect");
    await tickUntil(server, () => server.is_connected(), "the first client");
    let told = journal.length;

    await first.send("data").sent();
    const second = await connectPeer(t, server.port);
    await arrived(second.send("data of one that waits"));
    assert.equal(journal.length, told, "data, and a connect while one is served");
    await tickUntil(server, () => journal.text === "data", "the data");
    told = journal.length;

    await arrived(first.end());
    assert.equal(journal.length, told, "a close");
    await tickUntil(server, () => journal.count("connect") === 2, "the second client");
    await tickUntil(server, () => journal.text.endsWith("waits"), "its data");
    told = journal.length;

    second.reset();
    await settle();
    assert.equal(journal.length, told, "a reset");
    await tickUntil(server, () => journal.count("disconnect") === 2, "the reset");
    assert.deepEqual(journal.outside, []);
  });

  it("does nothing with no session", () => {
    const server = new Server();
    assert.equal(server.tick(), undefined);
    assert.equal(server.has_session(), false);
  });

  it("does nothing when nothing has happened", async (t) => {
    const { server } = await serving(t);
    const told = server.journal.length;
    await tickOn(server);
    assert.equal(server.journal.length, told);
  });

  it('when no client: accepts at most one, onLog("connection accepted"), onConnect()', async (t) => {
    const server = openServer(t);
    for (let i = 0; i < 3; i++) await connectPeer(t, server.port);
    await settle();
    server.tick();
    assert.deepEqual(server.journal.story, ACCEPTED);
    await tickOn(server);
    assert.equal(server.journal.count("connect"), 1, "one is served at a time");
  });

  it("delivers what has arrived, in order, in one tick by default", async (t) => {
    const { server, peer } = await serving(t);
    const sent = pattern(100_000);
    for (let at = 0; at < sent.length; at += 10_000) await arrived(peer.send(sent.subarray(at, at + 10_000)));
    server.tick();
    assert.ok(server.journal.bytes.equals(sent), `${server.journal.bytes.length} B of ${sent.length}`);
  });

  it("delivers what came before the client was accepted", async (t) => {
    const server = openServer(t);
    const peer = await connectPeer(t, server.port);
    await arrived(peer.send("early"));
    await tickUntil(server, () => server.journal.text === "early", "the data");
    assert.deepEqual(server.journal.story, [...ACCEPTED, "data early"]);
  });

  it("delivers up to a byte budget in one tick (maxTickBytes)", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 1_000 });
    const sent = pattern(3_500);
    await arrived(peer.send(sent));
    const sizes: number[] = [];
    for (let i = 0; i < 5; i++) {
      const before = server.journal.bytes.length;
      server.tick();
      sizes.push(server.journal.bytes.length - before);
    }
    assert.deepEqual(sizes, [1_000, 1_000, 1_000, 500, 0]);
    assert.ok(server.journal.bytes.equals(sent));
  });

  it("the budget is 1 MiB by default", async (t) => {
    const { server, peer } = await serving(t, { maxReceiveBytes: 4 * 1_048_576 });
    await arrived(peer.send(pattern(1_048_576 + 50_000)));
    server.tick();
    assert.equal(server.journal.bytes.length, 1_048_576);
    server.tick();
    assert.ok(server.journal.bytes.equals(pattern(1_048_576 + 50_000)));
  });

  it("delivers at most maxDataBytes in one onData", async (t) => {
    const { server, peer } = await serving(t, { maxDataBytes: 1_024 });
    await arrived(peer.send(pattern(2_500)));
    server.tick();
    assert.deepEqual(server.journal.sizes, [1_024, 1_024, 452]);
    assert.ok(server.journal.bytes.equals(pattern(2_500)));
  });

  it("can do as the original: at most 1,024 bytes per tick", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 1_024, maxDataBytes: 1_024 });
    await arrived(peer.send(pattern(2_500)));
    for (let i = 0; i < 3; i++) {
      server.tick();
      assert.equal(server.journal.pieces.length, i + 1);
    }
    assert.deepEqual(server.journal.sizes, [1_024, 1_024, 452]);
    assert.ok(server.journal.bytes.equals(pattern(2_500)));
  });

  it("the budget holds for what comes in many small pieces, too", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 10 });
    for (let i = 0; i < 8; i++) {
      await arrived(peer.send(`${i}${i}${i}`));
    }
    const pieces: string[] = [];
    for (let i = 0; i < 3; i++) {
      const before = server.journal.text.length;
      server.tick();
      pieces.push(server.journal.text.slice(before));
    }
    assert.deepEqual(pieces, ["0001112223", "3344455566", "6777"]);
  });

  it("buf is the program's own to keep and to change", async (t) => {
    const { server, peer } = await serving(t, { maxDataBytes: 5 });
    await peer.send("first").sent();
    await tickUntil(server, () => server.journal.text === "first", "the data");
    await arrived(peer.send("aaaaabbbbb"));
    server.journal.reactions.data = (buf) => void buf.fill("x", 0, 1);
    server.tick();
    assert.deepEqual(server.journal.pieces.map(String), ["first", "xaaaa", "xbbbb"]);
    await arrived(peer.send("ccccc".repeat(1_000)));
    server.tick();
    assert.deepEqual(server.journal.pieces.slice(0, 4).map(String), ["first", "xaaaa", "xbbbb", "xcccc"]);
  });

  it('then a close: onLog("connection closed"), onDisconnect()', async (t) => {
    const { server, peer } = await serving(t);
    server.journal.clear();
    await arrived(peer.send("last words").end());
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    assert.deepEqual(server.journal.story, ["data last words", ...CLOSED]);
    await peer.until(() => peer.ended, "the server's end of the connection");
    await tickOn(server);
    assert.equal(server.journal.count("disconnect"), 1);
  });

  it("a close comes after all data, however many ticks that takes", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 100 });
    server.journal.clear();
    await arrived(peer.send(pattern(1_050)).end());
    for (let i = 0; i < 10; i++) server.tick();
    assert.equal(server.is_connected(), true);
    assert.equal(server.journal.bytes.length, 1_000);
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    const [data = "", ...rest] = server.journal.story;
    assert.equal(data, `data ${pattern(1_050).toString("latin1")}`);
    assert.deepEqual(rest, CLOSED);
  });

  it('an error: onError("connection closed on error", code), onDisconnect()', async (t) => {
    const { server, peer } = await serving(t);
    server.journal.clear();
    peer.reset();
    await tickUntil(server, () => server.journal.has("disconnect"), "the reset");
    assert.deepEqual(server.journal.story, RESET);
    await tickOn(server);
    assert.equal(server.journal.length, 2, "once");
    assert.equal(server.is_open(), true);
  });

  it("an error comes after the data that came before it", async (t) => {
    const { server, peer } = await serving(t, { maxTickBytes: 10 });
    server.journal.clear();
    await arrived(peer.send("0123456789abcdef"));
    peer.reset();
    await settle();
    await tickUntil(server, () => server.journal.has("disconnect"), "the reset");
    assert.deepEqual(server.journal.story, ["data 0123456789abcdef", ...RESET]);
  });

  it("a client that comes and goes between two ticks is told of in order", async (t) => {
    const server = openServer(t);
    const peer = await connectPeer(t, server.port);
    await arrived(peer.send("brief").end());
    await tickUntil(server, () => server.journal.has("disconnect"), "all of it");
    assert.deepEqual(server.journal.story, [...ACCEPTED, "data brief", ...CLOSED]);
  });
});

describe("the bug not to copy", () => {
  it("the error callback is not called for log messages", async (t) => {
    const server = newServer(t);
    const errors: string[] = [];
    const logs: string[] = [];
    server.journal.reactions = { error: (msg) => void errors.push(msg), log: (msg) => void logs.push(msg) };
    assert.equal(server.init(0), true);
    for (let i = 0; i < 3; i++) {
      const peer = await connectPeer(t, server.port);
      await peer.send("x").sent();
      await tickUntil(server, () => server.journal.text.length === i + 1, "the data");
      server.send("y");
      await peer.end().sent();
      await tickUntil(server, () => server.journal.count("disconnect") === i + 1, "the close");
    }
    assert.deepEqual(errors, []);
    assert.deepEqual(logs, Array(3).fill(["connection accepted", "connection closed"]).flat());
  });

  it("the log callback is not called for errors", async (t) => {
    const { server, peer } = await serving(t);
    server.journal.clear();
    peer.reset();
    await tickUntil(server, () => server.journal.has("disconnect"), "the reset");
    server.send("x");
    assert.deepEqual(server.journal.story, [...RESET, "error can't send, not connected -1"]);
  });
});
