import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { WebSocketServer } from "../../src/evo/index.ts";
import { BINARY, frameHead } from "../support/frames.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { httpServer, type Recording, recorded, webSocketServer } from "./harness.ts";

const CLIENTS = 4;
const READ = 64 << 10;
const COMPILED = 400 << 10;

/** A masked binary frame with a client's number, a message's number and padding. */
function writeFrame(into: Buffer, at: number, client: number, number: number, size: number): number {
  const payload = at + frameHead(BINARY, size, { mask: [0, 0, 0, 0] }).copy(into, at);
  into.writeUInt32BE(client, payload);
  into.writeUInt32BE(number, payload + 4);
  into.fill(number & 255, payload + 8, payload + size);
  return payload + size;
}

/** A raw socket, open as a WebSocket, whose bytes are its own. */
async function rawSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  let head = "";
  socket.on("data", (bytes) => {
    head += bytes.toString("latin1");
  });
  socket.write(handshake("/"));
  await eventually(() => head.includes("\r\n\r\n"), "the handshake");
  assert.match(head, /^HTTP\/1\.1 101 /);
  return socket;
}

/** Sends blocks as fast as the peer takes them, and never holds more than one: since Node 22 a stream buffers 64 KiB. */
function flood(socket: Socket, next: () => Buffer | undefined): void {
  const go = (): void => {
    const block = next();
    if (block !== undefined) socket.write(block, (error) => error ?? go());
  };
  go();
}

/** Blocks of frames, `messages` of them, each with `size` bytes. */
function frameBlocks(client: number, messages: number, size: number): () => Buffer | undefined {
  let number = 0;
  return () => {
    if (number === messages) return undefined;
    const block = Buffer.alloc(READ);
    let at = 0;
    while (number < messages && at + size + 8 <= READ) at = writeFrame(block, at, client, number++, size);
    return block.subarray(0, at);
  };
}

/** Checks that each client's messages come once and in order, without keeping them. */
class Counter {
  readonly next: number[] = Array(CLIENTS).fill(0);
  readonly wrong: string[] = [];
  bytes = 0;
  events = 0;
  private readonly size: number;

  constructor(web: Recording<WebSocketServer>, size: number) {
    this.size = size;
    // What would be recorded is what these tests measure.
    web.server.OnEvent = (name, payload) => {
      if (payload === undefined) return;
      this.events++;
      if (name !== "WEBSOCKET_MESSAGE_RECEIVED") return;
      this.take(payload.message);
    };
  }

  get total(): number {
    return this.next.reduce((sum, count) => sum + count, 0);
  }

  private take(message: Buffer): void {
    this.bytes += message.length;
    const client = message.readUInt32BE(0);
    const number = message.readUInt32BE(4);
    const whole = message.length === this.size && message.at(-1) === (number & 255);
    if (!whole || this.next[client] !== number) this.wrong.push(`${client}: ${number}`);
    this.next[client] = number + 1;
  }
}

/** Waits until nothing is written any more. */
async function stalled(sockets: readonly Socket[]): Promise<void> {
  const written = (): number => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
  for (let before = -1; before !== written(); ) {
    before = written();
    await sleep(250);
  }
}

