import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { asked, codeOf, harness, pendingRequest, routed } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Everything that an exchange can be asked; nothing of it may throw. */
function useEverything(exchange: Exchange): { promises: Promise<unknown>[]; signal: AbortSignal } {
  exchange.status(404).setHeader("X-Late", 1).appendHeader("X-Late", 2).removeHeader("X-Late");
  assert.equal(exchange.write("late"), false);
  assert.equal(exchange.end("late"), false);
  assert.equal(exchange.tryEnd("late", 100).done, false);
  assert.equal(exchange.tryEnd("late").accepted, false);
  exchange.abort();
  exchange.pauseBody();
  exchange.resumeBody();
  exchange.onAbort(() => {});
  exchange.onWritable(() => {});
  assert.equal(exchange.upgrade({}), false);
  assert.deepEqual([exchange.finished, exchange.bufferedBytes], [true, 0]);
  assert.match(exchange.id, UUID);
  assert.equal(typeof exchange.headers, "object");
  assert.equal(typeof exchange.rawHeaders, "string");
  assert.equal(exchange.header("host"), "h");
  assert.equal(typeof exchange.offset, "number");
  assert.equal(typeof exchange.statusCode, "number");
  return { promises: [exchange.drained(), exchange.stream(["late"])], signal: exchange.signal };
}

describe("properties", () => {
  test("method, path, query, target, version, authority and parameters are those of the request", async (t) => {
    const { server, connect } = harness(t);
    const seen = signal<Exchange<{ id: string }>>();
    server.put("/users/:id", (exchange) => {
      seen.give(exchange);
      exchange.end();
    });
    const client = connect().send("PUT /users/a%20b?x=1&y=%3F&x=2 HTTP/1.1\r\nHost: example.org:81\r\n\r\n");
    const exchange = await seen.wait("the request");
    assert.equal((await client.answer()).status, 200);
    assert.deepEqual([exchange.method, exchange.path], ["PUT", "/users/a%20b"]);
    assert.deepEqual([exchange.query, exchange.target], ["x=1&y=%3F&x=2", "/users/a%20b?x=1&y=%3F&x=2"]);
    assert.deepEqual([exchange.httpVersion, exchange.authority], ["1.1", "example.org:81"]);
    assert.deepEqual([exchange.params.id, exchange.route], ["a b", "/users/:id"]);
    assert.deepEqual(exchange.searchParams.getAll("x"), ["1", "2"]);
    assert.equal(exchange.searchParams.get("y"), "?");
    assert.notEqual(exchange.searchParams, exchange.searchParams, "a new object at each call");
    assert.deepEqual([exchange.wantsUpgrade, exchange.encrypted], [false, false]);
    assert.deepEqual([exchange.remoteAddress, exchange.remotePort], ["memory", undefined]);
    assert.deepEqual([exchange.hasBody, exchange.contentLength], [false, 0]);
  });

  test("header fields by lower-case name, joined, and raw as they came", async (t) => {
    const lines = "X-A: 1\r\nCookie: a=1\r\nx-a: 2\r\ncookie: b=2\r\nX-Empty:\r\n";
    const seen = signal<Exchange>();
    const { connect } = routed(harness(t), "get", (exchange) => {
      seen.give(exchange);
      exchange.end();
    });
    connect().get("/", lines);
    const exchange = await seen.wait("the request");
    const expected = { host: "h", "x-a": "1, 2", cookie: "a=1; b=2", "x-empty": "" };
    assert.deepEqual({ ...exchange.headers }, expected);
    assert.deepEqual([exchange.header("X-a"), exchange.header("x-none")], ["1, 2", undefined]);
    assert.equal(exchange.rawHeaders, `Host: h\r\n${lines}`);
  });

  test("names of Object.prototype are neither fields nor parameters", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:__proto__/:constructor", (exchange) => {
      const params: Record<string, string> = exchange.params;
      const own = [Reflect.get(params, "__proto__"), params["constructor"], params["toString"]];
      exchange.end([...own, exchange.header("constructor")].join());
    });
    assert.equal((await connect().get("/a/b").answer()).text, "a,b,,");
  });

  test("an HTTP/1.0 request may come without Host", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => void exchange.end(`${exchange.httpVersion} ${exchange.authority}`));
    const client = connect().send("GET / HTTP/1.0\r\n\r\n");
    await client.over();
    assert.equal((await client.answer()).text, "1.0 undefined");
  });

  test("content announced by length or chunked", async (t) => {
    const { server, connect } = harness(t);
    server.post("/", (exchange) => void exchange.end(`${exchange.hasBody} ${exchange.contentLength}`));
    const client = connect().post("/", "12345");
    assert.equal((await client.answer()).text, "true 5");
    assert.equal((await client.post("/", "").answer()).text, "false 0");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert.equal((await client.answer()).text, "true undefined");
  });

  test("the peer's address and port on a real socket, also after it has gone", async (t) => {
    const gone = signal();
    const { client, exchange } = await pendingRequest(t, {}, undefined, "TCP");
    exchange.onAbort(() => gone.give());
    assert.equal(exchange.remoteAddress, "127.0.0.1");
    const { remotePort } = exchange;
    assert.equal(typeof remotePort, "number");
    client.destroy();
    await gone.wait("the abort");
    assert.equal(exchange.remoteAddress, "127.0.0.1");
    assert.equal(exchange.remotePort, remotePort);
  });
});

