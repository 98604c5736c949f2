import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import * as undici from "undici";
import type { FetchInfo } from "../../src/fetch/fetch-handler.ts";
import { harness } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { inBothModes } from "./modes.ts";

type Answer = (request: Request, info: FetchInfo) => unknown;
type Body = ConstructorParameters<typeof Response>[0];
type Fields = NonNullable<ResponseInit["headers"]>;

/** Serves a handler that returns anything. */
function answering(t: TestContext, answer: Answer) {
  const setup = harness(t);
  setup.server.fetch(answer as (request: Request) => Response);
  return setup;
}

const UTF8 = "charset=UTF-8";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));

function streamOf(...pieces: unknown[]): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

/** Makes a Response with these fields. */
const made =
  (body: Body, headers: Fields): (() => Response) =>
  () =>
    new Response(body, { headers });

/** Makes a Response that somebody has begun to read. */
function locked(body: Body): Response {
  const response = new Response(body);
  response.body?.getReader();
  return response;
}

async function* generated(): AsyncGenerator<Uint8Array> {
  yield bytes("ab");
  await turns(2);
  yield bytes("c");
}

function form(): FormData {
  const data = new FormData();
  data.append("name", "value");
  return data;
}

inBothModes(() => {
  describe("what a Response may be made of", () => {
    const bodies: [
      name: string,
      body: () => unknown,
      text: string | RegExp,
      framing: string,
      type?: string,
    ][] = [
      ["text", () => "aé", "aé", "Content-Length: 3", `text/plain;${UTF8}`],
      ["text that is empty", () => "", "", "Content-Length: 0", `text/plain;${UTF8}`],
      ["nothing", () => null, "", "Content-Length: 0"],
      ["undefined", () => undefined, "", "Content-Length: 0"],
      ["bytes", () => bytes("abc"), "abc", "Content-Length: 3"],
      ["a part of bytes", () => bytes("xabcx").subarray(1, 4), "abc", "Content-Length: 3"],
      ["an ArrayBuffer", () => bytes("abc").buffer, "abc", "Content-Length: 3"],
      ["a DataView", () => new DataView(bytes("abc").buffer), "abc", "Content-Length: 3"],
      [
        "URLSearchParams",
        () => new URLSearchParams({ a: "é" }),
        "a=%C3%A9",
        "Content-Length: 8",
        `application/x-www-form-urlencoded;${UTF8}`,
      ],
      ["a Blob", () => new Blob(["ab", "c"], { type: "x/y" }), "abc", "Content-Length: 3", "x/y"],
      ["FormData", form, /form-data; name="name"\r\n\r\nvalue/, ""],
      ["a stream of one piece", () => streamOf(bytes("abc")), "abc", "Content-Length: 3"],
      ["a stream of pieces", () => streamOf(bytes("ab"), bytes("c")), "abc", "Transfer-Encoding: chunked"],
      ["a stream of text", () => streamOf("a", "é"), "aé", "Transfer-Encoding: chunked"],
      ["a stream of nothing", () => streamOf(), "", "Content-Length: 0"],
      ["an async iterable", generated, "abc", "Transfer-Encoding: chunked"],
      [
        "1 MiB of text",
        () => "x".repeat(1 << 20),
        /^x{1048576}$/,
        "Content-Length: 1048576",
        `text/plain;${UTF8}`,
      ],
    ];
    for (const [name, body, text, framing, type] of bodies) {
      test(name, async (t) => {
        const { connect, reports } = answering(t, () => new Response(body() as string));
        const answer = await connect().get("/").answer();
        assert.deepEqual([answer.status, reports], [200, []]);
        if (typeof text === "string") assert.equal(answer.text, text);
        else assert.match(answer.text, text);
        assert.ok(answer.head.includes(framing), answer.head);
        if (!(body() instanceof FormData)) assert.equal(answer.header("content-type"), type);
        else assert.match(answer.header("content-type") ?? "", /^multipart\/form-data; boundary=/);
      });
    }
  });

  describe("status and header fields", () => {
    const cases: [name: string, response: () => Response, lines: string[], text?: string][] = [
      ["a status", () => new Response("no", { status: 404 }), ["HTTP/1.1 404 Not Found"], "no"],
      ["its text", () => new Response("", { status: 200, statusText: "Fine" }), ["HTTP/1.1 200 Fine"]],
      [
        "Set-Cookie, in lines of its own",
        () => {
          const response = new Response("x");
          response.headers.append("Set-Cookie", "a=1");
          response.headers.append("Set-Cookie", "b=2, 3");
          return response;
        },
        ["set-cookie: a=1", "set-cookie: b=2, 3"],
      ],
      [
        "several values of a field",
        made("x", [
          ["x-a", "1"],
          ["X-A", "2"],
        ]),
        ["x-a: 1, 2"],
      ],
      ["a type", made("x", { "Content-Type": "text/html" }), ["content-type: text/html"]],
      ["json", () => Response.json({ a: 1 }), ["content-type: application/json"], '{"a":1}'],
      [
        "json with more",
        () => Response.json([], { status: 201, headers: { "content-type": "x/y", a: "b" } }),
        ["HTTP/1.1 201 Created", "content-type: x/y", "a: b"],
        "[]",
      ],
      [
        "redirect",
        () => Response.redirect("http://h/x", 302),
        ["HTTP/1.1 302 Found", "location: http://h/x"],
        "",
      ],
      [
        "what is about another connection is left out",
        made("x", { "transfer-encoding": "chunked", "keep-alive": "timeout=5" }),
        ["Content-Length: 1"],
        "x",
      ],
      ["Connection: close", made("x", { connection: "close" }), ["Connection: close"]],
      ["a declared length", made("abc", { "content-length": "3" }), ["Content-Length: 3"]],
      [
        "a declared length of a stream",
        () => new Response(streamOf(bytes("a"), bytes("bc")), { headers: { "content-length": "3" } }),
        ["Content-Length: 3"],
        "abc",
      ],
      [
        "a response made of another",
        () => new Response("b", Response.json("a", { status: 202 })),
        ["HTTP/1.1 202 Accepted"],
        "b",
      ],
      [
        "a response made of the stream of another",
        () => {
          const first = new Response("abc", { status: 202, headers: { a: "b" } });
          return new Response(first.body, first);
        },
        ["HTTP/1.1 202 Accepted", "a: b", "Content-Length: 3"],
        "abc",
      ],
      [
        "a clone",
        () => new Response("abc", { status: 203 }).clone(),
        ["HTTP/1.1 203 Non-Authoritative Information"],
        "abc",
      ],
      [
        "a response that was cloned",
        () => {
          const response = new Response("abc");
          void response.clone().text();
          return response;
        },
        ["Content-Length: 3"],
        "abc",
      ],
    ];
    for (const [name, response, lines, text] of cases) {
      test(name, async (t) => {
        const { connect, reports } = answering(t, response);
        const answer = await connect().get("/").answer();
        for (const line of lines) {
          assert.equal(answer.head.split("\r\n").filter((own) => own === line).length, 1, answer.head);
        }
        if (text !== undefined) assert.equal(answer.text, text);
        assert.deepEqual(reports, []);
      });
    }

    for (const status of [204, 205, 304]) {
      test(`${status} has no content`, async (t) => {
        const { connect } = answering(t, () => new Response(null, { status, headers: { etag: '"1"' } }));
        const client = connect().get("/").get("/");
        for (let i = 0; i < 2; i++) {
          const answer = await client.answer();
          assert.deepEqual([answer.status, answer.header("etag")], [status, '"1"']);
          assert.equal(answer.header("content-length"), status === 205 ? "0" : undefined);
        }
        assert.throws(() => new Response("x", { status }), TypeError);
      });
    }

    for (const [name, response, length] of [
      ["text", () => new Response("abc"), "3"],
      ["nothing", () => new Response(null), undefined],
      ["a stream of one piece", () => new Response(streamOf(bytes("abc"))), "3"],
      ["a stream of pieces", () => new Response(streamOf(bytes("ab"), bytes("c"))), undefined],
      ["a stream that has nothing to say", () => new Response(new ReadableStream()), undefined],
      ["a declared length", () => new Response(null, { headers: { "content-length": "7" } }), "7"],
    ] as const) {
      test(`HEAD, answered with ${name}`, async (t) => {
        const { connect, reports } = answering(t, ({ method }) => {
          assert.equal(method, "HEAD");
          return response();
        });
        const client = connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert.equal((await client.answer("HEAD")).header("content-length"), length);
        assert.equal((await client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD")).status, 200);
        assert.deepEqual([client.rest, reports], ["", []]);
      });
    }
  });

  describe("what cannot be sent is answered with 500 and reported", () => {
    const used = async (): Promise<Response> => {
      const response = new Response("abc");
      await response.text();
      return response;
    };
    const cases: [name: string, answer: Answer, message: RegExp][] = [
      ["a handler that throws", () => assert.fail("mine"), /mine/],
      ["a handler that rejects", async () => assert.fail("mine"), /mine/],
      ["nothing", () => undefined, /must return a Response/],
      ["null", async () => null, /must return a Response/],
      ["text", () => "text", /must return a Response/],
      ["Response.error()", () => Response.error(), /Response\.error\(\) cannot be sent/],
      ["a body that was read", used, /has been used/],
      ["a body that is being read", () => locked(streamOf(bytes("abc"))), /locked/],
      ["text that is being read", () => locked("abc"), /locked/],
      ["bytes that are being read", () => locked(bytes("abc")), /locked/],
      [
        "text that was read in part",
        async () => {
          const response = new Response("abc");
          const reader = response.body?.getReader();
          await reader?.read();
          reader?.releaseLock();
          return response;
        },
        /has been used/,
      ],
      ["a length that is none", made("x", { "content-length": "x" }), /Content-Length/],
      [
        "a stream that fails at once",
        () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("mine")) })),
        /mine/,
      ],
    ];
    for (const [name, answer, message] of cases) {
      test(name, async (t) => {
        const { connect, reports } = answering(t, answer);
        const client = connect().get("/");
        const { status, text } = await client.answer();
        assert.deepEqual([status, text, reports.length], [500, "Internal Server Error\n", 1]);
        assert.match(String(reports[0]?.error), message);
      });
    }

    describe("a Blob has its length", () => {
      const large = new Blob([new Uint8Array(1_048_576)], { type: "x/y" });
      const blobs: [name: string, blob: Blob][] = [
        ["empty", new Blob([])],
        ["small", new Blob(["ab", "c"])],
        ["as long as a piece of its stream", new Blob([new Uint8Array(65_536)])],
        ["large, with a type", large],
        ["a part of another", large.slice(10, 500_000, "x/part")],
        ["a File", new File(["abc"], "name.txt", { type: "text/plain" })],
      ];
      for (const [name, blob] of blobs) {
        test(name, async (t) => {
          const { connect } = answering(t, () => new Response(blob));
          const answer = await connect().get("/").answer();
          assert.equal(answer.header("content-length"), String(blob.size));
          assert.equal(answer.header("content-type"), blob.type || undefined);
          assert.equal(answer.text.length, blob.size);
          const head = await connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD");
          assert.deepEqual([head.header("content-length"), head.text], [String(blob.size), ""]);
        });
      }

      test("as a stream that nobody has read from", async (t) => {
        const { connect } = answering(t, () => new Response(large.stream()));
        const answer = await connect().get("/").answer();
        assert.deepEqual([answer.header("content-length"), answer.text.length], ["1048576", 1_048_576]);
      });

      test("unless the program has set one, which must be right", async (t) => {
        const headers = { "content-length": "3" };
        const { connect } = answering(t, () => new Response(new Blob(["abc"]), { headers }));
        const answer = await connect().get("/").answer();
        assert.deepEqual([answer.header("content-length"), answer.text], ["3", "abc"]);
      });

      test("and its stream is the platform's own", () => {
        assert.equal(new Blob(["a"]).stream() instanceof ReadableStream, true);
        assert.equal(Blob.prototype.stream.name, "stream");
        assert.throws(() => Blob.prototype.stream.call(new Date() as never));
      });
    });

    test("a Response that was sent before", async (t) => {
      const response = new Response("abc");
      const { connect, reports } = answering(t, () => response);
      const client = connect().get("/").get("/");
      assert.equal((await client.answer()).text, "abc");
      assert.equal((await client.answer()).status, 500);
      assert.match(String(reports[0]?.error), /has been used/);
      assert.equal(response.bodyUsed || reports.length === 1, true);
    });
  });

  test("its fields take the place of those that hooks have set; Set-Cookie and Vary are added", async (t) => {
    const setup = harness(t);
    setup.server.onRequest((exchange) => {
      for (const name of ["X-Frame-Options", "X-Hook", "Vary", "Set-Cookie"])
        exchange.setHeader(name, "hook");
    });
    const headers = { "x-frame-options": "own", vary: "own", "set-cookie": "own" };
    setup.server.fetch(() => new Response("", { headers }));
    const answer = await setup.connect().get("/").answer();
    for (const [name, value] of [
      ["x-frame-options", "own"],
      ["x-hook", "hook"],
      ["vary", "hook, own"],
      ["set-cookie", "hook, own"],
    ] as const) {
      assert.equal(answer.header(name), value);
    }
  });

  test("a Response that need not be sent may be the same for many requests", async (t) => {
    const shared = new Response("not sent");
    const { connect, reports } = answering(t, (_request, { exchange }) => {
      exchange.end("sent");
      return shared;
    });
    const client = connect();
    for (let i = 0; i < 3; i++) assert.equal((await client.get("/").answer()).text, "sent");
    assert.deepEqual(reports, []);
  });

  test("the stream of one that cannot be sent is cancelled", async (t) => {
    const cancelled = signal();
    const body = new ReadableStream({ cancel: () => cancelled.give() });
    const { connect } = answering(t, () => new Response(body, { headers: { "content-length": "x" } }));
    assert.equal((await connect().get("/").answer()).status, 500);
    await cancelled.wait("the stream to be cancelled");
  });

  const CODED = "coded ".repeat(100);
  const GZIPPED = gzipSync(CODED);
  for (const [name, method, coding, content, fields] of [
    ["that was decoded has no fields of its coding", "GET", "gzip", GZIPPED, [undefined, "chunked"]],
    ["with a coding that fetch leaves keeps it", "GET", "x-own", Buffer.from(CODED), ["x-own", undefined]],
    ["to HEAD keeps them", "HEAD", "gzip", GZIPPED, ["gzip", undefined]],
  ] as const) {
    test(`a response of fetch ${name}`, async (t) => {
      const origin = harness(t).server;
      origin.get("/", (exchange) => exchange.setHeader("Content-Encoding", coding).end(content));
      const { url } = await origin.listen({ port: 0, host: "127.0.0.1" });
      const { connect, reports } = answering(t, () => fetch(url, { method }));
      const answer = await connect().send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`).answer(method);
      assert.deepEqual([answer.text, reports], [method === "HEAD" ? "" : CODED, []]);
      assert.deepEqual([answer.header("content-encoding"), answer.header("transfer-encoding")], fields);
    });
  }

  describe("streams", () => {
    test("the head and each piece are sent when they are there", async (t) => {
      const piece = signal<ReadableStreamDefaultController>();
      const { connect } = answering(t, () => new Response(new ReadableStream({ start: piece.give })));
      const client = connect().get("/");
      const controller = await piece.wait("the stream");
      await client.until(() => client.rest.includes("\r\n\r\n"), "the head");
      controller.enqueue(bytes("one"));
      await client.until(() => client.rest.includes("one"), "a piece");
      controller.close();
      assert.equal((await client.answer()).text, "one");
    });

    test("one is read no faster than the peer reads", async (t) => {
      const { server, connect } = harness(t, { limits: { writeHighWaterBytes: 10_000 } });
      let pulled = 0;
      const pull = (controller: ReadableStreamDefaultController): void => {
        if (pulled++ < 1_000) controller.enqueue(new Uint8Array(1_000));
        else controller.close();
      };
      server.fetch(() => new Response(new ReadableStream({ pull }, { highWaterMark: 0 })));
      const client = connect().pause().get("/");
      await turns(50);
      assert.ok(pulled > 5 && pulled < 100, `${pulled} pieces were read`);
      assert.equal((await client.resume().answer("GET", 5_000)).body.length, 1_000_000);
    });

    for (const [when, pieces] of [
      ["before its first piece", 0],
      ["after a piece", 1],
    ] as const) {
      test(`one is cancelled when the peer goes ${when}`, async (t) => {
        const cancelled = signal();
        const { server, connect, reports } = answering(t, () => {
          const start = (controller: ReadableStreamDefaultController): void => {
            for (let i = 0; i < pieces; i++) controller.enqueue(bytes("piece"));
          };
          return new Response(new ReadableStream({ start, cancel: () => cancelled.give() }));
        });
        const client = connect().get("/");
        await client.until(() => client.rest.includes("\r\n\r\n"), "the head");
        client.destroy();
        await cancelled.wait("the stream to be cancelled");
        await eventually(() => server.exchanges.length === 0, "the exchange to end");
        assert.deepEqual(reports, []);
      });
    }

    test("one that comes after the peer has gone is cancelled", async (t) => {
      const asked = signal();
      const cancelled = signal();
      const { connect, reports } = answering(t, async ({ signal }) => {
        asked.give();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return new Response(new ReadableStream({ cancel: () => cancelled.give() }));
      });
      const client = connect().get("/");
      await asked.wait("the request");
      client.destroy();
      await cancelled.wait("the stream to be cancelled");
      assert.deepEqual(reports, []);
    });

    test("one that fails later breaks the response off, and is reported", async (t) => {
      const { connect, reports } = answering(t, () => {
        async function* source(): AsyncGenerator<Uint8Array> {
          yield bytes("abc");
          await turns(1);
          throw new Error("mine");
        }
        return new Response(source() as unknown as ReadableStream);
      });
      const client = connect().get("/");
      await client.until(() => client.closed || client.ended, "the end");
      assert.ok(!client.rest.includes("0\r\n\r\n"));
      assert.match(String(reports[0]?.error), /mine/);
    });

    test("a piece that is neither text nor bytes breaks it off", async (t) => {
      const { connect, reports } = answering(t, () => new Response(streamOf(bytes("a"), { not: "bytes" })));
      const client = connect().get("/");
      await client.until(() => client.closed || client.ended, "the end");
      assert.match(String(reports[0]?.error), /neither text nor bytes/);
    });

    test("the content of the request may be sent back while it comes", async (t) => {
      const { connect } = answering(t, (request) => new Response(request.body));
      const client = connect().send(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
      );
      await client.until(() => client.rest.includes("one"), "the first piece");
      client.send("3\r\ntwo\r\n0\r\n\r\n");
      assert.equal((await client.answer()).text, "onetwo");
    });
  });

  describe("routes and fetch handlers", () => {
    test("routes come first, and a fetch handler takes what is left, by any method", async (t) => {
      const { server, connect } = harness(t);
      server.get("/route", (exchange) => exchange.end("route"));
      server.fetch(({ method }) => new Response(`all ${method}`));
      server.fetch(({ method }) => new Response(`api ${method}`), "/api/");
      const client = connect();
      for (const [method, path, text] of [
        ["GET", "/route", "route"],
        ["POST", "/route", "all POST"],
        ["GET", "/", "all GET"],
        ["OPTIONS", "/x/y", "all OPTIONS"],
        ["GET", "/api", "api GET"],
        ["DELETE", "/api/x", "api DELETE"],
        ["GET", "/apix", "all GET"],
      ]) {
        const answer = await client.send(`${method} ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).answer();
        assert.equal(answer.text, text, `${method} ${path}`);
      }
      assert.throws(() => server.fetch(() => new Response()), { code: "ERR_ROUTE" });
      assert.throws(() => server.fetch(undefined as never, "/other"), { code: "ERR_ROUTE" });
    });

    test("who answers through the exchange may return any Response", async (t) => {
      const { connect, reports } = answering(t, (_request, { exchange }) => {
        exchange.status(202).end("mine");
        return new Response(streamOf(bytes("ignored")), { status: 500 });
      });
      const answer = await connect().get("/").answer();
      assert.deepEqual([answer.status, answer.text, reports], [202, "mine", []]);
    });

    test("deferred delivery: the handler runs when it is polled", async (t) => {
      const { server, connect } = harness(t, { delivery: "deferred" });
      server.fetch(async (request) => new Response(await request.text()));
      const client = connect().post("/", "abc");
      await turns();
      assert.equal(client.rest, "");
      assert.ok(server.poll() > 0);
      assert.equal((await client.answer()).text, "abc");
    });

    test("responses of other implementations are taken", async (t) => {
      const { connect } = answering(t, () => new undici.Response("other", { status: 201 }));
      const answer = await connect().get("/").answer();
      assert.deepEqual([answer.status, answer.text], [201, "other"]);
      assert.equal(answer.header("content-type"), "text/plain;charset=UTF-8");
    });
  });

  describe("upgrade", () => {
    test("makes the connection a WebSocket", async (t) => {
      const { server, connect, reports } = harness(t);
      server.fetch((_request, info) =>
        info.upgrade<{ n: number }>(
          { message: (socket, data) => socket.send(`${socket.data.n} ${data}`) },
          { data: { n: 1 }, protocols: ["chat"] },
        ),
      );
      const client = await open(connect(), "/x", "Sec-WebSocket-Protocol: chat\r\n");
      assert.equal(await client.send("hello").text(), "1 hello");
      assert.deepEqual(reports, []);
    });

    for (const [lines, status] of [
      ["", 400],
      ["Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n", 426],
    ] as const) {
      test(`refuses with ${status} what is no handshake`, async (t) => {
        const statuses: number[] = [];
        const { connect } = answering(t, (_request, info) => {
          const response = info.upgrade({});
          statuses.push(response.status);
          return response;
        });
        assert.equal((await connect().get("/", lines).answer()).status, status);
        assert.deepEqual(statuses, [status]);
      });
    }
  });
});
