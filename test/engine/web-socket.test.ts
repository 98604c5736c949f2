import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import type { UpgradeOptions, WebSocket } from "../../src/exchange/exchange.ts";
import { BINARY, PING_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import type { Server } from "../../src/server/server.ts";
import { numbers } from "../support/bytes.ts";
import { frame, RSV1, serverFrame } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open, textsOf, type WebSocketClient } from "../support/web-socket-client.ts";
import { pairOn, webSocketPair } from "../support/web-socket-pair.ts";

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

describe("messages", () => {
  test("text is text and bytes are binary, unless asked otherwise", async (t) => {
    const { client, socket } = await webSocketPair(t);
    assert.equal(socket.send("é"), "sent");
    socket.send(Uint8Array.of(1, 2));
    socket.send("text", { binary: true });
    socket.send(Buffer.from("bytes"), { binary: false });
    socket.send("");
    const got = [];
    for (let i = 0; i < 5; i++) {
      const event = await client.next();
      assert.equal(event.type, "message");
      if (event.type === "message") got.push([event.binary, event.text]);
    }
    assert.deepEqual(got, [
      [false, "é"],
      [true, "\x01\x02"],
      [true, "text"],
      [false, "bytes"],
      [false, ""],
    ]);
  });

  test("of every length form arrive as they are, in both directions", async (t) => {
    const { client } = await webSocketPair(t, {
      message: (socket, data, binary) => void socket.send(data, { binary }),
    });
    for (const size of [0, 1, 125, 126, 2_048, 65_535, 65_536, 1_000_000]) {
      const data = Buffer.alloc(size, "abcdefg");
      client.send(data);
      const event = await client.next();
      assert.ok(event.type === "message" && event.binary && event.data.equals(data), String(size));
    }
  });

  test("bytes may be changed as soon as they were given", async (t) => {
    const { client, socket } = await webSocketPair(t);
    socket.subscribe("t");
    for (const size of [10, 3_000, 65_536]) {
      const data = Buffer.alloc(size, "a");
      socket.send(data);
      data.fill("b");
      socket.publish("t", data);
      socket.send(data);
      data.fill("c");
      assert.deepEqual(await textsOf(client, 2), ["a".repeat(size), "b".repeat(size)]);
    }
  });

  test("what a handler was lent may be sent", async (t) => {
    const { client } = await webSocketPair(t, {
      message(socket, data) {
        socket.send(data);
        socket.publish("none", data);
        socket.send(data);
      },
    });
    client.send("one").send("two".repeat(1_000));
    for (const expected of ["one", "one", "two".repeat(1_000), "two".repeat(1_000)]) {
      const event = await client.next();
      assert.equal(event.type === "message" ? event.text : "", expected);
    }
  });

  test("several to one socket in one turn leave in one write, with cork and without", async (t) => {
    const { client, socket } = await webSocketPair(t);
    await turns();
    const before = client.raw.deliveries.length;
    socket.send("1");
    await Promise.resolve();
    socket.send("2");
    socket.ping();
    socket.send("3");
    for (const expected of ["message", "message", "ping", "message"])
      assert.equal((await client.next()).type, expected);
    assert.equal(client.raw.deliveries.length, before + 1);
    socket.cork(() => {
      for (let i = 0; i < 10; i++) socket.send(`corked ${i}`);
    });
    for (let i = 0; i < 10; i++) assert.equal(await client.text(), `corked ${i}`);
    assert.equal(client.raw.deliveries.length, before + 2);
  });

  test("in answer to one read leave in one write", async (t) => {
    const { client } = await webSocketPair(t, { message: (socket, data) => void socket.send(data) });
    await turns();
    const before = client.raw.deliveries.length;
    client.raw.send(Buffer.concat(Array.from({ length: 100 }, (_, i) => frame(1, String(i)))));
    for (let i = 0; i < 100; i++) assert.equal(await client.text(), String(i));
    assert.equal(client.raw.deliveries.length, before + 1);
  });

  test("cork lets go when its function throws", async (t) => {
    const { client, socket } = await webSocketPair(t);
    assert.throws(() =>
      socket.cork(() => {
        socket.send("held");
        throw new Error("own");
      }),
    );
    assert.equal(await client.text(), "held");
    socket.send("next");
    assert.equal(await client.text(), "next");
  });
});

