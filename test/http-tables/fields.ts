import { listOf } from "../support/bytes.ts";
import {
  accepted,
  type Case,
  char,
  codes,
  each,
  get,
  head,
  hex,
  last,
  many,
  post,
  posted,
  read,
  refused,
  rows,
  saw,
  type Table,
} from "../support/http-case.ts";

const has = (fields: Record<string, string | undefined>) => accepted(saw({ fields }));

export const fieldNames: Table = {
  area: "field names (RFC 9110 §5.1, RFC 9112 §5)",
  cases: [
    ["RFC 9110 §5.1", "any case", get("X-a: 1", "x-A: 2"), has({ "x-a": "1, 2", "X-A": "1, 2" })],
    ...rows("RFC 9110 §5.6.2", {
      "every mark that a token may have": [get("!#$%&'*+-.^_`|~: 1"), has({ "!#$%&'*+-.^_`|~": "1" })],
    }),
    ...rows("RFC 9110 §5.1", {
      "a name of Object.prototype": [get("__proto__: 1", "constructor: 2"), has({ constructor: "2" })],
      "_ is not -": [get("X_a: 1"), has({ "x-a": undefined, x_a: "1" })],
    }),
    ...each("RFC 9112 §5", refused(), {
      "no name": get(": 1"),
      "no name, as the first field": head("GET /x HTTP/1.1", ": 1", "Host: h"),
      "no name, no value": get(":"),
      "no colon": get("A"),
      "no colon but a space": get("A 1"),
      "a request line among the fields": get("GET /smuggled HTTP/1.1"),
    }),
    ...each("RFC 9112 §5.1", refused(), {
      "a space before the colon": get("A : 1"),
      "a tab before the colon": get("A\t: 1"),
      "a word before the colon": get("A x: 1"),
    }),
    ...each("RFC 9112 §5.2", refused(), {
      "a space before a name": get("A: 1", " B: 2"),
      "a tab before a name": get("A: 1", "\tB: 2"),
    }),
    ...many(
      "RFC 9110 §5.6.2",
      refused(),
      [
        ...codes(0x00, 0x20),
        0x7f,
        0x80,
        0xa0,
        0xb5,
        0xff,
        ...[...'"(),/;<=>?@[\\]{}'].map((m) => m.charCodeAt(0)),
      ],
      (code) => [`${hex(code)} in a name`, get(`A${char(code)}B: 1`)],
    ),
  ],
};

