import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NetworkServerHolder } from "../../src/daslang/index.ts";
import { pattern } from "../support/bytes.ts";
import { ACCEPTED, CLOSED } from "./journal.ts";
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

// A callback may throw, and may call anything.
describe("tick()", () => {
  it("an onData that throws: the error comes out of tick, the piece is used up, the rest comes in the next tick", async (t) => {
    const { server, peer } = await serving(t, { maxDataBytes: 4 });
    const { journal } = server;
    const mistake = new Error("a mistake");
    journal.reactions.data = (buf) => {
      if (buf.toString() === "bbbb") throw mistake;
    };
    await arrived(peer.send("aaaabbbbccccdddd"));
    assert.throws(() => server.tick(), mistake);
    assert.equal(journal.text, "aaaabbbb");
    server.tick();
    assert.equal(journal.text, "aaaabbbbccccdddd");
    assert.equal(server.is_connected(), true);
  });

  it("an onConnect that throws: the client is connected and its data comes in the next tick", async (t) => {
    const server = openServer(t);
    server.journal.reactions.connect = () => {
      throw new Error("no");
    };
    const peer = await connectPeer(t, server.port);
    await arrived(peer.send("still here"));
    assert.throws(() => server.tick(), /^Error: no$/);
    assert.equal(server.is_connected(), true);
    await tickUntil(server, () => server.journal.text === "still here", "the data");
    assert.equal(server.journal.count("connect"), 1);
  });

  it("an onLog that throws costs no other callback", async (t) => {
    const server = openServer(t);
    server.journal.reactions.log = (msg) => {
      throw new Error(msg);
    };
    const peer = await connectPeer(t, server.port);
    await settle();
    assert.throws(() => server.tick(), /connection accepted/);
    await tickUntil(server, () => server.journal.has("connect"), "onConnect");
    await arrived(peer.end());
    assert.throws(() => server.tick(), /connection closed/);
    await tickUntil(server, () => server.journal.has("disconnect"), "onDisconnect");
    assert.deepEqual(server.journal.story, [...ACCEPTED, ...CLOSED]);
  });

  it("an onError that throws: onDisconnect still comes, and the next client is served", async (t) => {
    const { server, peer } = await serving(t);
    server.journal.reactions.error = () => {
      throw new Error("failed");
    };
    peer.reset();
    await settle();
    assert.throws(() => server.tick(), /failed/);
    await tickUntil(server, () => server.journal.has("disconnect"), "onDisconnect");
    assert.equal(server.journal.count("error connection closed on error ECONNRESET"), 1);
    await accepted(t, server);
  });

  it("an onDisconnect that throws comes once, and the next client is served", async (t) => {
    const { server, peer } = await serving(t);
    server.journal.reactions.disconnect = () => {
      throw new Error("oh");
    };
    await arrived(peer.end());
    assert.throws(() => server.tick(), /oh/);
    await accepted(t, server);
    assert.equal(server.journal.count("disconnect"), 1);
  });

  it("an onError that throws in init and in send: the error comes out of them", (t) => {
    const server = newServer(t);
    server.journal.reactions.error = (msg) => {
      throw new Error(msg);
    };
    assert.throws(() => server.init(70_000), { message: "can't bind" });
    assert.equal(server.is_open(), false);
    assert.throws(() => server.send("x"), { message: "can't send, not connected" });
  });

  it("tick from within a callback: each byte comes once, in order", async (t) => {
    const { server, peer } = await serving(t, { maxDataBytes: 100, maxTickBytes: 1_000 });
    server.journal.reactions.data = () => server.tick();
    const sent = pattern(5_050);
    await arrived(peer.send(sent).end());
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    assert.ok(server.journal.bytes.equals(sent));
    assert.deepEqual(server.journal.story.slice(-2), CLOSED);
    assert.equal(server.journal.count("disconnect"), 1);
  });

  it("tick from within every callback serves client after client, each told of once", async (t) => {
    const server = openServer(t);
    const again = (): void => server.tick();
    server.journal.reactions = { connect: again, data: again, disconnect: again, log: again, error: again };
    for (const name of ["a", "b", "c"]) {
      const peer = await connectPeer(t, server.port);
      await peer.send(name).end().sent();
    }
    await settle();
    await tickUntil(server, () => server.journal.count("disconnect") === 3, "all clients");
    assert.equal(server.journal.text, "abc");
    assert.equal(server.journal.count("connect"), 3);
    assert.equal(server.journal.count("log connection closed"), 3);
  });

  it("send from within onConnect and onData", async (t) => {
    const server = openServer(t);
    server.journal.reactions = {
      connect: () => void server.send("welcome "),
      data: (buf) => void server.send(buf),
    };
    const peer = await connectPeer(t, server.port);
    await peer.send("echo").sent();
    await tickUntil(server, () => server.journal.text === "echo", "the data");
    await peer.until(() => peer.text === "welcome echo", "the answer");
  });

  it("save from within onData: the rest waits for the instance that restores it", async (t) => {
    const { server: old, peer } = await serving(t, { maxDataBytes: 1 });
    const next = newInstance(t);
    const orphan: NetworkServerHolder = { current: null };
    old.journal.reactions.data = (buf) => {
      if (buf.toString() === "c") old.save(orphan);
    };
    await arrived(peer.send("abcdefg"));
    old.tick();
    assert.equal(old.journal.text, "abc");
    assert.equal(old.has_session(), false);
    await tickOn(old);
    assert.equal(old.journal.text, "abc");
    next.restore(orphan);
    await tickUntil(next, () => next.journal.text.length >= 4, "the rest");
    assert.equal(next.journal.text, "defg");
  });

  it("save and restore into another instance from within onData: nothing is lost or reordered", async (t) => {
    const { server: old, peer } = await serving(t, { maxDataBytes: 1 });
    const next = newInstance(t);
    // The rest of this tick may reach the new instance: within the old one's tick.
    const all: string[] = [];
    next.onData = (buf) => void all.push(`new ${buf}`);
    old.journal.reactions.data = (buf) => {
      all.push(`old ${buf}`);
      if (buf.toString() !== "b") return;
      const orphan: NetworkServerHolder = { current: null };
      old.save(orphan);
      next.restore(orphan);
    };
    await arrived(peer.send("abcd"));
    old.tick();
    await tickUntil(next, () => all.length >= 4, "the rest");
    assert.deepEqual(all, ["old a", "old b", "new c", "new d"]);
  });

  it("save from within onConnect: the new instance gets the data", async (t) => {
    const old = openServer(t);
    const next = newInstance(t);
    const orphan: NetworkServerHolder = { current: null };
    old.journal.reactions.connect = () => old.save(orphan);
    const peer = await connectPeer(t, old.port);
    await arrived(peer.send("for the next one"));
    old.tick();
    assert.equal(old.journal.text, "");
    next.restore(orphan);
    assert.equal(next.is_connected(), true);
    await tickUntil(next, () => next.journal.text === "for the next one", "the data");
    assert.equal(next.journal.has("connect"), false, "a client is told of once");
  });
});