describe("topics", () => {
  async function room(
    t: TestContext,
    count: number,
    upgrade: UpgradeOptions<undefined> = {},
    lines: (i: number) => string = () => "",
  ): Promise<{ server: Server; sockets: WebSocket[]; clients: WebSocketClient[] }> {
    const { server, connect } = harness(t);
    const sockets: WebSocket[] = [];
    server.websocket("/", { open: (socket) => void sockets.push(socket as WebSocket) }, upgrade);
    const clients: WebSocketClient[] = [];
    for (let i = 0; i < count; i++) clients.push(await open(connect(), "/", lines(i)));
    return { server, sockets, clients };
  }

  test("server.publish reaches all subscribers, socket.publish all others", async (t) => {
    const { server, sockets, clients } = await room(t, 3);
    const [a, b] = sockets as [WebSocket, WebSocket];
    assert.equal(server.publish("t", "nobody"), 0);
    assert.equal(a.subscribe("t"), true);
    assert.equal(a.subscribe("t"), true);
    assert.equal(b.subscribe("t"), true);
    assert.equal(a.isSubscribed("t"), true);
    assert.equal(sockets[2]?.isSubscribed("t"), false);
    assert.equal(server.subscribers("t"), 2);
    assert.deepEqual([...server.topics], [["t", 2]]);
    assert.deepEqual([...server.subscribedTo("t")], [a, b]);
    assert.deepEqual([...server.subscribedTo("other")], []);
    assert.equal(server.publish("t", "all"), 2);
    assert.equal(a.publish("t", "others"), 1);
    assert.equal(sockets[2]?.publish("t", Buffer.from("outside")), 2);
    assert.equal(a.unsubscribe("t"), true);
    assert.equal(a.unsubscribe("t"), false);
    assert.equal(server.publish("t", "one"), 1);
    for (const expected of ["all", "outside"]) assert.equal(await clients[0]?.text(), expected);
    for (const text of ["all", "others", "outside", "one"]) assert.equal(await clients[1]?.text(), text);
    await turns();
    clients[0]?.read();
    clients[2]?.read();
    assert.deepEqual(clients[0]?.events, []);
    assert.deepEqual(clients[2]?.events, []);
  });

  test("a WebSocket that is gone is in no topic", async (t) => {
    const { server, sockets, clients } = await room(t, 2);
    for (const socket of sockets) socket.subscribe("t");
    clients[0]?.close(1000);
    await eventually(() => sockets[0]?.readyState === "closed", "the close");
    assert.equal(server.subscribers("t"), 1);
    assert.deepEqual([...server.subscribedTo("t")], [sockets[1]]);
    assert.equal(server.publish("t", "left"), 1);
    sockets[1]?.terminate();
    assert.equal(server.subscribers("t"), 0);
  });

  test("maxSubscriptions holds for each socket", async (t) => {
    const { server, sockets } = await room(t, 2);
    server.limits.maxSubscriptions = 2;
    for (const socket of sockets) {
      assert.equal(socket.subscribe("1"), true);
      assert.equal(socket.subscribe("2"), true);
      assert.equal(socket.subscribe("3"), false);
      assert.equal(socket.subscribe("1"), true, "it has joined already");
      socket.unsubscribe("1");
      assert.equal(socket.subscribe("3"), true);
    }
  });

  test("a broadcast reaches sockets with compression and without, small ones uncompressed", async (t) => {
    const compression = { thresholdBytes: 100 };
    const { server, sockets, clients } = await room(t, 4, { compression }, (i) => (i < 2 ? DEFLATE : ""));
    for (const [i, socket] of sockets.entries()) assert.equal(socket.compresses, i < 2);
    for (const socket of sockets) socket.subscribe("t");
    for (const [text, options, first] of [
      ["hello ".repeat(1_000), {}, 0xc1],
      ["short", {}, 0x81],
      ["plain ".repeat(1_000), { compress: false }, 0x81],
      ["bytes ".repeat(1_000), { binary: true }, 0xc2],
    ] as const) {
      assert.equal(server.publish("t", text, options), 4);
      for (const [i, client] of clients.entries()) {
        assert.equal(await client.text(), text);
        assert.equal(client.firstByte, i < 2 ? first : first & 0xbf);
      }
    }
  });

  test("single messages and broadcasts may be mixed with context takeover", async (t) => {
    const upgrade = { compression: { thresholdBytes: 0, contextTakeover: true } };
    const { server, sockets, clients } = await room(t, 2, upgrade, () => DEFLATE);
    for (const socket of sockets) socket.subscribe("t");
    const text = (i: number): string => `message ${i % 3} `.repeat(50);
    for (let i = 0; i < 20; i++) {
      if (i % 4 === 0) server.publish("t", text(i));
      else for (const socket of sockets) socket.send(text(i));
      for (const client of clients) assert.equal(await client.text(), text(i));
    }
  });
});

