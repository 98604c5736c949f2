import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answered } from "../../src/exchange/answered.ts";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { defaultLimits, type Limits } from "../../src/limits/limits.ts";
import { Server } from "../../src/server/server.ts";
import { frame } from "../support/frames.ts";
import { codeOf, harness, nextAnswers, routed, simpleServer } from "../support/harness.ts";
import { eventually, signal, sleep, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { pairOn, webSocketPair } from "../support/web-socket-pair.ts";

/** Sends a text byte by byte, slowly, until the server ends it. */
async function trickle(
  client: { send(text: string): unknown; ended: boolean; closed: boolean },
  text: string,
  ms = 8,
): Promise<void> {
  for (const character of text) {
    if (client.ended || client.closed) return;
    client.send(character);
    await sleep(ms);
  }
}

describe("the head", () => {
  test("maxHeadBytes: a longer one is answered 431", async (t) => {
    const { connect } = simpleServer(t, { limits: { maxHeadBytes: 200 } });
    const head = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
    const longest = connect().get("/", `X: ${"x".repeat(200 - head.length)}\r\n`);
    assert.equal((await longest.answer()).status, 200);
    const long = connect().get("/", `X: ${"x".repeat(201 - head.length)}\r\n`);
    assert.equal((await long.answer()).status, 431);
    await long.over();
  });

  test("maxFieldCount: more are answered 431", async (t) => {
    const { connect } = simpleServer(t, { limits: { maxFieldCount: 3 } });
    const client = connect().get("/", "A: 1\r\nB: 2\r\n").get("/", "A: 1\r\nB: 2\r\nC: 3\r\n");
    assert.deepEqual(await nextAnswers(client, "status", "status"), [200, 431]);
    await client.over();
  });

  test("maxTargetBytes: a longer one is answered 414", async (t) => {
    const { server, connect } = harness(t, { limits: { maxTargetBytes: 10 } });
    server.get("/*", (exchange) => void exchange.end("ok"));
    const client = connect().get("/123456789").get("/1234567890");
    assert.deepEqual(await nextAnswers(client, "status", "status"), [200, 414]);
    await client.over();
  });

  test("requireContentLength: chunked content is answered 411", async (t) => {
    const { connect } = simpleServer(t, { limits: { requireContentLength: true } });
    const client = connect().post("/", "abc");
    assert.equal((await client.answer()).text, "abc");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert.equal((await client.answer()).status, 411);
  });

  test("headTimeoutMs: one that trickles in is answered 408", async (t) => {
    const { connect } = simpleServer(t, { limits: { headTimeoutMs: 40 } });
    const client = connect();
    const begin = Date.now();
    void trickle(client, `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(200)}`);
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [408, "close"]);
    assert.ok(Date.now() - begin < 300, `${Date.now() - begin} ms`);
    await client.over();
  });

  test("headTimeoutMs counts for each request from its first byte on", async (t) => {
    const { connect } = simpleServer(t, { limits: { headTimeoutMs: 60, keepAliveTimeoutMs: 2_000 } });
    const client = connect().get("/");
    assert.equal((await client.answer()).text, "ok");
    await sleep(120);
    client.send("GET / HT");
    await sleep(20);
    client.send("TP/1.1\r\nHost: h\r\n\r\n");
    assert.equal((await client.answer()).text, "ok", "the time before its first byte does not count");
    assert.equal((await client.send("GET / HT").answer()).status, 408);
  });

  test("neither head nor body timeout counts while the program works", async (t) => {
    const limits = { headTimeoutMs: 30, bodyTimeoutMs: 30, keepAliveTimeoutMs: 30 };
    const { connect } = routed(harness(t, { limits }), "post", async (exchange) => {
      const text = await exchange.text();
      await sleep(150);
      exchange.end(text);
    });
    const client = connect().post("/", "slow program");
    assert.equal((await client.answer()).text, "slow program");
  });
});

