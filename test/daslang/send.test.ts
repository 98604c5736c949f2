import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getSystemErrorName } from "node:util";
import { pattern } from "../support/bytes.ts";
import type { RawClient } from "../support/raw-client.ts";
import { connectPeer, LONG_MS } from "./peer.ts";
import {
  arrived,
  newInstance,
  openServer,
  type RecordingServer,
  serving,
  settle,
  tickUntil,
} from "./recorder.ts";

const PIECE = 16_384;

/** Sends pieces of the pattern until one is refused. @returns the number of bytes that were accepted */
function sendUntilRefused(server: RecordingServer, from = 0): number {
  let accepted = from;
  while (server.send(pattern(PIECE, accepted))) {
    accepted += PIECE;
    assert.ok(accepted < 200 * 1_048_576, "there is no limit");
  }
  return accepted;
}

describe("send(data, size)", () => {
  it("true when all was accepted for sending", async (t) => {
    const { server, peer } = await serving(t);
    server.journal.clear();
    assert.equal(server.send(Buffer.from("bytes, ")), true);
    assert.equal(server.send(new Uint8Array([0, 255, 128])), true);
    assert.equal(server.send(", text é", 9), true);
    await peer.until(() => peer.length >= 19, "what the server sent");
    assert.deepEqual(peer.received, Buffer.from(`bytes, \0\xff\x80${", text \xc3\xa9"}`, "latin1"));
    assert.deepEqual(server.journal.story, []);
  });

  it("sends the first size bytes of the data", async (t) => {
    const { server, peer } = await serving(t);
    assert.equal(server.send(Buffer.from("hello, never seen"), 5), true);
    assert.equal(server.send(" world, never seen", 6), true);
    assert.equal(server.send(Buffer.from("never seen"), 0), true);
    assert.equal(server.send(new Uint8Array([33, 33, 33]).subarray(1), 1), true);
    await peer.until(() => peer.length >= 12, "what the server sent");
    await settle();
    assert.equal(peer.text, "hello world!");
  });

  for (const size of [4, -1, 1.5, Number.NaN]) {
    it(`a size that does not fit the data sends nothing, and tells of it: 3 bytes, size ${size}`, async (t) => {
      const { server, peer } = await serving(t);
      server.journal.clear();
      assert.equal(server.send(Buffer.from("abc"), size), false);
      assert.match(server.journal.story.join(), /^error can't send /);
      assert.equal(server.send("next"), true);
      await peer.until(() => peer.text !== "", "what was sent");
      assert.equal(peer.text, "next");
    });
  }

  it("sends in the order of the calls, in the callbacks and outside of tick", async (t) => {
    const { server, peer } = await serving(t);
    let expected = "";
    const send = (text: string): void => {
      expected += text;
      assert.equal(server.send(text), true);
    };
    server.journal.reactions.data = (buf) => send(`[${buf}]`);
    for (let i = 0; i < 50; i++) {
      send(`${i};`);
      await peer.send(`ping ${i}`).sent();
      await tickUntil(server, () => server.journal.text.endsWith(`ping ${i}`), "the data");
      send(",");
    }
    await peer.until(() => peer.text.length >= expected.length, "what the server sent");
    assert.equal(peer.text, expected);
  });

  it("the program may use its buffer again at once", async (t) => {
    const { server, peer } = await serving(t);
    const buffer = Buffer.alloc(100_000, "a");
    assert.equal(server.send(buffer), true);
    buffer.fill("b");
    assert.equal(server.send(buffer, 10), true);
    buffer.fill("c");
    await peer.until(() => peer.length >= 100_010, "what the server sent");
    assert.equal(peer.text, "a".repeat(100_000) + "b".repeat(10));
  });

  it("needs no tick to leave", async (t) => {
    const { server, peer } = await serving(t, { maxSendBytes: 8 * 1_048_576 });
    const all = pattern(6 * 1_048_576);
    assert.equal(server.send(all), true);
    await peer.until(() => peer.length >= all.length, "what the server sent", LONG_MS);
    assert.ok(peer.received.equals(all));
  });

  it('not connected: onError("can\'t send, not connected", -1) and false', async (t) => {
    const server = newInstance(t);
    const told: string[] = [];
    const fails = (when: string): void => {
      const before = server.journal.length;
      assert.equal(server.send("x"), false, when);
      assert.equal(server.journal.length, before + 1, when);
      assert.equal(server.journal.story.at(-1), "error can't send, not connected -1", when);
      told.push(when);
    };
    fails("with no session");
    server.make_server_adapter();
    fails("before init");
    assert.equal(server.init(0), true);
    fails("with no client");
  });

  it("not connected: before the client is accepted and after it was told to be gone", async (t) => {
    const { server, peer } = await serving(t);
    await peer.end().sent();
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    server.journal.clear();
    assert.equal(server.send("too late"), false);
    assert.deepEqual(server.journal.story, ["error can't send, not connected -1"]);
    assert.equal(peer.text, "");
  });

  it("not connected: in onDisconnect", async (t) => {
    const { server, peer } = await serving(t);
    const sent: boolean[] = [];
    server.journal.reactions.disconnect = () => void sent.push(server.send("bye"));
    peer.reset();
    await tickUntil(server, () => sent.length > 0, "the reset");
    assert.deepEqual(sent, [false]);
    assert.equal(server.journal.story.at(-1), "error can't send, not connected -1");
  });

  it("a failing send outside of tick calls onError before it returns, and nothing else later", async (t) => {
    const server = openServer(t);
    const order: string[] = [];
    server.journal.reactions.error = () => void order.push("onError");
    server.send("x");
    order.push("returned");
    await settle();
    server.tick();
    assert.deepEqual(order, ["onError", "returned"]);
  });

  it('buffers up to a limit and answers false with onError("can\'t send", ENOBUFS) beyond it', async (t) => {
    const { server, peer } = await serving(t, { maxSendBytes: 100_000 });
    peer.pause();
    server.journal.clear();
    const codes: number[] = [];
    server.journal.reactions.error = (_, code) => void codes.push(code);
    const accepted = sendUntilRefused(server);
    assert.ok(accepted >= 100_000 - PIECE, `${accepted} B`);
    assert.deepEqual(server.journal.story, ["error can't send ENOBUFS"]);
    const names = codes.map((code) => getSystemErrorName(code));
    assert.deepEqual(names, ["ENOBUFS"]);
    await settle();
    server.tick();
    assert.equal(server.is_connected(), true, "the connection stays");
    assert.equal(server.journal.length, 1);
  });

  it("one send that is larger than the limit is refused whole, and the next one is not", async (t) => {
    const { server, peer } = await serving(t, { maxSendBytes: 1_000 });
    server.journal.clear();
    assert.equal(server.send(pattern(1_001)), false);
    assert.deepEqual(server.journal.story, ["error can't send ENOBUFS"]);
    assert.equal(server.send(pattern(1_000)), true);
    await peer.until(() => peer.length >= 1_000, "what was accepted");
    await settle();
    assert.ok(peer.received.equals(pattern(1_000)));
  });

  it("loses nothing that was accepted, and accepts again when the client has read", async (t) => {
    const { server, peer } = await serving(t, { maxSendBytes: 1_048_576 });
    let accepted = 0;
    for (let round = 0; round < 3; round++) {
      peer.pause();
      // The system takes a part while nobody reads: until it takes no more.
      for (let more = true; more; ) {
        const before = accepted;
        accepted = sendUntilRefused(server, accepted);
        await settle();
        more = accepted > before;
      }
      peer.resume();
      await peer.until(() => peer.length >= accepted, "all that was accepted", LONG_MS);
      assert.equal(peer.length, accepted, "nothing of what was refused");
    }
    assert.ok(peer.received.equals(pattern(accepted)));
  });

  it("the limit is 16 MiB by default", async (t) => {
    const { server, peer } = await serving(t);
    peer.pause();
    await settle();
    const accepted = sendUntilRefused(server);
    assert.ok(accepted >= 16 * 1_048_576 - PIECE, `only ${accepted} B`);
    // What the system itself takes comes on top.
    assert.ok(accepted <= 32 * 1_048_576, `${accepted} B`);
  });

  it("loses nothing that was accepted when the client ends its half and goes on reading", async (t) => {
    const { server, peer } = await serving(t, { maxSendBytes: 16 * 1_048_576 });
    peer.pause();
    const all = pattern(12 * 1_048_576);
    assert.equal(server.send(all), true);
    await peer.end().sent();
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    peer.resume();
    await peer.over("the server's end", LONG_MS);
    assert.equal(peer.length, all.length);
    assert.ok(peer.received.equals(all));
  });

  it("answers a client that asks and ends its half in one go", async (t) => {
    const { server, peer } = await serving(t);
    server.journal.reactions.data = (buf) => void server.send(`you said ${buf}`);
    await arrived(peer.send("hello").end());
    await tickUntil(server, () => server.journal.has("disconnect"), "the close");
    await peer.until(() => peer.ended, "the answer");
    assert.equal(peer.text, "you said hello");
  });

  it("clients that have left and take nothing are bounded: of five the oldest is cut off", async (t) => {
    const server = openServer(t);
    server.journal.reactions.connect = () => assert.equal(server.send(pattern(12 * 1_048_576)), true);
    const peers: RawClient[] = [];
    for (let i = 1; i <= 5; i++) {
      const peer = await connectPeer(t, server.port, { allowHalfOpen: true });
      peers.push(peer);
      await tickUntil(server, () => server.journal.count("connect") === i, "the client to be accepted");
      peer.pause();
      await peer.end().sent();
      await tickUntil(server, () => server.journal.count("disconnect") === i, "the close");
    }
    await settle();
    for (const peer of peers) peer.resume();
    for (const peer of peers) await peer.until(() => peer.ended || peer.closed, "the end", LONG_MS);
    const whole = peers.map((peer) => peer.length === 12 * 1_048_576);
    assert.deepEqual(whole, [false, true, true, true, true]);
  });

  it("does not throw and calls nothing outside of tick when the client is gone and no tick has told so", async (t) => {
    const { server, peer } = await serving(t);
    peer.reset();
    await settle();
    const told = server.journal.length;
    for (let i = 0; i < 5; i++) {
      if (server.send("into the void")) assert.equal(server.journal.length, told);
      await settle();
    }
    await tickUntil(server, () => server.journal.has("disconnect"), "the reset");
    assert.equal(server.is_connected(), false);
  });
});
