import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import {
  type TestClient,
  type TestClientOptions,
  type TestRequestInit,
  testClient,
} from "../../src/testing/index.ts";
import { scripted } from "./scripted.ts";

/** What a server was sent, as it sees it. */
interface Seen {
  method: string;
  target: string;
  headers: Record<string, string>;
  content: string;
}

/** A server that answers with what it was sent, and a client of it, which is closed after the test. */
function echo(
  t: TestContext,
  options: TestClientOptions = {},
  serverOptions: ServerOptions = {},
): { server: Server; client: TestClient } {
  const server = new Server({ onError() {}, ...serverOptions });
  server.any("/*", async (exchange) => {
    const { method, target, headers } = exchange;
    const seen: Seen = { method, target, headers, content: await exchange.text() };
    exchange.setHeader("Content-Type", "application/json").end(JSON.stringify(seen));
  });
  const client = testClient(server, options);
  t.after(() => client.close());
  return { server, client };
}

async function seen(
  client: TestClient,
  input: string | URL | Request,
  init?: TestRequestInit,
): Promise<Seen> {
  return (await (await client.fetch(input, init)).json()) as Seen;
}

describe("a response", () => {
  test("is a standard Response", async () => {
    await using server = new Server();
    server.get("/hello/:name", (exchange) => {
      exchange
        .status(201)
        .setHeader("X-One", "1")
        .appendHeader("Set-Cookie", "a=1")
        .appendHeader("Set-Cookie", "b=2");
      exchange.end(`Hello, ${exchange.params.name}`);
    });
    await using client = testClient(server);
    const response = await client.fetch("/hello/w%C3%B6rld");
    assert.ok(response instanceof Response);
    assert.deepEqual([response.status, response.statusText, response.ok], [201, "Created", true]);
    assert.equal(response.headers.get("x-one"), "1");
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(await response.text(), "Hello, wörld");
    assert.equal((await client.fetch("/nowhere")).status, 404);
  });

  const statuses = [200, 204, 205, 301, 304, 404, 500, 599];
  for (const status of statuses) {
    test(`with status ${status}, which is not followed and has no content to read where it must not`, async () => {
      await using server = new Server();
      server.get("/", (exchange) => exchange.status(status).end());
      await using client = testClient(server);
      const response = await client.fetch("/");
      assert.equal(response.status, status);
      assert.equal(await response.text(), "");
    });
  }

  test("to HEAD has the fields and no content", async () => {
    await using server = new Server();
    server.get("/", (exchange) => exchange.end("12345"));
    await using client = testClient(server);
    const response = await client.fetch("/", { method: "HEAD" });
    assert.equal(response.headers.get("content-length"), "5");
    assert.equal(response.body, null);
    assert.equal(await (await client.fetch("/")).text(), "12345");
    assert.equal(server.counters.connections, 1);
  });

  test("is there when its head is, and its content comes piece by piece", async () => {
    await using server = new Server();
    let write = (_text: string): void => {};
    server.get("/", (exchange) => {
      exchange.write("one");
      write = (text) => void (text === "" ? exchange.end() : exchange.write(text));
    });
    await using client = testClient(server);
    const { body } = await client.fetch("/");
    const pieces: string[] = [];
    for await (const piece of body!) {
      pieces.push(Buffer.from(piece).toString());
      write(["two", "three", ""][pieces.length - 1] ?? "");
    }
    assert.deepEqual(pieces, ["one", "two", "three"]);
  });

  test("whose content nobody reads slows the server down, and goes on when somebody does", async () => {
    await using server = new Server();
    const piece = "x".repeat(32_768);
    let written = 0;
    server.get("/", async (exchange) => {
      for (; written < 100 && !exchange.finished; written++) {
        if (!exchange.write(piece)) await exchange.drained();
      }
      exchange.end();
    });
    await using client = testClient(server);
    const response = await client.fetch("/");
    for (let i = 0; i < 20; i++) await client.delivered();
    assert.ok(written < 20, `${written} pieces were taken although nobody reads`);
    assert.equal((await response.text()).length, 100 * piece.length);
  });

  test("may have trailers", async () => {
    await using client = scripted(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nDigest: 1\r\nB: 2\r\n\r\n",
    );
    const response = await client.fetch("/");
    assert.equal(await response.text(), "abc");
    assert.deepEqual(Object.fromEntries(await response.trailers), { digest: "1", b: "2" });
  });

  test("until the end, after interim ones, byte by byte", async () => {
    const bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\nabc";
    await using client = scripted([...bytes], "end");
    assert.equal(await (await client.fetch("/")).text(), "abc");
  });
});