describe("compression", () => {
  test("is agreed only where the server wants it and the client offers it", async (t) => {
    const off = await webSocketPair(t, {}, {}, {}, DEFLATE);
    assert.equal(off.socket.compresses, false);
    assert.equal(off.client.response.header("sec-websocket-extensions"), undefined);
    assert.equal((await webSocketPair(t, {}, {}, { compression: true })).socket.compresses, false);
    const both = await webSocketPair(t, {}, {}, { compression: true }, DEFLATE);
    assert.equal(both.socket.compresses, true);
    assert.match(both.client.response.header("sec-websocket-extensions") ?? "", /^permessage-deflate/);
  });

  test("messages from the threshold on are compressed, unless asked otherwise", async (t) => {
    const compression = { thresholdBytes: 50 };
    const { client, socket } = await webSocketPair(t, {}, {}, { compression }, DEFLATE);
    for (const [text, options, compressed] of [
      ["x".repeat(49), {}, false],
      ["x".repeat(50), {}, true],
      ["x".repeat(500), { compress: false }, false],
    ] as const) {
      socket.send(text, options);
      assert.equal(await client.text(), text);
      assert.equal((client.firstByte & 0x40) !== 0, compressed);
    }
  });
});

describe("a peer that does not read", () => {
  const limits = { maxBackpressureBytes: 200_000 };

  test("send answers sent, then queued, then dropped; drain says when to go on", async (t) => {
    let drains = 0;
    const drain = (): void => void drains++;
    const { client, socket, server } = await webSocketPair(t, { drain }, { limits });
    await turns();
    client.raw.pause();
    const answers: string[] = [];
    const sent: string[] = [];
    for (let i = 0; answers.at(-1) !== "dropped"; i++) {
      const text = `${i} `.repeat(1_000);
      const answer = socket.send(text);
      answers.push(answer);
      if (answer !== "dropped") sent.push(text);
      await turns(1);
      assert.ok(i < 200, "never dropped");
      assert.ok(socket.bufferedBytes <= 270_000, `${socket.bufferedBytes} bytes are buffered`);
    }
    assert.deepEqual([...new Set(answers)], ["sent", "queued", "dropped"]);
    assert.ok(socket.bufferedBytes > 150_000);
    assert.equal(server.counters.messagesDropped, 1);
    assert.equal(server.counters.messagesSent, sent.length);
    assert.equal(drains, 0);
    assert.ok(["sent", "queued"].includes(socket.send("")) || socket.ping() === "dropped");
    client.raw.resume();
    await eventually(() => drains > 0, "drain");
    assert.equal(socket.bufferedBytes, 0);
    for (const text of sent) assert.equal(await client.text(), text);
    await turns();
    assert.equal(drains, 1);
    assert.equal(socket.send("again"), "sent");
  });

  test("it is bounded within one turn, too", async (t) => {
    const { client, socket } = await webSocketPair(t, {}, { limits });
    await turns();
    client.raw.pause();
    for (let i = 0; i < 1_000; i++) socket.send("x".repeat(1_000));
    assert.ok(socket.bufferedBytes <= 270_000, `${socket.bufferedBytes} bytes are buffered`);
  });

  test("publish does not count those that did not take it", async (t) => {
    const { client, socket, server, connect } = await webSocketPair(t, {}, { limits });
    await turns();
    client.raw.pause();
    socket.subscribe("t");
    server.websocket("/other", { open: (opened) => void opened.subscribe("t") });
    const other = await open(connect(), "/other");
    let taken = 2;
    for (let i = 0; i < 400 && taken === 2; i++) {
      taken = server.publish("t", `${i} `.repeat(1_000));
      await turns(1);
      other.read();
    }
    assert.equal(taken, 1);
    assert.ok(socket.bufferedBytes <= 270_000);
  });

  test("a flood of pings is answered within bounds, the last for certain", async (t) => {
    const { client, socket } = await webSocketPair(t, {}, { limits });
    await turns();
    client.raw.pause();
    const flood = Buffer.concat(Array.from({ length: 100 }, () => frame(9, "x".repeat(120))));
    for (let i = 0; i < 100; i++) {
      client.raw.send(flood);
      await turns(1);
    }
    client.ping("last");
    await turns(2);
    assert.ok(socket.bufferedBytes <= 270_000, `${socket.bufferedBytes} bytes of pongs`);
    client.raw.resume();
    await client.raw.until(() => {
      client.read();
      const event = client.events.at(-1);
      return event?.type === "pong" && event.text === "last";
    }, "the pong for the last ping");
  });

  test("maxTotalBackpressureBytes holds over all of them", async (t) => {
    const { server, connect } = harness(t, { limits: { maxTotalBackpressureBytes: 100_000 } });
    const sockets: WebSocket[] = [];
    server.websocket("/", { open: (socket) => void sockets.push(socket as WebSocket) });
    for (let i = 0; i < 5; i++) (await open(connect(), "/")).raw.pause();
    for (let i = 0; i < 50; i++) {
      for (const socket of sockets) socket.send("x".repeat(2_000));
      await turns(1);
    }
    const total = sockets.reduce((sum, socket) => sum + socket.bufferedBytes, 0);
    assert.ok(total > 50_000 && total <= 120_000, `${total} bytes in all`);
    assert.ok(server.counters.messagesDropped > 0);
  });
});

