import {
  accepted,
  type Case,
  char,
  codes,
  each,
  get,
  head,
  hex,
  many,
  refused,
  rows,
  saw,
  type Table,
} from "../support/http-case.ts";

/** The values of these fields. */
const has = (fields: Record<string, string | undefined>) => accepted(saw({ fields }));
/** All field lines as they were sent. */
const hasLines = (...fields: [string, string][]) =>
  accepted(saw({ head: { fields: [["Host", "h"], ...fields] } }));
const MARKS = "!#$%&'*+-.^_`|~";
const CONTROLS = char(...codes(0x00, 0x20));
const VISIBLE = char(...codes(0x21, 0x7e));

export const fieldNames: Table = {
  area: "field names (RFC 9110 §5.1, RFC 9112 §5)",
  cases: [
    ["RFC 9110 §5.6.2", "every mark that a token may have", get(`${MARKS}: 1`), hasLines([MARKS, "1"])],
    ["RFC 9110 §5.6.2", "digits", get("0123456789: 1"), hasLines(["0123456789", "1"])],
    ["RFC 9110 §5.6.2", "one letter", get("x: 1"), hasLines(["x", "1"])],
    ...rows("RFC 9110 §5.1", {
      "any case": [get("X-a: 1", "x-A: 2"), has({ "x-a": "1, 2", "X-A": "1, 2" })],
      "as sent, in order": [get("b-B: 1", "A: 2"), hasLines(["b-B", "1"], ["A", "2"])],
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
    ...many("RFC 9110 §5.6.2", refused(), [...`${CONTROLS}"(),/;<=>?@[\\]{}\x7f\x80\xa0\xb5\xff`], (mark) => [
      `${hex(mark.charCodeAt(0))} in a name`,
      get(`A${mark}B: 1`),
    ]),
  ],
};

export const fieldValues: Table = {
  area: "field values (RFC 9110 §5.5, RFC 9112 §5)",
  cases: [
    ["RFC 9112 §5", "no space behind the colon", get("A:1"), hasLines(["A", "1"])],
    ["RFC 9112 §5.1", "white space around", get("A: \t 1 2\t \t"), hasLines(["A", "1 2"])],
    ...each("RFC 9110 §5.5", hasLines(["A", ""]), {
      empty: get("A:"),
      "only white space": get("A: \t "),
    }),
    ...rows("RFC 9110 §5.5", {
      "all of visible ASCII": [get(`A: ${VISIBLE}`), hasLines(["A", VISIBLE])],
      "what looks like an escape stays": [
        get("A: %0d%0aB: \\r\\n"),
        has({ a: "%0d%0aB: \\r\\n", b: undefined }),
      ],
    }),
    ...Object.entries({
      "a tab inside": "1\t2",
      "obs-text": "\x80\xe9\xff",
      "0x85 and 0xa0 are no white space": "\x85\xa01\xa0\x85",
      "0x85 is no line end": "a\x85b",
      "colons and commas": ":b: ,,c",
      "what looks like a request line stays": "GET /smuggled HTTP/1.1",
    }).map(([name, value]): Case => ["RFC 9110 §5.5", name, get(`A: ${value}`), hasLines(["A", value])]),
    ["RFC 9110 §5.3", "of one name are joined in order", get("A: 1", "B: x", "a: 2"), has({ a: "1, 2" })],
    ["RFC 9110 §5.3", "repeated lines are kept apart", get("A: 1", "a: 2"), hasLines(["A", "1"], ["a", "2"])],
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
      "a control at the begin of a value": get("A: \x01"),
      "a control at the end of a value": get("A: a\x0b"),
    }),
  ],
};
