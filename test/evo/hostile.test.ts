// What a hostile reading found: peers and programs that do the unusual.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import WebSocket from "ws";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { certificate } from "../support/certificates.ts";
import { tcpClient } from "../support/raw-client.ts";
import { eventually, signal, sleep, turns, within } from "../support/waiting.ts";
import { opened } from "../support/ws-client.ts";
import { httpServer, requested } from "./harness.ts";

const host = "127.0.0.1";

describe("SetEchoMode(boolean)", () => {
  for (const secure of [false, true]) {
    it(`each message comes back, of any size and in any mix${secure ? ", over TLS" : ""}`, async (t) => {
      const tls = certificate("localhost");
      const server = new WebSocketServer({ host, pollIntervalMs: 0, ...(secure ? { tls } : {}) });
      t.after(() => server.StopListening());
      server.SetEchoMode(true);
      const url = `${secure ? "wss" : "ws"}://${host}:${server.StartListening(0)}`;
      const socket = await opened(new WebSocket(url, { rejectUnauthorized: false }));
      t.after(() => socket.terminate());
      const sizes = [10_000, 60_000, 16_000, 50_000, 100_000, 1_000];
      const back: number[] = [];
      const done = signal();
      socket.on("message", (data: Buffer) => {
        if (back.push(data.length) === 300) done.give();
      });
      for (let i = 0; i < 300; i++) socket.send(Buffer.alloc(sizes[i % sizes.length]!));
      await within(done.promise, "all echoes", 20_000);
      const expected = Array.from({ length: 300 }, (_, i) => sizes[i % sizes.length]!);
      assert.deepEqual(back, expected);
    });
  }
});

describe("StopListening()", () => {
  it("a request whose head was not complete is refused, and is no event", async (t) => {
    const web = httpServer(t);
    const client = (await web.client()).send("GET / HTTP/1.1\r\nHo");
    await client.sent();
    await turns();
    web.server.StopListening();
    client.send("st: h\r\n\r\n");
    assert.equal((await client.answer()).status, 503);
    web.poll();
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
  });

  it("a WebSocket gets what it was sent before, and is told 1001", async () => {
    const server = new WebSocketServer({ host, pollIntervalMs: 0 });
    let reason = "";
    server.WEBSOCKET_CONNECTION_ESTABLISHED = (_event, { clientID }) => {
      server.SendTextMessageToClient("x".repeat(500_000), clientID);
      server.StopListening();
    };
    server.WEBSOCKET_CONNECTION_CLOSED = (_event, payload) => {
      reason = `${payload.code} ${payload.text}`;
    };
    const socket = new WebSocket(`ws://${host}:${server.StartListening(0)}`);
    const message = once(socket, "message");
    const closed = once(socket, "close");
    await opened(socket);
    socket.send("something that nobody reads any more");
    await eventually(() => {
      server.ProcessDeferredEvents();
      return reason !== "";
    }, "the end");
    assert.equal(reason, "1001 Going Away");
    assert.equal((await within(message, "the message"))[0].length, 500_000);
    assert.equal((await within(closed, "the close"))[0], 1001);
  });
});

describe("event handlers", () => {
  it("what an async handler rejects with goes to onError", async (t) => {
    const error = signal<unknown>();
    const server = new HttpServer({ host, onError: (given) => error.give(given) });
    t.after(() => server.StopListening());
    server.AddRoute("/*");
    // oxlint-disable-next-line typescript/no-misused-promises -- handlers can be async, but their type says void
    server.HTTP_REQUEST_FINISHED = async () => {
      throw new Error("mine");
    };
    const client = (await tcpClient(server.StartListening(0))).get("/");
    t.after(() => client.destroy());
    assert.match(String(await error.wait("the error")), /mine/);
  });
});

describe("limits (original's values, all options here)", () => {
  it("heads count for maxQueueBytes: clients that come and go leave a bounded amount", async (t) => {
    const web = httpServer(t, { limits: { maxQueueBytes: 200_000 } });
    const head = `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(15_000)}\r\n\r\n`;
    for (let i = 0; i < 60; i++) {
      const client = (await web.client()).send(head);
      await sleep(5);
      client.destroy();
    }
    await sleep(50);
    let before = 0;
    web.server.HTTP_REQUEST_STARTED = () => void before++;
    web.poll();
    assert.ok(before > 0 && before <= 20, `${before} heads of 15 kB in a queue of 200 kB`);
  });

  it("options out of range are refused at once", () => {
    for (const pollIntervalMs of [-1, Number.NaN]) {
      assert.throws(() => new HttpServer({ pollIntervalMs }), RangeError);
    }
  });
});

describe("StreamResponse(id, chunk, totalSize?)", () => {
  it("a size that cannot be gives 0 and sends nothing", async (t) => {
    const { web, client, id } = await requested(t);
    for (const size of [5.5, Number.NaN, -1, Number.POSITIVE_INFINITY, 3]) {
      assert.equal(web.server.StreamResponse(id, "abcdef", size), 0);
    }
    assert.equal(web.server.StreamResponse(id, "abcdef", 6), 3);
    assert.equal((await client.answer()).text, "abcdef");
  });
});

describe("SendResponse(id, body)", () => {
  it("a Content-Length of the program that does not fit is corrected", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteHeader(id, "Content-Length", "3");
    assert.equal(web.server.SendResponse(id, "abcdef"), 3);
    assert.equal((await client.answer()).text, "abcdef");
  });
});