describe("what goes wrong", () => {
  const cases: [name: string, bytes: string, end: "keep" | "end" | "destroy", code: string][] = [
    ["no response", "", "end", "ERR_NO_RESPONSE"],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-", "destroy", "ERR_NO_RESPONSE"],
    ["content that is too short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "end", "ERR_CUT_OFF"],
    [
      "no last chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "end",
      "ERR_CUT_OFF",
    ],
    ["another protocol", "SSH-2.0-OpenSSH\r\n", "keep", "ERR_BAD_RESPONSE"],
    ["a status that no Response may have", "HTTP/1.1 999 Odd\r\n\r\n", "keep", "ERR_BAD_RESPONSE"],
    ["a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "keep", "ERR_BAD_RESPONSE"],
    [
      "an upgrade that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "keep",
      "ERR_BAD_RESPONSE",
    ],
  ];
  for (const [name, bytes, end, code] of cases) {
    test(`${name}: ${code}`, async () => {
      await using client = scripted(bytes, end);
      await assert.rejects(
        client.fetch("/").then((response) => response.text()),
        { name: "TestClientError", code },
      );
    });
  }

  test("a handler that breaks its response off", async () => {
    await using server = new Server();
    server.get("/", (exchange) => {
      exchange.write("half");
      setImmediate(() => exchange.abort());
    });
    await using client = testClient(server);
    const response = await client.fetch("/");
    await assert.rejects(response.text(), { code: "ERR_CUT_OFF" });
    await assert.rejects(response.trailers, { code: "ERR_CUT_OFF" });
  });

  test("nobody answers: ERR_TIMEOUT, and the server sees the peer go", async () => {
    await using server = new Server();
    const gone = new Promise<void>((resolve) => {
      server.get("/", (exchange) => exchange.onAbort(resolve));
    });
    await using client = testClient(server, { timeoutMs: 20 });
    await assert.rejects(client.fetch("/"), {
      code: "ERR_TIMEOUT",
      message: /response to GET \/ .*Poll a server/,
    });
    await gone;
  });

  test("a server with enough connections", async () => {
    await using server = new Server({ limits: { maxConnectionsPerAddress: 1 } });
    server.get("/", (exchange) => exchange.write("and nothing more"));
    await using one = testClient(server, { from: "203.0.113.7" });
    await using other = testClient(server, { from: "203.0.113.8" });
    await one.fetch("/");
    await assert.rejects(one.fetch("/"), { code: "ERR_NO_RESPONSE" });
    await other.fetch("/");
  });

  const unsendable: [name: string, input: string, init: TestRequestInit][] = [
    ["a path without slash", "hello", {}],
    ["a method with a space", "/", { method: "GET /" }],
    ["a field name with a colon", "/", { headers: { "a:b": "c" } }],
    ["a field value with a line break", "/", { headers: { a: "b\r\nc: d" } }],
    ["a trailer with a line break", "/", { trailers: { a: "b\r\nc: d" } }],
  ];
  for (const [name, input, init] of unsendable) {
    test(`${name} is not sent`, async (t) => {
      const { server, client } = echo(t);
      await assert.rejects(client.fetch(input, init), TypeError);
      assert.equal(server.counters.connections, 0);
    });
  }
});

describe("a request", () => {
  const targets: [input: string | URL, target: string][] = [
    ["/a/b?c=d&e", "/a/b?c=d&e"],
    ["/%2f//..%2f/%78", "/%2f//..%2f/%78"],
    ["/grüße und mehr?ä#b", "/gr%C3%BC%C3%9Fe%20und%20mehr?%C3%A4"],
    ["/\r\nX: y", "/%0D%0AX:%20y"],
    ["http://example.test:81/x?y", "/x?y"],
    ["http://example.test", "/"],
    [new URL("http://example.test/x#y"), "/x"],
  ];
  for (const [input, target] of targets) {
    test(`for ${JSON.stringify(String(input))}`, async (t) => {
      const { client } = echo(t);
      const { target: got, headers } = await seen(client, input);
      assert.equal(got, target);
      assert.match(
        headers["host"] ?? "",
        String(input).startsWith("http") ? /^example\.test/ : /^localhost$/,
      );
    });
  }

  test("for the server itself", async (t) => {
    const { client } = echo(t);
    assert.equal((await client.fetch("*", { method: "OPTIONS" })).status, 204);
  });

  const form = new FormData();
  form.set("a", "ä");
  const bodies: [name: string, init: TestRequestInit, type: RegExp | undefined, content: string | RegExp][] =
    [
      ["text", { body: "grüße" }, /^text\/plain;charset=UTF-8$/, "grüße"],
      ["empty text", { body: "" }, /^text\/plain/, ""],
      ["JSON", { json: { a: [1] } }, /^application\/json$/, '{"a":[1]}'],
      ["bytes", { body: Buffer.from("abc") }, undefined, "abc"],
      ["an ArrayBuffer", { body: new Uint8Array([97]).buffer }, undefined, "a"],
      [
        "parameters",
        { body: new URLSearchParams({ a: "b c" }) },
        /^application\/x-www-form-urlencoded/,
        "a=b+c",
      ],
      ["a form", { body: form }, /^multipart\/form-data; boundary=/, /name="a"\r\n\r\nä\r\n/],
      ["a blob", { body: new Blob(["x"], { type: "image/png" }) }, /^image\/png$/, "x"],
      ["its own type", { body: "{}", headers: { "content-type": "a/b" } }, /^a\/b$/, "{}"],
    ];
  for (const [name, init, type, content] of bodies) {
    test(`with ${name} as content is a POST with a length`, async (t) => {
      const { client } = echo(t);
      const request = await seen(client, "/", init);
      assert.equal(request.method, "POST");
      if (type === undefined) assert.equal(request.headers["content-type"], undefined);
      else assert.match(request.headers["content-type"] ?? "", type);
      if (typeof content === "string") assert.equal(request.content, content);
      else assert.match(request.content, content);
      assert.equal(Number(request.headers["content-length"]), Buffer.byteLength(request.content));
    });
  }

  test("streams its content chunked, with trailers, while the response streams back", async () => {
    await using server = new Server();
    let trailers = {};
    server.post("/", async (exchange) => {
      for await (const piece of exchange.body) exchange.write(piece);
      trailers = { ...exchange.trailers };
      exchange.end();
    });
    await using client = testClient(server);
    let release = (): void => {};
    const response = await client.fetch("/", {
      method: "POST",
      trailers: { "X-Sum": "6" },
      body: (async function* () {
        yield "one ";
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        yield "";
        yield Buffer.from("two");
      })(),
    });
    const reader = response.body!.getReader();
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "one ");
    release();
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "two");
    assert.equal((await reader.read()).done, true);
    assert.deepEqual(trailers, { "x-sum": "6" });
    await client.fetch("/", { method: "POST" });
    assert.equal(server.counters.connections, 1);
  });

  test("is slowed down to the speed of the server", async () => {
    await using server = new Server();
    let made = 0;
    let read = (): void => {};
    server.post("/", async (exchange) => {
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      exchange.end(String((await exchange.bytes()).length));
    });
    await using client = testClient(server);
    const response = client.fetch("/", {
      method: "POST",
      body: (function* () {
        for (; made < 100; made++) yield Buffer.alloc(32_768);
      })(),
    });
    for (let i = 0; i < 20; i++) await client.delivered();
    assert.ok(made < 20, `${made} pieces were made although nobody reads`);
    read();
    assert.equal(await (await response).text(), String(100 * 32_768));
  });

  test("that expects 100 sends its content when the server asks for it, and never when it does not", async (t) => {
    const { server, client } = echo(t);
    let made = 0;
    const body = (): Iterable<string> =>
      (function* () {
        made++;
        yield "content";
      })();
    server.post("/refused", (exchange) => exchange.status(417).end());
    const headers = { Expect: "100-continue" };
    assert.equal((await client.fetch("/refused", { body: body(), headers })).status, 417);
    assert.equal(made, 0);
    assert.equal((await seen(client, "/", { body: body(), headers })).content, "content");
  });

  test("with framing of its own is sent as it is", async (t) => {
    const { client } = echo(t);
    const chunked = { headers: { "Transfer-Encoding": "chunked" }, body: "1\r\na\r\n0\r\n\r\n" };
    assert.equal((await seen(client, "/", chunked)).content, "a");
    const both = { headers: { "Transfer-Encoding": "chunked", "Content-Length": "1" }, body: "a" };
    assert.equal((await client.fetch("/", both)).status, 400);
  });

  test("may be a Request", async (t) => {
    const { client } = echo(t);
    const request = new Request("http://example.test/x", { method: "PUT", body: "abc", headers: { a: "b" } });
    const { method, target, headers, content } = await seen(client, request);
    assert.deepEqual(
      [method, target, headers["a"], headers["host"], content],
      ["PUT", "/x", "b", "example.test", "abc"],
    );
  });

  test("has the client's fields unless it has them itself, and may repeat one", async (t) => {
    const { client } = echo(t, { headers: { Authorization: "one", "X-All": "1" }, host: "portico.test" });
    const init = {
      headers: [
        ["authorization", "two"],
        ["x-many", "a"],
        ["x-many", "b"],
      ] as const,
    };
    const { headers } = await seen(client, "/", init);
    assert.equal(headers["authorization"], "two");
    assert.equal(headers["x-all"], "1");
    assert.equal(headers["x-many"], "a, b");
    assert.equal(headers["host"], "portico.test");
    assert.equal((await seen(client, "/", { headers: { a: ["1", "2"], host: "x" } })).headers["host"], "x");
  });

  test("tells the server the address and the encryption that the test wants", async () => {
    await using server = new Server();
    server.get("/", (exchange) => exchange.end(`${exchange.remoteAddress} ${exchange.encrypted}`));
    await using plain = testClient(server);
    assert.equal(await (await plain.fetch("/")).text(), "127.0.0.1 false");
    await using secure = testClient(server, { from: "203.0.113.7", encrypted: true });
    assert.equal(await (await secure.fetch("/")).text(), "203.0.113.7 true");
  });

  test("is given up by a signal, before it is sent, while it waits and while content comes", async () => {
    await using server = new Server({ onError() {} });
    let aborted = 0;
    server.get("/", (exchange) => {
      exchange.onAbort(() => aborted++);
      if (exchange.query === "half") exchange.write("half");
    });
    server.get("/quick", (exchange) => exchange.end("ok"));
    await using client = testClient(server);
    const reason = new Error("enough");
    await assert.rejects(client.fetch("/", { signal: AbortSignal.abort(reason) }), reason);
    const waiting = new AbortController();
    const answer = client.fetch("/", { signal: waiting.signal });
    await client.delivered();
    waiting.abort(reason);
    await assert.rejects(answer, reason);
    const reading = new AbortController();
    const response = await client.fetch("/?half", { signal: reading.signal });
    reading.abort(reason);
    await assert.rejects(response.text(), reason);
    await client.delivered();
    assert.equal(aborted, 2);
    const after = new AbortController();
    await (await client.fetch("/quick", { signal: after.signal })).text();
    after.abort(reason);
    await client.fetch("/quick");
    assert.equal(server.counters.connections, 3);
  });

  test("that is given up while its content is made ready is not sent", async (t) => {
    const { server, client } = echo(t);
    const controller = new AbortController();
    const answer = client.fetch("/", { body: new Blob(["content"]), signal: controller.signal });
    controller.abort(new Error("given up"));
    await assert.rejects(answer, /given up/);
    assert.equal(server.counters.connections, 0);
    await client.close();
  });

  test("whose response is cancelled is lost to the server", async () => {
    await using server = new Server();
    const gone = new Promise<void>((resolve) => {
      server.get("/", (exchange) => {
        exchange.onAbort(resolve);
        exchange.write("half");
      });
    });
    await using client = testClient(server);
    await (await client.fetch("/")).body?.cancel();
    await gone;
  });
});

