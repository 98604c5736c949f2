import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { deflateRawSync } from "node:zlib";
import { Websocket } from "../../src/facil/index.ts";
import { PING_FRAME } from "../../src/protocol/websocket/opcodes.ts";
import { frame, RSV1 } from "../support/frames.ts";
import { eventually, sleep } from "../support/waiting.ts";
import type { WebSocketClient } from "../support/web-socket-client.ts";
import { echo, type Pair, type Sockets, servePair, serveSockets, setForTest } from "./helpers.ts";

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/** A server that notes the sizes of messages, and a WebSocket. */
async function recording(t: TestContext, lines = ""): Promise<Sockets & Pair & { sizes: number[] }> {
  const sizes: number[] = [];
  const made = await serveSockets(t, { on_message: (_ws, _data, size) => void sizes.push(size) });
  return { ...made, ...(await made.pair(lines)), sizes };
}

/** Waits until the server has read all that was sent. */
async function read(client: WebSocketClient): Promise<void> {
  client.raw.send(frame(PING_FRAME, "read?"));
  assert.equal((await client.next()).type, "pong");
}

/** Sends a message of 90 bytes, and changes the limit between its two fragments. */
async function changedMeanwhile(t: TestContext, from: number, to: number): ReturnType<typeof recording> {
  setForTest(t, "max_msg_size", from);
  const made = await recording(t);
  made.client.raw.send(frame(1, "a".repeat(10), { fin: false }));
  await read(made.client);
  Websocket.max_msg_size = to;
  made.client.raw.send(frame(0, "a".repeat(80)));
  return made;
}

describe("Websocket.max_msg_size", () => {
  it("is 262144 bytes", async (t) => {
    assert.equal(Websocket.max_msg_size, 262_144);
    const { client, sizes } = await recording(t);
    client.send(Buffer.alloc(262_144));
    await eventually(() => sizes.length === 1, "the message");
    client.send(Buffer.alloc(262_145));
    assert.equal((await client.closeFrame()).code, 1009);
    assert.deepEqual(sizes, [262_144]);
  });

  it("a larger message closes the connection with 1009, with on_close and without on_message", async (t) => {
    setForTest(t, "max_msg_size", 100);
    const { client, sizes, closed } = await recording(t);
    client.send("a".repeat(100)).send("b".repeat(101)).send("c");
    assert.equal((await client.closeFrame()).code, 1009);
    await eventually(() => closed.length === 1, "on_close");
    assert.deepEqual(sizes, [100]);
  });

  it("is refused before the content has come", async (t) => {
    setForTest(t, "max_msg_size", 100);
    const { client } = await recording(t);
    client.raw.send(frame(2, Buffer.alloc(1_000)).subarray(0, 10));
    assert.equal((await client.closeFrame()).code, 1009);
  });

  it("counts the whole message over all fragments", async (t) => {
    setForTest(t, "max_msg_size", 100);
    const { client, sizes } = await recording(t);
    client.raw.send(frame(1, "a".repeat(50), { fin: false })).send(frame(0, "a".repeat(50)));
    await eventually(() => sizes.length === 1, "the message");
    client.raw.send(frame(1, "a".repeat(50), { fin: false })).send(frame(0, "a".repeat(50), { fin: false }));
    client.raw.send(frame(0, "a"));
    assert.equal((await client.closeFrame()).code, 1009);
    assert.deepEqual(sizes, [100]);
  });

  it("may be changed at any time, for connections that are open, too", async (t) => {
    setForTest(t, "max_msg_size", 100);
    const { client, pair, sizes } = await recording(t);
    const other = await pair();
    client.send("a".repeat(100));
    await eventually(() => sizes.length === 1, "the message");
    Websocket.max_msg_size = 200;
    client.send("b".repeat(200));
    await eventually(() => sizes.length === 2, "the larger message");
    Websocket.max_msg_size = 20;
    client.send("c".repeat(21));
    assert.equal((await client.closeFrame()).code, 1009);
    other.client.send("d".repeat(21));
    assert.equal((await other.client.closeFrame()).code, 1009);
    const later = await pair();
    later.client.send("e".repeat(20));
    await eventually(() => sizes.length === 3, "the small message");
    assert.deepEqual(sizes, [100, 200, 20]);
  });

  it("a smaller one takes effect for messages that start afterwards", async (t) => {
    const { client, sizes } = await changedMeanwhile(t, 100, 20);
    await eventually(() => sizes.length === 1, "the message that had started before");
    client.send("b".repeat(21));
    assert.equal((await client.closeFrame()).code, 1009);
    assert.deepEqual(sizes, [90]);
  });

  it("a larger one takes effect for messages that start afterwards", async (t) => {
    const { client, sizes } = await changedMeanwhile(t, 20, 100);
    assert.equal((await client.closeFrame()).code, 1009);
    assert.deepEqual(sizes, []);
  });

  it("may be changed by on_message", async (t) => {
    setForTest(t, "max_msg_size", 100);
    const sizes: number[] = [];
    const { client } = await servePair(t, {
      on_message(_ws, _data, size) {
        sizes.push(size);
        Websocket.max_msg_size = 10;
      },
    });
    client.raw.send(Buffer.concat([frame(1, "a".repeat(100)), frame(1, "b".repeat(11))]));
    assert.equal((await client.closeFrame()).code, 1009);
    assert.deepEqual(sizes, [100]);
  });

  it("counts after decompression", async (t) => {
    setForTest(t, "max_msg_size", 1_000);
    const { client, sizes } = await recording(t, DEFLATE);
    const compressed = deflateRawSync(Buffer.alloc(1_001), { finishFlush: 2 }).subarray(0, -4);
    client.raw.send(frame(2, compressed, { rsv: RSV1 }));
    assert.ok(compressed.length < 100);
    const { code } = await client.closeFrame();
    const agreed = client.response.header("sec-websocket-extensions") !== undefined;
    // Where compression is not agreed, nothing is ever decompressed: RSV1 breaks a rule (RFC 6455 §5.2).
    assert.equal(code, agreed ? 1009 : 1002);
    assert.deepEqual(sizes, []);
  });
});

