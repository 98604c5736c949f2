import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect as connectWebSocket } from "../../src/client/client.ts";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import type { Server } from "../../src/server/server.ts";
import { frame, TEXT } from "../support/frames.ts";
import { type Harness, harness, type Way } from "../support/harness.ts";
import { eventually, signal, sleep, turns } from "../support/waiting.ts";
import { pairOn, tcpPairOn } from "../support/web-socket-pair.ts";

/** Small times: what is seen after them is seen after the defaults, too. */
const limits = {
  keepAliveTimeoutMs: 60,
  webSocketIdleTimeoutMs: 60,
  pongTimeoutMs: 100,
  maxQueueBytes: 1_000,
} as const;
const LITTLE = 1_000;
/** More than is read from a client that is paused, and than the system takes by itself. */
const MUCH = 400_000;

/** What makes a connection wait, and what the program is doing then. */
const pauses: Record<string, (exchange: Exchange, server: Server) => unknown> = {
  pauseBody: (exchange) => {
    exchange.onBody(() => {});
    exchange.pauseBody();
  },
  "a loop that does not go on": async (exchange) => {
    for await (const _ of exchange.body) await new Promise(() => {});
  },
  "content that nobody asks for": () => {},
  "server.pause()": (_, server) => server.pause(),
};

