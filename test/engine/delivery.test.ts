import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PorticoError } from "../../src/exchange/errors.ts";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { EventQueue, type ServerEvent } from "../../src/exchange/server-event.ts";
import type { Server } from "../../src/server/server.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { DrainEvent, MessageEvent } from "../../src/websocket/web-socket-events.ts";
import { throwing } from "../support/failing.ts";
import { frame } from "../support/frames.ts";
import { asked, harness, nextAnswers, routed, simpleServer } from "../support/harness.ts";
import { eventually, signal, sleep, turns, within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { pairOn } from "../support/web-socket-pair.ts";

const deferred = { delivery: "deferred" } as const;

/** Polls until a condition holds. */
async function pollUntil(server: Server, condition: () => boolean, what: string, ms?: number): Promise<void> {
  const go = (): boolean => {
    server.poll();
    return condition();
  };
  await eventually(go, what, ms);
}

describe("poll", () => {
  test("handlers run on the caller's stack and at no other time", async (t) => {
    let polling = false;
    const log: string[] = [];
    const { server, client } = asked(harness(t, deferred), (exchange) => {
      assert.equal(polling, true);
      log.push("request");
      exchange.end("ok");
    });
    await eventually(() => server.waitingEvents === 1, "the event");
    await turns();
    assert.deepEqual(log, []);
    polling = true;
    assert.equal(server.poll(), 1);
    polling = false;
    assert.deepEqual(log, ["request"]);
    assert.equal(server.waitingEvents, 0);
    assert.equal(server.poll(), 0);
    assert.equal((await client.answer()).text, "ok");
  });

  test("runs at most as many as asked for", async (t) => {
    let ran = 0;
    const { server, connect } = routed(harness(t, deferred), "get", (exchange) => {
      ran++;
      exchange.end();
    });
    for (let i = 0; i < 5; i++) connect().get("/");
    await eventually(() => server.waitingEvents === 5, "the events");
    assert.equal(server.poll(0), 0);
    assert.equal(server.poll(2), 2);
    assert.equal(ran, 2);
    assert.equal(server.waitingEvents, 3);
    assert.equal(server.poll(100), 3);
    assert.equal(ran, 5);
  });

  test("runs events of several connections in the order in which they happened", async (t) => {
    const { server, connect } = harness(t, deferred);
    const log: string[] = [];
    server.get("/:name", (exchange) => {
      log.push(exchange.params.name);
      exchange.end();
    });
    server.websocket("/ws", {
      open: () => void log.push("open"),
      message: (_, data) => void log.push(data.toString()),
    });
    const ws = await open(connect(), "/ws");
    const [a, b] = [connect(), connect()];
    const expected = ["open"];
    for (let i = 0; i < 20; i++) {
      expected.push(`a${i}`, `w${i}`, `b${i}`);
      a.get(`/a${i}`);
      await turns(1);
      ws.send(`w${i}`);
      await turns(1);
      b.get(`/b${i}`);
      await turns(1);
      server.poll();
      // A connection's next request waits for the answer to the one before.
      if (i % 3 !== 0) await turns(1);
    }
    await pollUntil(server, () => log.length === expected.length, "all events");
    assert.deepEqual(log, expected);
  });

  test("a handler may poll, and no event comes twice", async (t) => {
    const { server, connect } = harness(t, deferred);
    const log: string[] = [];
    let depth = 0;
    server.get("/:i", (exchange) => {
      depth++;
      log.push(`${exchange.params.i}@${depth}`);
      server.poll(1);
      exchange.end();
      depth--;
    });
    for (let i = 0; i < 4; i++) {
      connect().get(`/${i}`);
      await turns(1);
    }
    assert.equal(server.waitingEvents, 4);
    server.poll();
    assert.deepEqual(log, ["0@1", "1@2", "2@3", "3@4"]);
    assert.equal(server.waitingEvents, 0);
  });

  test("throws where events are delivered at once", (t) => {
    const { server } = harness(t);
    const isDelivery = (error: unknown): boolean =>
      error instanceof PorticoError && error.code === "ERR_DELIVERY";
    assert.throws(() => server.poll(), isDelivery);
    assert.equal(server.waitingEvents, 0);
    return assert.rejects(server.events().next(), isDelivery);
  });

  test("what no program needs to see is answered without an event", async (t) => {
    const { server, connect } = routed(harness(t, deferred), "get", (exchange) => void exchange.end());
    server.websocket("/ws", {});
    const client = connect().get("/none");
    assert.equal((await client.answer()).status, 404);
    client.send("PUT / HTTP/1.1\r\nHost: h\r\n\r\n").get("/ws").get("/%");
    assert.deepEqual(await nextAnswers(client, "status", "status", "status"), [405, 426, 400]);
    assert.equal(server.waitingEvents, 0);
  });
});

describe("what events carry", () => {
  test("the content of requests, kept as it was", async (t) => {
    const texts: string[] = [];
    const { server, connectTcp } = routed(harness(t, deferred), "post", (exchange) => {
      exchange.onBody((chunk, last) => {
        texts.push(chunk.toString());
        if (last) exchange.end();
      });
    });
    const clients = [await connectTcp(), await connectTcp(), await connectTcp()];
    for (const [i, client] of clients.entries()) client.post("/", String(i).repeat(1_000));
    await eventually(() => server.waitingEvents >= 6, "all events");
    await turns();
    server.poll();
    const sent = ["0", "1", "2"].map((digit) => digit.repeat(1_000));
    assert.deepEqual(texts.filter((text) => text !== "").sort(), sent);
  });

  test("messages, which are the program's own", async (t) => {
    const { server, connectTcp } = harness(t, deferred);
    const kept: Buffer[] = [];
    server.websocket("/", { message: (_, data) => void kept.push(data) });
    const client = await open(await connectTcp(), "/");
    const expected: string[] = [];
    for (let i = 0; i < 50; i++) {
      const text = `${i} `.repeat(i * 10 + 1);
      expected.push(text);
      client.send(text);
      if (i % 10 === 0) await turns(2);
    }
    await pollUntil(server, () => kept.length === 50, "all messages");
    assert.deepEqual(kept.map(String), expected);
  });

  test("a request whose peer has gone: its handler runs, and then the abort", async (t) => {
    const log: string[] = [];
    const { server, client } = asked(harness(t, deferred), (exchange) => {
      log.push(`request ${exchange.signal.aborted}`);
      exchange.onAbort(() => void log.push("abort"));
      assert.equal(exchange.end("nobody"), false);
    });
    await eventually(() => server.waitingEvents === 1, "the request");
    client.destroy();
    await eventually(() => server.waitingEvents === 2, "the abort");
    server.poll();
    assert.deepEqual(log, ["request true", "abort"]);
  });

  test("upgrade, open, message, pong and close of a WebSocket, in order", async (t) => {
    const { server, connect } = harness(t, deferred);
    const log: string[] = [];
    server.websocket<number>("/", {
      upgrade: () => log.push("upgrade"),
      open: (socket) => void log.push(`open ${socket.data}`),
      message: (_, data) => void log.push(data.toString()),
      pong: (_, data) => void log.push(`pong ${data}`),
      close: (_, code, reason) => void log.push(`close ${code} ${reason}`),
    });
    const raw = connect().send(handshake("/"));
    raw.send(frame(1, "1")).send(frame(10, "p")).send(frame(2, "2"));
    raw.send(frame(8, Buffer.from([0x0f, 0xa0, 0x62])));
    await pollUntil(server, () => log.length === 6, "all events");
    assert.deepEqual(log, ["upgrade", "open 1", "1", "pong p", "2", "close 4000 b"]);
    assert.equal((await raw.answer()).status, 101);
  });
});

describe("waitForEvent", () => {
  test("tells all who wait that there is something to poll, and takes nothing", async (t) => {
    const { server, connect } = simpleServer(t, deferred);
    const waits = [server.waitForEvent(), server.waitForEvent()];
    const client = connect().get("/");
    assert.deepEqual(await within(Promise.all(waits), "the waits"), [true, true]);
    assert.equal(server.waitingEvents, 1);
    assert.equal(await server.waitForEvent(), true);
    server.poll();
    assert.equal((await client.answer()).text, "ok");
  });

  test("ends with the server, after what is left", async (t) => {
    const { server, connect } = simpleServer(t, deferred);
    let polls = 0;
    const loop = (async () => {
      while (await server.waitForEvent()) polls += server.poll();
    })();
    assert.equal((await connect().get("/").answer()).text, "ok");
    await server.close();
    await within(loop, "the loop");
    assert.equal(polls, 1);
  });

  test("throws where events are delivered at once", async (t) => {
    const { server } = harness(t);
    await assert.rejects(server.waitForEvent(), { code: "ERR_DELIVERY" });
  });
});

describe("events", () => {
  test("come one by one until the server is closed, and run() runs their handlers", async (t) => {
    const { server, connect } = routed(harness(t, deferred), "get", (exchange) => void exchange.end("ran"));
    const types: string[] = [];
    const reading = (async (): Promise<void> => {
      for await (const event of server.events()) {
        types.push(event.type);
        server.run(event);
      }
    })();
    const client = connect().get("/");
    assert.equal((await client.answer()).text, "ran");
    assert.equal((await client.get("/").answer()).text, "ran");
    await server.close({ graceMs: 0 });
    await within(reading, "the iterator to end");
    assert.deepEqual(types, ["request", "request"]);
  });

  test("their handlers are not run by themselves", async (t) => {
    const { server, connect } = routed(harness(t, deferred), "get", () => assert.fail("was run"));
    server.post("/", () => assert.fail("was run"));
    const iterator = server.events();
    const client = connect().get("/");
    const first = await within(iterator.next(), "the request");
    const event = first.value as ServerEvent;
    assert.equal(event.type, "request");
    if (event.type === "request") event.exchange.end("by hand");
    assert.equal((await client.answer()).text, "by hand");
    client.post("/", "abc");
    const request = (await within(iterator.next(), "the request")).value as ServerEvent;
    const body = (await within(iterator.next(), "the content")).value as ServerEvent;
    assert.equal(request.type, "request");
    assert.ok(body.type === "body" && body.data.toString() === "abc" && body.last);
    if (body.type === "body") body.exchange.end();
    await client.answer();
    await iterator.return();
  });

  test("content that came before its peer went is delivered", async (t) => {
    const { server, connect } = harness(t, deferred);
    const got: string[] = [];
    server.post("/", async (exchange) => void got.push(await exchange.text()));
    const whole = connect().post("/", "all of it");
    await eventually(() => server.waitingEvents === 2, "the content");
    whole.destroy();
    await eventually(() => server.waitingEvents === 3, "the end");
    const part = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
    await eventually(() => server.waitingEvents === 5, "a part");
    part.destroy();
    await eventually(() => server.waitingEvents === 6, "the end");
    server.poll();
    await turns();
    assert.deepEqual(got, ["all of it"]);
  });

  test("drained() goes on although the event is not run", async (t) => {
    const { server, connect } = routed(harness(t, deferred), "get", () => {});
    const iterator = server.events();
    const client = connect().get("/").pause();
    const request = (await within(iterator.next(), "the request")).value as ServerEvent;
    assert.ok(request.type === "request");
    const { exchange } = request;
    assert.equal(exchange.write(Buffer.alloc(1_000_000)), false);
    const drained = exchange.drained();
    client.resume();
    const writable = (await within(iterator.next(), "the event")).value as ServerEvent;
    assert.equal(writable.type, "writable");
    assert.equal(await within(drained, "drained()"), true);
    exchange.end();
    assert.equal((await client.answer()).body.length, 1_000_000);
    await iterator.return();
  });

  test("drained() of a WebSocket goes on as well, or answers false when it has closed", async (t) => {
    const { server, connect } = harness(t, deferred);
    server.websocket("/", {});
    const iterator = server.events();
    const client = await open(connect(), "/");
    const opened = (await within(iterator.next(), "the WebSocket")).value as ServerEvent;
    assert.ok(opened.type === "open");
    const { socket } = opened;
    for (const [end, type, answer] of [
      [() => client.raw.resume(), "drain", true],
      [() => client.raw.destroy(), "close", false],
    ] as const) {
      client.raw.pause();
      assert.equal(socket.send(Buffer.alloc(1_000_000)), "queued");
      const drained = socket.drained();
      end();
      const event = (await within(iterator.next(), "the event")).value as ServerEvent;
      assert.equal(event.type, type);
      assert.equal(await within(drained, "drained()"), answer);
    }
    await iterator.return();
  });

  test("an iterator that waits ends with the server, and what is left is given first", async (t) => {
    const opened: string[] = [];
    const { server, client } = await pairOn(harness(t, deferred));
    client.send("last words");
    await eventually(() => server.waitingEvents === 2, "the events");
    const closing = server.close({ graceMs: 1_000 });
    await client.closeFrame();
    client.raw.end();
    await within(closing, "the server to close");
    for await (const event of server.events()) opened.push(event.type);
    assert.deepEqual(opened, ["open", "message", "close"]);
  });
});

describe("a full queue", () => {
  const limits = { maxQueueBytes: 20_000 };

  test("pauses the sockets and loses nothing: WebSockets at full speed while nobody polls", async (t) => {
    const { server, connect } = harness(t, { ...deferred, limits });
    const seen = new Map<WebSocket, number[]>();
    const count = 500;
    server.websocket("/", {
      open: (socket) => void seen.set(socket as WebSocket, []),
      message: (socket, data) =>
        void seen.get(socket as WebSocket)?.push(Number(data.toString().split(" ")[0])),
    });
    const clients = [await open(connect(), "/"), await open(connect(), "/"), await open(connect(), "/")];
    for (let i = 0; i < count; i++) {
      for (const client of clients) client.send(`${i} ${"x".repeat(500)}`);
      if (i % 10 === 0) await turns(1);
    }
    await turns(20);
    const most = 20_000 + 3 * 1_000;
    assert.ok(server.waitingEvents * 628 <= most, `${server.waitingEvents} events wait`);
    // From here on it is polled slowly: the queue must stay bounded each time the sockets are resumed.
    let worst = 0;
    const all = (): boolean => [...seen.values()].every((list) => list.length === count);
    while (!all()) {
      if (server.poll(5) === 0) await turns(1);
      await turns(2);
      worst = Math.max(worst, server.waitingEvents);
    }
    assert.ok(worst * 628 <= most, `${worst} events of 628 bytes waited, the limit is 20000 bytes`);
    const expected = Array.from({ length: count }, (_, i) => i);
    for (const list of seen.values()) assert.deepEqual(list, expected);
  });

  test("stays bounded where several sockets hold messages in what was read already", async (t) => {
    const { server, connect } = harness(t, { ...deferred, limits });
    let messages = 0;
    server.websocket("/", { message: () => void messages++ });
    const clients = [];
    for (let i = 0; i < 10; i++) {
      clients.push(await open(connect(), "/"));
      server.poll();
    }
    const burst = Buffer.concat(Array.from({ length: 100 }, () => frame(1, "x".repeat(500))));
    for (const client of clients) client.raw.send(burst);
    await turns(20);
    let worst = server.waitingEvents;
    while (messages < 1_000) {
      server.poll(1);
      await turns(1);
      worst = Math.max(worst, server.waitingEvents);
    }
    assert.ok(worst * 628 <= 40_000, `${worst} events of 628 bytes waited, the limit is 20000 bytes`);
  });

  test("HTTP content at full speed while nobody polls, on a real socket", async (t) => {
    const pieces: Buffer[] = [];
    let ended = false;
    const { server, connectTcp } = routed(harness(t, { ...deferred, limits }), "post", (exchange) => {
      exchange.onBody((chunk, last) => {
        pieces.push(Buffer.from(chunk));
        if (!last) return;
        ended = true;
        exchange.end("read");
      });
    });
    const content = Buffer.alloc(2_000_000);
    for (let i = 0; i < content.length; i++) content[i] = (i * 7) & 255;
    const client = await connectTcp();
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${content.length}\r\n\r\n`).send(content);
    await eventually(() => server.waitingEvents > 1, "some content");
    await sleep(30);
    assert.ok(server.counters.bytesReceived < 300_000, `${server.counters.bytesReceived} bytes were read`);
    await pollUntil(server, () => ended, "the content", 3_000);
    assert.ok(Buffer.concat(pieces).equals(content));
    assert.equal((await client.answer()).text, "read");
  });

  test("pauses connections that are accepted or upgraded while it is full", async (t) => {
    const { server, connect } = harness(t, { ...deferred, limits });
    const got: string[] = [];
    server.websocket("/", { message: (_, data) => void got.push(data.toString().slice(0, 3)) });
    const filler = await open(connect(), "/");
    for (let i = 0; i < 100; i++) filler.send(`old${"x".repeat(500)}`);
    await turns(5);
    const before = server.waitingEvents;
    const late = connect()
      .send(handshake("/"))
      .send(frame(1, `new${"x".repeat(500)}`));
    await turns(5);
    assert.equal(server.waitingEvents, before, "nothing is taken while it is full");
    await pollUntil(server, () => got.length === 101, "all messages");
    assert.equal((await late.answer()).status, 101);
    assert.equal(got.filter((text) => text === "new").length, 1);
  });

  test("a program that does not poll for long costs no peer its connection", async (t) => {
    const timeouts = { headTimeoutMs: 40, bodyTimeoutMs: 40, webSocketIdleTimeoutMs: 40, pongTimeoutMs: 40 };
    const { server, connect } = harness(t, { ...deferred, limits: { ...limits, ...timeouts } });
    const got: string[] = [];
    server.websocket("/", { message: (_, data) => void got.push(data.toString().slice(0, 3)) });
    server.get("/", (exchange) => void exchange.end("served"));
    const client = await open(connect(), "/");
    for (let i = 0; i < 100; i++) client.send(`${i} ${"x".repeat(500)}`);
    const half = connect().send("GET / HTTP/1.1\r\nHo");
    await turns(5);
    half.send("st: h\r\n\r\n");
    await client.readFor(250);
    await pollUntil(server, () => got.length === 100 || client.closed, "all messages");
    assert.equal(got.length, 100, "messages were lost");
    await pollUntil(server, () => half.rest.includes("served") || half.ended, "the request to be served");
    assert.equal((await half.answer()).text, "served");
  });
});

describe("a queue that two servers share", () => {
  test("has the events of both in their order, and either may poll them", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const one = harness(t, { delivery: queue });
    const two = harness(t, { delivery: queue });
    const log: string[] = [];
    for (const [name, { server }] of Object.entries({ one, two })) {
      server.get("/:i", (exchange) => {
        log.push(`${name} ${exchange.params.i}`);
        exchange.end(name);
      });
    }
    const clients = [one.connect(), two.connect()];
    const expected: string[] = [];
    for (let i = 0; i < 6; i++) {
      const which = i % 2;
      expected.push(`${which === 0 ? "one" : "two"} ${i}`);
      clients[which]?.get(`/${i}`);
      await turns(1);
      if (i % 2 === 1) assert.equal(one.server.poll(), 2);
      await turns(1);
    }
    assert.deepEqual(log, expected);
    for (let i = 0; i < 3; i++) {
      assert.equal((await clients[0]?.answer())?.text, "one");
      assert.equal((await clients[1]?.answer())?.text, "two");
    }
  });

  test("an error is reported to the server whose handler it left, and counted there", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const one = harness(t, { delivery: queue });
    const two = harness(t, { delivery: queue });
    const failure = new Error("two's mistake");
    two.server.get("/", throwing(failure));
    const client = two.connect().get("/");
    await eventually(() => queue.length === 1, "the event");
    one.server.poll();
    assert.equal((await client.answer()).status, 500);
    assert.deepEqual(one.reports, []);
    assert.equal(two.reports[0]?.error, failure);
    assert.equal(two.server.counters.errors["HANDLER"], 1);
  });

  test("pauses the sockets of both when it is full, and goes on with both", async (t) => {
    const queue = new EventQueue(() => 20_000);
    const made = [harness(t, { delivery: queue }), harness(t, { delivery: queue })];
    let messages = 0;
    const clients = [];
    for (const { server, connect } of made) {
      server.websocket("/", { message: () => void messages++ });
      clients.push(await open(connect(), "/"));
    }
    for (let i = 0; i < 200; i++) for (const client of clients) client.send("x".repeat(500));
    await turns(20);
    assert.equal(queue.isFull, true);
    assert.ok(queue.heldBytes <= 22_000, `${queue.heldBytes} bytes`);
    await eventually(() => {
      queue.length > 0 && made[0]?.server.poll();
      return messages === 400;
    }, "all messages");
    assert.deepEqual([queue.isFull, queue.heldBytes, queue.length], [false, 0, 0]);
  });

  test("lives on when one of them is closed", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const one = harness(t, { delivery: queue });
    const two = harness(t, { delivery: queue });
    const seen = signal<Exchange>();
    two.server.get("/", (exchange) => {
      seen.give(exchange);
      exchange.end("alive");
    });
    await one.server.close();
    const client = two.connect().get("/");
    await pollUntil(two.server, () => client.rest.includes("alive"), "the answer");
  });
});

test("the queue: first in, first out, with its bytes, over many events", () => {
  const queue = new EventQueue(() => 10_000_000);
  const paused: string[] = [];
  queue.addSource({ resumeAll: () => paused.push("resume") });
  const socket = { driver: {} } as WebSocket;
  let pushed = 0;
  let taken = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 500; i++) {
      queue.push(new MessageEvent(socket, Buffer.from(String(pushed++)), false));
    }
    for (let i = 0; i < 300 + round * 4; i++) {
      const event = queue.shift();
      assert.ok(event?.type === "message" && event.data.toString() === String(taken++));
    }
    assert.equal(queue.length, pushed - taken);
  }
  while (queue.shift() !== undefined) taken++;
  assert.equal(taken, pushed);
  assert.equal(queue.heldBytes, 0);
  assert.deepEqual(paused, []);
});

describe("what waits to be polled", () => {
  test("counts what it holds: the head of the request, also of a connection that has gone", async (t) => {
    const queue = new EventQueue(() => 10_000_000);
    const { server, connect } = harness(t, { delivery: queue });
    server.websocket("/", {});
    server.get("/", () => {});
    const head = `X: ${"x".repeat(10_000)}\r\n`;
    const socket = await open(connect(), "/", head);
    assert.ok(queue.heldBytes > 10_000, `${queue.heldBytes} for open`);
    server.poll();
    assert.equal(queue.heldBytes, 0);
    socket.raw.destroy();
    await eventually(() => queue.length === 1, "close");
    assert.ok(queue.heldBytes > 10_000, `${queue.heldBytes} for close`);
    server.poll();
    const client = connect().get("/", head);
    await eventually(() => queue.length === 1, "the request");
    server.poll();
    client.destroy();
    await eventually(() => queue.length === 1, "the abort");
    assert.ok(queue.heldBytes > 10_000, `${queue.heldBytes} for abort`);
    server.poll();
    assert.equal(queue.heldBytes, 0);
  });

  test("costs connections that send nothing no work when it is full, or has room again", async (t) => {
    const { server, connect } = harness(t, { ...deferred, limits: { maxQueueBytes: 20_000 } });
    let pauses = 0;
    const idle = new Set<Transport>();
    for (const name of ["pause", "resume"] as const) {
      const { [name]: real } = MemoryTransport.prototype;
      t.mock.method(MemoryTransport.prototype, name, function (this: MemoryTransport) {
        if (idle.has(this)) pauses++;
        real.call(this);
      });
    }
    const before = new Set(server.connections);
    for (let i = 0; i < 50; i++) connect();
    await turns();
    for (const connection of server.connections)
      if (!before.has(connection)) idle.add(Reflect.get(connection, "transport"));
    assert.equal(idle.size, 50);
    let messages = 0;
    server.websocket("/", { message: () => void messages++ });
    const busy = await open(connect(), "/");
    for (let i = 0; i < 300; i++) busy.send("x".repeat(500));
    await pollUntil(server, () => messages === 300, "all messages");
    assert.equal(pauses, 0);
  });

  test("of a server is polled though another one on the same queue is flooded", async (t) => {
    const queue = new EventQueue(() => 65_536);
    const made = [harness(t, { delivery: queue }), harness(t, { delivery: queue })] as const;
    let flooded = 0;
    let seen = 0;
    made[0].server.websocket("/", { message: () => void flooded++ });
    made[1].server.websocket("/", { message: () => void seen++ });
    const floods = [];
    for (let i = 0; i < 3; i++) floods.push(await open(made[0].connect(), "/"));
    const quiet = await open(made[1].connect(), "/");
    made[0].server.poll();
    const burst = Buffer.concat(Array.from({ length: 3_000 }, () => frame(1, "x".repeat(500))));
    for (const flood of floods) flood.raw.send(burst);
    await turns();
    quiet.send("one");
    await eventually(() => {
      made[0].server.poll(50);
      return seen > 0;
    }, "the message of the other");
    assert.ok(flooded < 9_000, `${flooded} of the others came first`);
  });

  test("costs what it did when it came, also when the program has transferred its data", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const { server, client } = await pairOn(harness(t, { delivery: queue }), {
      onEnqueue: (_, data) => void structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] }),
    });
    client.send(Buffer.alloc(200_000));
    await eventually(() => queue.length === 2, "the message");
    server.poll();
    assert.equal(queue.heldBytes, 0);
  });

  test("does not keep a program from a message that it waits for", async (t) => {
    const queue = new EventQueue(() => 100_000);
    const limits = { closeTimeoutMs: 10_000, maxQueueBytes: 100_000 };
    const { server, connect } = harness(t, { delivery: queue, limits });
    const sockets: WebSocket[] = [];
    server.websocket("/", { open: (socket) => void sockets.push(socket as WebSocket) });
    const victim = await open(connect(), "/");
    const closing = await open(connect(), "/");
    server.poll();
    closing.answersClose = false;
    sockets[1]?.close();
    queue.hold(100_001);
    sockets[0]?.resumeDespiteFullQueue();
    // Neither what a closing peer sends, nor another event of the same socket ends that.
    for (let i = 0; i < 10; i++) closing.send("x".repeat(60_000));
    queue.push(new DrainEvent(sockets[0] as WebSocket));
    await turns();
    victim.send("awaited");
    await eventually(() => queue.length === 2, "the message");
  });

  test("is bounded when all connections send while it is full", async (t) => {
    const { server, connectTcp } = harness(t, { ...deferred, limits: { maxQueueBytes: 100_000 } });
    let ended = 0;
    server.post("/", (exchange) =>
      exchange.onBody((_, last) => {
        if (last && exchange.end()) ended++;
      }),
    );
    const content = Buffer.alloc(300_000);
    const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${content.length}\r\n\r\n`;
    for (let i = 0; i < 20; i++) (await connectTcp()).send(head).send(content);
    await sleep(100);
    // Two reads of 64 KiB beyond the queue and as much held back.
    const { bytesReceived } = server.counters;
    assert.ok(bytesReceived < 2 * 100_000 + 4 * 65_536, `${bytesReceived} bytes were read`);
    await pollUntil(server, () => ended === 20, "all requests");
  });
});