describe("ping and pong", () => {
  test("pings of the peer are answered with their data, in between fragments, too", async (t) => {
    const got = signal<string>();
    const { client } = await webSocketPair(t, { message: (_, data) => got.give(data.toString()) });
    client.ping("data");
    assert.deepEqual(await client.next(), { type: "pong", text: "data" });
    client.raw.send(frame(1, "frag", { fin: false }));
    client.ping("");
    assert.deepEqual(await client.next(), { type: "pong", text: "" });
    client.raw.send(frame(0, "ment"));
    assert.equal(await got.wait("the message"), "fragment");
  });

  test("pings of the peer are told, after they were answered", async (t) => {
    const got = signal<string>();
    const { client } = await webSocketPair(t, { ping: (_, data) => got.give(data.toString()) });
    client.ping("hello");
    assert.equal(await got.wait("the ping"), "hello");
    assert.deepEqual(await client.next(), { type: "pong", text: "hello" });
  });

  test("pings are told in their order when they are polled", async (t) => {
    const got: string[] = [];
    const { server, client } = await pairOn(harness(t, { delivery: "deferred" }), {
      ping: (_, data) => void got.push(`ping ${data}`),
      message: (_, data) => void got.push(`message ${data}`),
    });
    client.ping("1");
    client.send("2");
    client.ping("3");
    await eventually(() => server.waitingEvents === 4, "open, two pings and a message");
    server.poll();
    assert.deepEqual(got, ["ping 1", "message 2", "ping 3"]);
  });

  test("pings of the program arrive, and the pong is told", async (t) => {
    const got = signal<string>();
    const { client, socket } = await webSocketPair(t, { pong: (_, data) => got.give(data.toString()) });
    assert.equal(socket.ping("are you there"), "sent");
    assert.deepEqual(await client.next(), { type: "ping", text: "are you there" });
    assert.equal(await got.wait("the pong"), "are you there");
    assert.equal(socket.ping(Buffer.alloc(125)), "sent");
    assert.throws(() => socket.ping("x".repeat(126)), RangeError);
  });
});

