import {
  accepted,
  broken,
  type Case,
  chunked,
  each,
  get,
  hex,
  many,
  post,
  read,
  rows,
  type Table,
  unfinishedWith,
} from "../support/http-case.ts";

const START = { chunked: true, contentLength: -1 };
const hello = accepted(read(START, { body: "hello" }));
const codes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

export const chunkForms: Table = {
  area: "chunked: sizes and data",
  cases: [
    ...each("RFC 9112 §7.1", hello, {
      "several zeros": chunked("5\r\nhello\r\n000\r\n\r\n"),
      "16 digits": chunked("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"),
      "17 digits": chunked("00000000000000005\r\nhello\r\n0\r\n\r\n"),
      "17 zeros": chunked("5\r\nhello\r\n00000000000000000\r\n\r\n"),
      "as many zeros as an extension can be long": chunked(`${"0".repeat(4_111)}5\r\nhello\r\n0\r\n\r\n`),
    }),
    ...each("RFC 9112 §7.1", broken(), {
      "17 digits that begin with another than zero": chunked("10000000000000000\r\n"),
      "zeros and then 2^53": chunked(`${"0".repeat(20)}20000000000000\r\n`),
      "more zeros than an extension can be long": chunked(`${"0".repeat(4_112)}5\r\nhello\r\n0\r\n\r\n`),
    }),
    ...rows("RFC 9112 §7.1.1", {
      "zeros of several chunks, together with extensions": [
        chunked(`${"0".repeat(2_064)}5\r\nhello\r\n5;a=${"b".repeat(2_048)}\r\nhello\r\n0\r\n\r\n`),
        broken(400, read(START, { body: "hello" })),
      ],
    }),
    ...rows("RFC 9112 §7.1", {
      "capital letters": [
        chunked("A\r\n0123456789\r\n0\r\n\r\n"),
        accepted(read(START, { body: "0123456789" })),
      ],
      "two digits": [
        chunked(`1F\r\n${"x".repeat(31)}\r\n0\r\n\r\n`),
        accepted(read(START, { body: "x".repeat(31) })),
      ],
      "any bytes as data": [
        chunked("4\r\n\0\xff\r\x80\r\n0\r\n\r\n"),
        accepted(read(START, { body: "\0\xff\r\x80" })),
      ],
    }),
    ["RFC 9112 §8", "unfinished size", chunked("5"), unfinishedWith(read(START))],
    ["RFC 9112 §8", "unfinished data", chunked("5\r\nhel"), unfinishedWith(read(START, { body: "hel" }))],
    ...each("RFC 9112 §8", unfinishedWith(read(START, { body: "hello" })), {
      "data without its CRLF": chunked("5\r\nhello"),
      "data with half of its CRLF": chunked("5\r\nhello\r"),
      "no last chunk": chunked("5\r\nhello\r\n"),
      "last chunk without the empty line": chunked("5\r\nhello\r\n0\r\n"),
      "last chunk with half of the empty line": chunked("5\r\nhello\r\n0\r\n\r"),
    }),
    ...each("RFC 9112 §7.1", broken(), {
      "no size before an extension": chunked(";a=b\r\n\r\n"),
      "CR and a letter after the size": chunked("5\rXhello\r\n0\r\n\r\n"),
      "CR and a letter after an extension": chunked("5;a\rXhello\r\n0\r\n\r\n"),
      "only CR as the empty line": chunked("0\r\n\rGET"),
      "2^64 + 5 is not 5": chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
    }),
    ...each("RFC 9112 §7.1", broken(400, read(START, { body: "hello" })), {
      "more data than said": chunked("5\r\nhello!\r\n0\r\n\r\n"),
      "only LF after data": chunked("5\r\nhello\n0\r\n\r\n"),
      "only CR after data": chunked("5\r\nhello\r0\r\n\r\n"),
      "CR CR LF after data": chunked("5\r\nhello\r\r\n0\r\n\r\n"),
      "nothing after data": chunked("5\r\nhello0\r\n\r\n"),
      "CR and a letter after data": chunked("5\r\nhello\rX0\r\n\r\n"),
      "a letter and LF after data": chunked("5\r\nhelloX\n0\r\n\r\n"),
    }),
    ...rows("RFC 9112 §7.1", {
      "less data than said": [
        chunked("6\r\nhello\r\n0\r\n\r\n"),
        broken(400, read(START, { body: "hello\r" })),
      ],
    }),
    ...each(
      "RFC 9112 §7.1",
      broken(),
      {
        "2^53": chunked("20000000000000\r\n"),
        "2^64-1": chunked("FFFFFFFFFFFFFFFF\r\n"),
      },
      { maxBodyBytes: Number.MAX_SAFE_INTEGER },
    ),
    ...rows("RFC 9112 §7.1", {
      "2^32 + 5 is not 5": [
        chunked("100000005\r\nhello"),
        unfinishedWith(read(START, { body: "hello" })),
        { maxBodyBytes: 2 ** 40 },
      ],
      "2^53-1 is over the limit": [chunked("1fffffffffffff\r\n"), broken(413), { maxBodyBytes: 100 }],
    }),
  ],
};