describe("the content", () => {
  test("bodyTimeoutMs: content that trickles in is answered 408, and what reads it is told", async (t) => {
    const { server, connect } = harness(t, { limits: { bodyTimeoutMs: 40 } });
    const outcome = signal<unknown>();
    server.post("/", async (exchange) => void (await exchange.bytes().then(outcome.give, outcome.give)));
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    void trickle(client, "x".repeat(100));
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [408, "close"]);
    assert.equal(codeOf(await outcome.wait("the read to end")), "ERR_ABORTED");
    await client.over();
  });

  test("bodyTimeoutMs: content that comes on at 64 KiB in that time may take longer in all", async (t) => {
    const { server, connect } = harness(t, { limits: { bodyTimeoutMs: 60 } });
    server.post("/", async (exchange) => void exchange.end(String((await exchange.bytes()).length)));
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 800000\r\n\r\n");
    for (let i = 0; i < 10; i++) {
      client.send("x".repeat(80_000));
      await sleep(20);
    }
    assert.equal((await client.answer()).text, "800000");
  });

  test("bodyTimeoutMs: a program that pauses the reading does not use up the client's time", async (t) => {
    const resumed = signal();
    let paused = false;
    const { connect } = routed(harness(t, { limits: { bodyTimeoutMs: 60 } }), "post", (exchange) => {
      exchange.onBody((_, last) => {
        if (last) return void exchange.end("read");
        if (paused) return;
        paused = true;
        exchange.pauseBody();
        setTimeout(() => {
          exchange.resumeBody();
          resumed.give();
        }, 200);
      });
    });
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
    await resumed.wait("the program to go on");
    await sleep(30);
    client.send("67890");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.text], [200, "read"]);
  });

  test("maxChunkExtensionBytes and maxTrailerBytes bound what comes beside the content", async (t) => {
    const { connect } = simpleServer(t, { limits: { maxChunkExtensionBytes: 20, maxTrailerBytes: 40 } });
    const head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.equal((await connect().send(`${head}1;a=b\r\nx\r\n0\r\nT: 1\r\n\r\n`).answer()).text, "x");
    const extensions = connect().send(`${head}1;${"a".repeat(100)}\r\nx\r\n0\r\n\r\n`);
    assert.ok([400, 413, 431].includes((await extensions.answer()).status));
    const trailers = connect().send(`${head}1\r\nx\r\n0\r\nT: ${"t".repeat(100)}\r\n\r\n`);
    assert.equal((await trailers.answer()).status, 431);
  });

  test("maxDiscardBytes decides whether an early answer keeps the connection", async (t) => {
    const { server, connect } = harness(t, { limits: { maxDiscardBytes: 100 } });
    server.post("/", (exchange) => void exchange.end("early"));
    const few = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    assert.equal((await few.answer()).header("connection"), undefined);
    assert.equal((await few.send("x".repeat(100)).get("/").answer()).status, 405);
    const many = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    assert.equal((await many.answer()).header("connection"), "close");
    await many.over();
  });
});

