import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Server } from "../../src/server/server.ts";

import { asked, harness, pendingRequest, simpleServer } from "../support/harness.ts";
import { memoryClient, tcpClient } from "../support/raw-client.ts";
import { eventually, signal, turns, within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

describe("close", () => {
  test("closes idle connections at once, and resolves when they are gone", async (t) => {
    const { server, connect, connectTcp } = simpleServer(t);
    const clients = [connect(), connect().get("/"), await connectTcp(), (await connectTcp()).get("/")];
    await clients[1]?.answer();
    await clients[3]?.answer();
    const begin = Date.now();
    await within(server.close({ graceMs: 5_000 }), "the server to close");
    assert.ok(Date.now() - begin < 500, `${Date.now() - begin} ms`);
    for (const client of clients) await client.over();
    assert.equal(server.counters.openConnections, 0);
  });

  test("without connections resolves at once", async () => {
    await within(new Server().close(), "the server to close", 50);
  });

  test("lets what is pending end by itself, with Connection: close", async (t) => {
    const { server, client, exchange } = await pendingRequest(t);
    client.get("/");
    let closed = 0;
    const closing = server.close({ graceMs: 1_000 }).then(() => closed++);
    await turns();
    assert.equal(closed, 0);
    assert.equal(client.ended, false);
    exchange.end("in time");
    const answer = await client.answer();
    assert.deepEqual([answer.text, answer.header("connection")], ["in time", "close"]);
    client.end();
    await within(closing, "the server to close");
    assert.equal(client.rest, "", "the request behind it is not answered");
  });

  test("lets a response that has begun end by itself, and content that is arriving arrive", async (t) => {
    const { server, connect, client: streaming, exchange } = await pendingRequest(t);
    exchange.write("begun ");
    server.post("/", async (exchange) => void exchange.end(await exchange.text()));
    const sending = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
    await turns();
    const closing = server.close({ graceMs: 1_000 });
    await turns();
    exchange.end("ended");
    assert.equal((await streaming.answer()).text, "begun ended");
    await streaming.until(() => streaming.ended, "the end");
    sending.send("def");
    const answer = await sending.answer();
    assert.deepEqual([answer.text, answer.header("connection")], ["abcdef", "close"]);
    streaming.end();
    sending.end();
    await within(closing, "the server to close");
  });

  test("does not wait for peers that do not close after us for longer than closeTimeoutMs", async (t) => {
    const { server, connect } = simpleServer(t, { limits: { closeTimeoutMs: 40 } });
    await connect().get("/", "Connection: close\r\n").answer();
    await within(server.close({ graceMs: 5_000 }), "the server to close");
  });

  test("after graceMs answers what is left with 503 and destroys it", async (t) => {
    const { server, connect, connectTcp, reports } = harness(t);
    const aborted: string[] = [];
    server.get("/:name", (exchange) => {
      exchange.onAbort(() => void aborted.push(exchange.params.name));
      if (exchange.params.name === "begun") exchange.write("begun");
    });
    const stuck = [connect().get("/a"), (await connectTcp()).get("/b")];
    const begun = connect().get("/begun");
    const half = connect().send("GET / HT");
    await eventually(() => server.counters.requests === 3, "the requests");
    await turns();
    const begin = Date.now();
    await within(server.close({ graceMs: 50 }), "the server to close");
    assert.ok(Date.now() - begin >= 45, "too early");
    for (const client of stuck) {
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("connection")], [503, "close"]);
      await client.until(() => client.closed || client.ended, "the end");
    }
    await begun.until(() => begun.closed, "the end");
    assert.doesNotMatch(begun.rest, /503|0\r\n\r\n/);
    await half.over();
    assert.deepEqual(aborted.sort(), ["a", "b", "begun"], "the program is told");
    assert.deepEqual(reports, []);
  });

  test("graceMs 0 does that at once", async (t) => {
    const { server, client } = await pendingRequest(t);
    await within(server.close({ graceMs: 0 }), "the server to close", 200);
    assert.equal((await client.answer()).status, 503);
  });

  test("closes WebSockets with 1001, after what was sent to them", async (t) => {
    const { server, connect } = harness(t);
    const closes: number[] = [];
    server.websocket("/", {
      open: (socket) => void socket.subscribe("t"),
      close: (_, code) => void closes.push(code),
    });
    const clients = [await open(connect(), "/"), await open(connect(), "/")];
    server.publish("t", "last words");
    const closing = server.close({ graceMs: 1_000 });
    for (const client of clients) {
      assert.equal(await client.text(), "last words");
      assert.equal((await client.closeFrame()).code, 1001);
      await client.raw.over();
      client.raw.end();
    }
    await within(closing, "the server to close");
    assert.equal(closes.length, 2);
    assert.equal(server.counters.openWebSockets, 0);
  });

  test("flushes what waits for a slow WebSocket within graceMs", async (t) => {
    const { server, client, socket } = await webSocketPair(t);
    client.raw.pause();
    for (let i = 0; i < 10; i++) socket.send(`${i}`.repeat(50_000));
    const closing = server.close({ graceMs: 1_000 });
    await turns();
    client.raw.resume();
    for (let i = 0; i < 10; i++) assert.equal((await client.text()).length, 50_000);
    assert.equal((await client.closeFrame()).code, 1001);
    client.raw.end();
    await within(closing, "the server to close");
  });

  test("destroys WebSockets that do not answer after graceMs", async (t) => {
    const closed = signal<number>();
    const { server, client } = await webSocketPair(t, { close: (_, code) => closed.give(code) });
    client.answersClose = false;
    await within(server.close({ graceMs: 40 }), "the server to close");
    await closed.wait("the close");
    await client.raw.until(() => client.raw.closed, "the end");
  });

  test("an upgrade that is decided while the server closes does not hold it up", async (t) => {
    const { server, connect } = harness(t);
    const asked = signal();
    const proceed = signal();
    server.websocket("/", {
      upgrade() {
        asked.give();
        return proceed.promise.then(() => undefined);
      },
    });
    const raw = connect().send(handshake("/"));
    await asked.wait("the upgrade");
    const begin = Date.now();
    const closing = server.close({ graceMs: 800 });
    await turns();
    proceed.give();
    await raw.until(() => raw.rest.length > 0 || raw.closed, "an answer");
    const going = (): boolean => raw.received.includes(Buffer.from([0x03, 0xe9]));
    const refused = (): boolean => /^HTTP\/1\.1 503/.test(raw.rest);
    await raw.until(() => refused() || going() || raw.closed, "503, or a close frame with 1001");
    assert.ok(refused() || going(), "neither 503 nor a close frame with 1001");
    raw.end();
    await within(closing, "the server to close");
    assert.ok(Date.now() - begin < 700, "it was waited for until graceMs");
  });

  test("accepts nothing more", async (t) => {
    const { server, client, exchange } = await pendingRequest(t);
    const listener = await server.listen({ port: 0, host: "127.0.0.1" });
    const closing = server.close({ graceMs: 1_000 });
    await assert.rejects(tcpClient(listener.port), { code: "ECONNREFUSED" });
    const late = memoryClient(server);
    await late.over();
    assert.equal(server.counters.refusedConnections, 1);
    exchange.end();
    client.end();
    await within(closing, "the server to close");
  });

  test("listening afterwards is refused", async (t) => {
    const { server } = harness(t);
    await server.close();
    await assert.rejects(server.listen({ port: 0, host: "127.0.0.1" }), { code: "ERR_LISTENING" });
  });

  test("listening that is under way when it closes leaves nothing open", async (t) => {
    const { server } = harness(t);
    const listening = server.listen({ port: 0, host: "127.0.0.1" }).catch(() => undefined);
    await within(server.close(), "the server to close");
    const port = (await listening)?.port;
    if (port !== undefined) await assert.rejects(tcpClient(port), { code: "ECONNREFUSED" });
  });

  test("is the same promise at each call", async (t) => {
    const { server } = harness(t);
    const first = server.close();
    assert.equal(server.close(), first);
    await first;
    assert.equal(server.close({ graceMs: 1 }), first);
    await server[Symbol.asyncDispose]();
  });

  test("asyncDispose closes", async (t) => {
    const { server, connect } = harness(t);
    const client = connect();
    await within(server[Symbol.asyncDispose](), "the server to close");
    await client.over();
    await assert.rejects(server.listen({ port: 0 }), { code: "ERR_LISTENING" });
  });

  test("may be called in a handler", async (t) => {
    const { server, connect } = harness(t);
    let closing: Promise<void> | undefined;
    server.get("/", (exchange) => {
      closing = server.close({ graceMs: 500 });
      exchange.end("closing");
    });
    const client = connect().get("/");
    const answer = await client.answer();
    assert.deepEqual([answer.text, answer.header("connection")], ["closing", "close"]);
    client.end();
    assert.ok(closing);
    await within(closing, "the server to close");
  });

  test("with deferred delivery: 503 for requests that nobody polls, events that are left may be polled after", async (t) => {
    const log: string[] = [];
    const { server, client } = asked(harness(t, { delivery: "deferred" }), (exchange) => {
      log.push(`request ${exchange.finished}`);
      exchange.onAbort(() => void log.push("abort"));
    });
    await eventually(() => server.waitingEvents === 1, "the event");
    await within(server.close({ graceMs: 30 }), "the server to close");
    assert.equal((await client.answer()).status, 503);
    server.poll();
    assert.deepEqual(log, ["request true", "abort"]);
  });
});