describe("a client that goes while its request waits for the program is noticed after the idle time", () => {
  for (const way of ["TCP", "TLS"] as const) {
    for (const [name, pause] of Object.entries(pauses)) {
      for (const how of ["ends", "is reset"] as const) {
        test(`${name}: it ${how}, over ${way}`, async (t) => {
          const setup = harness(t, { limits });
          const { server } = setup;
          const asked = signal();
          const aborted = signal();
          server.post("/", (exchange) => {
            exchange.onAbort(aborted.give);
            asked.give();
            return pause(exchange, server) as undefined;
          });
          const client = await setup.connectOver(way);
          // A reset is seen whatever lies before it; an end where it can be read up to.
          client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n");
          await asked.wait("the request");
          client.send(Buffer.alloc(how === "ends" ? LITTLE : MUCH));
          await sleep(20);
          if (how === "ends") client.end();
          else client.reset();
          await aborted.wait("the abort");
          await eventually(() => server.counters.openConnections === 0, "the connection to go");
        });
      }
    }
  }

  test("pipelined requests wait behind one that is being answered", async (t) => {
    const setup = harness(t, { limits });
    const aborted = signal();
    setup.server.get("/", (exchange) => exchange.onAbort(aborted.give));
    const client = await setup.connectOver("TCP");
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(20_000));
    await sleep(20);
    client.reset();
    await aborted.wait("the abort");
  });

  test("a full queue", async (t) => {
    const setup = harness(t, { limits, delivery: "deferred" });
    const { server } = setup;
    server.post("/", (exchange) => exchange.onBody(() => {}));
    const client = await setup.connectOver("TCP");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n").send(Buffer.alloc(MUCH));
    await sleep(20);
    client.reset();
    await eventually(() => server.counters.openConnections === 0, "the connection to go");
    server.poll();
  });

  test("content that was read before the end comes before the abort", async (t) => {
    const setup = harness(t, { limits });
    let length = 0;
    const paused = signal();
    const aborted = signal();
    setup.server.post("/", (exchange) => {
      exchange.onAbort(aborted.give);
      exchange.onBody((chunk) => {
        length += chunk.length;
        exchange.pauseBody();
        paused.give();
      });
    });
    const client = await setup.connectOver("TCP");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\nfirst");
    await paused.wait("the first piece");
    client.send("second");
    await client.sent();
    client.end();
    await aborted.wait("the abort");
    assert.equal(length, "firstsecond".length);
  });

  test("one that stays is let alone, and everything comes", async (t) => {
    const setup = harness(t, { limits });
    const asked = signal<Exchange>();
    setup.server.post("/", (exchange) => asked.give(exchange));
    const client = await setup.connectOver("TCP");
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${MUCH}\r\n\r\n`).send(Buffer.alloc(MUCH));
    const exchange = await asked.wait("the request");
    await sleep(300);
    assert.equal(exchange.finished, false);
    exchange.end(String((await exchange.bytes()).length));
    assert.equal((await client.answer("POST")).text, String(MUCH));
  });

  test("little more is read from one that stays and sends on", async (t) => {
    const setup = harness(t, { limits });
    setup.server.post("/", () => {});
    const { counters } = setup.server;
    const client = await setup.connectOver("TCP");
    client
      .send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
      .send(Buffer.alloc(9_000_000));
    await sleep(500);
    assert.ok(counters.bytesReceived < 300_000, `${counters.bytesReceived} bytes were read`);
    assert.equal(counters.openConnections, 1);
  });
});

describe("a WebSocket that is paused", () => {
  const ways: Record<string, (socket: WebSocket, server: Server) => void> = {
    "by socket.pause()": (socket) => socket.pause(),
    "by server.pause()": (_, server) => server.pause(),
  };

  async function paused(
    setup: Harness,
    pause: (socket: WebSocket, server: Server) => void,
    way: Way = "TCP",
  ): ReturnType<typeof pairOn> {
    const pair = await pairOn(setup, { message() {} }, {}, "", way);
    pause(pair.socket, setup.server);
    return pair;
  }

  for (const [name, pause] of Object.entries(ways)) {
    for (const way of ["TCP", "TLS"] as const) {
      test(`${name}: its client's end is noticed, over ${way}`, async (t) => {
        const { client, closed } = await paused(harness(t, { limits }), pause, way);
        client.send("not read");
        client.raw.end();
        assert.equal(await closed(), "1006 ");
      });

      test(`${name}: a reset behind much that is not read is noticed, over ${way}`, async (t) => {
        const { client, closed } = await paused(harness(t, { limits }), pause, way);
        for (let i = 0; i < MUCH / 10_000; i++) client.send(Buffer.alloc(10_000));
        await sleep(20);
        client.raw.reset();
        assert.equal(await closed(), "1006 ");
      });
    }

    test(`${name}: it is pinged, and stays when it answers`, async (t) => {
      const { client, socket } = await paused(harness(t, { limits }), pause);
      for (let i = 0; i < 4; i++) assert.equal((await client.next()).type, "ping");
      assert.equal(socket.readyState, "open");
    });

    test(`${name}: one that does not answer is gone with 1006`, async (t) => {
      const { client, closed } = await paused(harness(t, { limits }), pause);
      client.answersPings = false;
      assert.equal((await client.next()).type, "ping");
      assert.equal(await closed(), "1006 ");
    });
  }

  test("a close frame that is not read counts when the client has gone", async (t) => {
    const { client, closed } = await paused(harness(t, { limits }), (socket) => socket.pause());
    client.close(4001);
    client.raw.end();
    assert.equal(await closed(), "4001 ");
  });

  test("messages that were read before the end are delivered in order, and then the end", async (t) => {
    const events: string[] = [];
    const { client, closed } = await tcpPairOn(harness(t, { limits }), {
      open: (socket) => socket.pause(),
      message: (_, data) => void events.push(data.toString()),
      close: (_, code) => void events.push(String(code)),
    });
    client.send("one").send("two").raw.end();
    await closed();
    assert.deepEqual(events, ["one", "two", "1006"]);
  });

  test("by a loop that does not go on: its messages are kept, and the end is noticed", async (t) => {
    const { client, socket } = await tcpPairOn(harness(t, { limits }), {
      open: (socket) => void socket.messages(),
    });
    const messages = 100_000 / 1_000;
    for (let i = 0; i < messages; i++) client.send("x".repeat(1_000));
    await sleep(20);
    client.raw.reset();
    await eventually(() => socket.readyState === "closed", "the end");
    let count = 0;
    for await (const _ of socket.messages()) count++;
    assert.ok(count >= 50 && count <= messages, `${count} messages had been read`);
  });

  test("by a full queue: the end is noticed, and what was read is in the queue", async (t) => {
    const codes: number[] = [];
    let messages = 0;
    const { server, client } = await tcpPairOn(harness(t, { limits, delivery: "deferred" }), {
      message: () => void messages++,
      close: (_, code) => void codes.push(code),
    });
    for (let i = 0; i < 10; i++) {
      client.send("x".repeat(100));
      await turns(2);
    }
    client.raw.end();
    await eventually(() => server.counters.openConnections === 0, "the connection to go");
    server.poll();
    assert.deepEqual([messages, codes], [10, [1006]]);
  });

  test("little more is read from one that sends on, and it stays", async (t) => {
    const setup = harness(t, { limits });
    const { client, socket } = await paused(setup, (socket) => socket.pause());
    const before = setup.server.counters.bytesReceived;
    const message = frame(TEXT, "x".repeat(1_000));
    for (let i = 0; i < 3_000; i++) client.raw.send(message);
    await sleep(500);
    const read = setup.server.counters.bytesReceived - before;
    assert.ok(read < 300_000, `${read} bytes were read`);
    assert.equal(socket.readyState, "open");
    socket.resume();
    await eventually(() => setup.server.counters.messagesReceived === 3_000, "all messages");
  });

  test("that this side has opened: its server's end is noticed", async (t) => {
    const { server } = harness(t);
    server.websocket("/", { message: (socket) => socket.terminate() });
    const { url } = await server.listen({ host: "127.0.0.1" });
    const closed = signal<number>();
    const socket = await connectWebSocket(url, { close: (_, code) => closed.give(code) }, { limits });
    socket.pause();
    socket.send("go");
    assert.equal(await closed.wait("the end"), 1006);
  });
});