describe("the connection", () => {
  test("keepAliveTimeoutMs: an idle one is closed without an answer, an early request is served", async (t) => {
    const { connect } = simpleServer(t, { limits: { keepAliveTimeoutMs: 60 } });
    const client = connect();
    for (let i = 0; i < 3; i++) {
      client.get("/");
      await client.answer();
      await sleep(20);
    }
    assert.equal(client.ended, false);
    await client.over();
    assert.equal(client.rest, "");
  });

  describe("Keep-Alive tells clients that name it for how long a connection may be idle", () => {
    /** Of `keepAliveTimeoutMs`, and what is answered. */
    type Row = [ms: number | undefined, version: string, line: string, connection?: string, told?: string];
    const cases: Row[] = [
      [undefined, "1.1", "Connection: keep-alive", "keep-alive", "timeout=74"],
      [undefined, "1.1", "Connection: Keep-Alive, TE", "keep-alive", "timeout=74"],
      [undefined, "1.0", "Connection: keep-alive", "keep-alive", "timeout=74"],
      [5_999, "1.1", "Connection: keep-alive", "keep-alive", "timeout=4"],
      [1_999, "1.1", "Connection: keep-alive", "keep-alive"],
      [0, "1.1", "Connection: keep-alive", "keep-alive"],
      [Number.POSITIVE_INFINITY, "1.0", "Connection: keep-alive", "keep-alive"],
      [undefined, "1.1", "X: 1"],
      [undefined, "1.1", "Connection: TE"],
      [undefined, "1.1", "Connection: keep-alive, close", "close"],
      [undefined, "1.0", "X: 1", "close"],
    ];
    for (const [ms, version, line, connection, told] of cases) {
      test(`${ms} ms, HTTP/${version}, ${line}`, async (t) => {
        const limits = ms === undefined ? {} : { keepAliveTimeoutMs: ms };
        const { connect } = simpleServer(t, { limits });
        const answer = await connect().send(`GET / HTTP/${version}\r\nHost: h\r\n${line}\r\n\r\n`).answer();
        assert.deepEqual([answer.header("connection"), answer.header("keep-alive")], [connection, told]);
      });
    }

    test("a changed limit is told from then on", async (t) => {
      const { server, connect } = simpleServer(t);
      const client = connect().get("/", "Connection: keep-alive\r\n");
      assert.equal((await client.answer()).header("keep-alive"), "timeout=74");
      server.limits.keepAliveTimeoutMs = 10_000;
      client.get("/", "Connection: keep-alive\r\n");
      assert.equal((await client.answer()).header("keep-alive"), "timeout=9");
    });
  });

  test("maxRequestsPerConnection: the last response says close, and nothing after it is answered", async (t) => {
    let requests = 0;
    const { connect } = routed(harness(t, { limits: { maxRequestsPerConnection: 2 } }), "get", (exchange) => {
      requests++;
      exchange.end();
    });
    const client = connect().get("/").get("/").get("/");
    assert.equal((await client.answer()).header("connection"), undefined);
    assert.equal((await client.answer()).header("connection"), "close");
    await client.over();
    assert.equal(client.rest, "");
    assert.equal(requests, 2);
  });

  test("maxConnections: one too many is turned away, and there is room again when one goes", async (t) => {
    const { server, connect } = simpleServer(t, { limits: { maxConnections: 2 } });
    server.websocket("/ws", {});
    const first = connect();
    await open(connect(), "/ws");
    await connect().over();
    assert.equal(server.counters.refusedConnections, 1);
    first.destroy();
    await eventually(() => server.counters.openConnections === 1, "the first to go");
    assert.equal((await connect().get("/").answer()).text, "ok");
  });

  test("maxConnectionsPerAddress, WebSockets included, and there is room again when one goes", async (t) => {
    const { server, connect, connectTcp } = simpleServer(t, { limits: { maxConnectionsPerAddress: 2 } });
    server.websocket("/ws", {});
    const first = connect();
    const ws = await open(connect(), "/ws");
    await connect().over();
    assert.equal((await (await connectTcp()).get("/").answer()).text, "ok", "another address");
    first.destroy();
    ws.raw.destroy();
    await eventually(() => server.counters.openConnections === 1, "both to go");
    connect();
    assert.equal((await connect().get("/").answer()).text, "ok");
    await connect().over();
  });

  test("maxConnectionsPerAddress set at run time counts the connections that are open", async (t) => {
    const { server, connect } = simpleServer(t);
    const first = connect().get("/");
    await first.answer();
    server.limits.maxConnectionsPerAddress = 1;
    await connect().over("the second connection from this address to be turned away");
    first.destroy();
    await turns();
    assert.equal((await connect().get("/").answer()).text, "ok");
  });

  test("writeTimeoutMs: a peer that takes nothing is dropped, and the program is told", async (t) => {
    const gone = signal();
    const { connect } = routed(harness(t, { limits: { writeTimeoutMs: 40 } }), "get", (exchange) => {
      exchange.onAbort(() => gone.give());
      exchange.write("x".repeat(100_000));
    });
    const client = connect().pause().get("/");
    await gone.wait("the abort");
    client.resume();
    await client.until(() => client.closed, "the connection to be dropped");
  });

  test("writeTimeoutMs: a peer that takes a little each time stays", async (t) => {
    let aborted = false;
    const finish = signal();
    const { connect } = routed(harness(t, { limits: { writeTimeoutMs: 60 } }), "get", async (exchange) => {
      exchange.onAbort(() => {
        aborted = true;
      });
      for (let i = 0; i < 10; i++) {
        exchange.write("x".repeat(1_000));
        await turns(1);
      }
      await finish.promise;
      exchange.end();
    });
    const client = connect().pause().get("/");
    await turns(30);
    // One piece at a time.
    client.onPiece = () => client.pause();
    for (let i = 0; i < 8; i++) {
      client.resume();
      await sleep(30);
    }
    assert.equal(aborted, false);
    client.onPiece = undefined;
    client.resume();
    finish.give();
    assert.equal((await client.answer()).body.length, 10_000);
  });

  test("writeTimeoutMs for a WebSocket: 1006", async (t) => {
    const opened = signal<WebSocket>();
    const { client, closed } = await pairOn(harness(t, { limits: { writeTimeoutMs: 40 } }), {
      open: (socket) => opened.give(socket as WebSocket),
    });
    client.raw.pause();
    (await opened.wait("the WebSocket")).send("x".repeat(1_000));
    assert.equal(await closed(), "1006 ");
  });

  test("closeTimeoutMs: a peer that does not close after us is dropped", async (t) => {
    const { server, connect } = harness(t, { limits: { closeTimeoutMs: 40 } });
    server.get("/", (exchange) => void exchange.end("bye"));
    const client = connect().get("/", "Connection: close\r\n");
    assert.equal((await client.answer()).text, "bye");
    await client.until(() => client.ended, "the end");
    await client.until(() => client.closed, "the connection to be dropped");
  });
});