describe("connections", () => {
  test("are kept alive, and there are as many as are needed at a time", async (t) => {
    const { server, client } = echo(t);
    for (let i = 0; i < 3; i++) await seen(client, "/");
    assert.equal(server.counters.connections, 1);
    await Promise.all([seen(client, "/"), seen(client, "/"), seen(client, "/")]);
    assert.equal(server.counters.connections, 3);
    assert.equal(server.counters.requests, 6);
  });

  test("that the server closes are not used again", async (t) => {
    const { server, client } = echo(t, {}, { limits: { maxRequestsPerConnection: 2 } });
    for (let i = 0; i < 5; i++) await seen(client, "/");
    assert.equal(server.counters.connections, 3);
    await seen(client, "/", { headers: { Connection: "close" } });
    await client.delivered();
    assert.equal(server.counters.openConnections, 0);
  });

  test("end with the client, and what is under way rejects", async (t) => {
    const { server, client } = echo(t);
    server.get("/never", () => {});
    const never = client.fetch("/never");
    never.catch(() => {});
    await seen(client, "/");
    await client.close();
    await assert.rejects(never, { code: "ERR_CLIENT_CLOSED" });
    await assert.rejects(client.fetch("/"), { code: "ERR_CLIENT_CLOSED" });
    assert.equal(server.counters.openConnections, 0);
    await server.close();
  });

  test("of a server that is closed refuse", async (t) => {
    const { server, client } = echo(t);
    await seen(client, "/");
    await server.close();
    await assert.rejects(client.fetch("/"), { code: "ERR_NO_RESPONSE" });
  });
});

