import assert from "node:assert/strict";
import diagnostics from "node:diagnostics_channel";
import { describe, it, type TestContext } from "node:test";
import {
  connect,
  type Exchange,
  type ResponseReport,
  type Server,
  type ServerConnection,
  type WebSocket,
} from "../../src/index.ts";
import { failing, throwing } from "../support/failing.ts";
import { harness, pendingRequest, routed, simpleServer } from "../support/harness.ts";
import type { RawClient } from "../support/raw-client.ts";
import { eventually, signal } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

/** What `onResponse` is told. */
function ends(server: Server): [path: string, outcome: string, status: number][] {
  const seen: [string, string, number][] = [];
  server.onResponse((exchange, { outcome, status, durationMs }) => {
    assert.ok(durationMs >= 0 && durationMs < 60_000);
    seen.push([exchange.path, outcome, status]);
  });
  return seen;
}

/** What a channel publishes about a server. */
function listen<T>(t: TestContext, server: Server | undefined, name: string): T[] {
  const seen: T[] = [];
  const listener = (message: unknown): void => {
    if ((message as { server: Server }).server === server) seen.push(message as T);
  };
  diagnostics.subscribe(name, listener);
  t.after(() => diagnostics.unsubscribe(name, listener));
  return seen;
}

describe("hooks whose promises reject", () => {
  it("are reported after it", async (t) => {
    const { server, connect, reports } = simpleServer(t);
    server.onResponse(failing(true, new Error("on purpose")));
    assert.equal((await connect().get("/").answer()).status, 200);
    await eventually(() => reports.length === 1, "the report");
  });
});

it("a response hook that throws does not keep the others from running", async (t) => {
  const { server, connect, reports } = simpleServer(t);
  server.onResponse(throwing());
  const seen = ends(server);
  await connect().get("/").answer();
  assert.deepEqual(seen, [["/", "complete", 200]]);
  assert.equal(reports.length, 1);
});

