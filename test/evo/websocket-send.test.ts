import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SendStatus, type WebSocketServer } from "../../src/evo/index.ts";
import { eventually, turns } from "../support/waiting.ts";
import type { WebSocketClient } from "../support/web-socket-client.ts";
import { connected, connectedServer, type Recording, webSocketServer } from "./harness.ts";

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
const RSV1 = 0x40;
const LONG = "compressible ".repeat(2_000);

type Connected = Awaited<ReturnType<typeof connected>>;

/** The next message, text as string and binary as an array. */
async function nextOf(socket: WebSocketClient): Promise<string | number[]> {
  const { binary, data, text } = await socket.message();
  return binary ? [...data] : text;
}

/** The bytes of what came since a position, after waiting for so many messages. */
async function frames(socket: WebSocketClient, from: number, messages = 1): Promise<Buffer> {
  for (let i = 0; i < messages; i++) await socket.text();
  return Buffer.from(socket.raw.received.subarray(from));
}

/** Messages to a client that does not read, until one is dropped; those that were not dropped. */
async function fill(web: Recording<WebSocketServer>, { id }: Connected) {
  const statuses: number[] = [];
  const kept: string[] = [];
  for (let i = 0; i < 10_000 && statuses.at(-1) !== SendStatus.DROPPED; i++) {
    const text = `${i}:`.padEnd(8 << 10, ".");
    const status = web.server.SendTextMessageToClient(text, id);
    statuses.push(status);
    if (status !== SendStatus.DROPPED) kept.push(text);
    if (status === SendStatus.SUCCESS) await turns(1);
  }
  return { statuses, kept };
}

