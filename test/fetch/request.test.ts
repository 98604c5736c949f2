import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import type { FetchInfo } from "../../src/fetch/fetch-handler.ts";
import { listOf } from "../support/bytes.ts";
import { harness } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { inBothModes } from "./modes.ts";

type Ask = (request: Request, info: FetchInfo) => unknown;

/** Serves a handler that answers with JSON of what it has asked a request for. */
function asking(t: Parameters<typeof harness>[0], ask: Ask, options: Parameters<typeof harness>[1] = {}) {
  const setup = harness(t, options);
  setup.server.fetch(async (request, info) => Response.json((await ask(request, info)) ?? null));
  return setup;
}

const CONTENT = "Content-Type: application/json\r\n";

inBothModes(() => {
  describe("the URL of a request", () => {
    const urls: [request: string, url: string][] = [
      ["GET / HTTP/1.1\r\nHost: example.org\r\n", "http://example.org/"],
      ["GET /a?b=c&d HTTP/1.1\r\nHost: example.org:81\r\n", "http://example.org:81/a?b=c&d"],
      ["GET /a? HTTP/1.1\r\nHost: example.org\r\n", "http://example.org/a"],
      ["GET / HTTP/1.1\r\nHost: EXAMPLE.org:80\r\n", "http://example.org/"],
      ["GET / HTTP/1.1\r\nHost: [::1]:81\r\n", "http://[::1]:81/"],
      ["GET / HTTP/1.1\r\nHost:\r\n", "http://localhost/"],
      ["GET / HTTP/1.0\r\n", "http://localhost/"],
      ["GET http://other.org/x HTTP/1.1\r\nHost: example.org\r\n", "http://other.org/x"],
      ["GET https://other.org/x HTTP/1.1\r\nHost: example.org\r\n", "http://other.org/x"],
      ["GET /.a/..b/... HTTP/1.1\r\nHost: h\r\n", "http://h/.a/..b/..."],
      ["GET /a?b=../c HTTP/1.1\r\nHost: h\r\n", "http://h/a?b=../c"],
      ["GET //evil.org/b HTTP/1.1\r\nHost: h\r\n", "http://h//evil.org/b"],
      ["GET /a|{b}?c='d' HTTP/1.1\r\nHost: h\r\n", new URL("http://h/a|{b}?c='d'").href],
      ["GET /%C3%A9 HTTP/1.1\r\nHost: h\r\n", "http://h/%C3%A9"],
    ];
    for (const [request, url] of urls) {
      test(`${JSON.stringify(request)} is ${url}`, async (t) => {
        const { connect } = asking(t, (asked) => asked.url);
        assert.equal((await connect().send(`${request}\r\n`).answer()).text, JSON.stringify(url));
        assert.equal(new URL(url).href, url, "what a URL says of itself");
      });
    }

    for (const host of ["a%00b", "h:99999", "1.2.3.999"]) {
      test(`a Host that no URL can have, ${host}, is answered with 400`, async (t) => {
        const { connect, reports } = asking(t, () => assert.fail("the handler was called"));
        assert.equal((await connect().send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).answer()).status, 400);
        assert.deepEqual(reports, []);
      });
    }

    for (const path of listOf("/a/../b¦/a/./b¦/a/..¦/a/%2e%2E/b¦/a/.%2e¦/a\\..\\b¦/a\\b¦/./")) {
      test(`a path that leads elsewhere as a URL, ${path}, is answered with 400`, async (t) => {
        const { connect, reports } = asking(t, () => assert.fail("the handler was called"));
        assert.equal((await connect().send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).answer()).status, 400);
        assert.deepEqual(reports, []);
      });
    }

    test("many hosts are remembered within bounds", async (t) => {
      const { connect } = asking(t, (request) => request.url);
      const client = connect();
      for (let i = 0; i < 200; i++) {
        const answer = await client.send(`GET / HTTP/1.1\r\nHost: h${i}\r\n\r\n`).answer();
        assert.equal(answer.text, `"http://h${i}/"`);
      }
    });
  });

  describe("the method", () => {
    for (const [sent, seen] of [
      ["get", "GET"],
      ["PATCH", "PATCH"],
      ["patch", "patch"],
      ["PROPFIND", "PROPFIND"],
    ]) {
      test(`${sent} is ${seen}, as the Fetch Standard has it`, async (t) => {
        const { connect } = asking(t, (request) => [request.method, request.clone().method]);
        const answer = await connect().send(`${sent} / HTTP/1.1\r\nHost: h\r\n\r\n`).answer();
        assert.equal(answer.text, JSON.stringify([seen, seen]));
      });
    }

    for (const method of ["TRACE", "TRACK", "trace"]) {
      test(`${method}, which no Request can have, is answered with 501`, async (t) => {
        const { connect } = asking(t, () => assert.fail("the handler was called"));
        assert.equal((await connect().send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`).answer()).status, 501);
      });
    }
  });

  describe("the header fields of a request", () => {
    const lines = "X-One: 1\r\nx-two: a\r\nX-TWO: b\r\nCookie: a=1\r\nCookie: b=2\r\n";
    const asks: [name: string, ask: (headers: Headers) => unknown, expected: unknown][] = [
      ["get", (headers) => headers.get("x-one"), "1"],
      ["get in another case", (headers) => headers.get("X-oNe"), "1"],
      ["get of several lines", (headers) => headers.get("x-two"), "a, b"],
      ["get of Cookie", (headers) => headers.get("cookie"), "a=1; b=2"],
      ["get of none", (headers) => headers.get("x-three"), null],
      ["has", (headers) => [headers.has("X-One"), headers.has("x-three")], [true, false]],
      ["keys", (headers) => [...headers.keys()], ["cookie", "host", "x-one", "x-two"]],
      ["entries", (headers) => Object.fromEntries(headers)["x-two"], "a, b"],
      ["a copy", (headers) => new Headers(headers).get("x-two"), "a, b"],
      ["an instance", (headers) => headers instanceof Headers, true],
      [
        "forEach",
        (headers) => {
          const seen: unknown[] = [];
          headers.forEach((value, name, parent) => {
            if (name === "x-one") seen.push(value, parent === headers);
          });
          return seen;
        },
        ["1", true],
      ],
      [
        "a change",
        (headers) => {
          headers.set("x-one", "2");
          headers.delete("x-two");
          return [headers.get("x-one"), headers.has("x-two")];
        },
        ["2", false],
      ],
    ];
    for (const [name, ask, expected] of asks) {
      test(name, async (t) => {
        const { connect } = asking(t, (request) => ask(request.headers));
        assert.deepEqual(JSON.parse((await connect().get("/", lines).answer()).text), expected);
      });
    }

    for (const name of ["a b", "", "é"]) {
      test(`${JSON.stringify(name)} is no name`, async (t) => {
        const { connect } = asking(t, ({ headers }) => {
          assert.throws(() => headers.get(name), TypeError);
          assert.throws(() => headers.has(name), TypeError);
        });
        assert.equal((await connect().get("/").answer()).status, 200);
      });
    }
  });

  describe("the content of a request", () => {
    const reads: [name: string, content: string, read: (request: Request) => unknown, expected: unknown][] = [
      ["text", "é!", (request) => request.text(), "é!"],
      ["text drops a byte order mark", "\uFEFFa", (request) => request.text(), "a"],
      ["text replaces what is not UTF-8", "a\xff", (request) => request.text(), "a\uFFFD"],
      ["text that is empty", "", (request) => request.text(), ""],
      ["json", '{"a":[1]}', (request) => request.json(), { a: [1] }],
      ["arrayBuffer", "abc", async (r) => [...new Uint8Array(await r.arrayBuffer())], [97, 98, 99]],
      [
        "blob, with its type",
        "{}",
        async (request) => {
          const blob = await request.blob();
          return [blob.size, blob.type];
        },
        [2, "application/json"],
      ],
      ["a clone", "abc", async (r) => [await r.clone().text(), await r.text()], ["abc", "abc"]],
      [
        "a stream",
        "abc",
        async ({ body }) => {
          let text = "";
          for await (const chunk of body ?? []) text += Buffer.from(chunk);
          return text;
        },
        "abc",
      ],
      [
        "a stream that fills memory of the program",
        "abc",
        async (request) => {
          const reader = request.body!.getReader({ mode: "byob" });
          const { value } = await reader.read(new Uint8Array(8));
          const end = await reader.read(new Uint8Array(8));
          return [Buffer.from(value!).toString(), end.done];
        },
        ["abc", true],
      ],
      [
        "a Request that is made of it",
        "abc",
        async (request) => {
          const copy = new Request(request, { headers: { "x-new": "1" } });
          return [copy.url, copy.method, copy.headers.get("x-new"), await copy.text(), request.bodyUsed];
        },
        ["http://h/", "POST", "1", "abc", true],
      ],
      [
        "a Request with content of its own that is made of it after it was read",
        "abc",
        async (request) => {
          await request.text();
          return new Request(request, { body: "new" }).text();
        },
        "new",
      ],
      [
        "a Request of another URL that is made of it",
        "abc",
        async (request) => {
          const copy = new Request("http://other/", request);
          return [copy.url, copy.method, copy.headers.get("content-type"), await copy.text()];
        },
        ["http://other/", "POST", "application/json", "abc"],
      ],
      [
        "bodyUsed",
        "abc",
        async (request) => {
          const before = [request.bodyUsed, request.body === null];
          await request.text();
          return [...before, request.bodyUsed];
        },
        [false, false, true],
      ],
      [
        "bodyUsed after text, without a look at the body",
        "abc",
        async (request) => [request.bodyUsed, await request.text(), request.bodyUsed, request.body === null],
        [false, "abc", true, false],
      ],
      [
        "what remains rare",
        "abc",
        (request) => [request.redirect, request.mode, request.credentials, request instanceof Request],
        ["follow", "cors", "same-origin", true],
      ],
    ];
    for (const [name, content, read, expected] of reads) {
      test(name, async (t) => {
        const { connect, reports } = asking(t, read);
        const bytes = name.includes("not UTF-8") ? "latin1" : "utf8";
        const data = Buffer.from(content, bytes);
        const head = `POST / HTTP/1.1\r\nHost: h\r\n${CONTENT}Content-Length: ${data.length}\r\n\r\n`;
        const answer = await connect()
          .send(Buffer.concat([Buffer.from(head), data]))
          .answer();
        assert.deepEqual(reports, []);
        assert.deepEqual(JSON.parse(answer.text), expected);
      });
    }

    test("a form", async (t) => {
      const { connect } = asking(t, async (request) => [...(await request.formData())]);
      const type = "Content-Type: application/x-www-form-urlencoded\r\n";
      assert.equal((await connect().post("/", "a=1&b=%C3%A9", type).answer()).text, '[["a","1"],["b","é"]]');
    });

    for (const [name, again] of [
      ["text", (request: Request) => request.text()],
      ["json", (request: Request) => request.json()],
      ["arrayBuffer", (request: Request) => request.arrayBuffer()],
      ["formData", (request: Request) => request.formData()],
      ["clone", async (request: Request) => request.clone()],
      ["a new Request", async (request: Request) => new Request(request)],
    ] as const) {
      test(`${name} of content that was read fails`, async (t) => {
        const { connect } = asking(t, async (request) => {
          await request.text();
          await assert.rejects(again(request), TypeError);
        });
        assert.equal((await connect().post("/", "abc").answer()).status, 200);
      });
    }

    test("GET has none, even when it was sent", async (t) => {
      const { connect } = asking(t, async (request) => [request.body, await request.text()]);
      const answer = await connect()
        .send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        .answer();
      assert.equal(answer.text, '[null,""]');
    });

    test("it is taken from the peer no faster than it is read, and not at all before", async (t) => {
      const reader = signal<ReadableStreamDefaultReader<Uint8Array>>();
      const { server, connectTcp } = harness(t, { limits: { maxBodyBytes: 1e9 } });
      server.fetch(async (request) => {
        const own = request.body!.getReader();
        reader.give(own);
        await own.closed;
        return new Response("all");
      });
      const client = await connectTcp();
      const total = 8 * 1024 * 1024;
      client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${total}\r\n\r\n`);
      client.send(Buffer.alloc(total));
      const own = await reader.wait("the request");
      await turns(20);
      assert.ok(server.counters.bytesReceived < total / 2, `${server.counters.bytesReceived} bytes taken`);
      let count = 0;
      for (;;) {
        const { done, value } = await own.read();
        if (done) break;
        count += value.length;
      }
      assert.equal(count, total);
      assert.equal((await client.answer()).text, "all");
    });

    test("a stream that is cancelled lets the response be sent", async (t) => {
      const { connect } = asking(t, (request) => request.body?.cancel());
      const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
      assert.equal((await client.answer()).status, 200);
    });

    test("100 (Continue) is sent when it is asked for", async (t) => {
      const { connect } = asking(t, (request) => request.text());
      const client = connect().post("/", "", "").send("");
      assert.equal((await client.answer()).status, 200);
      client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
      assert.equal((await client.answer()).status, 100);
      assert.equal((await client.send("abc").answer()).text, '"abc"');
    });

    for (const [name, lines, content] of [
      ["with a length", "Content-Length: 11\r\n", ""],
      ["in chunks", "Transfer-Encoding: chunked\r\n", "b\r\nhello world\r\n0\r\n\r\n"],
    ]) {
      test(`too large, ${name}: 413`, async (t) => {
        const { connect } = asking(t, (request) => request.text(), { limits: { maxBodyBytes: 10 } });
        const client = connect().send(`POST / HTTP/1.1\r\nHost: h\r\n${lines}\r\n${content}`);
        assert.equal((await client.answer()).status, 413);
      });
    }

    test("the limit of the path holds", async (t) => {
      const { server, connect } = harness(t, { limits: { maxBodyBytes: 10 } });
      server.fetch(async (request) => new Response(await request.text()), "/large", { maxBodyBytes: 100 });
      assert.equal((await connect().post("/large/x", "hello world").answer()).text, "hello world");
    });
  });

  describe("a peer that goes", () => {
    test("aborts the signal, and fails the content", async (t) => {
      const { server, connect, reports } = harness(t);
      const seen = signal<Request>();
      const failed = signal<unknown>();
      server.fetch(async (request) => {
        seen.give(request);
        await request.text().catch(failed.give);
        return new Response("late");
      });
      const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
      const request = await seen.wait("the request");
      const aborted = signal();
      request.signal.addEventListener("abort", () => aborted.give());
      assert.equal(request.signal.aborted, false);
      client.destroy();
      await aborted.wait("the signal");
      assert.ok((await failed.wait("the content to fail")) instanceof Error);
      await turns();
      assert.deepEqual(reports, []);
    });

    test("is no error of a handler that gives up with the signal; giving up by itself is", async (t) => {
      const { server, connect, reports } = harness(t);
      const asked = signal();
      server.fetch(async ({ signal }) => {
        asked.give();
        await once(new EventEmitter(), "never", { signal });
        return new Response();
      });
      server.fetch(async () => AbortSignal.abort().throwIfAborted() ?? new Response(), "/own");
      const client = connect().get("/");
      await asked.wait("the request");
      client.destroy();
      await eventually(() => server.connections.length === 0, "the end");
      await turns();
      assert.deepEqual([reports, { ...server.counters.errors }], [[], {}]);
      assert.equal((await connect().get("/own").answer()).status, 500);
      assert.equal(reports.length, 1);
    });

    test("aborts the signal of a Request that was made of it", async (t) => {
      const { server, connect } = harness(t);
      const seen = signal<Request>();
      server.fetch((request) => {
        seen.give(new Request(request));
        return new Promise(() => {});
      });
      const client = connect().get("/");
      const request = await seen.wait("the request");
      const aborted = signal();
      request.signal.addEventListener("abort", () => aborted.give());
      client.destroy();
      await aborted.wait("the signal");
    });
  });

  test("fetch takes the request, and a Request that is made of it", async (t) => {
    const behind = harness(t);
    behind.server.any("/*", async (exchange) => exchange.end(`${exchange.method} ${await exchange.text()}`));
    const { port } = await behind.server.listen({ port: 0, host: "127.0.0.1" });
    const { server, connect } = harness(t);
    server.fetch((request) => fetch(request), "/same");
    server.fetch((request) => fetch(new Request(request.url, request)), "/copy");
    for (const path of ["/same", "/copy"]) {
      const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 3\r\n\r\n`;
      assert.equal((await connect().send(`${head}abc`).answer()).text, "POST abc");
    }
  });

  test("the second argument tells who the peer is", async (t) => {
    const { server } = harness(t);
    server.fetch((_request, { remoteAddress, remotePort, exchange }) =>
      Response.json([remoteAddress, typeof remotePort, exchange.path]),
    );
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    assert.deepEqual(await (await fetch(new URL("/x", url))).json(), ["127.0.0.1", "number", "/x"]);
  });
});
