import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { pattern } from "../support/bytes.ts";
import { RawClient, socketWire } from "../support/raw-client.ts";
import { sleep, within } from "../support/waiting.ts";
import { CLOSED } from "./journal.ts";
import { LONG_MS } from "./peer.ts";
import { arrived, newClient, settle, tickOn, tickUntil } from "./recorder.ts";
import { connectedClient, strangers } from "./remote.ts";

// The client: what it sends, how it is given up, and its options.
describe("class Client", () => {
  it("send(data, size): true when all was accepted for sending", async (t) => {
    const { client, peer } = await connectedClient(t);
    const buffer = Buffer.from("bytes ");
    assert.equal(client.send(buffer), true);
    buffer.fill("x");
    assert.equal(client.send("text"), true);
    assert.equal(client.send("! never seen", 1), true);
    await peer.until(() => peer.text.length >= 11, "what the client sent");
    await settle();
    assert.equal(peer.text, "bytes text!");
  });

  it('send: not connected: onError("can\'t send, not connected", -1) and false', async (t) => {
    const { remote, client } = await strangers(t);
    assert.equal(client.send("before connect"), false);
    client.connect("127.0.0.1", remote.port);
    assert.equal(client.send("before the tick"), false);
    await tickUntil(client, () => client.is_connected(), "the connection");
    assert.deepEqual(client.journal.story.slice(0, 2), Array(2).fill("error can't send, not connected -1"));
  });

  it("send: buffers up to a limit and answers false with ENOBUFS beyond it, losing nothing", async (t) => {
    const { client, peer } = await connectedClient(t);
    peer.pause();
    client.journal.clear();
    let accepted = 0;
    while (client.send(pattern(1_048_576, accepted))) {
      accepted += 1_048_576;
      assert.ok(accepted < 200 * 1_048_576, "there is no limit");
    }
    assert.deepEqual(client.journal.story, ["error can't send ENOBUFS"]);
    peer.resume();
    await peer.until(() => peer.length >= accepted, "all that was accepted", LONG_MS);
    assert.equal(client.send("more"), true);
    await peer.until(() => peer.length >= accepted + 4, "what was sent later");
    assert.ok(peer.received.equals(Buffer.concat([pattern(accepted), Buffer.from("more")])));
  });

  it("disconnect: what was sent before arrives, then the end", async (t) => {
    const { client, peer } = await connectedClient(t);
    assert.equal(client.send(pattern(1_000_000)), true);
    client.disconnect();
    await peer.until(() => peer.ended, "the client's end without a tick", LONG_MS);
    assert.ok(peer.received.equals(pattern(1_000_000)));
    await tickOn(client);
    assert.equal(client.is_connected(), false);
    assert.equal(client.send("x"), false);
  });

  it("each onConnect has its onDisconnect: a tick tells of a disconnect", async (t) => {
    const { client } = await connectedClient(t);
    client.journal.clear();
    client.disconnect();
    assert.equal(client.is_connected(), false);
    assert.equal(client.journal.length, 0);
    await tickOn(client);
    assert.deepEqual(client.journal.story, CLOSED);
  });

  it("takes the options maxTickBytes and maxDataBytes", async (t) => {
    const { client, peer } = await connectedClient(t, { maxTickBytes: 10, maxDataBytes: 4 });
    await arrived(peer.send("abcdefghijkl"));
    client.tick();
    assert.deepEqual(client.journal.pieces.map(String), ["abcd", "efgh", "ij"]);
  });

  it("is paused while the program does not tick (maxReceiveBytes), and loses nothing", async (t) => {
    const { client, peer } = await connectedClient(t, { maxReceiveBytes: 10_000, maxTickBytes: 2 ** 30 });
    const sent = pattern(16 * 1_048_576);
    const sending = peer.send(sent).sent();
    await settle();
    await sleep(200);
    client.tick();
    const kept = client.journal.bytes.length;
    assert.ok(kept >= 10_000 && kept <= 10_000 + 131_072, `${kept} B were kept`);
    let length = kept;
    client.journal.reactions.data = (_, size) => {
      length += size;
    };
    await tickUntil(client, () => length >= sent.length, "all of it", LONG_MS);
    await sending;
    assert.ok(client.journal.bytes.equals(sent));
  });

  it("disconnect calls no error callback and no data comes after it", async (t) => {
    const { client, peer } = await connectedClient(t);
    await arrived(peer.send("unread"));
    client.journal.clear();
    client.disconnect();
    assert.equal(client.journal.length, 0);
    await settle();
    await tickOn(client);
    assert.equal(client.journal.text, "");
    assert.ok(!client.journal.story.some((line) => line.startsWith("error")));
  });

  it("disconnect from within a callback, and connect again", async (t) => {
    const { client, peer, remote } = await connectedClient(t);
    client.journal.reactions.data = () => client.disconnect();
    await peer.send("go away").sent();
    await tickUntil(client, () => !client.is_connected(), "the disconnect");
    await peer.until(() => peer.ended, "the client's end");
    await tickOn(client);
    const arrival = once(remote.listener, "connection");
    assert.equal(client.connect("127.0.0.1", remote.port), true);
    const [socket] = (await within(arrival, "the client at the server")) as [Socket];
    const again = new RawClient(socketWire(socket));
    await tickUntil(client, () => client.is_connected(), "the second connection");
    assert.equal(client.send("back"), true);
    await again.until(() => again.text === "back", "what was sent");
    assert.equal(client.journal.count("connect"), 2);
  });

  it("disconnect and tick do nothing without a connection", async (t) => {
    const client = newClient(t);
    client.disconnect();
    await tickOn(client);
    assert.equal(client.journal.length, 0);
  });

  it("disconnect before the connection is made: no onConnect", async (t) => {
    const { remote, client } = await strangers(t);
    client.connect("127.0.0.1", remote.port);
    client.disconnect();
    await settle();
    await tickOn(client);
    assert.equal(client.journal.has("connect"), false);
    assert.equal(client.is_connected(), false);
    assert.ok(remote.sockets.length < 2);
  });
});