describe("SendTextMessageToClient(message, clientID), SendBinaryMessageToClient, SendCompressedTextMessageToClient", () => {
  it("message first; text as text, binary as binary, to this client only", async (t) => {
    const web = webSocketServer(t);
    const [one, two] = [await connected(web), await connected(web)];
    assert.equal(web.server.SendTextMessageToClient("grüße", one.id), SendStatus.SUCCESS);
    assert.equal(web.server.SendBinaryMessageToClient(Buffer.from([0, 255]), one.id), SendStatus.SUCCESS);
    assert.equal(web.server.SendCompressedTextMessageToClient(LONG, one.id), SendStatus.SUCCESS);
    assert.equal(web.server.SendTextMessageToClient("for two", two.id), SendStatus.SUCCESS);
    assert.equal(await nextOf(one.socket), "grüße");
    assert.deepEqual(await nextOf(one.socket), [0, 255]);
    assert.equal(await one.socket.text(), LONG);
    assert.equal(await two.socket.text(), "for two");
  });

  it("SendStatus: 0 BACKPRESSURE, 1 SUCCESS, 2 DROPPED", () => {
    assert.deepEqual({ ...SendStatus }, { BACKPRESSURE: 0, SUCCESS: 1, DROPPED: 2 });
  });

  it("text given as bytes stays text, and binary given as text stays binary", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    web.server.SendTextMessageToClient(Buffer.from("bytes as text") as never, id);
    web.server.SendBinaryMessageToClient("text as bytes" as never, id);
    assert.equal(await nextOf(socket), "bytes as text");
    assert.deepEqual(await nextOf(socket), [...Buffer.from("text as bytes")]);
  });

  it("compressed only where asked for and where the client can", async (t) => {
    const web = webSocketServer(t);
    const [can, cannot] = [await connected(web, DEFLATE), await connected(web)];
    let from = can.socket.raw.received.length;
    web.server.SendTextMessageToClient(LONG, can.id);
    const plain = await frames(can.socket, from);
    assert.equal(plain[0]! & RSV1, 0);
    assert.ok(plain.length > LONG.length);
    from = can.socket.raw.received.length;
    web.server.SendCompressedTextMessageToClient(LONG, can.id);
    const compressed = await frames(can.socket, from);
    assert.equal(compressed[0]! & RSV1, RSV1);
    assert.ok(compressed.length < LONG.length / 10);
    from = cannot.socket.raw.received.length;
    web.server.SendCompressedTextMessageToClient(LONG, cannot.id);
    assert.equal((await frames(cannot.socket, from))[0]! & RSV1, 0);
  });

  it("0 BACKPRESSURE for what is over what the socket took, 2 DROPPED over the limit of 64 KiB; what was not dropped arrives", async (t) => {
    const web = webSocketServer(t);
    const client = await connected(web);
    client.socket.raw.pause();
    const { statuses, kept } = await fill(web, client);
    assert.equal(statuses[0], SendStatus.SUCCESS);
    assert.equal(statuses.at(-1), SendStatus.DROPPED);
    const queued = statuses.slice(statuses.lastIndexOf(SendStatus.SUCCESS) + 1, -1);
    assert.ok(queued.length >= 3, `${queued.length} messages of 8 KiB were queued`);
    assert.ok(queued.length <= 9, `${queued.length} messages of 8 KiB were queued`);
    assert.deepEqual(new Set(queued), new Set([SendStatus.BACKPRESSURE]));
    assert.equal(web.server.GetNumConnectedClients(), 1);
    client.socket.raw.resume();
    for (const text of kept) assert.equal(await client.socket.text(), text);
    assert.equal(web.server.SendTextMessageToClient("after", client.id), SendStatus.SUCCESS);
    assert.equal(await client.socket.text(), "after");
  });

  it("all three are dropped over the limit", async (t) => {
    const web = webSocketServer(t);
    const client = await connected(web, DEFLATE);
    client.socket.raw.pause();
    await fill(web, client);
    const large = Buffer.alloc(64 << 10);
    assert.equal(web.server.SendBinaryMessageToClient(large, client.id), SendStatus.DROPPED);
    assert.equal(web.server.SendTextMessageToClient("x".repeat(64 << 10), client.id), SendStatus.DROPPED);
  });

  it("many messages in one handler to a client that reads: none is dropped", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    const statuses: number[] = [];
    const text = (i: number): string => `${i}:`.padEnd(10_000, ".");
    web.server.WEBSOCKET_MESSAGE_RECEIVED = () => {
      for (let i = 0; i < 50; i++) statuses.push(web.server.SendTextMessageToClient(text(i), id));
    };
    socket.send("all of them");
    await web.event("WEBSOCKET_MESSAGE_RECEIVED");
    assert.equal(statuses.length, 50);
    assert.equal(statuses.includes(SendStatus.DROPPED), false);
    for (let i = 0; i < 50; i++) assert.equal(await socket.text(), text(i));
  });

  it("a message larger than the limit reaches a client that reads", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    const large = Buffer.alloc(4 << 20, "0123456789abcdef+");
    assert.notEqual(web.server.SendBinaryMessageToClient(large, id), SendStatus.DROPPED);
    const message = await socket.message(5_000);
    assert.ok(message.data.compare(large) === 0);
  });

  it("the program may reuse its buffer at once", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    const buffer = Buffer.alloc(4);
    for (let i = 0; i < 3; i++) web.server.SendBinaryMessageToClient(buffer.fill(`${i}`), id);
    buffer.fill("!");
    for (const text of ["0000", "1111", "2222"]) assert.equal(await socket.text(), text);
  });
});

