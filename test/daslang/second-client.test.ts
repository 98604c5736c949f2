import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ACCEPTED, CLOSED } from "./journal.ts";
import { connectPeer, connectPeers } from "./peer.ts";
import { arrived, openServer, serving, settle, tickOn, tickUntil } from "./recorder.ts";

describe("second client while one is served", () => {
  it("waits in the backlog and is accepted by the first tick after the first client left", async (t) => {
    const { server, peer: first } = await serving(t);
    const second = await connectPeer(t, server.port);
    await arrived(second.send("from the second"));
    await tickOn(server);
    assert.equal(server.journal.count("connect"), 1);
    assert.equal(server.journal.text, "");
    await first.end().sent();
    await tickUntil(server, () => server.journal.has("disconnect"), "the first to be gone");
    server.tick();
    assert.equal(server.journal.count("connect"), 2, "the first tick after");
    assert.equal(server.is_connected(), true);
    await tickUntil(server, () => server.journal.text !== "", "its data");
    assert.deepEqual(server.journal.story.slice(2), [...CLOSED, ...ACCEPTED, "data from the second"]);
    assert.equal(server.send("to the second"), true);
    await second.until(() => second.text === "to the second", "the answer");
    assert.equal(first.text, "");
  });

  it("is accepted after the first client was reset, too", async (t) => {
    const { server, peer: first } = await serving(t);
    const second = await connectPeer(t, server.port);
    await settle();
    first.reset();
    await tickUntil(server, () => server.journal.has("disconnect"), "the first to be gone");
    server.tick();
    assert.equal(server.journal.count("connect"), 2);
    assert.equal(second.closed, false);
  });

  it("is served by itself: nothing of two clients is mixed, and all are served in order", async (t) => {
    const { server, peer: first } = await serving(t, { maxTickBytes: 100 });
    const others = await connectPeers(t, server.port, 3);
    for (const [i, peer] of others.entries()) await peer.send(`${i + 2}`.repeat(250)).sent();
    await first.send("1".repeat(250));
    await settle();
    const all = [first, ...others];
    server.journal.clear();
    for (const [i, peer] of all.entries()) {
      await tickUntil(server, () => server.journal.text === `${i + 1}`.repeat(250), `client ${i + 1}`);
      assert.equal(server.send(`for ${i + 1}`), true);
      await peer.until(() => peer.text === `for ${i + 1}`, "the answer");
      await peer.end().sent();
      await tickUntil(server, () => server.journal.has("disconnect"), `client ${i + 1} to be gone`);
      server.journal.clear();
    }
    const answers = all.map((peer) => peer.text);
    assert.deepEqual(answers, ["for 1", "for 2", "for 3", "for 4"]);
  });

  it("a bounded backlog (original: 3): a fourth that waits is turned away", async (t) => {
    const { server, peer: first } = await serving(t);
    const waiting = await connectPeers(t, server.port, 3);
    await settle();
    const fourth = await connectPeer(t, server.port);
    await fourth.over("the fourth to be turned away");
    assert.equal(fourth.text, "");
    await settle();
    const over = waiting.map((peer) => peer.isOver);
    assert.deepEqual(over, [false, false, false]);
    assert.equal(first.closed, false);
    for (const [i, peer] of [first, ...waiting].entries()) {
      await tickUntil(server, () => server.journal.count("connect") === i + 1, `client ${i + 1}`);
      assert.equal(server.send("yours"), true);
      await peer.until(() => peer.text === "yours", "the answer");
      await peer.end().sent();
      await tickUntil(server, () => server.journal.count("disconnect") === i + 1, `client ${i + 1} to go`);
    }
    await settle();
    await tickOn(server);
    assert.equal(server.journal.count("connect"), 4, "the fourth is not told of");
  });

  it("there is room again when one of those that wait has been accepted", async (t) => {
    const { server, peer: first } = await serving(t, { backlog: 1 });
    const second = await connectPeer(t, server.port);
    await settle();
    const refused = await connectPeer(t, server.port);
    await refused.over("the third to be turned away");
    await first.end().sent();
    await tickUntil(server, () => server.journal.count("connect") === 2, "the second to be accepted");
    const later = await connectPeer(t, server.port);
    await settle();
    await tickOn(server);
    assert.deepEqual([second.ended, later.ended, later.closed], [false, false, false]);
    await second.end().sent();
    await tickUntil(server, () => server.journal.count("connect") === 3, "the later one to be accepted");
    assert.equal(server.send("welcome"), true);
    await later.until(() => later.text === "welcome", "the answer");
  });

  it("one that is reset while it waits harms nobody", async (t) => {
    const { server, peer: first } = await serving(t);
    const second = await connectPeer(t, server.port);
    const third = await connectPeer(t, server.port);
    await settle();
    second.reset();
    await settle();
    await first.end().sent();
    await third.send("third").sent();
    await tickUntil(server, () => server.journal.text === "third", "the third client's data");
    assert.equal(server.journal.count("connect"), server.journal.count("disconnect") + 1);
    assert.equal(server.send("hello"), true);
    await third.until(() => third.text === "hello", "the answer");
  });

  it("before the first tick all of them wait: a fourth is turned away", async (t) => {
    const server = openServer(t);
    const waiting = await connectPeers(t, server.port, 3);
    await settle();
    const fourth = await connectPeer(t, server.port);
    await fourth.over("the fourth to be turned away");
    for (const [i, peer] of waiting.entries()) {
      await tickUntil(server, () => server.journal.count("connect") === i + 1, `client ${i + 1}`);
      assert.equal(peer.closed, false);
      await peer.end().sent();
      await tickUntil(server, () => server.journal.count("disconnect") === i + 1, `client ${i + 1} to go`);
    }
  });

  it("one that sends and leaves while it waits is still served, in its turn", async (t) => {
    const { server, peer: first } = await serving(t);
    const second = await connectPeer(t, server.port, { allowHalfOpen: true });
    await second.send("a letter").end().sent();
    const third = await connectPeer(t, server.port);
    await arrived(third.send("third"));
    server.journal.clear();
    server.journal.reactions.data = (buf) => void server.send(`got ${buf}`);
    await first.end().sent();
    await tickUntil(server, () => server.journal.text.endsWith("third"), "the third client's data");
    assert.deepEqual(server.journal.story, [
      ...CLOSED,
      ...ACCEPTED,
      "data a letter",
      ...CLOSED,
      ...ACCEPTED,
      "data third",
    ]);
    await second.until(() => second.ended, "the answer");
    assert.equal(second.text, "got a letter");
  });
});
