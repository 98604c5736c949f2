import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasToken } from "../../src/http1/request-head.ts";
import { NEED_BYTES, REQUEST, RequestReader } from "../../src/http1/request-reader.ts";
import { limitsWith } from "./feed.ts";
import type { Case } from "./table.ts";
import { alone, body, end, fails, get, post, request, table } from "./table.ts";

const old = (...lines: string[]) => ["GET / HTTP/1.0", ...lines, "", ""].join("\r\n");
const lines = (values: string[]) => values.map((value) => `Connection: ${value}`);
const stays = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.1 stays with ${JSON.stringify(values)}`,
  get(...lines(values)),
  alone({ keepAlive: true }),
];
const closes = (...values: string[]): Case => [
  "RFC 9112 §9.6",
  `1.1 closes with ${JSON.stringify(values)}`,
  get(...lines(values)),
  alone({ keepAlive: false }),
];
const oldStays = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.0 stays with ${JSON.stringify(values)}`,
  old(...lines(values)),
  alone({ keepAlive: true }),
];
const oldCloses = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.0 closes with ${JSON.stringify(values)}`,
  old(...lines(values)),
  alone({ keepAlive: false }),
];

table("Connection", [
  stays(),
  stays("keep-alive"),
  stays("Keep-Alive"),
  stays(""),
  stays("x"),
  stays("closed"),
  stays("xclose"),
  stays("not close"),
  stays("clos"),
  stays("\xa0close"),
  stays("x, close\xa0"),
  stays("close-not, x"),
  closes("close"),
  closes("CLOSE"),
  closes("ClosE"),
  closes("keep-alive, close"),
  closes("close, keep-alive"),
  closes("x,close"),
  closes("x , close , y"),
  closes("x,\tclose\t"),
  closes(", ,close,"),
  closes("keep-alive", "close"),
  closes("close", "keep-alive"),
  closes("x", "y, close"),
  oldStays("keep-alive"),
  oldStays("Keep-Alive"),
  oldStays("x, KEEP-ALIVE"),
  oldStays("x", "keep-alive"),
  oldCloses(),
  oldCloses(""),
  oldCloses("close"),
  oldCloses("keep-alive, close"),
  oldCloses("close", "keep-alive"),
  oldCloses("keep"),
  oldCloses("keep-alivex"),
  [
    "RFC 9112 §C.2.2",
    "Keep-Alive alone does not keep 1.0",
    old("Keep-Alive: timeout=5"),
    alone({ keepAlive: false }),
  ],
  [
    "RFC 9110 §7.6.1",
    "Proxy-Connection is another field",
    get("Proxy-Connection: close"),
    alone({ keepAlive: true }),
  ],
  ["RFC 9110 §7.6.1", "any case of the name", get("cONNECTION: close"), alone({ keepAlive: false })],
]);

const expecting = (value: string) => `${post(`Expect: ${value}`, "Content-Length: 2")}ab`;
const expected = (expectContinue: boolean) => [request({ expectContinue }), body("ab"), end()];
table("Expect", [
  ["RFC 9110 §10.1.1", "none", `${post("Content-Length: 2")}ab`, expected(false)],
  ["RFC 9110 §10.1.1", "100-continue", expecting("100-continue"), expected(true)],
  ["RFC 9110 §10.1.1", "in any case", expecting("100-CONTINUE"), expected(true)],
  ["RFC 9110 §10.1.1", "mixed case", expecting("100-Continue"), expected(true)],
  [
    "RFC 9110 §10.1.1",
    "any case of the name",
    `${post("eXPECT:100-continue", "Content-Length: 2")}ab`,
    expected(true),
  ],
  [
    "RFC 9110 §10.1.1",
    "told before the body",
    post("Expect: 100-continue", "Content-Length: 2"),
    [request({ expectContinue: true })],
  ],
  [
    "RFC 9110 §10.1.1",
    "with chunked",
    `${post("Expect: 100-continue", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    [request({ expectContinue: true, chunked: true }), end()],
  ],
  [
    "RFC 9110 §10.1.1",
    "ignored on 1.0",
    "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    [request({ expectContinue: false, minorVersion: 0 }), body("ab"), end()],
  ],
  ["RFC 9110 §10.1.1", "other", expecting("200-ok"), [fails(417)]],
  ["RFC 9110 §10.1.1", "with a parameter", expecting("100-continue;a=b"), [fails(417)]],
  ["RFC 9110 §10.1.1", "with another", expecting("100-continue, x"), [fails(417)]],
  [
    "RFC 9110 §10.1.1",
    "another on the next line",
    `${post("Expect: 100-continue", "Expect: x", "Content-Length: 2")}ab`,
    [fails(417)],
  ],
  ["RFC 9110 §10.1.1", "in quotes", expecting('"100-continue"'), [fails(417)]],
  ["RFC 9110 §10.1.1", "a part of it", expecting("100-continu"), [fails(417)]],
  ["RFC 9110 §10.1.1", "more than it", expecting("100-continued"), [fails(417)]],
]);