describe("BroadcastTextMessage(message), BroadcastBinaryMessage, BroadcastCompressedTextMessage", () => {
  it("to all clients", async (t) => {
    const web = webSocketServer(t);
    const sockets = [];
    for (let i = 0; i < 5; i++) sockets.push(await web.socket());
    assert.equal(web.server.BroadcastTextMessage("grüße"), SendStatus.SUCCESS);
    assert.equal(web.server.BroadcastBinaryMessage(Buffer.from([1, 2, 3])), SendStatus.SUCCESS);
    assert.equal(web.server.BroadcastCompressedTextMessage(LONG), SendStatus.SUCCESS);
    for (const socket of sockets) {
      assert.equal(await nextOf(socket), "grüße");
      assert.deepEqual(await nextOf(socket), [1, 2, 3]);
      assert.equal(await nextOf(socket), LONG);
    }
  });

  it("SUCCESS where there is no client", (t) => {
    const { server } = webSocketServer(t);
    assert.equal(server.BroadcastTextMessage("to nobody"), SendStatus.SUCCESS);
    assert.equal(server.BroadcastBinaryMessage(Buffer.alloc(3)), SendStatus.SUCCESS);
    assert.equal(server.BroadcastCompressedTextMessage("to nobody"), SendStatus.SUCCESS);
  });

  it("a client counts before its ESTABLISHED was polled; one that is gone does not", async (t) => {
    const web = webSocketServer(t);
    const [stays, goes] = [await web.socket(), await web.socket()];
    goes.close(1000);
    await eventually(() => web.server.GetNumConnectedClients() === 1, "one to go");
    assert.equal(web.server.BroadcastTextMessage("early"), SendStatus.SUCCESS);
    assert.equal(await stays.text(), "early");
  });

  it("framed once: every client gets the same bytes", async (t) => {
    const web = webSocketServer(t);
    const sockets = [await web.socket(), await web.socket("/", DEFLATE), await web.socket()];
    const from = sockets.map((socket) => socket.raw.received.length);
    web.server.BroadcastTextMessage(LONG);
    web.server.BroadcastBinaryMessage(Buffer.from("binary"));
    const all = [];
    for (const [i, socket] of sockets.entries()) all.push(await frames(socket, from[i]!, 2));
    for (const bytes of all) assert.equal(bytes.compare(all[0]!), 0);
    assert.equal(all[0]![0], 0x81);
  });

  it("where compressed, compressed once: every client that can gets the same bytes, the others plain ones", async (t) => {
    const web = webSocketServer(t);
    const sockets = [await web.socket("/", DEFLATE), await web.socket(), await web.socket("/", DEFLATE)];
    const from = sockets.map((socket) => socket.raw.received.length);
    web.server.BroadcastCompressedTextMessage(LONG);
    const all = [];
    for (const [i, socket] of sockets.entries()) all.push(await frames(socket, from[i]!));
    assert.equal(all[0]![0], 0x81 | RSV1);
    assert.ok(all[0]!.length < LONG.length / 10);
    assert.equal(all[2]!.compare(all[0]!), 0);
    assert.equal(all[1]![0], 0x81);
    assert.ok(all[1]!.length > LONG.length);
  });

  it("compressed once: forty clients do not cost forty times as much as one", async (t) => {
    const text = Array.from({ length: 60_000 }, (_, i) => `number ${i}, `).join("");
    const cost = async (clients: number): Promise<number> => {
      const web = webSocketServer(t);
      for (let i = 0; i < clients; i++) await web.socket("/", DEFLATE);
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const begin = process.cpuUsage();
        web.server.BroadcastCompressedTextMessage(text);
        const { user, system } = process.cpuUsage(begin);
        times.push(user + system);
        await turns(20);
      }
      web.server.StopListening();
      return Math.min(...times);
    };
    const [one, forty] = [await cost(1), await cost(40)];
    assert.ok(forty < one * 10, `${one} µs for one client, ${forty} µs for forty`);
  });

  it("DROPPED if it was dropped for any; the others get it", async (t) => {
    const web = webSocketServer(t);
    const slow = await connected(web);
    const fast = await connected(web);
    slow.socket.raw.pause();
    await fill(web, slow);
    const text = "x".repeat(64 << 10);
    assert.equal(web.server.BroadcastTextMessage(text), SendStatus.DROPPED);
    assert.equal(web.server.BroadcastBinaryMessage(Buffer.from(text)), SendStatus.DROPPED);
    assert.equal(await fast.socket.text(), text);
    assert.equal(await fast.socket.text(), text);
    slow.socket.raw.destroy();
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    assert.equal(web.server.BroadcastTextMessage("again"), SendStatus.SUCCESS);
    assert.equal(await fast.socket.text(), "again");
  });

  it("SUCCESS where it was only queued", async (t) => {
    const web = webSocketServer(t);
    const slow = await connected(web);
    slow.socket.raw.pause();
    let queued = false;
    for (let i = 0; i < 10_000 && !queued; i++) {
      queued = web.server.SendTextMessageToClient("x".repeat(8 << 10), slow.id) === SendStatus.BACKPRESSURE;
      await turns(1);
    }
    assert.equal(queued, true);
    assert.equal(web.server.BroadcastTextMessage("queued"), SendStatus.SUCCESS);
  });
});