export const chunkLimits: Table = {
  area: "chunked: limit of the body",
  cases: [
    ...rows("RFC 9110 §15.5.14", {
      "exactly the limit": [
        chunked("4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n"),
        accepted(read(START, { body: "abcdefghij" })),
        { maxBodyBytes: 10 },
      ],
      "one chunk too long": [chunked("B\r\nabcdefghijk\r\n0\r\n\r\n"), broken(413), { maxBodyBytes: 10 }],
      "sum too long": [
        chunked("6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n"),
        broken(413, read(START, { body: "abcdef" })),
        { maxBodyBytes: 10 },
      ],
      "the sum does not overflow": [
        chunked("1\r\na\r\n1fffffffffffff\r\n"),
        broken(413, read(START, { body: "a" })),
        { maxBodyBytes: Number.MAX_SAFE_INTEGER },
      ],
      "no body allowed, none sent": [chunked("0\r\n\r\n"), accepted(read(START)), { maxBodyBytes: 0 }],
      "no body allowed, one byte": [chunked("1\r\na\r\n0\r\n\r\n"), broken(413), { maxBodyBytes: 0 }],
      "counted for each message": [
        `${chunked("6\r\nabcdef\r\n0\r\n\r\n")}${chunked("6\r\nabcdef\r\n0\r\n\r\n")}`,
        accepted(read(START, { body: "abcdef" }), read(START, { body: "abcdef" })),
        { maxBodyBytes: 10 },
      ],
    }),
  ],
};

