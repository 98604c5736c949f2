import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { UpgradeOptions, WebSocketHandlers } from "../../src/exchange/exchange.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { frame, PONG } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually, within } from "../support/waiting.ts";
import type { WebSocketClient } from "../support/web-socket-client.ts";
import { tcpPairOn, webSocketPair } from "../support/web-socket-pair.ts";

/** The text of the next message; pings are passed over. */
async function nextText(client: WebSocketClient): Promise<string> {
  for (;;) {
    const event = await client.next();
    if (event.type === "message" && (!event.binary || event.data.length < 1_000)) return event.text;
  }
}

/** The payload of the next ping. */
async function nextPing(client: WebSocketClient): Promise<string> {
  const event = await client.next();
  assert.equal(event.type, "ping");
  return event.type === "ping" ? event.text : "";
}

const tcpPair = (
  t: TestContext,
  window: UpgradeOptions["window"] = undefined,
  options: ServerOptions = {},
  handlers: WebSocketHandlers = {},
) => webSocketPair(t, handlers, options, window === undefined ? {} : { window }, "", "TCP");

describe("sendLatest", () => {
  test("keeps the newest value of each key while a client does not read, and sends it when the client does", async (t) => {
    const { server, client, socket } = await tcpPair(t);
    client.raw.pause();
    while (socket.pendingBytes === 0) {
      socket.send(Buffer.alloc(100_000));
      server.flush();
    }
    let made = 0;
    for (let tick = 1; tick <= 50; tick++) {
      const result = socket.sendLatest("world", () => `world ${tick}, made ${++made}`);
      assert.equal(result, "queued");
      socket.sendLatest("score", `score ${tick}`);
    }
    assert.equal(made, 0);
    client.raw.resume();
    assert.deepEqual([await nextText(client), await nextText(client)], ["world 50, made 1", "score 50"]);
    assert.equal(socket.sendLatest("world", "now"), "sent");
  });

  test("with deferred delivery makes what waits only inside a poll", async (t) => {
    const { server, client, socket } = await tcpPair(t, { maxUnacked: 1 }, { delivery: "deferred" });
    client.answersPings = false;
    server.poll();
    socket.sendLatest("world", "first");
    let isPolling = false;
    let madeInside: boolean | undefined;
    socket.sendLatest("world", () => {
      madeInside = isPolling;
      return "second";
    });
    assert.equal(await client.text(), "first");
    client.raw.send(frame(PONG, await nextPing(client)));
    await eventually(() => server.waitingEvents > 0, "the acknowledgement");
    assert.equal(madeInside, undefined);
    isPolling = true;
    server.poll();
    isPolling = false;
    assert.equal(madeInside, true);
    assert.equal(await client.text(), "second");
  });

  test("copies bytes that wait, and answers closed after the end", async (t) => {
    const { client, socket } = await tcpPair(t, { maxUnacked: 1, acknowledgedBy: "program" });
    const bytes = Buffer.from("one");
    assert.equal(socket.sendLatest("a", bytes), "sent");
    bytes.write("two");
    assert.equal(socket.sendLatest("a", bytes), "queued");
    bytes.write("xxx");
    socket.ack();
    assert.deepEqual([await client.text(), await client.text()], ["one", "two"]);
    socket.terminate();
    assert.equal(socket.sendLatest("a", "late"), "closed");
  });

  test("counts the memory of empty values, too: clients can make up their keys", async (t) => {
    const { client, socket } = await tcpPair(
      t,
      { maxUnacked: 1 },
      { limits: { maxBackpressureBytes: 10_000 } },
    );
    client.answersPings = false;
    let keys = 0;
    socket.sendLatest("first", "");
    while (socket.sendLatest(`${keys}`, "") === "queued") keys++;
    assert.ok(keys > 10 && keys < 100, `${keys} keys`);
    assert.equal(socket.sendLatest("0", "again"), "queued");
  });

  test("drops values beyond maxBackpressureBytes, so that keys without an end do not fill the memory", async (t) => {
    const limits = { maxBackpressureBytes: 1_000 };
    const { server, socket } = await tcpPair(t, { maxUnacked: 1, acknowledgedBy: "program" }, { limits });
    socket.sendLatest("first", "x");
    const results = new Set<string>();
    for (let i = 0; i < 100; i++) results.add(socket.sendLatest(`key ${i}`, () => "x"));
    assert.deepEqual([...results], ["queued", "dropped"]);
    assert.ok(server.counters.messagesDropped > 80);
  });
});