describe("a listener", () => {
  test("that is closed accepts nothing more, its connections and the server go on", async (t) => {
    const { server } = simpleServer(t);
    const one = await server.listen({ port: 0, host: "127.0.0.1" });
    const two = await server.listen({ port: 0, host: "127.0.0.1" });
    assert.notEqual(one.port, two.port);
    assert.equal(one.url, `http://127.0.0.1:${one.port}`);
    const client = await tcpClient(one.port);
    t.after(() => client.destroy());
    client.get("/");
    await client.answer();
    one.close();
    one.close();
    await assert.rejects(tcpClient(one.port), { code: "ECONNREFUSED" });
    assert.equal((await client.get("/").answer()).text, "ok");
    const other = await tcpClient(two.port);
    t.after(() => other.destroy());
    assert.equal((await other.get("/").answer()).text, "ok");
  });

  test("on a port that is taken fails, and the server goes on", async (t) => {
    const { server } = harness(t);
    const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
    await assert.rejects(server.listen({ port, host: "127.0.0.1" }), { code: "EADDRINUSE" });
    const client = await tcpClient(port);
    client.destroy();
  });
});

describe("nothing keeps the process alive", () => {
  async function exits(script: string): Promise<string> {
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const args = ["--import", "tsx", "--input-type=module", "--eval", script];
    // It rejects when the process does not end in time.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
    return stdout + stderr;
  }

  test("after close: a server that has served HTTP and a WebSocket, with long timeouts", async () => {
    const output = await exits(`
      import { connect } from "node:net";
      import { once } from "node:events";
      const { Server } = await import("./src/server/server.ts");
      const server = new Server({ limits: { headTimeoutMs: 600000, closeTimeoutMs: 600000 } });
      server.get("/", (exchange) => void exchange.end("ok"));
      server.websocket("/ws", {});
      const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
      const http = connect(port, "127.0.0.1");
      http.write("GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n");
      await once(http, "data");
      const ws = connect(port, "127.0.0.1");
      ws.write("GET /ws HTTP/1.1\\r\\nHost: h\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n");
      await once(ws, "data");
      http.unref(); ws.unref();
      ws.on("error", () => {}); http.on("error", () => {});
      const begin = Date.now();
      await server.close({ graceMs: 100 });
      process.on("exit", () => console.log(Date.now() - begin < 1000 ? "fine" : "late"));
    `);
    assert.equal(output.trim(), "fine");
  });

  test("before any connection came, a server that does not listen", async () => {
    const output = await exits(`
      const { Server } = await import("./src/server/server.ts");
      const { MemoryTransport } = await import("./src/transport/memory-transport.ts");
      const server = new Server();
      server.accept(MemoryTransport.pair()[0]);
      console.log("fine");
    `);
    assert.equal(output.trim(), "fine");
  });
});
