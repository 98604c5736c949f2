import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventually, sleep, within } from "../support/waiting.ts";
import {
  type ClientHandle,
  joined,
  nextClient,
  nextMessage,
  pulled,
  Recorder,
  TERMINATED,
  webSocketRoom,
} from "./computer.ts";
import { COUNT, flood, heldBack, numberOf } from "./flood.ts";

describe("handles of one client used from two places", () => {
  it("every waiter on the queue sees the event", async (t) => {
    const { http, socket, handle } = await joined(t);
    const waiters = [
      pulled(http, "websocket_server_message"),
      within(http.pullEvent(), "the event"),
      within(http.pullEventRaw(), "the event"),
    ];
    const receiving = nextMessage(handle);
    socket.send("to all");
    for (const waiter of waiters) {
      assert.deepEqual([...(await waiter)], ["websocket_server_message", handle.clientID, "to all", false]);
    }
    assert.deepEqual(await receiving, ["to all", false]);
  });

  it("receive returns the messages of its own client only", async (t) => {
    const { client, server } = webSocketRoom(t);
    const a = await client(server.port);
    const handleA = await nextClient(server);
    const b = await client(server.port);
    const handleB = await nextClient(server);
    const waiting = nextMessage(handleA);
    for (let i = 0; i < 5; i++) b.socket.send(`b${i}`);
    await eventually(() => b.socket.bufferedAmount === 0, "the messages of b to be on their way");
    await sleep(20);
    a.socket.send("a0");
    assert.deepEqual(await waiting, ["a0", false]);
    for (let i = 0; i < 5; i++) assert.deepEqual(await nextMessage(handleB), [`b${i}`, false]);
  });

  it("receive from two places gives each message once, in order", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const connected = pulled(http, "websocket_server_connect");
    const listening = nextClient(server);
    const { socket } = await client(server.port);
    const [one, two] = [(await connected)[2] as ClientHandle, await listening];
    const got: string[] = [];
    const loop = async (handle: ClientHandle): Promise<void> => {
      while (got.length < 100) {
        const message = await handle.receive(0.2);
        if (message !== null) got.push(String(message[0]));
      }
    };
    const loops = Promise.all([loop(one), loop(two)]);
    const sent = Array.from({ length: 100 }, (_, i) => String(i));
    for (const text of sent) socket.send(text);
    await within(loops, "both loops");
    assert.deepEqual(got, sent);
  });

  it("two that receive at once get one message each", async (t) => {
    const { socket, handle } = await joined(t);
    const waiting = [nextMessage(handle), nextMessage(handle)];
    socket.send("first");
    socket.send("second");
    assert.deepEqual(await Promise.all(waiting), [
      ["first", false],
      ["second", false],
    ]);
  });

  it("messages that came while nobody was in receive wait, in order, none twice", async (t) => {
    const { http, socket, handle } = await joined(t);
    const recorder = new Recorder(http, "websocket_server_message");
    socket.send("0");
    assert.deepEqual(await nextMessage(handle), ["0", false]);
    for (let i = 1; i <= 1_000; i++) socket.send(String(i));
    await recorder.until(1_001);
    for (let i = 1; i <= 1_000; i++) assert.deepEqual(await nextMessage(handle), [String(i), false]);
    assert.equal(await within(handle.receive(0.02), "the timeout"), null);
  });

  it("messages sent before the handle was taken are not lost", async (t) => {
    const { client, server } = webSocketRoom(t);
    const { socket } = await client(server.port);
    for (let i = 0; i < 10; i++) socket.send(String(i));
    await sleep(20);
    const handle = await nextClient(server);
    for (let i = 0; i < 10; i++) assert.deepEqual(await nextMessage(handle), [String(i), false]);
  });

  it("a first receive finds the last 256 messages of a client that nobody has received from", async (t) => {
    const { http, socket, handle } = await joined(t);
    const recorder = new Recorder(http, "websocket_server_message");
    for (let i = 0; i < 400; i++) socket.send(String(i));
    await recorder.until(400);
    for (let i = 144; i < 400; i++) assert.deepEqual(await nextMessage(handle), [String(i), false]);
    assert.equal(await within(handle.receive(0.02), "the timeout"), null);
  });

  it("a first receive finds at most 1 MiB, and that the last", async (t) => {
    const { http, socket, handle } = await joined(t);
    const recorder = new Recorder(http, "websocket_server_message");
    for (let i = 0; i < 48; i++) socket.send(Buffer.alloc(65_536, i));
    await recorder.until(48);
    const kept: number[] = [];
    for (;;) {
      const message = await within(handle.receive(0.05), "a message");
      if (message === null) break;
      kept.push(Buffer.from(message[0] as Buffer)[0] ?? -1);
    }
    assert.ok(kept.length >= 8 && kept.length <= 16, `${kept.length} messages`);
    const last = kept.map((_, i) => 48 - kept.length + i);
    assert.deepEqual(kept, last);
  });

  it("terminate rejects both", async (t) => {
    const { http, handle } = await joined(t);
    const rejected = [handle.receive(), handle.receive(60)].map((waiting) =>
      assert.rejects(within(waiting, "receive to reject"), TERMINATED),
    );
    http.queueEvent("terminate");
    await Promise.all(rejected);
  });

  it("a handle on which receive was never called holds nothing back", async (t) => {
    const { http, client, server } = webSocketRoom(t, { maxQueueBytes: 300_000 });
    flood(await client(server.port));
    await nextClient(server);
    for (let i = 0; i < COUNT; i++) {
      assert.equal(numberOf((await pulled(http, "websocket_server_message"))[2]), i);
    }
  });

  it("a full inbox pauses its client and no other, and loses nothing", async (t) => {
    const { http, client, server } = webSocketRoom(t, { maxQueueBytes: 300_000 });
    const recorder = new Recorder(http, "websocket_server_connect");
    const arriving = nextClient(server);
    const fast = await client(server.port);
    const handle = await arriving;
    flood(fast, 0, 1);
    assert.equal(numberOf((await nextMessage(handle))[0]), 0);
    flood(fast, 1);
    await heldBack(fast);
    const arrivingToo = nextClient(server);
    const other = await client(server.port);
    const otherHandle = await arrivingToo;
    other.socket.send("not held back");
    assert.deepEqual(await nextMessage(otherHandle), ["not held back", false]);
    for (let i = 1; i <= COUNT; i++) assert.equal(numberOf((await nextMessage(handle))[0]), i);
    fast.socket.send("and on");
    assert.deepEqual(await nextMessage(handle), ["and on", false]);
    assert.equal(recorder.seen.length, 2);
  });
});
