import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type NetworkServerHolder, server_tick } from "../../src/daslang/index.ts";
import { pattern } from "../support/bytes.ts";
import { CLOSED, RESET } from "./journal.ts";
import { connectPeer, LONG_MS } from "./peer.ts";
import {
  accepted,
  arrived,
  newInstance,
  newServer,
  type RecordingServer,
  restored,
  saved,
  serving,
  settle,
  tickOn,
  tickUntil,
} from "./recorder.ts";

/** Moves what a server has into a new instance. */
function moveOn(t: TestContext, old: RecordingServer): RecordingServer {
  return restored(t, saved(old));
}

const stateOf = (server: RecordingServer): (boolean | number)[] => [
  server.has_session(),
  server.is_open(),
  server.is_connected(),
  server.port,
];

describe("save(orphan) / restore(orphan)", () => {
  it("save moves the NetworkServer out of this instance into a holder and leaves _server null", async (t) => {
    const { server: old } = await serving(t);
    const moved = old._server;
    const orphan = saved(old);
    assert.notEqual(moved, null);
    assert.equal(orphan.current, moved);
    assert.equal(old._server, null);
    assert.deepEqual(stateOf(old), [false, false, false, 0]);
    newInstance(t).restore(orphan);
  });

  it("restore moves it into this instance and empties the holder", async (t) => {
    const { server: old, peer } = await serving(t);
    const { _server: moved, port } = old;
    const orphan = saved(old);
    const next = restored(t, orphan);
    assert.equal(next._server, moved);
    assert.equal(orphan.current, null);
    assert.deepEqual(stateOf(next), [true, true, true, port]);
    assert.equal(peer.closed, false);
  });

  it("neither calls a callback", async (t) => {
    const { server: old, peer } = await serving(t);
    await arrived(peer.send("unread").end());
    old.journal.clear();
    const next = moveOn(t, old);
    await settle();
    assert.equal(old.journal.length, 0);
    assert.equal(next.journal.length, 0);
  });

  it("rebinds the callbacks: only the new instance is told from then on", async (t) => {
    const { server: old, peer } = await serving(t);
    old.journal.clear();
    const next = moveOn(t, old);
    await peer.send("hello").sent();
    await tickUntil([old, next], () => next.journal.text === "hello", "the data");
    await peer.end().sent();
    await tickUntil([old, next], () => next.journal.has("disconnect"), "the close");
    assert.equal(old.journal.length, 0);
    assert.deepEqual(next.journal.story, ["data hello", ...CLOSED]);
  });

  it("the listener survives: new clients are served, on the same port", async (t) => {
    const { server: old, peer: first } = await serving(t);
    const { port } = old;
    const next = moveOn(t, old);
    const second = await connectPeer(t, port);
    await first.end().sent();
    await tickUntil(next, () => next.journal.has("connect"), "the second client");
    assert.equal(next.send("hello"), true);
    await second.until(() => second.text === "hello", "what the server sent");
  });

  it("those that wait survive, and those that come while nobody has the server", async (t) => {
    const { server: old, peer: first } = await serving(t);
    const { port } = old;
    const second = await connectPeer(t, port);
    await arrived(second.send("second "));
    const orphan = saved(old);
    const third = await connectPeer(t, port);
    await arrived(third.send("third"));
    const next = restored(t, orphan);
    await first.end().sent();
    await tickUntil(next, () => next.journal.text === "second ", "the second client's data");
    await second.end().sent();
    await tickUntil(next, () => next.journal.text === "second third", "the third client's data");
    assert.equal(next.journal.count("connect"), 2);
  });

  it("the client survives: what is sent both ways reaches the same connection", async (t) => {
    const { server: old, peer } = await serving(t);
    assert.equal(old.send("old "), true);
    assert.equal(moveOn(t, old).send("new"), true);
    await peer.until(() => peer.text === "old new", "what was sent");
    assert.equal(old.send("stranger"), false);
    assert.equal(old.journal.story.at(-1), "error can't send, not connected -1");
    await settle();
    assert.equal(peer.text, "old new");
  });

  it("unread bytes survive", async (t) => {
    const { server: old, peer } = await serving(t, { maxTickBytes: 1_000 });
    await arrived(peer.send(pattern(5_000)));
    old.tick();
    const next = moveOn(t, old);
    await tickUntil(next, () => next.journal.bytes.length >= 4_000, "the rest");
    assert.ok(Buffer.concat([old.journal.bytes, next.journal.bytes]).equals(pattern(5_000)));
  });

  it("nothing received in between is lost or reordered: data, close", async (t) => {
    const { server: old, peer } = await serving(t);
    await arrived(peer.send("before, "));
    const orphan = saved(old);
    await arrived(peer.send("between, "));
    old.tick();
    const next = restored(t, orphan);
    await peer.send("after").end().sent();
    await tickUntil(next, () => next.journal.has("disconnect"), "the close");
    assert.equal(old.journal.text, "");
    assert.deepEqual(next.journal.story, ["data before, between, after", ...CLOSED]);
  });

  it("nothing received in between is lost or reordered: a reset while nobody has the server", async (t) => {
    const { server: old, peer } = await serving(t);
    const orphan = saved(old);
    await arrived(peer.send("help"));
    peer.reset();
    await settle();
    const next = restored(t, orphan);
    assert.equal(next.is_connected(), true, "as of the last tick");
    await tickUntil(next, () => next.journal.has("disconnect"), "the reset");
    assert.deepEqual(next.journal.story, ["data help", ...RESET]);
  });

  it("what was accepted for sending survives", async (t) => {
    const { server: old, peer } = await serving(t);
    peer.pause();
    assert.equal(old.send(pattern(12 * 1_048_576)), true);
    assert.equal(moveOn(t, old).send("end"), true);
    peer.resume();
    const total = 12 * 1_048_576 + 3;
    await peer.until(() => peer.length >= total, "all of it", LONG_MS);
    assert.ok(peer.received.equals(Buffer.concat([pattern(total - 3), Buffer.from("end")])));
  });

  it("the options survive", async (t) => {
    const { server: old, peer } = await serving(t, { maxTickBytes: 10, maxDataBytes: 4 });
    const next = moveOn(t, old);
    await arrived(peer.send("abcdefghijkl"));
    next.tick();
    assert.deepEqual(next.journal.pieces.map(String), ["abcd", "efgh", "ij"]);
  });

  it("a server that never listened can be moved, too", async (t) => {
    const old = newServer(t);
    const next = moveOn(t, old);
    assert.equal(next.has_session(), true);
    assert.equal(next.init(0), true);
    await accepted(t, next);
  });

  it("an instance without a NetworkServer leaves an empty holder empty", (t) => {
    const server = newInstance(t);
    const orphan = saved(server);
    assert.equal(orphan.current, null);
    assert.equal(server.has_session(), false);
  });

  it("no server is lost: a holder that is full and an instance that listens are refused", async (t) => {
    const { server: one } = await serving(t);
    const { server: other } = await serving(t);
    const moved = one._server;
    const orphan = saved(one);
    assert.throws(() => other.save(orphan), Error);
    assert.throws(() => other.restore(orphan), Error);
    assert.equal(orphan.current, moved);
    assert.equal(other.is_connected(), true);
    one.restore(orphan);
    assert.equal(one.is_connected(), true);
  });

  it("to save nothing and to restore nothing changes nothing", async (t) => {
    const { server, peer } = await serving(t);
    const orphan: NetworkServerHolder = { current: null };
    server.restore(orphan);
    assert.equal(server.is_connected(), true);
    server.save(orphan);
    server.save(orphan);
    server.restore(orphan);
    server.restore(orphan);
    assert.equal(orphan.current, null);
    assert.equal(server.send("still there"), true);
    await peer.until(() => peer.text === "still there", "what was sent");
  });

  it("what nobody has is not told of by a tick of its own", async (t) => {
    const { server, peer } = await serving(t);
    const orphan = saved(server);
    await arrived(peer.send("patience"));
    server_tick(orphan.current);
    server.restore(orphan);
    await tickUntil(server, () => server.journal.text === "patience", "the data");
  });

  it("an instance that has restored one is bound", async (t) => {
    const { server: old } = await serving(t);
    const next = moveOn(t, old);
    assert.throws(() => next.make_server_adapter(), { message: "can't make server" });
    assert.equal(next.is_connected(), true);
  });

  it("an instance can restore what it has saved itself", async (t) => {
    const { server, peer } = await serving(t);
    const orphan: NetworkServerHolder = { current: null };
    for (let i = 0; i < 3; i++) {
      server.save(orphan);
      await peer.send(`${i}`).sent();
      await tickOn(server);
      server.restore(orphan);
    }
    await tickUntil(server, () => server.journal.text === "012", "the data");
  });

  it("can be moved many times while a client sends", async (t) => {
    const { server: first, peer } = await serving(t, { maxTickBytes: 700 });
    const sent = pattern(200_000);
    let server = first;
    const got: Buffer[] = [];
    const sending = peer.send(sent).sent();
    for (let length = 0; length < sent.length; ) {
      await settle();
      for (let i = 0; i < 20; i++) server.tick();
      const { bytes } = server.journal;
      assert.ok(bytes.length > 0, `nothing came after ${length} B`);
      got.push(bytes);
      length += bytes.length;
      server = moveOn(t, server);
    }
    await sending;
    assert.ok(Buffer.concat(got).equals(sent));
  });
});