describe("WebSockets", () => {
  test("webSocketIdleTimeoutMs: a silent one is sent a ping, and stays when it answers", async (t) => {
    const limits = { webSocketIdleTimeoutMs: 40, pongTimeoutMs: 40 };
    let closes = 0;
    const { client } = await pairOn(harness(t, { limits }), { close: () => void closes++ });
    for (let i = 0; i < 4; i++) assert.deepEqual(await client.next(), { type: "ping", text: "" });
    assert.equal(closes, 0);
  });

  test("webSocketIdleTimeoutMs: one that sends is left alone", async (t) => {
    const { client } = await pairOn(harness(t, { limits: { webSocketIdleTimeoutMs: 80 } }));
    for (let i = 0; i < 10; i++) {
      client.send("x");
      await sleep(20);
    }
    client.read();
    assert.deepEqual(client.events, []);
  });

  test("pongTimeoutMs: one that does not answer is gone with 1006", async (t) => {
    const limits = { webSocketIdleTimeoutMs: 40, pongTimeoutMs: 40 };
    const closed = signal<number>();
    const { client } = await pairOn(harness(t, { limits }), { close: (_, code) => closed.give(code) });
    client.answersPings = false;
    assert.equal((await client.next()).type, "ping");
    assert.equal(await closed.wait("the close"), 1006);
    await client.raw.until(() => client.raw.closed, "the end");
  });

  test("pongTimeoutMs: anything at all is an answer", async (t) => {
    const limits = { webSocketIdleTimeoutMs: 40, pongTimeoutMs: 60 };
    let closes = 0;
    const { client } = await pairOn(harness(t, { limits }), { close: () => void closes++ });
    client.answersPings = false;
    for (let i = 0; i < 3; i++) {
      assert.equal((await client.next()).type, "ping");
      client.send("not a pong");
    }
    assert.equal(closes, 0);
  });

  test("webSocketLifetimeMs: closed with 1001 at that age, however busy", async (t) => {
    const { server, connect } = harness(t, { limits: { webSocketLifetimeMs: 80 } });
    const closed = signal<number>();
    server.websocket("/", { close: (_, code) => closed.give(code) });
    const client = await open(connect(), "/");
    const begin = Date.now();
    void trickle({ send: (text) => client.send(text), ended: false, closed: false }, "x".repeat(20), 10);
    assert.equal((await client.closeFrame()).code, 1001);
    assert.ok(Date.now() - begin >= 70, "too early");
    assert.equal(await closed.wait("the close"), 1001);
  });

  test("webSocketLifetimeMs 0: none", async (t) => {
    const { client } = await pairOn(harness(t, { limits: { webSocketLifetimeMs: 0, headTimeoutMs: 20 } }));
    await sleep(120);
    client.read();
    assert.deepEqual(client.events, []);
    assert.equal(client.closed, false);
  });

  test("the HTTP timeouts do not count for a WebSocket, nor while its upgrade is decided", async (t) => {
    const limits = { headTimeoutMs: 30, bodyTimeoutMs: 30, keepAliveTimeoutMs: 30 };
    const { server, connect } = harness(t, { limits });
    server.websocket("/", {
      async upgrade() {
        await sleep(120);
        return undefined;
      },
      message: (socket, data) => void socket.send(data),
    });
    const client = await open(connect(), "/");
    await sleep(120);
    client.send("still here");
    assert.equal((await client.next()).type, "message");
  });
});