describe("a window", () => {
  test("lets maxUnacked messages out, and one more for each pong", async (t) => {
    const pongs: string[] = [];
    const pong = (_: unknown, data: Buffer): void => void pongs.push(data.toString());
    const { client, socket } = await tcpPair(t, { maxUnacked: 2 }, {}, { pong });
    client.answersPings = false;
    const results = [1, 2, 3, 4].map((tick) => socket.sendLatest("world", String(tick)));
    assert.deepEqual(results, ["sent", "sent", "queued", "queued"]);
    assert.equal(await client.text(), "1");
    const first = await nextPing(client);
    assert.equal(await client.text(), "2");
    await nextPing(client);
    assert.ok(socket.lagMs > 0);
    client.raw.send(frame(PONG, first));
    assert.equal(await client.text(), "4");
    client.raw.send(frame(PONG, "of the program"));
    await eventually(() => pongs.length > 0, "the pong of the program");
    assert.deepEqual(pongs, ["of the program"]);
  });

  test("acknowledged by messages opens by one for each of them", async (t) => {
    const { client, socket } = await tcpPair(t, { maxUnacked: 1, acknowledgedBy: "message" });
    socket?.sendLatest("world", "1");
    socket?.sendLatest("world", "2");
    assert.equal(await client.text(), "1");
    client.send("seen");
    assert.equal(await client.text(), "2");
  });

  test("refuses options that cannot be", (t) => {
    const { server } = harness(t);
    for (const window of [{ maxUnacked: 0 }, { maxUnacked: 1.5 }]) {
      assert.throws(() => server.websocket("/", {}, { window }), RangeError);
    }
    assert.throws(
      () => server.websocket("/", {}, { window: { maxUnacked: 1, acknowledgedBy: "x" as "pong" } }),
      TypeError,
    );
  });
});

describe("pings of a window", () => {
  const rows = [
    ["without a window", undefined],
    ["with a window that pongs acknowledge", { maxUnacked: 2 }],
    ["with a window that the program acknowledges", { maxUnacked: 2, acknowledgedBy: "program" }],
  ] as const;
  for (const [name, window] of rows) {
    test(`leave the program's own pongs alone, ${name}`, async (t) => {
      const pongs: string[] = [];
      const pong = (_: unknown, data: Buffer): void => void pongs.push(data.toString());
      const { client, socket } = await tcpPair(t, window, {}, { pong });
      socket.sendLatest("world", "1");
      socket.ping("world");
      socket.ping("worlds!!");
      const seen = async (): Promise<void> => {
        while (pongs.length < 2) await client.readFor(5);
      };
      await within(seen(), "the pongs of the program");
      assert.deepEqual(pongs, ["world", "worlds!!"]);
    });
  }

  test("acknowledge a message that is larger than all that may wait", async (t) => {
    const limits = { maxBackpressureBytes: 1_000_000 };
    const { client, socket } = await tcpPair(t, { maxUnacked: 1 }, { limits });
    client.raw.pause();
    assert.notEqual(socket?.sendLatest("world", Buffer.alloc(20_000_000)), "dropped");
    assert.equal(socket?.sendLatest("world", "next"), "queued");
    client.raw.resume();
    assert.equal(await nextText(client), "next");
  });
});

describe("a budget of messages", () => {
  test("pauses a client that sends too fast, and loses nothing", async (t) => {
    const at: number[] = [];
    const { client } = await tcpPairOn(
      harness(t),
      { message: () => void at.push(performance.now()) },
      { budget: { perSecond: 50, burst: 5 } },
    );
    for (let i = 0; i < 15; i++) client.send(String(i));
    await eventually(() => at.length === 15, "all messages");
    // 5 at once; the other 10 take 20 ms each.
    assert.ok((at[14] ?? 0) - (at[0] ?? 0) >= 180, `${at[14]} - ${at[0]}`);
  });

  test("closes with 1008 where that was chosen", async (t) => {
    let count = 0;
    const { server, client } = await tcpPairOn(
      harness(t),
      { message: () => void count++ },
      { budget: { perSecond: 1, burst: 3, whenExceeded: "close" } },
    );
    for (let i = 0; i < 10; i++) client.send(String(i));
    const { code } = await client.closeFrame();
    assert.equal(code, 1008);
    assert.equal(count, 3);
    assert.equal(server.counters.errors["WS_MESSAGE_RATE"], 1);
  });

  test("refuses options that cannot be", (t) => {
    const { server } = harness(t);
    for (const budget of [{ perSecond: 0 }, { perSecond: 1, burst: 0.5 }]) {
      assert.throws(() => server.websocket("/", {}, { budget }), RangeError);
    }
  });
});