const extended = (extension: string) => chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`);
export const extensionForms: Table = {
  area: "chunked: extensions",
  cases: [
    ...each("RFC 9112 §7.1.1", hello, {
      "name and quoted string": extended(';a="b; c=d, \\" e"'),
      "obs-text in a quoted string": extended(';a="\x80\xff"'),
      "bad white space": extended(" ; a = b"),
      "bad white space with a tab": extended("\t;\ta"),
      "digits that are no size": extended(";ffff"),
    }),
    ["RFC 9112 §7.1.1", "ended with LF only", chunked("5;a\nhello\r\n0\r\n\r\n"), broken()],
    ...[";a "].map(
      (text): Case => ["RFC 9112 §7.1.1", `malformed: ${JSON.stringify(text)}`, extended(text), broken()],
    ),
    ...many("RFC 9112 §7.1.1", broken(), [...codes(0x00, 0x08), ...codes(0x0e, 0x1f)], (code) => [
      `${hex(code)} in it`,
      extended(`;a${String.fromCharCode(code)}`),
    ]),
    ...rows("RFC 9112 §7.1.1", {
      "within the limit": [extended(`;${"a".repeat(20)}`), hello, { maxChunkExtensionBytes: 40 }],
    }),
    ...each(
      "RFC 9112 §7.1.1",
      broken(),
      {
        "over the limit": extended(`;${"a".repeat(60)}`),
        "over the limit, without end": chunked(`5;${"a".repeat(60)}`),
        "over the limit with white space": extended(`${" ".repeat(60)};a`),
        "the last chunk's extension counts": chunked(`0;${"a".repeat(60)}\r\n\r\n`),
      },
      { maxChunkExtensionBytes: 40 },
    ),
    ...rows("RFC 9112 §7.1.1", {
      "the sum of a message over the limit": [
        chunked(`${`1;${"a".repeat(20)}\r\nx\r\n`.repeat(3)}0\r\n\r\n`),
        broken(400, read(START, { body: "xx" })),
        { maxChunkExtensionBytes: 50 },
      ],
      "counted for each message": [
        extended(`;${"a".repeat(30)}`).repeat(3),
        accepted(
          read(START, { body: "hello" }),
          read(START, { body: "hello" }),
          read(START, { body: "hello" }),
        ),
        { maxChunkExtensionBytes: 40 },
      ],
    }),
  ],
};

const trailed = (...lines: string[]) => chunked(["5\r\nhello\r\n0", ...lines, "", ""].join("\r\n"));
const trailedBy = (...trailerLines: [string, string][]) =>
  accepted(read(START, { body: "hello", trailerLines }));
const brokenTrailer = broken(400, read(START, { body: "hello" }));
export const trailerForms: Table = {
  area: "chunked: trailers",
  cases: [
    ...rows("RFC 9112 §7.1.2", {
      one: [trailed("X-Sum: 1"), trailedBy(["X-Sum", "1"])],
      "several, as sent": [trailed("b: 1", "A:2", "B: \t3 "), trailedBy(["b", "1"], ["A", "2"], ["B", "3"])],
      "empty value": [trailed("X:"), trailedBy(["X", ""])],
      "obs-text and tab": [trailed("X: \xe9\t\xff"), trailedBy(["X", "\xe9\t\xff"])],
      unfinished: [chunked("5\r\nhello\r\n0\r\nX: 1\r\n"), unfinishedWith(read(START, { body: "hello" }))],
      "not kept for the next message": [
        `${trailed("X: 1")}${chunked("0\r\n\r\n")}`,
        accepted(read(START, { body: "hello", trailerLines: [["X", "1"]] }), read(START)),
      ],
    }),
    ...rows("RFC 9110 §6.5.1", {
      "no header field": [
        `${trailed("X: 1")}${get()}`,
        accepted(
          read(
            {
              fields: [
                ["Host", "h"],
                ["Transfer-Encoding", "chunked"],
              ],
            },
            { body: "hello", trailerLines: [["X", "1"]] },
          ),
          read({ fields: [["Host", "h"]] }),
        ),
      ],
    }),
    ...each("RFC 9110 §6.5.1", brokenTrailer, {
      "Content-Length": trailed("Content-Length: 5"),
      "Transfer-Encoding": trailed("Transfer-Encoding: chunked"),
      Host: trailed("Host: a"),
      "hOST, not the first": trailed("X: 1", "hOST: a"),
      "content-LENGTH": trailed("content-LENGTH: 0"),
    }),
    ...each("RFC 9112 §5.1", brokenTrailer, {
      "space before the colon": trailed("X : 1"),
      "empty name": trailed(": 1"),
    }),
    ["RFC 9112 §5", "no colon", trailed("X"), brokenTrailer],
    ...each("RFC 9112 §5.2", brokenTrailer, {
      "obs-fold": trailed("X: 1", " 2"),
      "white space first": trailed(" X: 1"),
    }),
    ["RFC 9110 §5.6.2", "no token as the name", trailed("X(: 1"), brokenTrailer],
    ...each("RFC 9110 §5.5", brokenTrailer, {
      NUL: trailed("X: \0"),
      control: trailed("X: a\x1bb"),
      DEL: trailed("X: \x7f"),
    }),
    ...each("RFC 9112 §2.2", brokenTrailer, {
      "bare CR": trailed("X: a\rb"),
      "bare LF": trailed("X: a\nb: c"),
      "ended with LF only": chunked("5\r\nhello\r\n0\r\nX: 1\n\r\n"),
      "a request instead of the empty line": chunked(`5\r\nhello\r\n0\r\n${get()}`),
    }),
    ...rows("RFC 6585 §5", {
      "as many as allowed": [
        trailed("X: 1", "X: 2", "X: 3"),
        trailedBy(["X", "1"], ["X", "2"], ["X", "3"]),
        { maxFieldCount: 5 },
      ],
      "too many": [
        trailed(..."abcdef".split("").map((name) => `${name}: 1`)),
        broken(431, read(START, { body: "hello" })),
        { maxFieldCount: 5 },
      ],
      "within the limit": [
        trailed(`X: ${"a".repeat(20)}`),
        trailedBy(["X", "a".repeat(20)]),
        { maxTrailerBytes: 60 },
      ],
      "too long": [
        trailed(`X: ${"a".repeat(90)}`),
        broken(431, read(START, { body: "hello" })),
        { maxTrailerBytes: 60 },
      ],
    }),
    ...each(
      "RFC 6585 §5",
      broken(431),
      {
        "too long, without end": chunked(`0\r\nX: ${"a".repeat(90)}`),
        "too long, a name without end": chunked(`0\r\n${"a".repeat(90)}`),
        "several lines too long": chunked(`0\r\n${"abc: def\r\n".repeat(10)}\r\n`),
      },
      { maxTrailerBytes: 60 },
    ),
    ...rows("RFC 9110 §6.6.2", {
      "a Trailer field promises only": [
        `${post("Transfer-Encoding: chunked", "Trailer: X")}0\r\n\r\n`,
        accepted(read(START)),
      ],
    }),
  ],
};
