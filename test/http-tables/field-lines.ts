import { listOf } from "../support/bytes.ts";
import {
  accepted,
  each,
  get,
  hex,
  last,
  many,
  read,
  refused,
  rows,
  type Table,
} from "../support/http-case.ts";

const has = (...fields: [string, string][]) => accepted(read({ fields: [["Host", "h"], ...fields] }));
const codes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

export const fieldLineNames: Table = {
  area: "field lines: names",
  cases: [
    ["RFC 9110 §5.1", "as sent, in order", get("b-B: 1", "A: 2"), has(["b-B", "1"], ["A", "2"])],
    ["RFC 9110 §5.6.2", "every mark of a token", get("!#$%&'*+-.^_`|~: 1"), has(["!#$%&'*+-.^_`|~", "1"])],
    ["RFC 9110 §5.6.2", "digits", get("0123456789: 1"), has(["0123456789", "1"])],
    ["RFC 9110 §5.6.2", "one letter", get("x: 1"), has(["x", "1"])],
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
    ["RFC 9112 §5", "no white space needed", get("X:1"), has(["X", "1"])],
    ["RFC 9112 §5", "white space around is trimmed", get("X: \t 1 2\t \t"), has(["X", "1 2"])],
    ...each("RFC 9110 §5.5", has(["X", ""]), {
      empty: get("X:"),
      "only white space": get("X: \t "),
    }),
    ...rows("RFC 9110 §5.5", {
      "one byte": [get("X: 1"), has(["X", "1"])],
      "tab inside": [get("X: a\tb"), has(["X", "a\tb"])],
      "colons and commas": [get("X: :a:b,, c"), has(["X", ":a:b,, c"])],
      "obs-text as latin1": [get("X: \x80\xe9\xff"), has(["X", "\x80\xe9\xff"])],
      "0xa0 is no white space to trim": [get("X: \xa0a\xa0"), has(["X", "\xa0a\xa0"])],
      "0x85 is no line end": [get("X: a\x85b"), has(["X", "a\x85b"])],
      "all of visible ASCII": [
        get(`X: ${String.fromCharCode(...codes(0x21, 0x7e))}`),
        has(["X", String.fromCharCode(...codes(0x21, 0x7e))]),
      ],
    }),
    ["RFC 9110 §5.3", "repeated lines are kept apart", get("X: 1", "x: 2"), has(["X", "1"], ["x", "2"])],
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
