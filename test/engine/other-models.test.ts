// What the engine offers to programs, and to interfaces, that have another model than handlers which are called back.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { PorticoError } from "../../src/exchange/errors.ts";
import { EventQueue } from "../../src/exchange/server-event.ts";
import { FieldError } from "../../src/protocol/http/field-lines.ts";
import { Server } from "../../src/server/server.ts";
import { throwing } from "../support/failing.ts";
import { harness, routed } from "../support/harness.ts";
import { tcpClient } from "../support/raw-client.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { textsOf } from "../support/web-socket-client.ts";
import { pairOn } from "../support/web-socket-pair.ts";

const deferred = { delivery: "deferred" } as const;

/** A WebSocket, both ends, whose opening has been polled where that waits. */
async function pair(...given: Parameters<typeof pairOn>): ReturnType<typeof pairOn> {
  const pair = await pairOn(...given);
  if (pair.server.waitingEvents > 0) pair.server.poll();
  return pair;
}

describe("listenNow", () => {
  test("is bound and serves when it returns", async (t) => {
    const { server } = routed(harness(t), "get", (exchange) => exchange.end("here"));
    const { port } = server.listenNow({ host: "127.0.0.1" });
    const client = await tcpClient(port);
    t.after(() => client.destroy());
    assert.equal((await client.get("/").answer()).text, "here");
  });

  test("throws the system's error, and after close the engine's", async (t) => {
    const { server } = harness(t);
    const { port } = server.listenNow({ host: "127.0.0.1" });
    assert.throws(() => server.listenNow({ host: "127.0.0.1", port }), { code: "EADDRINUSE" });
    await server.close();
    assert.throws(() => server.listenNow(), PorticoError);
  });
});

describe("exchanges and webSockets", () => {
  test("are those that are under way and open", async (t) => {
    const made = harness(t);
    const { server, connect } = made;
    server.get("/later", () => {});
    const client = connect().get("/later");
    await eventually(() => server.exchanges.length === 1, "the exchange");
    assert.equal(server.exchanges[0]?.path, "/later");
    assert.deepEqual(server.webSockets, []);
    server.exchanges[0]?.end("done");
    assert.equal((await client.answer()).text, "done");
    assert.deepEqual(server.exchanges, []);
    const { client: peer, socket } = await pair(made);
    assert.deepEqual(server.webSockets, [socket]);
    assert.deepEqual(server.exchanges, []);
    peer.raw.destroy();
    await eventually(() => server.webSockets.length === 0, "the end");
  });
});

describe("calls in the queue", () => {
  test("run between the events, in the order in which they came", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const made = harness(t, { delivery: queue });
    const log: string[] = [];
    made.server.get("/:name", (exchange) => {
      log.push(exchange.params.name);
      exchange.end();
    });
    made.connect().get("/a");
    await eventually(() => queue.length === 1, "a");
    queue.push({ type: "call", call: () => log.push("call") });
    made.connect().get("/b");
    await eventually(() => queue.length === 3, "b");
    assert.equal(made.server.poll(), 3);
    assert.deepEqual(log, ["a", "call", "b"]);
  });

  test("what is held elsewhere counts, and pauses the sockets", async (t) => {
    const queue = new EventQueue(() => 10_000);
    const made = harness(t, { delivery: queue });
    made.server.get("/", (exchange) => exchange.end("ok"));
    queue.hold(10_001);
    assert.equal(queue.isFull, true);
    const client = made.connect().get("/");
    await turns();
    assert.equal(queue.length, 0);
    queue.free(4_000);
    assert.equal(queue.isFull, true);
    queue.free(1_001);
    assert.equal(queue.isFull, false);
    await eventually(() => queue.length === 1, "the request");
    assert.equal(made.server.poll(), 1);
    assert.equal((await client.answer()).text, "ok");
  });
});

describe("onEnqueue", () => {
  test("sees a message before it is queued, and may answer", async (t) => {
    const made = harness(t, deferred);
    const log: string[] = [];
    const { client } = await pair(made, {
      onEnqueue: (socket, data, binary) => {
        log.push(`received ${data} ${binary}`);
        socket.send(data, { binary });
      },
      message: (_, data) => log.push(`message ${data}`),
    });
    client.send("one").send(Buffer.from("two"));
    assert.deepEqual(await textsOf(client, 2), ["one", "two"]);
    assert.deepEqual(log, ["received one false", "received two true"]);
    made.server.poll();
    assert.deepEqual(log.slice(2), ["message one", "message two"]);
  });

  test("is not called when events are delivered at once", async (t) => {
    const got = signal<string>();
    const { client } = await pair(harness(t), {
      onEnqueue: () => assert.fail("received"),
      message: (_, data) => got.give(String(data)),
    });
    client.send("text");
    assert.equal(await got.wait("the message"), "text");
  });

  test("what it throws is reported and closes the connection with 1011", async (t) => {
    const made = harness(t, deferred);
    const { client } = await pair(made, {
      onEnqueue: throwing(new Error("mine")),
    });
    client.send("text");
    assert.equal((await client.closeFrame()).code, 1011);
    assert.equal(made.reports.length, 1);
  });
});