export const fieldValues: Table = {
  area: "field values (RFC 9110 §5.5, RFC 9112 §5)",
  cases: [
    ["RFC 9112 §5", "no space behind the colon", get("A:1"), has({ a: "1" })],
    ["RFC 9112 §5.1", "white space around", get("A: \t 1 2\t \t"), has({ a: "1 2" })],
    ...each("RFC 9110 §5.5", has({ a: "" }), {
      empty: get("A:"),
      "only white space": get("A: \t "),
    }),
    ...rows("RFC 9110 §5.5", {
      "a tab inside": [get("A: 1\t2"), has({ a: "1\t2" })],
      "obs-text": [get("A: \x80\xe9\xff"), has({ a: "\x80\xe9\xff" })],
      "0x85 and 0xa0 are no white space": [get("A: \x85\xa01\xa0\x85"), has({ a: "\x85\xa01\xa0\x85" })],
      "colons and commas": [get("A: :b: ,,c"), has({ a: ":b: ,,c" })],
    }),
    ...rows("RFC 9110 §5.3", {
      "lines of one name are joined in order": [get("A: 1", "B: x", "a: 2"), has({ a: "1, 2" })],
    }),
    ...rows("RFC 9110 §5.5", {
      "what looks like an escape stays": [
        get("A: %0d%0aB: \\r\\n"),
        has({ a: "%0d%0aB: \\r\\n", b: undefined }),
      ],
      "what looks like a request line stays": [
        get("A: GET /smuggled HTTP/1.1"),
        has({ a: "GET /smuggled HTTP/1.1" }),
      ],
    }),
    ...each("RFC 9112 §5.2", refused(), {
      "folded with a space": get("A: 1", " 2"),
      "folded with a tab": get("A: 1", "\t2"),
      "folded, nothing in the second line": get("A: 1", " "),
      "folded, nothing in the first line": get("A:", " 1"),
      "folded twice": get("A: 1", " 2", " 3"),
      "folded with a bare LF": get("A: 1\n 2"),
      "folded with a bare CR": get("A: 1\r 2"),
    }),
    ...each("RFC 9112 §2.2", refused(), {
      "a field behind a bare CR": get("A: 1\rB: 2"),
      "a field behind a bare LF": get("A: 1\nB: 2"),
      "a field behind LF CR": get("A: 1\n\rB: 2"),
      "a request behind LF LF": get("A: 1\n\nGET /smuggled HTTP/1.1", "Host: h"),
      "a request behind CR CR": get("A: 1\r\rGET /smuggled HTTP/1.1", "Host: h"),
      "a bare CR first": get("A:\r1"),
      "a bare CR last": get("A: 1\r"),
    }),
    ...[...codes(0x00, 0x08), 0x0b, 0x0c, ...codes(0x0e, 0x1f), 0x7f].map(
      (code): Case => ["RFC 9110 §5.5", `${hex(code)} in a value`, get(`A: 1${char(code)}2`), refused()],
    ),
    ...each("RFC 9110 §5.5", refused(), {
      "NUL at the begin of a value": get("A: \x001"),
      "NUL at the end of a value": get("A: 1\0"),
      "NUL before the CRLF of an empty value": get("A:\0"),
    }),
    ...rows("RFC 9110 §6.4", {
      "control characters in the content": [
        `${post("Content-Length: 5")}\0\r\n\x7f\xff`,
        accepted(posted("\0\r\n\x7f\xff")),
      ],
    }),
  ],
};

const hasLines = (...fields: [string, string][]) => accepted(read({ fields: [["Host", "h"], ...fields] }));

export const fieldLineNames: Table = {
  area: "field lines: names",
  cases: [
    ["RFC 9110 §5.1", "as sent, in order", get("b-B: 1", "A: 2"), hasLines(["b-B", "1"], ["A", "2"])],
    [
      "RFC 9110 §5.6.2",
      "every mark of a token",
      get("!#$%&'*+-.^_`|~: 1"),
      hasLines(["!#$%&'*+-.^_`|~", "1"]),
    ],
    ["RFC 9110 §5.6.2", "digits", get("0123456789: 1"), hasLines(["0123456789", "1"])],
    ["RFC 9110 §5.6.2", "one letter", get("x: 1"), hasLines(["x", "1"])],
    ...each("RFC 9112 §5.1", refused(), {
      "space before the colon": get("X : 1"),
      "tab before the colon": get("X\t: 1"),
      "space before the colon of Content-Length": get("Content-Length : 1"),
      "space before the colon of Host": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    }),
    ["RFC 9112 §5", "no colon, white space", get("X 1"), refused()],
    ...many(
      "RFC 9110 §5.6.2",
      refused(),
      [
        ...codes(0x00, 0x20),
        ...[...'"(),/;<=>?@[\\]{}'].map((mark) => mark.charCodeAt(0)),
        0x7f,
        0x80,
        0xb5,
        0xff,
      ],
      (code) => [`${hex(code)} in a name`, get(`X${String.fromCharCode(code)}Y: 1`)],
    ),
  ],
};

