// What the server answers in place of the program.
import assert from "node:assert/strict";
import { describe, mock, type TestContext, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { type AccessRecord, accessLog, requestIds } from "../../src/operations/index.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { cors } from "../../src/web/index.ts";
import { throwing } from "../support/failing.ts";
import { codesOf, type Harness, harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { signal } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const NO_CONTENT = "X: y";

function bound(bytes: number): string {
  return `more than ${bytes} bytes of body`;
}

function post(path: string, lines: string, content = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: h\r\n${lines}\r\n\r\n${content}`;
}

const CHUNKED = "Transfer-Encoding: chunked";
const TOO_LARGE = "HTTP_BODY_TOO_LARGE";
const NOT_MET = "HTTP_EXPECTATION_FAILED";
const NOT_JSON = post("/", "Content-Type: application/json\r\nContent-Length: 6", "secret");

/** Every kind of failure of which a head was read. */
const failures: [what: string, request: string, status: number, code: string, message: string][] = [
  ["no route", post("/missing", NO_CONTENT), 404, "HTTP_NOT_FOUND", "Not Found"],
  ["another method", post("/get", NO_CONTENT), 405, "HTTP_METHOD_NOT_ALLOWED", "Method Not Allowed"],
  ["a WebSocket's path", post("/ws", NO_CONTENT), 426, "HTTP_UPGRADE_REQUIRED", "Upgrade Required"],
  ["a broken path", post("/%zz", NO_CONTENT), 400, "HTTP_BAD_PATH", "Bad Request"],
  ["a length over the limit", post("/", "Content-Length: 101"), 413, TOO_LARGE, bound(100)],
  ["a length over that of the route", post("/small", "Content-Length: 11"), 413, TOO_LARGE, bound(10)],
  ["chunks over the limit", post("/", CHUNKED, "65\r\n"), 413, TOO_LARGE, bound(100)],
  ["an unknown expectation", post("/", "Expect: fast"), 417, NOT_MET, "unknown expectation"],
  ["a broken chunk", post("/", CHUNKED, "zz\r\n"), 400, "HTTP_BAD_CHUNK", ""],
  ["content that is not JSON", NOT_JSON, 400, "ERR_BODY_NOT_JSON", "the body is not valid JSON"],
  ["an error of the program", post("/fails", NO_CONTENT), 500, "HANDLER", "Internal Server Error"],
  ["no answer", post("/nothing", NO_CONTENT), 500, "ERR_NO_ANSWER", "Internal Server Error"],
  ["no answer in time", post("/never", NO_CONTENT), 503, "ERR_HANDLER_TIMEOUT", "Service Unavailable"],
];

function failing(t: TestContext, options: ServerOptions = {}): Harness {
  const made = harness(t, { limits: { maxBodyBytes: 100 }, ...options });
  const { server } = made;
  server.post("/", async (exchange) => ({ got: await exchange.json() }));
  server.post("/small", () => "small", { maxBodyBytes: 10 });
  server.get("/get", () => "got");
  server.websocket("/ws", {});
  server.post("/fails", throwing(new Error("<b>secret</b>")));
  server.post("/nothing", async () => {});
  server.post("/never", () => {}, { handlerTimeoutMs: 20 });
  return made;
}

function withAccept(request: string, accept: string): string {
  return request.replace("\r\n", `\r\nAccept: ${accept}\r\n`);
}

function told(): unknown[] {
  return warn.mock.calls.map(({ arguments: [line] }) => line);
}

const warn = mock.method(console, "warn", () => {});

describe("a failure", () => {
  for (const [what, request, status, code, message] of failures) {
    test(`is one line of text, or JSON with its code where the client asks for it: ${what}`, async (t) => {
      const { connect } = failing(t);
      const text = await connect().send(request).answer();
      assert.deepEqual([text.status, text.header("content-type")], [status, "text/plain; charset=utf-8"]);
      assert.match(text.text, /^[^\n]+\n$/);
      if (message !== "") assert.equal(text.text, `${message}\n`);
      const json = await connect().send(withAccept(request, "application/json")).answer();
      assert.deepEqual([json.status, json.header("content-type")], [status, "application/json"]);
      const body: { code: string; message: string; status: number } = JSON.parse(json.text);
      assert.deepEqual([body.status, body.code], [status, code]);
      assert.match(json.header("vary") ?? "", /Accept/);
      assert.doesNotMatch(text.text + json.text, /secret/);
    });

    test(`is seen by hooks, logs and counters like any answer: ${what}`, async (t) => {
      const { server, connect } = failing(t, { limits: { maxBodyBytes: 100 } });
      const records: AccessRecord[] = [];
      server.onRequest(cors());
      server.mount(requestIds());
      server.mount(accessLog((record) => records.push(record)));
      const answer = await connect().send(request.replace("\r\n", "\r\nOrigin: http://a\r\n")).answer();
      assert.deepEqual([answer.status, answer.header("access-control-allow-origin")], [status, "*"]);
      assert.notEqual(answer.header("x-request-id"), undefined);
      assert.equal(records.length, 1);
      assert.equal(records[0]?.status, status);
      assert.equal(server.counters.requests, 1);
      if (status === 413 || status === 417) assert.equal(server.counters.errors[code], 1);
    });

    test(`is shaped by onFailure: ${what}`, async (t) => {
      const { server, connect, reports } = failing(t);
      const seen: unknown[] = [];
      server.onFailure((exchange, given, why) => {
        seen.push([given, why]);
        exchange.setHeader("X-Failure", why);
        return { own: why };
      });
      const answer = await connect().send(request).answer();
      assert.deepEqual([answer.status, answer.header("x-failure")], [status, code]);
      assert.equal(answer.header("content-type"), "application/json");
      assert.equal(answer.text, `{"own":"${code}"}`);
      assert.deepEqual(seen, [[status, code]]);
      assert.equal(reports.length, status >= 500 ? 1 : 0);
    });
  }

  test("has no content for HEAD", async (t) => {
    const { connect } = failing(t);
    const answer = await connect().send("HEAD /missing HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD");
    assert.deepEqual([answer.status, answer.text], [404, ""]);
  });

  test("is a fixed answer where no head could be read", async (t) => {
    const { server, connect } = failing(t);
    server.onFailure(() => assert.fail("there is no exchange"));
    const answer = await connect().send("GET / HTTP/1.1\r\nBad Line\r\n\r\n").answer();
    assert.deepEqual([answer.status, answer.text, answer.header("content-type")], [400, "", undefined]);
    assert.equal(server.counters.requests, 0);
  });

  test("can be a whole answer of the hook", async (t) => {
    const { server, connect } = failing(t);
    server.onFailure((exchange, status) => {
      if (status === 404) exchange.status(410).end("gone");
    });
    const client = connect().get("/missing").post("/get", "");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.text], [410, "gone"]);
    assert.deepEqual([(await client.answer()).text], ["Method Not Allowed\n"]);
  });

  for (const [what, hook] of [
    ["throws", throwing()],
    ["returns a promise", (async () => "later") as unknown as () => string],
    ["returns a number", (() => 5) as unknown as () => string],
  ] as const) {
    test(`is answered as usual when the hook ${what}, which is reported`, async (t) => {
      const { server, connect, reports } = failing(t);
      server.onFailure((exchange) => {
        exchange.status(200).setHeader("Content-Length", 99);
        return hook();
      });
      const answer = await connect().get("/missing").answer();
      assert.deepEqual([answer.status, answer.text], [404, "Not Found\n"]);
      assert.equal(reports.length, 1);
    });
  }

  for (const isReturned of [false, true]) {
    const what = isReturned ? "returns a stream that it begins" : "begins a stream";
    test(`is answered as usual when the hook ${what}, which is reported and cancelled`, async (t) => {
      const { server, connect, reports } = failing(t);
      const cancelled = signal();
      server.onFailure(((exchange: Exchange) => {
        const sent = exchange.stream(new ReadableStream({ cancel: () => cancelled.give() }));
        return isReturned ? sent : undefined;
      }) as never);
      const answer = await connect().get("/missing").answer();
      assert.deepEqual([answer.status, answer.text], [404, "Not Found\n"]);
      await cancelled.wait("the cancellation");
      assert.deepEqual(codesOf(reports), ["ERR_RESULT"]);
    });
  }

  test("of a refused head ends the connection, also when a hook answers it", async (t) => {
    const { server, connect } = failing(t);
    server.onRequest((exchange) => {
      if (exchange.header("x-hook") !== undefined) exchange.status(401).end("no");
    });
    for (const line of ["Content-Length: 101", "Expect: fast"]) {
      const request = post("/", `${line}\r\nX-Hook: 1`);
      const client = connect().send(`${request}GET /get HTTP/1.1\r\nHost: h\r\n\r\n`);
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("connection")], [401, "close"]);
      await client.over("the end");
      assert.equal(client.rest, "");
    }
  });

  test("does not begin a WebSocket of a refused head", async (t) => {
    const { server, connect } = failing(t);
    const client = connect().send(handshake("/ws", "Expect: fast\r\n"));
    assert.equal((await client.answer()).status, 417);
    assert.equal(server.counters.webSockets, 0);
  });
});

describe("in development", () => {
  const HTML = "text/html,application/xhtml+xml,*/*;q=0.8";
  const FAILS = post("/fails", NO_CONTENT).replace("Host: h", "Host: localhost");

  async function answerIn(t: TestContext, environment: string | undefined, request: string): Promise<Answer> {
    const before = process.env["NODE_ENV"];
    if (environment === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = environment;
    t.after(() => {
      if (before === undefined) delete process.env["NODE_ENV"];
      else process.env["NODE_ENV"] = before;
    });
    const client = await failing(t).connectTcp();
    return client.send(request).answer();
  }

  test("a browser on this machine sees the stack of an error, escaped", async (t) => {
    const answer = await answerIn(t, undefined, withAccept(FAILS, HTML));
    const { status, text } = answer;
    assert.deepEqual([status, answer.header("content-type")], [500, "text/html; charset=utf-8"]);
    assert.match(text, /&#60;b&#62;secret&#60;\/b&#62;/);
    assert.match(text, /failures\.test\.ts/);
    assert.doesNotMatch(text, /<b>/);
  });

  for (const [name, request] of [
    ["asks for another host", FAILS.replace("Host: localhost", "Host: example.com")],
    ["comes through a proxy", FAILS.replace("\r\n", "\r\nX-Forwarded-For: 203.0.113.7\r\n")],
  ] as const) {
    test(`a browser that ${name} does not`, async (t) => {
      const { status, text } = await answerIn(t, undefined, withAccept(request, HTML));
      assert.deepEqual([status, text], [500, "Internal Server Error\n"]);
    });
  }

  test("a browser on another machine does not", async (t) => {
    const answer = await failing(t).connect().send(withAccept(FAILS, HTML)).answer();
    assert.deepEqual([answer.status, answer.text], [500, "Internal Server Error\n"]);
  });

  test("others do not, and no client does in production", async (t) => {
    const json = "application/json";
    for (const accept of ["*/*", json, "text/plain, text/html;q=0.5", `${json}, text/html;q=0.9`]) {
      assert.doesNotMatch((await answerIn(t, undefined, withAccept(FAILS, accept))).text, /secret/, accept);
    }
    const answer = await answerIn(t, "production", withAccept(FAILS, HTML));
    assert.equal(answer.text, "Internal Server Error\n");
    assert.equal(answer.header("content-type"), "text/plain; charset=utf-8");
  });

  test("failures of clients are told on the console, once for each code", async (t) => {
    // They have been told by the tests before.
    const lines = told().map(String);
    assert.equal(lines.filter((line) => line.includes("HTTP_NOT_FOUND")).length, 1);
    assert.equal(lines.filter((line) => line.includes("ERR_BODY_NOT_JSON")).length, 1);
    assert.equal(lines.filter((line) => line.includes("HTTP_BAD_FIELD")).length, 1);
    assert.ok(lines.some((line) => /^portico: POST \/missing was answered with 404/.test(line)));
    assert.doesNotMatch(lines.join("\n"), /HANDLER|secret/);
    const before = told().length;
    await answerIn(t, "production", post("/", "Content-Length: 2\r\nExpect: 100-continue", "{}"));
    assert.equal(told().length, before);
  });
});