/** Milliseconds until the next ping. */
async function untilPing(client: WebSocketClient, ms = 5_000): Promise<number> {
  const from = Date.now();
  assert.equal((await client.next(ms)).type, "ping");
  return Date.now() - from;
}

const pings = (client: WebSocketClient): number =>
  client.events.filter((event) => event.type === "ping").length;

describe("Websocket.timeout", { concurrency: false }, () => {
  it("is 40 seconds", () => {
    assert.equal(Websocket.timeout, 40);
  });

  it("is 0 to 255", (t) => {
    setForTest(t, "timeout", 0);
    assert.equal(Websocket.timeout, 0);
    Websocket.timeout = 255;
    assert.equal(Websocket.timeout, 255);
    for (const wrong of [256, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      try {
        Websocket.timeout = wrong;
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
      assert.ok(Websocket.timeout >= 0 && Websocket.timeout <= 255, `${wrong}: ${Websocket.timeout}`);
    }
  });

  it("is inherited by each new connection: later changes affect new ones only", async (t) => {
    setForTest(t, "timeout", 1);
    const { pair } = await serveSockets(t);
    const early = await pair();
    Websocket.timeout = 200;
    const late = await pair();
    await untilPing(early.client);
    await late.client.readFor(500);
    assert.equal(pings(late.client), 0);
    Websocket.timeout = 1;
    const last = await pair();
    await untilPing(last.client);
    late.client.read();
    assert.equal(pings(late.client), 0);
  });

  it("0 closes nothing", async (t) => {
    setForTest(t, "timeout", 0);
    const { client, closed } = await servePair(t);
    await client.readFor(2_500);
    assert.equal(closed.length, 0);
    assert.ok(pings(client) <= 3, `${pings(client)} pings`);
  });

  // They wait, and need the same setting: side by side.
  describe("of 1 second", { concurrency: true }, () => {
    const usual = Websocket.timeout;
    before(() => {
      Websocket.timeout = 1;
    });
    after(() => {
      Websocket.timeout = usual;
    });

    it("after that long without traffic a ping is sent, fuzzy by 1 to 2 seconds", async (t) => {
      const { pair } = await serveSockets(t);
      const { client } = await pair();
      const first = await untilPing(client);
      assert.ok(first > 400 && first < 4_000, `${first} ms`);
      const second = await untilPing(client);
      assert.ok(second > 400 && second < 4_000, `${second} ms`);
    });

    it("traffic puts the ping off", async (t) => {
      const { pair } = await serveSockets(t);
      const { client } = await pair();
      for (let i = 0; i < 12; i++) {
        client.send("traffic");
        await client.readFor(250);
      }
      assert.equal(pings(client), 0);
    });

    it("a ping is sent, not a close: a client that never answers stays", async (t) => {
      const { pair, closed } = await serveSockets(t, {
        on_message: echo,
      });
      const { client } = await pair();
      client.answersPings = false;
      await untilPing(client);
      await client.readFor(4_000);
      assert.equal(client.closed, false);
      assert.ok(client.events.every((event) => event.type === "ping"));
      assert.equal(closed.length, 0);
      client.send("still here");
      let event = await client.next();
      while (event.type === "ping") event = await client.next();
      assert.ok(event.type === "message" && event.text === "still here");
    });

    it("a connection that cannot be written to is closed", async (t) => {
      const { pair, closed } = await serveSockets(t, {}, { limits: { maxBackpressureBytes: 1 << 26 } });
      const { client, ws } = await pair();
      client.raw.pause();
      const piece = Buffer.alloc(1 << 20);
      for (let i = 0; i < 32; i++) assert.equal(Websocket.write(ws, piece, piece.length, 0), 0);
      await eventually(() => closed.length === 1, "on_close", 10_000);
      assert.equal(Websocket.write(ws, piece, piece.length, 0), -1);
    });

    it("with close_without_pong a connection is closed when no pong came within one more period", async (t) => {
      const { pair, closed, accepted } = await serveSockets(t, {}, { close_without_pong: true });
      const silent = await pair();
      const good = await pair();
      silent.client.answersPings = false;
      await untilPing(silent.client);
      const from = Date.now();
      while (closed.length === 0 && Date.now() - from < 6_000) {
        silent.client.read();
        good.client.read();
        await sleep(10);
      }
      assert.deepEqual(closed, [silent.ws]);
      assert.ok(Date.now() - from > 400, `${Date.now() - from} ms`);
      await good.client.readFor(1_500);
      assert.equal(closed.length, 1);
      assert.equal(good.client.closed, false);
      assert.equal(accepted.length, 2);
    });
  });
});