describe("ids", () => {
  test("are UUIDs, stay the same and differ between exchanges", async (t) => {
    const ids: string[] = [];
    const { connect } = routed(harness(t), "get", (exchange) => {
      ids.push(exchange.id);
      assert.equal(exchange.id, ids.at(-1));
      exchange.end();
    });
    const client = connect().get("/").get("/").get("/");
    for (let i = 0; i < 3; i++) await client.answer();
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) assert.match(id, UUID);
  });

  test("server.find knows an exchange from the first question until the response is complete", async (t) => {
    const { server, client, exchange } = await pendingRequest(t);
    const { id } = exchange;
    assert.equal(server.find(id), exchange);
    exchange.write("a");
    assert.equal(server.find(id), exchange);
    exchange.end("b");
    assert.equal(server.find(id), undefined);
    assert.equal(exchange.id, id, "the id itself stays");
    assert.equal((await client.answer()).text, "ab");
    assert.equal(server.find("00000000-0000-4000-8000-000000000000"), undefined);
  });

  test("server.find forgets an exchange whose peer has gone", async (t) => {
    const gone = signal();
    const { server, client, exchange } = await pendingRequest(t);
    const { id } = exchange;
    exchange.onAbort(() => gone.give());
    client.destroy();
    await gone.wait("the abort");
    assert.equal(server.find(id), undefined);
  });

  for (const [what, length, call] of [
    ["more", 1, "write"],
    ["less", 99, "end"],
  ] as const) {
    test(`server.find forgets an exchange that wrote ${what} than its declared length`, async (t) => {
      const seen = signal<string>();
      const { server, reports, client } = asked(harness(t), (exchange) => {
        seen.give(exchange.id);
        exchange.setHeader("Content-Length", length)[call]("content");
      });
      const id = await seen.wait("the request");
      await client.over();
      assert.equal(reports.length, 1);
      assert.equal(server.find(id), undefined, "kept for ever");
    });
  }

  test("server.find forgets an exchange that became a WebSocket, and never knows an id asked for after the end", async (t) => {
    const opened = signal<WebSocket>();
    let id = "";
    const { server, connect } = routed(harness(t), "get", (exchange) => {
      id = exchange.id;
      exchange.upgrade({ open: (socket) => opened.give(socket as WebSocket) });
    });
    connect().send(handshake("/"));
    const socket = await opened.wait("the WebSocket");
    assert.equal(server.find(id), undefined);
    assert.equal(socket.request?.id, id);
    server.get("/late", (exchange) => {
      exchange.end();
      id = exchange.id;
    });
    await connect().get("/late").answer();
    assert.equal(server.find(id), undefined);
  });
});

