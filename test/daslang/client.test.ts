import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { pattern } from "../support/bytes.ts";
import { freePort } from "../support/places.ts";
import { within } from "../support/waiting.ts";
import { ACCEPTED, CLOSED, RESET } from "./journal.ts";
import { LONG_MS } from "./peer.ts";
import { arrived, newClient, openServer, settle, tickOn, tickUntil } from "./recorder.ts";
import { connectedClient, strangers } from "./remote.ts";

describe("class Client", () => {
  it("connect(host, port): true, and connected as of the tick that calls onConnect", async (t) => {
    const { remote, client } = await strangers(t);
    assert.equal(client.is_connected(), false);
    const arrival = once(remote.listener, "connection");
    assert.equal(client.connect("127.0.0.1", remote.port), true);
    await within(arrival, "the client at the server");
    await settle();
    assert.equal(client.is_connected(), false, "no tick has told so");
    assert.equal(client.journal.length, 0);
    await tickUntil(client, () => client.is_connected(), "the connection");
    assert.equal(client.journal.count("connect"), 1);
    assert.equal(client.journal.story.at(-1), "connect");
    await tickOn(client);
    assert.equal(client.journal.count("connect"), 1);
  });

  it("connects to a host by its name", async (t) => {
    const { remote, client } = await strangers(t);
    assert.equal(client.connect("localhost", remote.port), true);
    await tickUntil(client, () => client.is_connected(), "the connection");
  });

  it("nothing happens between two ticks: connect, data, close and reset are told of in ticks only", async (t) => {
    const { client, peer } = await connectedClient(t);
    client.journal.clear();
    await arrived(peer.send("data"));
    assert.equal(client.journal.length, 0);
    await tickUntil(client, () => client.journal.text === "data", "the data");
    client.journal.clear();
    peer.reset();
    await settle();
    assert.equal(client.journal.length, 0);
    assert.equal(client.is_connected(), true, "as of the last tick");
    await tickUntil(client, () => client.journal.has("disconnect"), "the reset");
    assert.equal(client.is_connected(), false);
    client.journal.verify();
  });

  it("delivers what has arrived, in order, in one tick", async (t) => {
    const { client, peer } = await connectedClient(t);
    await arrived(peer.send(pattern(100_000)));
    client.tick();
    assert.ok(client.journal.bytes.equals(pattern(100_000)));
  });

  it('then a close: onLog("connection closed"), onDisconnect()', async (t) => {
    const { client, peer } = await connectedClient(t);
    client.journal.clear();
    await arrived(peer.send("last words").end());
    await tickUntil(client, () => client.journal.has("disconnect"), "the close");
    assert.deepEqual(client.journal.story, ["data last words", ...CLOSED]);
    assert.equal(client.is_connected(), false);
    await peer.until(() => peer.ended, "the client's end");
  });

  it('an error: onError("connection closed on error", code), onDisconnect()', async (t) => {
    const { client, peer } = await connectedClient(t);
    client.journal.clear();
    await arrived(peer.send("help"));
    peer.reset();
    await tickUntil(client, () => client.journal.has("disconnect"), "the reset");
    assert.deepEqual(client.journal.story, ["data help", ...RESET]);
  });

  it("a refused connection: onError with the system's number, in a tick, and not connected", async (t) => {
    const port = await freePort();
    const client = newClient(t);
    client.connect("127.0.0.1", port);
    await settle();
    assert.equal(client.journal.length, 0);
    await tickUntil(client, () => client.journal.length > 0, "the refusal");
    await tickOn(client);
    assert.equal(client.is_connected(), false);
    assert.equal(client.journal.story.length, 1, "no onConnect, no onDisconnect");
    assert.match(client.journal.story[0] ?? "", /^error .+ ECONNREFUSED$/);
  });

  it("a host that does not exist: onError in a tick, and not connected", async (t) => {
    const client = newClient(t);
    const codes: number[] = [];
    client.journal.reactions.error = (_, code) => void codes.push(code);
    client.connect("no-such-host.invalid", 80);
    assert.equal(client.journal.length, 0);
    await tickUntil(client, () => client.journal.length > 0, "the failure", LONG_MS);
    await tickOn(client);
    assert.equal(client.is_connected(), false);
    assert.equal(client.journal.story.length, 1, "no onConnect, no onDisconnect");
    assert.match(client.journal.story[0] ?? "", /^error /);
    const isNegative = codes.every((code) => code < 0);
    assert.ok(isNegative, `${codes}`);
  });

  for (const port of [70_000, -1]) {
    it(`connect: false where it cannot begin, and onError in the next tick: port ${port}`, async (t) => {
      const client = newClient(t);
      assert.equal(client.connect("127.0.0.1", port), false);
      assert.equal(client.journal.length, 0);
      await tickOn(client);
      assert.equal(client.journal.story.length, 1);
      assert.match(client.journal.story[0] ?? "", /^error /);
      assert.equal(client.is_connected(), false);
    });
  }

  it("connect: false while connected; the connection goes on", async (t) => {
    const { client, peer, remote } = await connectedClient(t);
    assert.equal(client.connect("127.0.0.1", remote.port), false);
    await tickOn(client);
    assert.equal(client.is_connected(), true);
    assert.equal(client.send("still"), true);
    await peer.until(() => peer.text === "still", "what was sent");
    assert.equal(remote.sockets.length, 1);
  });

  it("can be tried again after a failure", async (t) => {
    const { remote, client } = await strangers(t);
    client.connect("127.0.0.1", await freePort());
    await tickUntil(client, () => client.journal.length > 0, "the refusal");
    assert.equal(client.connect("127.0.0.1", remote.port), true);
    await tickUntil(client, () => client.is_connected(), "the connection");
  });

  it("mirrors Server: a game loop ticks both ends", async (t) => {
    const server = openServer(t);
    const client = newClient(t);
    server.journal.reactions.data = (buf) => void server.send(`echo ${buf}`);
    client.connect("127.0.0.1", server.port);
    const both = [server, client];
    await tickUntil(both, () => client.is_connected() && server.is_connected(), "both to be connected");
    assert.equal(client.send("hello"), true);
    await tickUntil(both, () => client.journal.text === "echo hello", "the echo");
    client.disconnect();
    await tickUntil(both, () => server.journal.has("disconnect"), "the close");
    assert.deepEqual(server.journal.story, [...ACCEPTED, "data hello", ...CLOSED]);
  });
});
