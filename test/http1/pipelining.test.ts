import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../../src/http1/request-reader.ts";
import { Feeder, feedWhole, limitsWith } from "./feed.ts";
import { alone, body, chunked, end, fails, get, post, request, table } from "./table.ts";

const to = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n");
const sized = (data: string) => `${post(`Content-Length: ${data.length}`)}${data}`;
const hundred = Array.from({ length: 100 }, (_, at) => `/${at}`);

table("pipelining", [
  [
    "RFC 9112 §9.3.2",
    "two requests",
    to("/1") + to("/2"),
    [...alone({ path: "/1" }), ...alone({ path: "/2" })],
  ],
  [
    "RFC 9112 §9.3.2",
    "a hundred",
    hundred.map((path) => to(path)).join(""),
    hundred.flatMap((path) => alone({ path })),
  ],
  [
    "RFC 9112 §9.3.2",
    "fields belong to their request",
    to("/1", "X: 1") + to("/2", "Y: 2") + to("/3"),
    [
      ...alone({
        fields: [
          ["Host", "a"],
          ["X", "1"],
        ],
      }),
      ...alone({
        fields: [
          ["Host", "a"],
          ["Y", "2"],
        ],
      }),
      ...alone({ fields: [["Host", "a"]] }),
    ],
  ],
  [
    "RFC 9112 §9.3.2",
    "after a sized body",
    sized("hello") + to("/2"),
    [request(), body("hello"), end(), ...alone({ path: "/2" })],
  ],
  [
    "RFC 9112 §9.3.2",
    "after an empty body",
    sized("") + to("/2"),
    [...alone({ contentLength: 0 }), ...alone({ path: "/2" })],
  ],
  [
    "RFC 9112 §9.3.2",
    "after a chunked body",
    chunked("2\r\nab\r\n0\r\n\r\n") + to("/2"),
    [request(), body("ab"), end(), ...alone({ path: "/2" })],
  ],
  [
    "RFC 9112 §9.3.2",
    "after trailers",
    chunked("0\r\nX: 1\r\n\r\n") + to("/2"),
    [request(), end([["X", "1"]]), ...alone({ path: "/2", chunked: false })],
  ],
  [
    "RFC 9112 §9.3.2",
    "every framing in turn",
    to("/1") + sized("ab") + chunked("1\r\nc\r\n0\r\n\r\n") + sized("d") + to("/5"),
    [
      ...alone({ path: "/1", contentLength: -1, chunked: false }),
      request({ contentLength: 2, chunked: false }),
      body("ab"),
      end(),
      request({ contentLength: -1, chunked: true }),
      body("c"),
      end(),
      request({ contentLength: 1, chunked: false }),
      body("d"),
      end(),
      ...alone({ path: "/5" }),
    ],
  ],
  [
    "RFC 9112 §2.2",
    "a CRLF too much after a body",
    `${sized("ab")}\r\n${to("/2")}`,
    [request(), body("ab"), end(), ...alone({ path: "/2" })],
  ],
  [
    "RFC 9112 §2.2",
    "a CRLF too much after each request",
    `${to("/1")}\r\n${to("/2")}\r\n${to("/3")}`,
    [...alone(), ...alone(), ...alone({ path: "/3" })],
  ],
  [
    "RFC 9112 §2.2",
    "two CRLF too much",
    `${sized("ab")}\r\n\r\n${to("/2")}`,
    [request(), body("ab"), end(), fails(400)],
  ],
  [
    "RFC 9112 §6.2",
    "less Content-Length than body",
    `${post("Content-Length: 2")}ab{}`,
    [request(), body("ab"), end(), fails(400)],
  ],
  [
    "RFC 9112 §2.3",
    "versions may change",
    `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${get()}`,
    [...alone({ minorVersion: 0, keepAlive: true }), ...alone({ minorVersion: 1 })],
  ],
  [
    "RFC 9110 §10.1.1",
    "state is not carried over",
    `${post("Expect: 100-continue", "Content-Length: 1")}a${get()}`,
    [
      request({ expectContinue: true }),
      body("a"),
      end(),
      ...alone({ expectContinue: false, contentLength: -1 }),
    ],
  ],
  [
    "RFC 9112 §9.3.2",
    "the last one unfinished",
    `${to("/1")}GET /2 HTTP/1.1\r\nHost: a\r\n`,
    alone({ path: "/1" }),
  ],
  [
    "RFC 9112 §9.3.2",
    "an error in the second",
    `${to("/1")}GET /2 HTTP/1.1\r\n\r\n`,
    [...alone({ path: "/1" }), fails(400)],
  ],
]);

table("errors are final", [
  ["RFC 9112 §9.3.2", "nothing after a bad request line", `GET\r\n\r\n${get()}`, [fails(400)]],
  ["RFC 9112 §9.3.2", "nothing after a bad head", `GET / HTTP/1.1\r\nX\r\n\r\n${get()}`, [fails(400)]],
  ["RFC 9112 §9.3.2", "nothing after a bad chunk", `${chunked("x\r\n")}${get()}`, [request(), fails(400)]],
  [
    "RFC 9112 §9.3.2",
    "nothing after an unknown coding",
    `${post("Transfer-Encoding: x, chunked")}${get()}`,
    [fails(501)],
  ],
  [
    "RFC 9112 §9.3.2",
    "nothing after 413",
    `${post("Content-Length: 9")}${get()}`,
    [fails(413)],
    { maxBodyBytes: 8 },
  ],
  ["RFC 9112 §9.3.2", "nothing after 505", `GET / HTTP/2.0\r\nHost: a\r\n\r\n${get()}`, [fails(505)]],
  [
    "RFC 9112 §9.3.2",
    "nothing after bad trailers",
    `${chunked("0\r\nX\r\n\r\n")}${get()}`,
    [request(), fails(400)],
  ],
]);

describe("the reader", () => {
  const give = (reader: RequestReader, text: string) => {
    const bytes = Buffer.from(text, "latin1");
    reader.receive(bytes, 0, bytes.length);
  };

  test("needs bytes before it got any, and again", () => {
    const reader = new RequestReader(limitsWith());
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.next(), NEED_BYTES);
    reader.release();
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.error, null);
  });

  test("tells one request at a time", () => {
    const reader = new RequestReader(limitsWith());
    give(reader, to("/1") + to("/2"));
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.head!.path, "/1");
    assert.equal(reader.next(), END);
    assert.equal(reader.head!.path, "/1");
    assert.equal(reader.trailers, null);
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.head!.path, "/2");
    assert.equal(reader.next(), END);
    assert.equal(reader.next(), NEED_BYTES);
  });

  test("forgets the trailers with the next request", () => {
    const feeder = new Feeder(limitsWith());
    const bytes = Buffer.from(`${chunked("0\r\nX: 1\r\n\r\n")}${get()}`, "latin1");
    feeder.receive(bytes, 0, bytes.length);
    feeder.drain();
    assert.deepEqual(feeder.events.at(-1), { type: "end", trailers: null });
    assert.equal(feeder.reader.trailers, null);
  });

  test("stays failed whatever comes", () => {
    const reader = new RequestReader(limitsWith());
    give(reader, "\0");
    assert.equal(reader.next(), FAILED);
    const { error } = reader;
    for (let time = 0; time < 5; time++) {
      reader.release();
      give(reader, get());
      assert.equal(reader.next(), FAILED);
      assert.equal(reader.error, error);
    }
  });

  test("reads a pipelined flood in one buffer", () => {
    const count = 5000;
    const events = feedWhole(Buffer.from(get().repeat(count)), limitsWith());
    assert.equal(events.length, 2 * count);
  });
});