describe("safe at any time", () => {
  test("after the end every call answers", async (t) => {
    const { reports, client, exchange } = await pendingRequest(t, {}, (exchange) =>
      exchange.setHeader("X-Own", "kept").end("done"),
    );
    assert.equal((await client.answer()).text, "done");
    const { promises } = useEverything(exchange);
    assert.deepEqual(await Promise.all(promises), [false, false]);
    assert.equal(exchange.signal.aborted, false, "it was complete");
    assert.equal((await client.get("/").answer()).text, "done", "the connection was not touched");
    assert.deepEqual(reports, []);
  });

  test("after the peer has gone every call answers", async (t) => {
    const gone = signal();
    const { reports, client, exchange } = await pendingRequest(t);
    exchange.onAbort(() => gone.give());
    client.destroy();
    await gone.wait("the abort");
    const { promises, signal: abortSignal } = useEverything(exchange);
    assert.deepEqual(await Promise.all(promises), [false, false]);
    assert.equal(abortSignal.aborted, true);
    assert.deepEqual(reports, []);
  });

  test("from abort() on it is over", async (t) => {
    const { reports, client } = await pendingRequest(t, {}, (exchange) => {
      exchange.write("begun");
      exchange.abort();
      assert.equal(exchange.finished, true);
      assert.equal(exchange.write("more"), false);
      assert.equal(exchange.end("more"), false);
    });
    await client.over();
    assert.doesNotMatch(client.rest, /more|0\r\n\r\n/);
    assert.deepEqual(reports, []);
  });

  test("reading the content twice is a mistake of the program", async (t) => {
    const { connect } = routed(harness(t), "post", async (exchange) => {
      await exchange.bytes();
      await assert.rejects(exchange.bytes(), { code: "ERR_BODY_USED" });
      assert.throws(() => exchange.onBody(() => {}), { code: "ERR_BODY_USED" });
      exchange.end("ok");
    });
    const client = connect().post("/", "abc");
    assert.equal((await client.answer()).text, "ok");
  });
});

describe("signal and onAbort", () => {
  test("the signal is aborted and the listeners run once when the peer goes", async (t) => {
    const gone = signal();
    const calls: string[] = [];
    const { client } = await pendingRequest(t, {}, (exchange) => {
      exchange.onAbort(() => void calls.push("first"));
      exchange.onAbort(() => void calls.push("second"));
      exchange.signal.addEventListener("abort", () => gone.give());
      assert.equal(exchange.signal, exchange.signal);
    });
    client.destroy();
    await gone.wait("the abort");
    await turns();
    assert.deepEqual(calls, ["first", "second"]);
  });

  test("neither happens when the response was complete", async (t) => {
    let aborts = 0;
    const { client, exchange } = await pendingRequest(t, {}, (exchange) => {
      exchange.onAbort(() => void aborts++);
      exchange.signal.addEventListener("abort", () => aborts++);
      exchange.end();
    });
    await client.answer();
    client.destroy();
    await turns();
    assert.equal(aborts, 0);
    assert.equal(exchange.signal.aborted, false);
  });

  test("they come when the peer goes in the middle of a response, also on a real socket", async (t) => {
    const gone = signal();
    const { connectTcp } = routed(harness(t), "get", (exchange) => {
      exchange.onAbort(() => gone.give());
      exchange.write("part");
    });
    const client = (await connectTcp()).get("/");
    await client.until(() => client.rest.includes("part"), "the first part");
    client.destroy();
    await gone.wait("the abort");
  });

  test("the peer goes while the content is still arriving: what reads it is told", async (t) => {
    const outcome = signal<unknown>();
    const { connect } = routed(harness(t), "post", async (exchange) => {
      await exchange.bytes().then(outcome.give, outcome.give);
    });
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
    await turns();
    client.destroy();
    const error = await outcome.wait("the read to end");
    assert.equal(codeOf(error), "ERR_ABORTED");
  });

  test("a response that breaks off by itself ends what reads the content, too", async (t) => {
    const outcome = signal<unknown>();
    const { connect } = routed(harness(t), "post", async (exchange) => {
      exchange.bytes().then(outcome.give, outcome.give);
      exchange.setHeader("Content-Length", 1).write("too long");
    });
    connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
    const error = await outcome.wait("the read to end");
    assert.equal(codeOf(error), "ERR_ABORTED");
  });
});