export const fieldLineValues: Table = {
  area: "field lines: values",
  cases: [
    ["RFC 9112 §5", "no white space needed", get("X:1"), hasLines(["X", "1"])],
    ["RFC 9112 §5", "white space around is trimmed", get("X: \t 1 2\t \t"), hasLines(["X", "1 2"])],
    ...each("RFC 9110 §5.5", hasLines(["X", ""]), {
      empty: get("X:"),
      "only white space": get("X: \t "),
    }),
    ...rows("RFC 9110 §5.5", {
      "one byte": [get("X: 1"), hasLines(["X", "1"])],
      "tab inside": [get("X: a\tb"), hasLines(["X", "a\tb"])],
      "colons and commas": [get("X: :a:b,, c"), hasLines(["X", ":a:b,, c"])],
      "obs-text as latin1": [get("X: \x80\xe9\xff"), hasLines(["X", "\x80\xe9\xff"])],
      "0xa0 is no white space to trim": [get("X: \xa0a\xa0"), hasLines(["X", "\xa0a\xa0"])],
      "0x85 is no line end": [get("X: a\x85b"), hasLines(["X", "a\x85b"])],
      "all of visible ASCII": [
        get(`X: ${String.fromCharCode(...codes(0x21, 0x7e))}`),
        hasLines(["X", String.fromCharCode(...codes(0x21, 0x7e))]),
      ],
    }),
    ["RFC 9110 §5.3", "repeated lines are kept apart", get("X: 1", "x: 2"), hasLines(["X", "1"], ["x", "2"])],
    ...each("RFC 9112 §2.2", refused(), {
      "bare CR": get("X: 1\r2"),
      "bare LF": get("X: 1\nY: 2"),
      "LF CR": get("X: 1\n\rY: 2"),
      "LF LF ends nothing": "GET / HTTP/1.1\r\nHost: a\n\n",
    }),
    ...many(
      "RFC 9110 §5.5",
      refused(),
      [...codes(0x00, 0x08), 0x0b, 0x0c, ...codes(0x0e, 0x1f), 0x7f],
      (code) => [`${hex(code)} in a value`, get(`X: a${String.fromCharCode(code)}b`)],
    ),
    ...each("RFC 9110 §5.5", refused(), {
      "control at the start of a value": get("X: \x01"),
      "control at the end of a value": get("X: a\x0b"),
    }),
  ],
};

const withHost = (...lines: string[]) => ["GET / HTTP/1.1", ...lines, "", ""].join("\r\n");
export const hostForms: Table = {
  area: "Host",
  cases: [
    ...each("RFC 9110 §7.2", accepted(read({ host: "b" })), {
      "any case of the name": withHost("hOST: b"),
      "white space around": withHost("Host:  \tb\t "),
    }),
    ["RFC 9110 §7.2", "port", withHost("Host: b:8080"), accepted(read({ host: "b:8080" }))],
    ["RFC 3986 §3.2.3", "empty port", withHost("Host: b:"), accepted(read({ host: "b:" }))],
    ...rows("RFC 3986 §3.2.2", {
      "IPv6 ending in IPv4": [
        withHost("Host: [::ffff:127.0.0.1]:1"),
        accepted(read({ host: "[::ffff:127.0.0.1]:1" })),
      ],
    }),
    ["RFC 9112 §3.2", "not the first field", withHost("X: 1", "Host: b"), accepted(read({ host: "b" }))],
    ...each("RFC 9112 §3.2", refused(), {
      "none on 1.1": withHost("X: 1"),
      twice: withHost("Host: b", "Host: c"),
      "twice the same": withHost("Host: b", "X: 1", "host: b"),
      "twice, one empty": withHost("Host:", "Host: b"),
      "twice on 1.0": "GET / HTTP/1.0\r\nHost: b\r\nHost: b\r\n\r\n",
      "invalid on 1.0": "GET / HTTP/1.0\r\nHost: b/c\r\n\r\n",
    }),
    ["RFC 9112 §3.2", "none on 1.0", "GET / HTTP/1.0\r\n\r\n", last(read({ host: undefined, fields: [] }))],
    ...many(
      "RFC 9112 §3.2",
      refused(),
      listOf('b c¦b/c¦u@b¦b?c¦b#c¦b:80x¦b:-1¦b:80:90¦<b>¦b"¦b\\c¦b\xe9¦http://b/¦b\tc¦b{¦b^c¦b%zz¦b%¦[::1]b'),
      (host) => [`invalid: ${JSON.stringify(host)}`, withHost(`Host: ${host}`)],
    ),
  ],
};