describe("timeouts of a route", () => {
  test("are as fine as those of the server, and change nothing for others", async (t) => {
    const { server, connect } = harness(t);
    const gone = signal<number>();
    const quick = { idleTimeoutMs: 40, pongTimeoutMs: 40 };
    server.websocket("/quick", { close: (_, code) => gone.give(code) }, quick);
    server.websocket("/", {});
    const other = await open(connect(), "/");
    const begin = performance.now();
    const client = await open(connect(), "/quick");
    client.answersPings = false;
    assert.equal((await client.next()).type, "ping");
    const pinged = performance.now() - begin;
    assert.ok(pinged >= 40 && pinged < 400, `a ping after ${pinged} ms`);
    assert.equal(await gone.wait("the end"), 1006);
    const ended = performance.now() - begin;
    assert.ok(ended >= 80 && ended < 800, `gone after ${ended} ms`);
    assert.deepEqual(other.events, []);
  });

  test("the shortest of them decides how often it is looked", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", {}, { idleTimeoutMs: 40, pongTimeoutMs: 1_900, writeTimeoutMs: 1_900 });
    const begin = performance.now();
    const client = await open(connect(), "/");
    assert.equal((await client.next()).type, "ping");
    const pinged = performance.now() - begin;
    assert.ok(pinged < 400, `a ping after ${pinged} ms`);
  });

  test("clients that come and go do not keep the timeouts of others from running", async (t) => {
    const { server, connect } = harness(t, { limits: { headTimeoutMs: 1_200, closeTimeoutMs: 4_000 } });
    server.websocket("/", {}, { idleTimeoutMs: 50 });
    const begin = performance.now();
    const slow = connect().send("GET / HTTP/1.1\r\n");
    const timer = setInterval(() => {
      void open(connect(), "/").then((client) => setTimeout(() => client.raw.destroy(), 10));
    }, 120);
    t.after(() => clearInterval(timer));
    assert.equal((await slow.answer()).status, 408);
    const took = performance.now() - begin;
    assert.ok(took >= 1_200 && took < 4_000, `408 after ${took} ms`);
  });

  test("0 and Infinity mean never, for the server, too", async (t) => {
    for (const never of [0, Number.POSITIVE_INFINITY]) {
      const names = ["head", "body", "keepAlive", "write", "webSocketIdle", "pong"];
      const all = Object.fromEntries(names.map((name) => [`${name}TimeoutMs`, never]));
      const { server, connect } = simpleServer(t, { limits: { closeTimeoutMs: 20, ...all } });
      server.websocket("/", {});
      const silent = connect();
      const half = connect().send("GET / HT");
      const content = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
      const kept = connect().get("/");
      const socket = await open(connect(), "/");
      await kept.answer();
      await socket.readFor(150);
      assert.deepEqual(socket.events, []);
      for (const client of [silent, half, content, kept, socket.raw]) assert.equal(client.isOver, false);
    }
  });

  test("writeHighWaterBytes and closeTimeoutMs cannot be 0", () => {
    const wrong = { name: "RangeError", message: /at least 1/ };
    for (const name of ["writeHighWaterBytes", "closeTimeoutMs"]) {
      assert.throws(() => new Server({ limits: { [name]: 0 } }), wrong);
    }
  });
});