describe("the close handshake", () => {
  test("begun by the peer: its code and reason are told, and answered with the code", async (t) => {
    for (const [code, reason] of [
      [1000, "done"],
      [4321, "é".repeat(10)],
      [undefined, ""],
    ] as const) {
      const { client, closed, socket } = await webSocketPair(t);
      client.answersClose = false;
      client.close(code, reason);
      assert.equal(await closed(), `${code ?? 1005} ${reason}`);
      assert.equal((await client.closeFrame()).code, code ?? 1005);
      await client.raw.over("the server to close first");
      assert.equal(socket.readyState, "closed");
    }
  });

  test("begun by the program: what was sent before arrives, nothing goes after it", async (t) => {
    const { client, socket, closed } = await webSocketPair(t);
    client.answersClose = false;
    socket.send("before");
    socket.close(4000, "reason");
    assert.equal(socket.readyState, "closing");
    assert.equal(socket.send("after"), "closed");
    assert.equal(socket.ping(), "closed");
    assert.equal(socket.subscribe("t"), false);
    socket.close(1000, "again");
    assert.equal(await client.text(), "before");
    assert.deepEqual(await client.next(), { type: "close", code: 4000, reason: "reason" });
    client.close(4000);
    assert.match(await closed(), /^4000/);
    await client.raw.over();
    client.read();
    assert.deepEqual(client.events, []);
  });

  test("messages that were under way when the program closed are not delivered", async (t) => {
    const messages: string[] = [];
    const { client, socket, closed } = await webSocketPair(t, {
      message: (_, data) => void messages.push(data.toString()),
    });
    socket.close();
    client.send("late").close(1000);
    await closed();
    assert.deepEqual(messages, []);
  });

  test("a reason is cut at 123 bytes, a code that may not be sent is a mistake", async (t) => {
    const { client, socket } = await webSocketPair(t);
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
      assert.throws(() => socket.close(code), RangeError, String(code));
    }
    assert.equal(socket.readyState, "open");
    socket.close(1000, "é".repeat(100));
    assert.deepEqual(await client.closeFrame(), { code: 1000, reason: "é".repeat(61) });
  });

  test("a peer that does not answer is dropped after closeTimeoutMs, told as 1006", async (t) => {
    const { client, socket, closed } = await webSocketPair(t, {}, { limits: { closeTimeoutMs: 40 } });
    client.answersClose = false;
    socket.close(1000);
    assert.match(await closed(), /^1006/);
    await client.raw.until(() => client.raw.closed, "the end of the connection");
  });

  test("closeTimeoutMs holds for a WebSocket that was paused, too", async (t) => {
    const { client, socket } = await webSocketPair(t, {}, { limits: { closeTimeoutMs: 40 } });
    client.answersClose = false;
    socket.pause();
    socket.close(1000);
    await client.raw.until(() => client.raw.closed, "the end of the connection");
  });

  test("a connection that is lost is told as 1006, and so is one that ends without a close frame", async (t) => {
    const lost = await webSocketPair(t);
    lost.client.raw.destroy();
    assert.equal(await lost.closed(), "1006 ");
    const ended = await webSocketPair(t);
    ended.client.raw.end();
    assert.equal(await ended.closed(), "1006 ");
  });

  test("terminate drops the connection at once", async (t) => {
    let closes = 0;
    const { client, socket, closed } = await webSocketPair(t, { close: () => void closes++ });
    socket.terminate();
    assert.equal(socket.readyState, "closed");
    socket.terminate();
    assert.equal(await closed(), "1006 ");
    await client.raw.until(() => client.raw.closed, "the end of the connection");
    client.read();
    assert.deepEqual(client.events, [], "no close frame");
    assert.equal(closes, 1);
  });

  for (const action of ["close", "terminate"] as const) {
    test(`${action} in open and in message ends it there`, async (t) => {
      const { server, connect } = harness(t);
      const log: string[] = [];
      server.websocket("/open", {
        open: (socket) => socket[action](),
        message: () => void log.push("message after the end"),
        close: () => void log.push("closed"),
      });
      server.websocket("/message", {
        message(socket) {
          log.push("message");
          socket[action]();
        },
        close: () => void log.push("closed"),
      });
      const first = await open(connect(), "/open");
      first.send("x");
      await first.closeFrame().catch(() => {});
      await eventually(() => log.length === 1, "the close");
      const second = await open(connect(), "/message");
      second.raw.send(Buffer.concat([frame(1, "1"), frame(1, "2"), frame(1, "3")]));
      await second.closeFrame().catch(() => {});
      await eventually(() => log.length === 3, "the close");
      assert.deepEqual(log, ["closed", "message", "closed"]);
    });
  }
});