describe("ProcessDeferredEvents()", () => {
  for (const [size, perClient] of [
    [1_024, 12_000],
    [65_000, 250],
    [16, 250_000],
  ] as const) {
    it(`a program that never polls stays under its queue limit; after that all messages of ${size} B arrive in order`, async (t) => {
      const maxQueueBytes = 1 << 20;
      const web = webSocketServer(t, { limits: { maxQueueBytes } });
      const counter = new Counter(web, size);
      const sockets: Socket[] = [];
      for (let i = 0; i < CLIENTS; i++) sockets.push(await rawSocket(t, web.server.port));
      web.poll();
      const base = heldBytes();
      for (const [i, socket] of sockets.entries()) flood(socket, frameBlocks(i, perClient, size));
      await stalled(sockets);
      const held = heldBytes() - base;
      // The message that fills the queue, the clients' blocks, and reads and messages that were cut short.
      const slack = size + CLIENTS * 3 * READ;
      // Objects of events besides their data, and what V8 compiles meanwhile: up to 280 kB were seen.
      const objects = Math.ceil(maxQueueBytes / (size + 128)) * 400 + COMPILED;
      assert.ok(held <= maxQueueBytes + slack + objects, `${held} bytes more in the process`);
      let largest = 0;
      const poll = (): boolean => {
        const { bytes, events } = counter;
        web.poll();
        largest = Math.max(largest, counter.bytes - bytes + 128 * (counter.events - events));
        return counter.total === CLIENTS * perClient;
      };
      poll();
      assert.ok(counter.total > 0);
      assert.ok(counter.total < CLIENTS * perClient, "all messages fit into the system's buffers");
      await eventually(poll, "all messages", 20_000);
      assert.deepEqual(counter.wrong, []);
      // While a poll drains, what a paused connection has read already may follow.
      assert.ok(largest <= maxQueueBytes + (CLIENTS + 1) * 2 * READ, `${largest} bytes in one poll`);
    });
  }

  it("the same for uploads: nothing of the content is lost", async (t) => {
    const maxQueueBytes = 1 << 20;
    const length = 15 << 20;
    const web = httpServer(t, { limits: { maxQueueBytes } });
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    let finished = 0;
    let bytes = 0;
    const value = (at: number): number => (at * 31 + (at >>> 8)) & 255;
    web.server.OnEvent = (name, payload) => {
      if (payload === undefined || payload.clientID === "SERVER") return;
      const { clientID, message } = payload;
      const before = counts.get(clientID) ?? 0;
      if (message.length > 0) {
        const [first, last] = [value(before), value(before + message.length - 1)];
        if (message[0] !== first || message.at(-1) !== last) wrong.push(`${clientID} at ${before}`);
      }
      counts.set(clientID, before + message.length);
      bytes += message.length;
      if (name === "HTTP_REQUEST_FINISHED") finished++;
    };
    const sockets: Socket[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const socket = connect({ port: web.server.port, host: "127.0.0.1" });
      t.after(() => socket.destroy());
      sockets.push(socket);
      socket.write(`POST /${i} HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`);
      let at = 0;
      flood(socket, () => {
        if (at === length) return undefined;
        const block = Buffer.alloc(Math.min(READ, length - at));
        for (let j = 0; j < block.length; j++) block[j] = value(at + j);
        at += block.length;
        return block;
      });
    }
    await stalled(sockets);
    let largest = 0;
    const poll = (): boolean => {
      const before = bytes;
      web.poll();
      largest = Math.max(largest, bytes - before);
      return finished === CLIENTS;
    };
    poll();
    assert.ok(bytes > 0 && bytes < CLIENTS * length);
    await eventually(poll, "all content", 20_000);
    assert.deepEqual([...counts.values()], Array(CLIENTS).fill(length));
    assert.deepEqual(wrong, []);
    assert.ok(largest <= maxQueueBytes + (CLIENTS + 1) * 2 * READ, `${largest} bytes in one poll`);
  });

  it("clients that come and go without end do not fill the memory either, and none is forgotten", async (t) => {
    const maxQueueBytes = 10_000;
    const web = webSocketServer(t, { limits: { maxQueueBytes } });
    web.poll();
    const before = web.events.length;
    for (let i = 0; i < 500; i++) {
      const client = connect({ port: web.server.port, host: "127.0.0.1" });
      client.on("error", () => {});
      client.resume().write(handshake("/"));
      await once(client, "connect");
      await sleep(1);
      client.destroy();
    }
    web.poll();
    assert.ok(web.events.length - before <= (2 * maxQueueBytes) / 128, `${web.events.length} events waited`);
    const closed = (): number => web.named("WEBSOCKET_CONNECTION_CLOSED").length;
    await web.until(() => closed() === 500, "the end of all clients", 5_000);
    assert.equal(web.named("WEBSOCKET_CONNECTION_ESTABLISHED").length, 500);
  });

  it("a full queue does not keep the program from StopListening", async (t) => {
    const web = webSocketServer(t, { limits: { maxQueueBytes: 64 << 10 } });
    const counter = new Counter(web, 1_024);
    const socket = await rawSocket(t, web.server.port);
    flood(socket, frameBlocks(0, 20_000, 1_024));
    await stalled([socket]);
    web.server.StopListening();
    assert.ok(counter.total > 0);
    assert.deepEqual(counter.wrong, []);
    assert.equal(web.server.isListening, false);
    assert.equal(web.server.GetNumConnectedClients(), 0);
  });

  it("polled every 16 ms nothing is lost and order is kept with 50,000 messages/s for one second", async (t) => {
    const perClient = 50_000 / CLIENTS;
    const size = 32;
    const web = recorded(t, new WebSocketServer({ host: "127.0.0.1", pollIntervalMs: 16 }));
    const counter = new Counter(web, size);
    web.server.StartListening(0);
    const sockets: Socket[] = [];
    for (let i = 0; i < CLIENTS; i++) sockets.push(await rawSocket(t, web.server.port));
    const sent: number[] = Array(CLIENTS).fill(0);
    const begin = performance.now();
    while (sent.some((count) => count < perClient)) {
      const due = Math.min(perClient, Math.floor(((performance.now() - begin) / 1_000) * perClient));
      for (const [i, socket] of sockets.entries()) {
        const block = Buffer.alloc((due - sent[i]!) * (size + 6));
        let at = 0;
        while (sent[i]! < due) at = writeFrame(block, at, i, sent[i]!++, size);
        if (at > 0) socket.write(block);
      }
      await sleep(5);
    }
    const offered = performance.now() - begin;
    await eventually(() => counter.total >= 50_000, "all messages", 5_000);
    assert.deepEqual(counter.next, Array(CLIENTS).fill(perClient));
    assert.deepEqual(counter.wrong, []);
    assert.ok(offered < 3_000, `they were offered in ${offered} ms`);
  });
});