table("Upgrade", [
  ["RFC 9110 §7.8", "neither", get(), alone({ upgrade: false })],
  ["RFC 9110 §7.8", "both", get("Connection: upgrade", "Upgrade: websocket"), alone({ upgrade: true })],
  ["RFC 9110 §7.8", "any case", get("connection: UPGRADE", "uPGRADE: WebSocket"), alone({ upgrade: true })],
  [
    "RFC 9110 §7.8",
    "in a list",
    get("Upgrade: websocket", "Connection: keep-alive, Upgrade"),
    alone({ upgrade: true, keepAlive: true }),
  ],
  [
    "RFC 9110 §7.8",
    "on a second line",
    get("Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c"),
    alone({ upgrade: true }),
  ],
  [
    "RFC 9110 §7.8",
    "several protocols",
    get("Connection: upgrade", "Upgrade: websocket, IRC/6.9"),
    alone({ upgrade: true }),
  ],
  ["RFC 9110 §7.8", "only Upgrade", get("Upgrade: websocket"), alone({ upgrade: false })],
  ["RFC 9110 §7.8", "only Connection", get("Connection: upgrade"), alone({ upgrade: false })],
  [
    "RFC 9110 §7.8",
    "0xa0 is no white space",
    get("Connection: \xa0upgrade", "Upgrade: h2c"),
    alone({ upgrade: false }),
  ],
  [
    "RFC 9110 §7.8",
    "another option",
    get("Connection: upgraded", "Upgrade: websocket"),
    alone({ upgrade: false }),
  ],
  [
    "RFC 9110 §7.8",
    "ignored on 1.0",
    old("Connection: upgrade", "Upgrade: websocket"),
    alone({ upgrade: false }),
  ],
  [
    "RFC 9110 §7.8",
    "with a body",
    `${post("Connection: upgrade", "Upgrade: h2c", "Content-Length: 2")}ab`,
    [request({ upgrade: true }), body("ab"), end()],
  ],
  [
    "RFC 9110 §7.8",
    "not taken up: HTTP goes on",
    `${get("Connection: upgrade", "Upgrade: h2c")}${get()}`,
    [...alone({ upgrade: true }), ...alone({ upgrade: false })],
  ],
]);

const upgrading = get("Connection: upgrade", "Upgrade: websocket");
describe("hasToken", () => {
  test("RFC 9110 §5.6.3: only SP and HTAB are white space", () => {
    assert.ok(hasToken("a, \t close \t ,b", "close"));
    for (const list of ["a,close\xa0", "a,\vclose", "a,c lose"]) assert.ok(!hasToken(list, "close"), list);
  });

  test("RFC 9110 §5.6.1: takes time in proportion to the list", () => {
    for (const unit of [" ", "\t", ",", " ,", "a"]) {
      const start = performance.now();
      for (let i = 0; i < 10; i++) hasToken(`a,x${unit.repeat(262_144 / unit.length)}x`, "close");
      assert.ok(performance.now() - start < 3_000, JSON.stringify(unit));
    }
  });
});

describe("takeRest", () => {
  for (const rest of ["", "\x81", "\x81\x85\0\0\0\0hello\r\n\r\n", get()]) {
    test(`RFC 9110 §7.8: ${rest.length} bytes behind the head`, () => {
      const reader = new RequestReader(limitsWith());
      const lent = Buffer.from(`\0\0\0${upgrading}${rest}\xff\xff`, "latin1");
      reader.receive(lent, 3, lent.length - 2);
      assert.equal(reader.next(), REQUEST);
      assert.equal(reader.head!.upgrade, true);
      assert.equal(reader.takeRest().toString("latin1"), rest);
    });
  }

  test("RFC 9110 §7.8: the head in pieces, bytes behind it in the last one", () => {
    const reader = new RequestReader(limitsWith());
    const input = Buffer.from(`${upgrading}\x81\x80`, "latin1");
    const lent = Buffer.alloc(8);
    for (let at = 0; at < input.length; at += 8) {
      const length = input.copy(lent, 0, at, Math.min(at + 8, input.length));
      reader.receive(lent, 0, length);
      if (at + 8 < upgrading.length) assert.equal(reader.next(), NEED_BYTES);
      if (at + 8 < input.length) reader.release();
    }
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.takeRest().toString("latin1"), "\x81\x80");
  });

  test("RFC 9110 §7.8: bytes kept by release()", () => {
    const reader = new RequestReader(limitsWith());
    const lent = Buffer.from(`${upgrading}rest`, "latin1");
    reader.receive(lent, 0, lent.length);
    assert.equal(reader.next(), REQUEST);
    reader.release();
    lent.fill(0);
    assert.equal(reader.takeRest().toString("latin1"), "rest");
  });
});