describe("a peer that breaks the rules", () => {
  const text = (bytes: string): Buffer => frame(1, Buffer.from(bytes, "latin1"));
  for (const [name, code, bytes] of [
    ["invalid UTF-8", 1007, text("\xff")],
    ["a frame without a mask", 1002, serverFrame(1, "x")],
    ["an unknown opcode", 1002, frame(3, "x")],
    ["a continuation of nothing", 1002, frame(0, "x")],
    ["a close code that may not be sent", 1002, frame(8, Buffer.from([0x03, 0xee]))],
    ["compression that was not agreed", 1002, frame(1, "", { rsv: RSV1 })],
  ] as [string, number, Buffer][]) {
    test(`${name} closes with ${code}`, async (t) => {
      const { client, closed, server, reports } = await webSocketPair(t);
      client.raw.send(bytes);
      assert.equal((await client.closeFrame()).code, code);
      assert.match(await closed(), new RegExp(`^${code} `));
      await client.raw.over();
      assert.deepEqual(reports, [], "not the program's fault");
      assert.deepEqual(Object.values(server.counters.errors), [1]);
    });
  }

  test("a message over the limit closes with 1009, over all fragments and after inflating", async (t) => {
    const { client } = await webSocketPair(t, {}, { limits: { maxMessageBytes: 1_000 } });
    client.send("x".repeat(1_001));
    assert.equal((await client.closeFrame()).code, 1009);

    const fragments = await webSocketPair(t, {}, { limits: { maxMessageBytes: 1_000 } });
    for (const opcode of [1, 0, 0]) {
      fragments.client.raw.send(frame(opcode, "x".repeat(400), { fin: false }));
    }
    assert.equal((await fragments.client.closeFrame()).code, 1009);

    const bounded = harness(t, { limits: { maxMessageBytes: 100_000 } });
    const bomb = await pairOn(bounded, {}, { compression: true }, DEFLATE);
    const packed = deflateRawSync(Buffer.alloc(10_000_000), { finishFlush: constants.Z_SYNC_FLUSH });
    bomb.client.raw.send(frame(1, packed.subarray(0, -4), { rsv: RSV1 }));
    assert.equal((await bomb.client.closeFrame()).code, 1009);
  });

  test("a route's own message limit may be smaller or larger than the server's", async (t) => {
    const options = { limits: { maxMessageBytes: 100 } };
    const echo = {
      message: (socket: WebSocket<undefined>, data: Buffer) => void socket.send(data, { binary: false }),
    };
    const larger = await webSocketPair(t, echo, options, { maxMessageBytes: 200 });
    larger.client.send("x".repeat(200));
    assert.equal((await larger.client.text()).length, 200);
    const smaller = await webSocketPair(t, echo, options, { maxMessageBytes: 50 });
    smaller.client.send("x".repeat(51));
    assert.equal((await smaller.client.closeFrame()).code, 1009);
  });

  test("a changed message limit counts from the next message on", async (t) => {
    const { client, server } = await webSocketPair(t, { message: (socket, data) => void socket.send(data) });
    client.send("x".repeat(100));
    assert.equal((await client.next()).type, "message");
    server.limits.maxMessageBytes = 99;
    client.send("x".repeat(100));
    assert.equal((await client.closeFrame()).code, 1009);
  });
});

