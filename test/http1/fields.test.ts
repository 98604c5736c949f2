import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fields } from "../../src/http1/fields.ts";
import { REQUEST, RequestReader } from "../../src/http1/request-reader.ts";
import { limitsWith } from "./feed.ts";
import type { Case } from "./table.ts";
import { alone, fails, get, table } from "./table.ts";

const hex = (code: number) => `0x${code.toString(16).padStart(2, "0")}`;
const has = (...fields: [string, string][]) => alone({ fields: [["Host", "a"], ...fields] });
const codes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

table("field lines: names", [
  ["RFC 9110 §5.1", "as sent, in order", get("b-B: 1", "A: 2"), has(["b-B", "1"], ["A", "2"])],
  ["RFC 9110 §5.6.2", "every mark of a token", get("!#$%&'*+-.^_`|~: 1"), has(["!#$%&'*+-.^_`|~", "1"])],
  ["RFC 9110 §5.6.2", "digits", get("0123456789: 1"), has(["0123456789", "1"])],
  ["RFC 9110 §5.6.2", "one letter", get("x: 1"), has(["x", "1"])],
  ["RFC 9112 §5.1", "empty name", get(": 1"), [fails(400)]],
  ["RFC 9112 §5.1", "space before the colon", get("X : 1"), [fails(400)]],
  ["RFC 9112 §5.1", "tab before the colon", get("X\t: 1"), [fails(400)]],
  ["RFC 9112 §5.1", "space before the colon of Content-Length", get("Content-Length : 1"), [fails(400)]],
  ["RFC 9112 §5.1", "space before the colon of Host", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §5", "no colon", get("X"), [fails(400)]],
  ["RFC 9112 §5", "no colon, white space", get("X 1"), [fails(400)]],
  ["RFC 9112 §2.2", "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", [fails(400)]],
  [
    "RFC 9112 §2.2",
    "white space line after the request line",
    "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n",
    [fails(400)],
  ],
  ...[
    ...codes(0x00, 0x20),
    ...[...'"(),/;<=>?@[\\]{}'].map((mark) => mark.charCodeAt(0)),
    0x7f,
    0x80,
    0xb5,
    0xff,
  ].map(
    (code): Case => [
      "RFC 9110 §5.6.2",
      `${hex(code)} in a name`,
      get(`X${String.fromCharCode(code)}Y: 1`),
      [fails(400)],
    ],
  ),
]);

table("field lines: values", [
  ["RFC 9112 §5", "no white space needed", get("X:1"), has(["X", "1"])],
  ["RFC 9112 §5", "white space around is trimmed", get("X: \t 1 2\t \t"), has(["X", "1 2"])],
  ["RFC 9110 §5.5", "empty", get("X:"), has(["X", ""])],
  ["RFC 9110 §5.5", "only white space", get("X: \t "), has(["X", ""])],
  ["RFC 9110 §5.5", "one byte", get("X: 1"), has(["X", "1"])],
  ["RFC 9110 §5.5", "tab inside", get("X: a\tb"), has(["X", "a\tb"])],
  ["RFC 9110 §5.5", "colons and commas", get("X: :a:b,, c"), has(["X", ":a:b,, c"])],
  ["RFC 9110 §5.5", "obs-text as latin1", get("X: \x80\xe9\xff"), has(["X", "\x80\xe9\xff"])],
  ["RFC 9110 §5.5", "0xa0 is no white space to trim", get("X: \xa0a\xa0"), has(["X", "\xa0a\xa0"])],
  ["RFC 9110 §5.5", "0x85 is no line end", get("X: a\x85b"), has(["X", "a\x85b"])],
  [
    "RFC 9110 §5.5",
    "all of visible ASCII",
    get(`X: ${String.fromCharCode(...codes(0x21, 0x7e))}`),
    has(["X", String.fromCharCode(...codes(0x21, 0x7e))]),
  ],
  ["RFC 9110 §5.3", "repeated lines are kept apart", get("X: 1", "x: 2"), has(["X", "1"], ["x", "2"])],
  ["RFC 9112 §5.2", "obs-fold with a space", get("X: 1", " 2"), [fails(400)]],
  ["RFC 9112 §5.2", "obs-fold with a tab", get("X: 1", "\t2"), [fails(400)]],
  ["RFC 9112 §5.2", "obs-fold with nothing", get("X: 1", " "), [fails(400)]],
  ["RFC 9112 §2.2", "bare CR", get("X: 1\r2"), [fails(400)]],
  ["RFC 9112 §2.2", "bare CR at the end", get("X: 1\r"), [fails(400)]],
  ["RFC 9112 §2.2", "bare CR first", get("X:\r1"), [fails(400)]],
  ["RFC 9112 §2.2", "bare LF", get("X: 1\nY: 2"), [fails(400)]],
  ["RFC 9112 §2.2", "LF CR", get("X: 1\n\rY: 2"), [fails(400)]],
  ["RFC 9112 §2.2", "LF LF ends nothing", "GET / HTTP/1.1\r\nHost: a\n\n", [fails(400)]],
  ...[...codes(0x00, 0x08), 0x0b, 0x0c, ...codes(0x0e, 0x1f), 0x7f].map(
    (code): Case => [
      "RFC 9110 §5.5",
      `${hex(code)} in a value`,
      get(`X: a${String.fromCharCode(code)}b`),
      [fails(400)],
    ],
  ),
  ["RFC 9110 §5.5", "control at the start of a value", get("X: \x01"), [fails(400)]],
  ["RFC 9110 §5.5", "control at the end of a value", get("X: a\x0b"), [fails(400)]],
]);

const withHost = (...lines: string[]) => ["GET / HTTP/1.1", ...lines, "", ""].join("\r\n");
table("Host", [
  ["RFC 9110 §7.2", "name", withHost("Host: www.example.org"), alone({ host: "www.example.org" })],
  ["RFC 9110 §7.2", "any case of the name", withHost("hOST: b"), alone({ host: "b" })],
  ["RFC 9110 §7.2", "port", withHost("Host: b:8080"), alone({ host: "b:8080" })],
  ["RFC 3986 §3.2.3", "empty port", withHost("Host: b:"), alone({ host: "b:" })],
  ["RFC 3986 §3.2.2", "IPv4", withHost("Host: 127.0.0.1:1"), alone({ host: "127.0.0.1:1" })],
  ["RFC 3986 §3.2.2", "IPv6", withHost("Host: [2001:db8::7]:443"), alone({ host: "[2001:db8::7]:443" })],
  ["RFC 3986 §3.2.2", "IPv6, nothing but ::", withHost("Host: [::]"), alone({ host: "[::]" })],
  [
    "RFC 3986 §3.2.2",
    "IPv6 ending in IPv4",
    withHost("Host: [::ffff:127.0.0.1]:1"),
    alone({ host: "[::ffff:127.0.0.1]:1" }),
  ],
  ["RFC 3986 §3.2.2", "a future address", withHost("Host: [v1.a:b]"), alone({ host: "[v1.a:b]" })],
  ["RFC 3986 §3.2.2", "escaped", withHost("Host: b%2d_~.c"), alone({ host: "b%2d_~.c" })],
  ["RFC 9110 §7.2", "white space around", withHost("Host:  \tb\t "), alone({ host: "b" })],
  ["RFC 9112 §3.2", "empty", withHost("Host:"), alone({ host: "" })],
  ["RFC 9112 §3.2", "not the first field", withHost("X: 1", "Host: b"), alone({ host: "b" })],
  ["RFC 9112 §3.2", "none on 1.1", withHost("X: 1"), [fails(400)]],
  ["RFC 9112 §3.2", "no field at all on 1.1", "GET / HTTP/1.1\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3.2", "none on 1.0", "GET / HTTP/1.0\r\n\r\n", alone({ host: undefined, fields: [] })],
  ["RFC 9112 §3.2", "twice", withHost("Host: b", "Host: c"), [fails(400)]],
  ["RFC 9112 §3.2", "twice the same", withHost("Host: b", "X: 1", "host: b"), [fails(400)]],
  ["RFC 9112 §3.2", "twice, one empty", withHost("Host:", "Host: b"), [fails(400)]],
  ["RFC 9112 §3.2", "twice on 1.0", "GET / HTTP/1.0\r\nHost: b\r\nHost: b\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3.2", "invalid on 1.0", "GET / HTTP/1.0\r\nHost: b/c\r\n\r\n", [fails(400)]],
  ...[
    "b c",
    "b/c",
    "u@b",
    "b?c",
    "b#c",
    "b:80x",
    "b:-1",
    "b:80:90",
    "[::1",
    "::1",
    "<b>",
    'b"',
    "b\\c",
    "b\xe9",
    "http://b/",
    "b\tc",
    "b{",
    "b^c",
    "b%zz",
    "b%",
    "[]",
    "[::1]b",
    "[dead]",
    "[:::]",
    "[1::2::3]",
    "[1:2:3:4:5:6:7]",
    "[1:2:3:4:5:6:7::8]",
    "[::256.0.0.1]",
    "[v1]",
    ":80",
  ].map(
    (host): Case => [
      "RFC 9112 §3.2",
      `invalid: ${JSON.stringify(host)}`,
      withHost(`Host: ${host}`),
      [fails(400)],
    ],
  ),
]);

function fieldsOf(...lines: string[]): Fields {
  const reader = new RequestReader(limitsWith());
  const input = Buffer.from(get(...lines), "latin1");
  reader.receive(input, 0, input.length);
  assert.equal(reader.next(), REQUEST);
  const { fields } = reader.head!;
  reader.release();
  input.fill(0);
  return fields;
}

describe("Fields", () => {
  test("RFC 9110 §5.1: get and has in any case", () => {
    const fields = fieldsOf("X-Test: 1");
    for (const name of ["X-Test", "x-test", "X-TEST"]) {
      assert.equal(fields.get(name), "1");
      assert.equal(fields.has(name), true);
      assert.deepEqual(fields.getAll(name), ["1"]);
    }
  });

  test("RFC 9110 §5.1: absent is undefined, empty is empty", () => {
    const fields = fieldsOf("X:");
    assert.equal(fields.get("Y"), undefined);
    assert.equal(fields.has("Y"), false);
    assert.deepEqual(fields.getAll("Y"), []);
    assert.equal(fields.get("X"), "");
    assert.equal(fields.has("X"), true);
    assert.deepEqual(fields.getAll("X"), [""]);
    assert.equal(fields.get(""), undefined);
  });

  test("RFC 9110 §5.1: a name is not found by a part of it", () => {
    const fields = fieldsOf("X-Long-Name: 1", "Y: X-Other: 2");
    for (const name of ["X", "X-Long", "Long-Name", "Name", "X-Long-Name-", "X-Other", "X-Long-Name:"]) {
      assert.equal(fields.get(name), undefined, name);
      assert.equal(fields.has(name), false, name);
    }
  });

  test("RFC 9110 §5.2: repeated lines are joined with a comma, in order", () => {
    const fields = fieldsOf("X: 1", "Y: z", "x: 2, 3", "X:");
    assert.equal(fields.get("X"), "1, 2, 3, ");
    assert.deepEqual(fields.getAll("x"), ["1", "2, 3", ""]);
  });

  test("RFC 9113 §8.2.3: Cookie lines are joined with a semicolon", () => {
    const fields = fieldsOf("Cookie: a=1", "cookie: b=2; c=3");
    assert.equal(fields.get("COOKIE"), "a=1; b=2; c=3");
    const { cookie } = fields.record();
    assert.equal(cookie, "a=1; b=2; c=3");
    assert.deepEqual(fields.getAll("Cookie"), ["a=1", "b=2; c=3"]);
  });

  test("RFC 9110 §5.3: entries as sent, in order", () => {
    const fields = fieldsOf("b: 1", "A: 2", "B: 3");
    assert.deepEqual(fields.entries(), [
      ["Host", "a"],
      ["b", "1"],
      ["A", "2"],
      ["B", "3"],
    ]);
  });

  test("RFC 9110 §5.2: record with lower case names and joined values", () => {
    const record = fieldsOf("X-A: 1", "x-a: 2", "Y: 3").record();
    assert.equal(Object.getPrototypeOf(record), null);
    assert.deepEqual(Object.entries(record).sort(), [
      ["host", "a"],
      ["x-a", "1, 2"],
      ["y", "3"],
    ]);
  });

  test("RFC 9110 §5.1: names of Object.prototype are nothing special", () => {
    const without = fieldsOf();
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"]) {
      assert.equal(without.get(name), undefined, name);
      assert.equal(without.has(name), false, name);
      assert.equal(without.record()[name], undefined, name);
    }
    const fields = fieldsOf("__proto__: 1", "constructor: 2", "__Proto__: 3");
    assert.equal(fields.get("__proto__"), "1, 3");
    assert.equal(fields.get("constructor"), "2");
    assert.deepEqual(Object.keys(fields.record()).sort(), ["__proto__", "constructor", "host"]);
    assert.deepEqual(Object.values(fields.record()).sort(), ["1, 3", "2", "a"]);
  });

  test("RFC 9110 §5.1: only ASCII letters are folded", () => {
    const fields = fieldsOf("X[]: 1".replace("[]", "^_"), "K: 2");
    assert.equal(fields.get("x^_"), "1");
    assert.equal(fields.get("x~\x7f"), undefined);
    assert.equal(fields.get("\u212a"), undefined);
  });

  test("RFC 9110 §5.5: values are latin1 strings without outer white space", () => {
    const fields = fieldsOf("X: \t\xe9\xff \t");
    assert.equal(fields.get("x"), "\xe9\xff");
  });

  test("answers do not depend on the order of the questions", () => {
    const fields = fieldsOf("X: 1", "Y: 2", "x: 3");
    assert.equal(fields.get("y"), "2");
    assert.deepEqual(fields.record(), fields.record());
    assert.equal(fields.get("X"), "1, 3");
    assert.deepEqual(fields.entries(), fields.entries());
    assert.equal(fields.get("X"), "1, 3");
    assert.equal(typeof fields.raw, "string");
  });
});

describe("RFC 9110 §5.5: octets of field values, at every place in words and beside every kind of octet", () => {
  const controls = [...codes(0x00, 0x08), ...codes(0x0a, 0x1f), 0x7f];
  const around = [0x09, 0x20, 0x21, 0x7e, 0x80, 0xff];
  const failed = (octet: number, beside: number, at: number): boolean => {
    const value = Buffer.alloc(24, beside);
    value[0] = 0x61;
    value[at] = octet;
    const reader = new RequestReader(limitsWith());
    const head = Buffer.concat([
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nX: "),
      value,
      Buffer.from("z\r\n\r\n"),
    ]);
    reader.receive(head, 0, head.length);
    return reader.next() !== REQUEST;
  };
  for (const beside of around) {
    test(`beside ${hex(beside)}`, () => {
      for (let at = 1; at < 20; at++) {
        for (const octet of controls) assert.ok(failed(octet, beside, at), `${hex(octet)} at ${at}`);
        for (const octet of around) assert.ok(!failed(octet, beside, at), `${hex(octet)} at ${at}`);
      }
    });
  }
});