describe("onRequest", () => {
  it("sets header fields of every answer: of routes, 404, 405 and failures", async (t) => {
    const { server, connect, reports } = harness(t);
    server.onRequest((exchange) => exchange.setHeader("X-Seen", exchange.path));
    server.get("/ok", (exchange) => exchange.setHeader("X-Own", "1").end("fine"));
    server.get("/throws", (exchange) => {
      exchange.setHeader("X-Own", "1");
      throw new Error("on purpose");
    });
    const client = connect();
    const cases: [path: string, method: string, status: number, own: string | undefined][] = [
      ["/ok", "GET", 200, "1"],
      ["/none", "GET", 404, undefined],
      ["/ok", "POST", 405, undefined],
      ["/throws", "GET", 500, undefined],
    ];
    for (const [path, method, status, own] of cases) {
      client.send(`${method} ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("x-seen"), answer.header("x-own")], [status, path, own]);
    }
    assert.equal(reports.length, 1);
  });

  it("may answer: no other hook and no route sees the request, and the connection goes on", async (t) => {
    const { server, connect } = simpleServer(t);
    let routed = 0;
    server.onRequest((exchange) => exchange.header("x-stop") && exchange.status(403).end("stopped"));
    server.onRequest(() => routed++);
    const client = connect();
    assert.equal((await client.post("/", "content", "X-Stop: 1\r\n").answer()).text, "stopped");
    assert.equal(routed, 0);
    assert.equal((await client.post("/", "content").answer()).text, "content");
    assert.equal(routed, 1);
  });

  const refusals: [name: string, request: string, status: number][] = [
    ["an announced length", "Content-Length: 100\r\n\r\n", 413],
    ["content that grows", "Transfer-Encoding: chunked\r\n\r\n64\r\n", 413],
    ["broken framing", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400],
  ];
  for (const [name, request, status] of refusals) {
    it(`sets header fields of what the server itself refuses: ${name}`, async (t) => {
      const { server, connect } = harness(t);
      server.onRequest((exchange) => exchange.setHeader("X-Seen", "1"));
      server.post("/", (exchange) => void exchange.setHeader("X-Own", "1"), { maxBodyBytes: 10 });
      const answer = await connect().send(`POST / HTTP/1.1\r\nHost: h\r\n${request}`).answer();
      assert.deepEqual([answer.status, answer.header("x-seen")], [status, "1"]);
      assert.equal(answer.header("x-own"), undefined);
    });
  }

  it("an error is answered with 500 and reported; what hooks have set before stays", async (t) => {
    const { server, connect, reports } = harness(t);
    server.onRequest((exchange) => exchange.setHeader("X-Seen", "1"));
    server.onRequest(throwing());
    server.get("/", (exchange) => exchange.end());
    const answer = await connect().get("/").answer();
    assert.deepEqual([answer.status, answer.header("x-seen")], [500, "1"]);
    assert.match(String(reports[0]?.error), /on purpose/);
  });

  it("runs at once with deferred delivery", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const arrived = signal();
    server.onRequest(() => arrived.give());
    server.get("/", (exchange) => exchange.end("polled"));
    const client = connect().get("/");
    await arrived.wait("the hook");
    assert.equal(server.poll(), 1);
    assert.equal((await client.answer()).text, "polled");
  });

  it("does not make a response look begun", async (t) => {
    const { server, connect } = harness(t);
    const begun: boolean[] = [];
    server.onRequest((exchange) => exchange.setHeader("X-Seen", "1"));
    server.get("/", (exchange) => {
      begun.push(exchange.begun);
      exchange.end();
    });
    await connect().get("/").answer();
    assert.deepEqual(begun, [false]);
  });
});

describe("onResponse", () => {
  it("tells of every end with what was sent", async (t) => {
    const { server, connect } = harness(t);
    const seen = ends(server);
    const held = signal<Exchange>();
    server.get("/ok", (exchange) => exchange.status(201).end("fine"));
    server.get("/held", (exchange) => held.give(exchange));
    server.get("/broken", (exchange) => {
      exchange.write("begun");
      exchange.abort();
    });
    server.post("/ok", (exchange) => exchange.end(), { maxBodyBytes: 10 });
    server.websocket("/socket", {});
    const ask = async (client: RawClient, path: string): Promise<number> =>
      (await client.get(path).answer()).status;
    const client = connect();
    assert.equal(await ask(client, "/ok"), 201);
    assert.equal(await ask(client, "/none"), 404);
    assert.equal((await connect().post("/ok", "more than ten").answer()).status, 413);
    await open(connect(), "/socket");
    client.get("/held");
    await held.wait("the handler");
    client.destroy();
    await eventually(() => seen.length === 5, "the end of the one whose peer went");
    connect().get("/broken");
    await eventually(() => seen.length === 6, "the end of the one that was broken off");
    assert.deepEqual(seen, [
      ["/ok", "complete", 201],
      ["/none", "complete", 404],
      ["/ok", "complete", 413],
      ["/socket", "upgraded", 101],
      ["/held", "aborted", 0],
      ["/broken", "aborted", 200],
    ]);
  });

  it("an error is reported and harms nobody", async (t) => {
    const { server, connect, reports } = harness(t);
    server.onResponse(throwing());
    server.get("/", (exchange) => exchange.end("fine"));
    const client = connect();
    assert.equal((await client.get("/").answer()).text, "fine");
    assert.equal((await client.get("/").answer()).text, "fine");
    assert.equal(reports.length, 2);
  });
});

describe("onClose and mount", () => {
  it("onClose runs once, when close is called; an error is reported", async (t) => {
    const { server, reports } = harness(t);
    let closed = 0;
    server.onClose(throwing());
    server.onClose(() => closed++);
    assert.equal(closed, 0);
    const both = [server.close(), server.close()];
    assert.equal(closed, 1);
    await Promise.all(both);
    assert.equal(closed, 1);
    assert.equal(reports.length, 1);
  });

  it("a callback of onClose may close as well, and shorten the time", async (t) => {
    let closed = 0;
    const { server, client } = await pendingRequest(t);
    server.onClose(() => {
      closed++;
      void server.close({ graceMs: 0 });
    });
    await Promise.all([server.close({ graceMs: 1_000_000 }), client.answer()]);
    assert.equal(closed, 1);
    await assert.rejects(server.listen(), { code: "ERR_LISTENING" });
  });

  it("mount calls the part with the server", (t) => {
    const { server } = harness(t);
    const seen: unknown[] = [];
    const result = server.mount((given) => seen.push(given));
    assert.equal(result, server);
    assert.deepEqual(seen, [server]);
  });
});

describe("replaceRoutes", () => {
  it("replaces all routes at once, and none when it throws", async (t) => {
    const { server, connect } = harness(t);
    server.get("/old", (exchange) => exchange.end("old"));
    server.websocket("/old-socket", {});
    const client = connect();
    const statuses = async (...paths: string[]): Promise<number[]> => {
      const all: number[] = [];
      for (const path of paths) all.push((await client.get(path).answer()).status);
      return all;
    };
    assert.throws(
      () =>
        server.replaceRoutes(() => {
          server.get("/new", () => {});
          throw new Error("on purpose");
        }),
      /on purpose/,
    );
    assert.deepEqual(await statuses("/old", "/old-socket", "/new"), [200, 426, 404]);
    assert.throws(
      () =>
        // oxlint-disable-next-line typescript/no-misused-promises -- the mistake that is tested
        server.replaceRoutes(async (given) => {
          given.get("/new", () => {});
          throw new Error("too late");
        }),
      { code: "ERR_ROUTE" },
    );
    assert.deepEqual(await statuses("/old", "/new"), [200, 404]);
    server.replaceRoutes((given) => given.get("/new", (exchange) => exchange.end("new")));
    assert.deepEqual(await statuses("/old", "/old-socket", "/new"), [404, 404, 200]);
  });
});

describe("connections", () => {
  it("are listed with what they are, through an upgrade, and can be closed", async (t) => {
    const asked = signal<Exchange>();
    const { server, connectTcp } = routed(harness(t), "get", (exchange) => asked.give(exchange));
    server.websocket("/socket", { message: (socket, data) => socket.send(data) });
    assert.equal(server.connections.length, 0);
    const client = await connectTcp();
    client.get("/");
    const exchange = await asked.wait("the handler");
    const first = server.connections[0]!;
    assert.equal(server.connections[0], first);
    assert.match(first.id, /^[0-9a-f-]{36}$/);
    assert.equal(first.kind, "http");
    assert.equal(first.active, exchange);
    assert.equal(first.remoteAddress, "127.0.0.1");
    assert.equal(first.bytesReceived, "GET / HTTP/1.1\r\nHost: h\r\n\r\n".length);
    assert.ok(first.ageMs > 0);
    exchange.end();
    await client.answer();
    const socket = await open(client, "/socket");
    assert.equal(server.connections[0], first);
    assert.equal(first.kind, "websocket");
    assert.equal(first.active, server.webSockets[0]);
    const before = first.bytesSent;
    socket.send("hello");
    assert.equal((await socket.next()).type, "message");
    assert.equal(first.bytesSent - before, 2 + "hello".length);
    first.close();
    const close = await socket.next();
    assert.equal(close.type === "close" && close.code, 1001);
  });

  it("close answers a request that waits with 503, and drops one that is idle", async (t) => {
    const { server, connect, client } = await pendingRequest(t);
    const idle = connect();
    for (const connection of server.connections) connection.close();
    assert.equal((await client.answer()).status, 503);
    await client.over();
    await idle.over();
    client.end();
    await eventually(() => server.connections.length === 0, "both to be gone");
  });
});

describe("node:diagnostics_channel", () => {
  it("tells of connections, requests, responses, WebSockets and errors", async (t) => {
    const { server, connect } = harness(t);
    const opened = listen<{ connection: ServerConnection }>(t, server, "portico:connection:open");
    const gone = listen<{ connection: ServerConnection }>(t, server, "portico:connection:close");
    const requests = listen<{ exchange: Exchange }>(t, server, "portico:request");
    const responses = listen<{ exchange: Exchange } & ResponseReport>(t, server, "portico:response");
    const sockets = listen<{ socket: WebSocket }>(t, server, "portico:websocket:open");
    const closes = listen<{ socket: WebSocket; code: number; reason: string }>(
      t,
      server,
      "portico:websocket:close",
    );
    const errors = listen<{ error: unknown; where: unknown }>(t, server, "portico:error");
    server.get("/throws", throwing());
    server.websocket("/socket", {});
    const client = connect();
    assert.equal((await client.get("/throws").answer()).status, 500);
    const socket = await open(client, "/socket");
    socket.close(4000, "enough");
    await client.over();
    client.end();
    await eventually(() => gone.length === 1, "the connection to be gone");
    assert.equal(opened.length, 1);
    assert.equal(gone[0]?.connection, opened[0]?.connection);
    const paths = requests.map(({ exchange }) => exchange.path);
    assert.deepEqual(paths, ["/throws", "/socket"]);
    const ends = responses.map(({ outcome, status }) => `${outcome} ${status}`);
    assert.deepEqual(ends, ["complete 500", "upgraded 101"]);
    assert.deepEqual([sockets.length, closes.length], [1, 1]);
    assert.equal(closes[0]?.socket, sockets[0]?.socket);
    assert.deepEqual([closes[0]?.code, closes[0]?.reason], [4000, "enough"]);
    assert.match(String(errors[0]?.error), /on purpose/);
    assert.equal(errors[0]?.where, requests[0]?.exchange);
  });

  it("tells of WebSockets that this side has opened, without a server", async (t) => {
    const { server } = harness(t);
    server.websocket("/", { message: (socket) => socket.close(4001, "enough") });
    const { url } = await server.listen({ host: "127.0.0.1" });
    const sockets = listen<{ socket: WebSocket }>(t, undefined, "portico:websocket:open");
    const closes = listen<{ socket: WebSocket; code: number }>(t, undefined, "portico:websocket:close");
    const errors = listen<{ error: unknown; where: unknown }>(t, undefined, "portico:error");
    const log = t.mock.method(console, "error", () => {});
    const closed = signal<number>();
    const client = await connect(url, {
      close: (_socket, code) => {
        closed.give(code);
        throw new Error("on purpose");
      },
    });
    client.send("go");
    assert.equal(await closed.wait("the close"), 4001);
    assert.deepEqual([sockets.length, closes.length, closes[0]?.code], [1, 1, 4001]);
    assert.equal(sockets[0]?.socket, client);
    assert.equal(closes[0]?.socket, client);
    assert.match(String(errors[0]?.error), /on purpose/);
    assert.equal(errors[0]?.where, client);
    assert.equal(log.mock.callCount(), 1);
  });
});