describe("pause and resume", () => {
  test("nothing is lost, order is kept", async (t) => {
    const messages: string[] = [];
    const { client, socket } = await webSocketPair(t, {
      message: (_, data) => void messages.push(data.toString()),
    });
    socket.pause();
    for (let i = 0; i < 100; i++) client.send(String(i));
    await turns();
    assert.ok(messages.length < 100, "a few may come");
    socket.resume();
    await eventually(() => messages.length === 100, "all messages");
    assert.deepEqual(messages, numbers(100).map(String));
  });

  test("in the middle of a frame of any kind", async (t) => {
    const { client, socket } = await webSocketPair(t, { message: (socket, data) => socket.send(data) });
    for (const [opcode, payload] of [
      [TEXT, "hello"],
      [BINARY, "h"],
      [PING_FRAME, "hello"],
    ] as const) {
      const whole = frame(opcode, payload);
      for (let cut = 1; cut < whole.length; cut += 1) {
        client.raw.send(whole.subarray(0, cut));
        await turns();
        socket.pause();
        socket.resume();
        client.raw.send(whole.subarray(cut));
        const event = await client.next();
        assert.equal("text" in event && event.text, payload, `cut after ${cut} bytes`);
      }
    }
  });
  test("from inside a handler, one message at a time", async (t) => {
    let messages = 0;
    const { client } = await webSocketPair(t, {
      async message(socket) {
        messages++;
        socket.pause();
        const before = messages;
        await turns(1);
        assert.equal(messages, before, "a message came while paused");
        socket.resume();
      },
    });
    client.raw.send(Buffer.concat(Array.from({ length: 50 }, () => frame(1, "x"))));
    await eventually(() => messages === 50, "all messages");
  });

  test("paused by the program for long, a peer that is alive stays", async (t) => {
    const limits = { webSocketIdleTimeoutMs: 40, pongTimeoutMs: 40 };
    const got = signal<string>();
    const { client, socket } = await pairOn(harness(t, { limits }), {
      message: (_, data) => got.give(data.toString()),
    });
    socket.pause();
    client.send("kept");
    await client.readFor(300);
    assert.equal(socket.readyState, "open");
    socket.resume();
    assert.equal(await got.wait("what was sent before"), "kept");
  });
});

describe("id and find", () => {
  test("an id is a UUID that server.find knows until the end", async (t) => {
    const { client, socket, server, closed } = await webSocketPair(t);
    const { id } = socket;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(socket.id, id);
    assert.equal(server.find(id), socket);
    client.close(1000);
    await closed();
    assert.equal(server.find(id), undefined);
    assert.equal(socket.id, id);
    assert.equal(server.find(socket.id), undefined);
  });

  test("an id that is asked for after the end is not kept", async (t) => {
    const { socket, server } = await webSocketPair(t);
    socket.terminate();
    assert.equal(server.find(socket.id), undefined);
  });
});

test("after the end every call answers", async (t) => {
  const { socket, reports, server } = await webSocketPair(t);
  socket.subscribe("t");
  socket.terminate();
  await turns();
  assert.equal(socket.send("x"), "closed");
  assert.equal(socket.send(Buffer.alloc(100_000)), "closed");
  assert.equal(socket.ping(), "closed");
  assert.equal(socket.subscribe("t"), false);
  assert.equal(socket.unsubscribe("t"), false);
  assert.equal(socket.isSubscribed("t"), false);
  assert.equal(socket.publish("t", "x"), 0);
  assert.deepEqual([socket.bufferedBytes, socket.readyState], [0, "closed"]);
  let ran = false;
  socket.cork(() => {
    ran = true;
    assert.equal(socket.send("x"), "closed");
  });
  assert.equal(ran, true);
  socket.pause();
  socket.resume();
  socket.close(1000, "x");
  socket.terminate();
  assert.deepEqual([socket.remoteAddress, socket.encrypted, socket.request?.path], ["memory", false, "/"]);
  assert.equal(server.counters.openWebSockets, 0);
  assert.deepEqual(reports, []);
});