describe("maxTotalIncompleteBytes", () => {
  const limits = { maxTotalIncompleteBytes: 300_000 };

  test("ends WebSockets whose messages hold too much together, with 1013", async (t) => {
    const { server, connect } = harness(t, { limits });
    server.websocket("/", { message: (socket, data) => void socket.send(String(data.length)) });
    const clients = await Promise.all(Array.from({ length: 4 }, () => open(connect(), "/")));
    const message = frame(2, Buffer.alloc(150_000));
    for (const client of clients) client.raw.send(message.subarray(0, 140_000));
    await eventually(() => server.counters.openWebSockets < 4, "one to be refused");
    await turns();
    const left = clients.filter((client) => !client.closed);
    assert.ok(left.length >= 1 && left.length < 4, `${left.length} are left`);
    assert.ok(server.counters.incompleteBytes <= 300_000, `${server.counters.incompleteBytes} bytes`);
    for (const client of clients) {
      if (left.includes(client)) client.raw.send(message.subarray(140_000));
      if (left.includes(client)) assert.equal(await client.text(), "150000");
      else assert.equal((await client.closeFrame()).code, 1013);
    }
    assert.equal(server.counters.incompleteBytes, 0);
    assert.ok((server.counters.errors["WS_OVERLOADED"] ?? 0) >= 1);
  });

  test("small messages are taken all the same", async (t) => {
    const { server, connect } = harness(t, { limits: { maxTotalIncompleteBytes: 0 } });
    server.websocket("/", { message: (socket, data) => void socket.send(String(data.length)) });
    const client = await open(connect(), "/");
    const message = frame(2, Buffer.alloc(10_000));
    client.raw.send(message.subarray(0, 5_000));
    await turns();
    client.raw.send(message.subarray(5_000));
    assert.equal(await client.text(), "10000");
  });

  test("refuses bodies that hold too much together with 503", async (t) => {
    const { server, connect } = harness(t, { limits });
    server.post("/", async (exchange) => exchange.end(String((await exchange.bytes()).length)));
    const clients = Array.from({ length: 4 }, () => connect());
    const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 150000\r\n\r\n";
    for (const client of clients) client.send(head + "x".repeat(140_000));
    const refused = (): number => server.counters.errors["ERR_OVERLOADED"] ?? 0;
    await eventually(() => refused() > 0, "one to be refused");
    await turns();
    assert.ok(refused() < 4);
    assert.ok(server.counters.incompleteBytes <= 300_000, `${server.counters.incompleteBytes} bytes`);
    for (const client of clients) client.send("x".repeat(10_000));
    const statuses = await Promise.all(clients.map(async (client) => (await client.answer()).status));
    assert.equal(statuses.filter((status) => status === 503).length, refused());
    assert.equal(statuses.filter((status) => status === 200).length, 4 - refused());
    assert.equal(server.counters.incompleteBytes, 0);
  });

  test("counts nothing of clients that have gone, or whose content nobody reads to its end", async (t) => {
    const { server, connect } = harness(t);
    server.post("/bytes", (exchange) => void exchange.bytes().catch(() => {}));
    server.post("/never", () => {});
    server.post("/loop", async (exchange) => {
      for await (const _ of exchange.body) await new Promise(() => {});
    });
    server.post("/early", (exchange) => exchange.end("early"));
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 150000\r\n\r\n`;
    const clients = ["/bytes", "/never", "/loop", "/early"].map((path) =>
      connect().send(head(path) + "x".repeat(50_000)),
    );
    await turns(20);
    assert.ok(server.counters.incompleteBytes > 50_000);
    for (const client of clients) client.destroy();
    await eventually(() => server.counters.openConnections === 0, "all to be gone");
    assert.equal(server.counters.incompleteBytes, 0);
  });

  test("counts nothing of content that a loop has left after the response", async (t) => {
    const { server, connect } = harness(t, { limits: { bodyTimeoutMs: 60 } });
    server.post("/", async (exchange) => {
      const iterator = exchange.body[Symbol.asyncIterator]();
      await iterator.next();
      exchange.end("early");
    });
    const head = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
    const small = connect().send(head(50_000) + "x".repeat(1_000));
    await small.answer();
    small.send("x".repeat(49_000));
    const large = connect().send(head(500_000) + "x".repeat(1_000));
    await large.answer();
    for (let i = 0; i < 30; i++) large.send("x".repeat(10_000));
    await turns();
    small.destroy();
    large.destroy();
    await eventually(() => server.counters.openConnections === 0, "both to be gone");
    assert.equal(server.counters.incompleteBytes, 0);
  });

  test("counts nothing of a message that was under way when the WebSocket was closed", async (t) => {
    const { server, client } = await webSocketPair(t);
    client.raw.send(frame(2, Buffer.alloc(150_000)).subarray(0, 140_000));
    await eventually(() => server.counters.incompleteBytes > 100_000, "a part of it");
    client.answersClose = false;
    for (const socket of server.webSockets) socket.close();
    assert.equal(server.counters.incompleteBytes, 0);
  });
});

describe("changes at run time", () => {
  test("maxBodyBytes, of the server and of a new route, reaches connections that are open", async (t) => {
    const { server, connect } = harness(t, { limits: { maxBodyBytes: 1_000 } });
    const echo = async (exchange: Exchange): Promise<Answered> => exchange.end(await exchange.bytes());
    server.post("/", echo);
    server.get("/", (exchange) => exchange.end());
    const [used, fresh] = [connect().get("/"), connect()];
    await used.answer();
    await turns();
    server.limits.maxBodyBytes = 10_000;
    server.post("/large", echo, { maxBodyBytes: 50_000 });
    for (const client of [used, fresh]) {
      assert.equal((await client.post("/", "x".repeat(5_000)).answer()).status, 200);
      assert.equal((await client.post("/large", "x".repeat(40_000)).answer()).status, 200);
    }
    server.limits.maxBodyBytes = 100;
    assert.equal((await used.post("/", "x".repeat(101)).answer()).status, 413);
  });

  test("server.limits is what was given over the defaults", (t) => {
    const { server } = harness(t, { limits: { maxHeadBytes: 1_000 } });
    assert.deepEqual({ ...server.limits }, { ...defaultLimits, maxHeadBytes: 1_000 } satisfies Limits);
  });

  test("a changed timeout counts from the next connection and request on", async (t) => {
    const { server, connect } = simpleServer(t, { limits: { closeTimeoutMs: 40 } });
    server.limits.headTimeoutMs = 40;
    server.limits.keepAliveTimeoutMs = 40;
    assert.equal((await connect().send("GET /").answer()).status, 408);
    const idle = connect().get("/");
    await idle.answer();
    await idle.over();
  });

  test("maxHeadBytes, maxRequestsPerConnection and maxConnections as well", async (t) => {
    const { server, connect } = simpleServer(t);
    const client = connect().get("/");
    assert.equal((await client.answer()).header("connection"), undefined);
    server.limits.maxRequestsPerConnection = 2;
    assert.equal((await client.get("/").answer()).header("connection"), "close");
    server.limits.maxHeadBytes = 50;
    const long = connect().get("/", `X: ${"x".repeat(50)}\r\n`);
    assert.equal((await long.answer()).status, 431);
    server.limits.maxConnections = 0;
    await connect().over();
  });
});

test("no byte at all, half a handshake, half a frame: nobody stays for ever", async (t) => {
  const limits = { headTimeoutMs: 30, webSocketIdleTimeoutMs: 30, pongTimeoutMs: 30, closeTimeoutMs: 30 };
  const { server, connect } = harness(t, { limits });
  server.websocket("/", {});
  const clients = [connect(), connect().send(handshake("/").slice(0, -2))];
  const ws = await open(connect(), "/");
  ws.answersPings = false;
  ws.raw.send(frame(1, "x".repeat(70_000)).subarray(0, 2));
  for (const client of [...clients, ws.raw])
    await client.until(() => client.closed || client.ended, "the end");
  await eventually(() => server.counters.openConnections === 0, "all to be gone");
});

describe("a limit that is changed", () => {
  const wrong: [name: string, value: unknown, message: RegExp][] = [
    ["maxBodyBytes", "5mb", /limits\.maxBodyBytes cannot be 5mb/],
    ["maxBodyBytes", undefined, /cannot be undefined/],
    ["closeTimeoutMs", 0, /a number of at least 1/],
    ["maxBodyByte", 5, /Did you mean "maxBodyBytes"/],
  ];
  for (const [name, value, message] of wrong) {
    test(`cannot be ${name} = ${String(value)}, which would switch it off or change nothing`, (t) => {
      const { server } = harness(t);
      assert.throws(() => Reflect.set(server.limits, name, value), { name: "RangeError", message });
      assert.deepEqual({ ...server.limits }, defaultLimits);
    });
  }
});