describe("pauseUntilDrain", () => {
  test("stops reading while something waits, and goes on by itself", async (t) => {
    const made = harness(t, deferred);
    let received = 0;
    const { client, socket } = await pair(made, {
      onEnqueue: (peer) => {
        received++;
        if (peer.send(Buffer.alloc(100_000)) !== "sent") peer.pauseUntilDrain();
      },
    });
    client.raw.pause();
    for (let i = 0; i < 50; i++) client.send("more");
    await turns(50);
    assert.ok(received < 5, `${received} were answered although nothing was taken`);
    client.raw.resume();
    let taken = 0;
    await eventually(() => {
      client.read();
      taken = client.events.length;
      return taken === 50;
    }, "all answers");
    assert.equal(received, 50);
    assert.equal(socket.readyState, "open");
  });
});

describe("terminate", () => {
  test("tells close the code that it is given", async (t) => {
    const closed = signal<[number, string]>();
    const { socket } = await pair(harness(t), { close: (_, code, reason) => closed.give([code, reason]) });
    socket.terminate(1001, "Going Away");
    assert.deepEqual(await closed.wait("close"), [1001, "Going Away"]);
  });
});

describe("options of an upgrade", () => {
  test("headers go into the response", async (t) => {
    const { client } = await pair(harness(t), {}, { headers: { "X-Game": "chess" } });
    assert.equal(client.response.header("x-game"), "chess");
  });

  test("headers that may not be sent are refused at once", () => {
    const server = new Server();
    assert.throws(() => server.websocket("/", {}, { headers: { "X-Game": "a\r\nb: c" } }), FieldError);
    assert.throws(() => server.websocket("/", {}, { headers: { "X Game": "a" } }), FieldError);
  });

  const quick = { webSocketIdleTimeoutMs: 60_000, closeTimeoutMs: 40 };

  test("idleTimeoutMs holds in place of the server's limit", async (t) => {
    const { client } = await pair(harness(t, { limits: quick }), {}, { idleTimeoutMs: 20 });
    assert.equal((await client.next()).type, "ping");
  });

  test("idleTimeoutMs 0: no ping", async (t) => {
    const limits = { ...quick, webSocketIdleTimeoutMs: 20 };
    const { client } = await pair(harness(t, { limits }), {}, { idleTimeoutMs: 0 });
    await client.readFor(150);
    assert.deepEqual(client.events, []);
  });

  async function pingsWhileSending(t: TestContext, sendResetsIdle: boolean): Promise<number> {
    const made = harness(t, { limits: quick });
    const { client, socket } = await pair(made, {}, { idleTimeoutMs: 60, sendResetsIdle });
    const timer = setInterval(() => socket.send("traffic"), 10);
    await client.readFor(400);
    clearInterval(timer);
    return client.events.filter((event) => event.type === "ping").length;
  }

  test("sendResetsIdle: who is sent something is not pinged", async (t) => {
    assert.equal(await pingsWhileSending(t, true), 0);
    assert.ok((await pingsWhileSending(t, false)) > 0);
  });

  test("pongTimeoutMs Infinity: it is pinged again, and not closed", async (t) => {
    const limits = { ...quick, pongTimeoutMs: Number.POSITIVE_INFINITY };
    const { client, socket } = await pair(harness(t, { limits }), {}, { idleTimeoutMs: 20 });
    client.answersPings = false;
    for (let i = 0; i < 3; i++) assert.equal((await client.next()).type, "ping");
    assert.equal(socket.readyState, "open");
  });
});

describe("autoAllow false", () => {
  test("a path that is there for other methods only gets 404", async (t) => {
    const { server, connect } = harness(t, { autoAllow: false, autoOptions: false });
    server.get("/", (exchange) => exchange.end());
    const answer = await connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").answer();
    assert.deepEqual([answer.status, answer.header("allow")], [404, undefined]);
  });
});