describe("cookies", () => {
  const sets: [name: string, lines: string[], path: string, sent: string | undefined][] = [
    ["are sent again", ["a=1", "b=2; HttpOnly; SameSite=Lax"], "/", "a=1; b=2"],
    ["the last of a name counts", ["a=1", "a=2"], "/", "a=2"],
    ["empty and with = inside", ["a=", "b=c=d"], "/", "a=; b=c=d"],
    ["without a name they are ignored", ["=x", "x", ""], "/", undefined],
    ["are removed by Max-Age", ["a=1", "a=; Max-Age=0"], "/", undefined],
    ["are removed by Expires", ["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", undefined],
    ["Max-Age counts before Expires", ["a=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", "a=1"],
    ["belong to a path", ["a=1; Path=/x", "b=2; Path=/x/y", "c=3; Path=/xy"], "/x/y/z", "b=2; a=1"],
    ["secure ones need encryption", ["a=1; Secure"], "/", undefined],
  ];
  for (const [name, lines, path, sent] of sets) {
    test(name, async (t) => {
      const { server, client } = echo(t, { cookies: true });
      server.get("/set", (exchange) => {
        for (const line of lines) exchange.appendHeader("Set-Cookie", line);
        exchange.end();
      });
      await client.fetch("/set?x");
      assert.equal((await seen(client, path)).headers["cookie"], sent);
    });
  }

  test("are kept only when asked for, and never replace those of a request", async (t) => {
    for (const cookies of [true, false]) {
      const { server, client } = echo(t, { cookies, encrypted: true });
      server.get("/set", (exchange) => exchange.setHeader("Set-Cookie", "a=1; Secure").end());
      await client.fetch("/set");
      assert.equal((await seen(client, "/")).headers["cookie"], cookies ? "a=1" : undefined);
      assert.equal((await seen(client, "/", { headers: { cookie: "b=2" } })).headers["cookie"], "b=2");
    }
  });
});

describe("deferred delivery", () => {
  test("the test polls when it likes", async (t) => {
    const { server, client } = echo(t, {}, { delivery: "deferred" });
    const answers = [seen(client, "/1"), seen(client, "/2"), seen(client, "/3")];
    await client.delivered();
    assert.equal(server.waitingEvents, 3);
    assert.equal(server.poll(), 3);
    assert.deepEqual(
      (await Promise.all(answers)).map(({ target }) => target),
      ["/1", "/2", "/3"],
    );
  });

  test("with poll: true it goes by itself, also to the end of the client", async () => {
    const server = new Server({ delivery: "deferred" });
    let aborted = 0;
    server.post("/", async (exchange) => exchange.end(await exchange.text()));
    server.get("/never", (exchange) => exchange.onAbort(() => aborted++));
    const client = testClient(server, { poll: true });
    const response = await client.fetch("/", { body: ["a", "b"], headers: { Expect: "100-continue" } });
    assert.equal(await response.text(), "ab");
    const never = client.fetch("/never");
    never.catch(() => {});
    await client.delivered();
    await client.close();
    assert.equal(aborted, 1);
    await server.close();
  });

  test("poll: true for a server that does not defer throws", () => {
    assert.throws(() => testClient(new Server(), { poll: true }), { code: "ERR_DELIVERY" });
  });
});

test("fake timers of a test change nothing for the client, and move the server's time", async (t) => {
  t.mock.timers.enable();
  const server = new Server({ limits: { keepAliveTimeoutMs: 60_000 } });
  server.get("/", (exchange) => exchange.end("ok"));
  server.get("/never", () => {});
  await using client = testClient(server);
  await using impatient = testClient(server, { timeoutMs: 20 });
  assert.equal(await (await client.fetch("/")).text(), "ok");
  assert.equal(server.counters.openConnections, 1);
  for (let second = 0; second < 65; second++) t.mock.timers.tick(1_000);
  await client.delivered();
  assert.equal(server.counters.openConnections, 0);
  await assert.rejects(impatient.fetch("/never"), { code: "ERR_TIMEOUT" });
});

test("nothing keeps the process alive", async () => {
  const { spawn } = await import("node:child_process");
  const program = `
    import { Server } from "./src/server/server.ts";
    import { testClient } from "./src/testing/index.ts";
    const server = new Server();
    server.get("/", (exchange) => exchange.end("ok"));
    server.websocket("/", { message: (socket, data) => socket.send(data.toString()) });
    const client = testClient(server);
    await client.fetch("/");
    const socket = await client.webSocket("/");
    socket.send("x");
    console.log(await socket.next());
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 8_000,
  });
  const [[code], output] = await Promise.all([once(child, "exit"), child.stdout.toArray()]);
  assert.equal(code, 0);
  assert.equal(Buffer.concat(output).toString(), "x\n");
});
