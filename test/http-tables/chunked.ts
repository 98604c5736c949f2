import { listOf } from "../support/bytes.ts";
import {
  accepted,
  broken,
  type Case,
  char,
  chunked,
  codes,
  each,
  get,
  HIDDEN,
  hex,
  late,
  many,
  post,
  posted,
  rows,
  STRICT,
  saw,
  type Table,
  unfinishedContent,
  unfinishedWith,
} from "../support/http-case.ts";

const LAST = "0\r\n\r\n";
const hello = accepted(posted("hello"));
/** Refused behind the data of one chunk, which the handler may have got. */
const brokenHello = broken(400, posted("hello"));
const sizedHello = (size: string) => chunked(`${size}\r\nhello\r\n${LAST}`);
const shortExtensions = { maxChunkExtensionBytes: 40 };
const shortTrailers = { maxTrailerBytes: 60 };
const huge = { maxBodyBytes: Number.MAX_SAFE_INTEGER };

export const chunks: Table = {
  area: "chunks (RFC 9112 §7.1)",
  cases: [
    ...each("RFC 9112 §7.1", hello, {
      one: sizedHello("5"),
      several: chunked(`1\r\nh\r\n3\r\nell\r\n1\r\no\r\n${LAST}`),
      "leading zeros": sizedHello("0005"),
      "many zeros end it": chunked("5\r\nhello\r\n00000\r\n\r\n"),
    }),
    ...rows("RFC 9112 §7.1", {
      none: [chunked(LAST), accepted(posted(""))],
      "a to f": [chunked(`a\r\n0123456789\r\n${LAST}`), accepted(posted("0123456789"))],
      "A to F": [chunked(`1A\r\n${"x".repeat(26)}\r\n${LAST}`), accepted(posted("x".repeat(26)))],
      "10 is sixteen": [chunked(`10\r\n${"x".repeat(16)}\r\n${LAST}`), accepted(posted("x".repeat(16)))],
      "data that looks like the end": [chunked(`5\r\n${LAST}\r\n${LAST}`), accepted(posted(LAST))],
      "data that is a request": [
        chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
        accepted(posted(HIDDEN)),
      ],
      "a request behind it": [`${chunked(LAST)}${get()}`, accepted(posted(""), saw())],
    }),
    ...each("RFC 9112 §7.1", broken(), {
      "no size": chunked(`\r\nhello\r\n${LAST}`),
      "only empty lines": chunked("\r\n\r\n"),
      "an empty line between chunks": chunked(`1\r\na\r\n\r\n1\r\nb\r\n${LAST}`),
      "more data than said, by one": sizedHello("4"),
      "less data than said, by two": sizedHello("7"),
      "LF behind the size": chunked(`5\nhello\r\n${LAST}`),
      "CR behind the size": chunked(`5\rhello\r\n${LAST}`),
      "CR CR LF behind the size": chunked(`5\r\r\nhello\r\n${LAST}`),
      "LF behind the last size": chunked("0\n\r\n"),
      "LF LF behind the last size": chunked("0\n\n"),
      "LF as the last line": chunked("0\r\n\n"),
      "everything with LF": chunked("5\nhello\n0\n\n"),
      "CR and a letter as the last line": chunked("0\r\n\rGET"),
      "a size without end": chunked("5".repeat(100)),
    }),
    ...each("RFC 9112 §7.1", brokenHello, {
      "more data than said": chunked(`5\r\nhello!\r\n${LAST}`),
      "no CRLF behind data": chunked(`5\r\nhello${LAST}`),
      "LF behind data": chunked(`5\r\nhello\n${LAST}`),
      "CR behind data": chunked(`5\r\nhello\r${LAST}`),
      "LF CR behind data": chunked(`5\r\nhello\n\r${LAST}`),
      "CR CR LF behind data": chunked(`5\r\nhello\r\r\n${LAST}`),
      "two letters behind data": chunked(`5\r\nhelloXX${LAST}`),
      "CR and a letter behind data": chunked(`5\r\nhello\rX${LAST}`),
      "a letter and LF behind data": chunked(`5\r\nhelloX\n${LAST}`),
    }),
    ["RFC 9112 §7.1", "less data than said", sizedHello("6"), broken(400, posted("hello\r"))],
    ...each("RFC 9112 §7.1", late(broken()), {
      "CR as the last line": chunked("0\r\n\r"),
      "a request at once behind the last size": chunked("0\r\n"),
    }),
    ...listOf(
      '-5¦+5¦-0¦+0¦0x5¦0X5¦x5¦5h¦5x¦g¦G¦ 5¦\t5¦  5¦5.¦5.0¦5,¦5, 5¦5 5¦0 5¦0_5¦5_¦"5"¦\xb2¦5\xa0¦\xa05',
      "5\0¦\x005¦5\x0b¦5\x0c¦5\x7f¦/¦:¦@¦`¦5:a¦5\\¦e+0¦Infinity",
    ).map((size): Case => ["RFC 9112 §7.1", `no size: ${JSON.stringify(size)}`, sizedHello(size), broken()]),
    ...each(STRICT, broken(), {
      "a space behind the size": sizedHello("5 "),
      "a tab behind the size": sizedHello("5\t"),
      "a space behind the last size": chunked("5\r\nhello\r\n0 \r\n\r\n"),
    }),
    ...each("RFC 9112 §7.1", broken(413), {
      "2^32 + 5 is not 5": sizedHello("100000005"),
      "2^31": chunked("80000000\r\n"),
    }),
    ["RFC 9112 §7.1", "2^53-1, within the limit", chunked("1fffffffffffff\r\nab"), unfinishedContent, huge],
    ...each(
      "RFC 9112 §7.1",
      broken(),
      {
        "2^53": chunked("20000000000000\r\nab"),
        "2^63": chunked("8000000000000000\r\nab"),
        "2^64-1, which may be read as -1": chunked("ffffffffffffffff\r\nab"),
        "2^64 + 5 is not 5": sizedHello("10000000000000005"),
        "2^64 is not the end": chunked("10000000000000000\r\n\r\n"),
      },
      huge,
    ),
  ],
};

const extended = (extension: string) => sizedHello(`5${extension}`);

export const chunkExtensions: Table = {
  area: "chunk extensions (RFC 9112 §7.1.1)",
  cases: [
    ...listOf(
      ';a¦;a=b¦;a="b c"¦;a="b; c=d, \\" e"¦;a="\x80\xff"¦;a=b;c;d=e¦;5¦;ffff=1¦;ffff¦ ;a¦\t;a¦; a¦\t;\ta',
      " ; a = b¦ ; a = b ¦;a ",
    ).map(
      (text): Case =>
        text.endsWith(" ")
          ? [STRICT, `white space at the end: ${JSON.stringify(text)}`, extended(text), broken()]
          : ["RFC 9112 §7.1.1", `ignored: ${JSON.stringify(text)}`, extended(text), hello],
    ),
    ...many(
      "RFC 9112 §7.1.1",
      broken(),
      listOf(';¦;;a¦;=b¦;a=¦;a b¦;a=b c¦;"a"¦;a="b¦;a="b"c¦;a=b=c¦;a\xff¦;a,b¦;a@'),
      (text) => [`not of its grammar: ${JSON.stringify(text)}`, extended(text)],
    ),
    ...each("RFC 9112 §7.1.1", hello, {
      "ignored on the last chunk": chunked("5\r\nhello\r\n0;a=b\r\n\r\n"),
      "as long as allowed": extended(`;${"a".repeat(4_000)}`),
    }),
    ...each("RFC 9112 §7.1.1", broken(), {
      "a bare LF": extended(";a\nb"),
      "a bare LF that could end the line": chunked(`2;\nab\r\n${LAST}`),
      "a bare CR": extended(";a\rb"),
      "CR CR LF": extended(";a\r"),
      "a bare CR before the semicolon": extended("\r;a"),
      "two bare CRs before the semicolon": extended("\r\r;a"),
      "a bare LF in a quoted string": extended(';a="\n"'),
      "CRLF in a quoted string ends the line": extended(';a="\r\n"'),
      "no semicolon": extended(" a"),
      "no semicolon but an equals sign": extended("=a"),
      "a size behind white space": extended(" 0"),
      "too long": extended(`;${"a".repeat(5_000)}`),
      "too long, without end": chunked(`5;${"a".repeat(5_000)}`),
      "too long together": chunked(`${`1;${"a".repeat(2_000)}\r\nx\r\n`.repeat(3)}${LAST}`),
    }),
    ...[...codes(0x00, 0x08), 0x0b, 0x0c, ...codes(0x0e, 0x1f), 0x7f].map(
      (code): Case => ["RFC 9112 §7.1.1", `${hex(code)} in it`, extended(`;a${char(code)}`), broken()],
    ),
  ],
};

const trailed = (...lines: string[]) => chunked(["5\r\nhello\r\n0", ...lines, "", ""].join("\r\n"));
const trailedBy = (...trailerLines: [string, string][]) => accepted(posted("hello", { trailerLines }));
const CHUNKED: [string, string][] = [
  ["Host", "h"],
  ["Transfer-Encoding", "chunked"],
];

export const trailers: Table = {
  area: "trailers (RFC 9110 §6.5, RFC 9112 §7.1.2)",
  cases: [
    ...rows("RFC 9112 §7.1.2", {
      one: [trailed("X-Sum: 1"), trailedBy(["X-Sum", "1"])],
      "several, as sent": [trailed("b: 1", "A:2", "B: \t3 "), trailedBy(["b", "1"], ["A", "2"], ["B", "3"])],
      "empty value": [trailed("X:"), trailedBy(["X", ""])],
      "obs-text and tab": [trailed("X: \xe9\t\xff"), trailedBy(["X", "\xe9\t\xff"])],
      unfinished: [chunked("5\r\nhello\r\n0\r\nX: 1\r\n"), unfinishedWith(posted("hello"))],
      "not kept for the next message": [
        `${trailed("X: 1")}${chunked(LAST)}`,
        accepted(posted("hello", { trailerLines: [["X", "1"]] }), posted("")),
      ],
    }),
    ...rows("RFC 9110 §6.5.1", {
      "they are no header fields": [
        trailed("X-User: admin", "Cookie: a", "Authorization: b"),
        accepted(
          posted("hello", {
            fields: { "x-user": undefined, cookie: undefined, authorization: undefined },
            trailers: { "x-user": "admin", cookie: "a", authorization: "b" },
          }),
        ),
      ],
      "they do not reach the next request": [
        trailed("X-Sum: 1") + get(),
        accepted(
          posted("hello", { trailerLines: [["X-Sum", "1"]], head: { fields: CHUNKED } }),
          saw({ fields: { "x-sum": undefined }, head: { fields: [["Host", "h"]] } }),
        ),
      ],
      "they do not close the connection": [trailed("Connection: close"), trailedBy(["Connection", "close"])],
    }),
    ...each(STRICT, brokenHello, {
      "Content-Length": trailed("Content-Length: 50"),
      "Transfer-Encoding": trailed("Transfer-Encoding: chunked"),
      Host: trailed("Host: evil"),
      "hOST behind another": trailed("A: 1", "hOST: evil"),
      "cONTENT-lENGTH behind another": trailed("A: 1", "cONTENT-lENGTH: 0"),
    }),
    ...each("RFC 9112 §5", brokenHello, {
      "a request line": trailed("GET /smuggled HTTP/1.1", "Host: h"),
      "no name": trailed(": 1"),
      "no colon": trailed("A"),
    }),
    ["RFC 9112 §5.1", "a space before the colon", trailed("A : 1"), brokenHello],
    ...each("RFC 9112 §5.2", brokenHello, {
      folded: trailed("A: 1", " 2"),
      "white space first": trailed(" A: 1"),
    }),
    ["RFC 9110 §5.6.2", "a mark in the name", trailed("A(: 1"), brokenHello],
    ...each("RFC 9110 §5.5", brokenHello, {
      "NUL in the value": trailed("A: \0"),
      "a control in the value": trailed("A: a\x1bb"),
      "DEL in the value": trailed("A: \x7f"),
    }),
    ...each("RFC 9112 §2.2", brokenHello, {
      "a bare CR": trailed("A: 1\rB: 2"),
      "a bare LF": trailed("A: 1\nB: 2"),
      "a request behind LF LF": trailed("A: 1\n\nGET /smuggled HTTP/1.1", "Host: h"),
      "a line ended with LF": chunked("5\r\nhello\r\n0\r\nA: 1\n\r\n"),
    }),
    ...each("RFC 6585 §5", broken(431, posted("hello")), {
      "too many": trailed(...new Array<string>(101).fill("A: 1")),
      "too long": trailed(`A: ${"a".repeat(9_000)}`),
    }),
    ["RFC 6585 §5", "too long, without end", chunked(`0\r\nA: ${"a".repeat(9_000)}`), broken(431)],
    ...rows("RFC 6585 §5", {
      "as many as allowed": [
        trailed("X: 1", "X: 2", "X: 3"),
        trailedBy(["X", "1"], ["X", "2"], ["X", "3"]),
        { maxFieldCount: 5 },
      ],
      "one more than allowed": [
        trailed(..."abcdef".split("").map((name) => `${name}: 1`)),
        broken(431, posted("hello")),
        { maxFieldCount: 5 },
      ],
      "within the limit": [trailed(`X: ${"a".repeat(20)}`), trailedBy(["X", "a".repeat(20)]), shortTrailers],
      "over the limit": [trailed(`X: ${"a".repeat(90)}`), broken(431, posted("hello")), shortTrailers],
    }),
    ...each(
      "RFC 6585 §5",
      broken(431),
      {
        "over the limit, without end": chunked(`0\r\nX: ${"a".repeat(90)}`),
        "over the limit, a name without end": chunked(`0\r\n${"a".repeat(90)}`),
        "over the limit, several lines": chunked(`0\r\n${"abc: def\r\n".repeat(10)}\r\n`),
      },
      shortTrailers,
    ),
    ...rows("RFC 9110 §6.6.2", {
      "a Trailer field promises only": [
        `${post("Transfer-Encoding: chunked", "Trailer: X")}${LAST}`,
        accepted(posted("")),
      ],
    }),
  ],
};

const tenBytes = { maxBodyBytes: 10 };

export const chunkForms: Table = {
  area: "chunked: digits, what is unfinished, limits",
  cases: [
    ...each("RFC 9112 §7.1", hello, {
      "16 digits": chunked(`0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n`),
      "17 digits": sizedHello("00000000000000005"),
      "17 zeros": chunked("5\r\nhello\r\n00000000000000000\r\n\r\n"),
      "as many zeros as an extension can be long": sizedHello(`${"0".repeat(4_111)}5`),
    }),
    ...each("RFC 9112 §7.1", broken(), {
      "17 digits that begin with another than zero": chunked("10000000000000000\r\n"),
      "zeros and then 2^53": chunked(`${"0".repeat(20)}20000000000000\r\n`),
      "more zeros than an extension can be long": sizedHello(`${"0".repeat(4_112)}5`),
    }),
    ...rows("RFC 9112 §7.1.1", {
      "zeros of several chunks, together with extensions": [
        chunked(`${"0".repeat(2_064)}5\r\nhello\r\n5;a=${"b".repeat(2_048)}\r\nhello\r\n${LAST}`),
        brokenHello,
      ],
    }),
    ...rows("RFC 9112 §7.1", {
      "any bytes as data": [chunked(`4\r\n\0\xff\r\x80\r\n${LAST}`), accepted(posted("\0\xff\r\x80"))],
      "2^32 + 5 is waited for within the limit": [
        chunked("100000005\r\nhello"),
        unfinishedWith(posted("hello")),
        { maxBodyBytes: 2 ** 40 },
      ],
      "2^53-1 is over the limit": [chunked("1fffffffffffff\r\n"), broken(413), { maxBodyBytes: 100 }],
    }),
    ["RFC 9112 §8", "unfinished size", chunked("5"), unfinishedWith(posted(""))],
    ["RFC 9112 §8", "unfinished data", chunked("5\r\nhel"), unfinishedWith(posted("hel"))],
    ...each("RFC 9112 §8", unfinishedWith(posted("hello")), {
      "data without its CRLF": chunked("5\r\nhello"),
      "data with half of its CRLF": chunked("5\r\nhello\r"),
      "no last chunk": chunked("5\r\nhello\r\n"),
      "last chunk without the empty line": chunked("5\r\nhello\r\n0\r\n"),
      "last chunk with half of the empty line": chunked("5\r\nhello\r\n0\r\n\r"),
    }),
    ...rows("RFC 9110 §15.5.14", {
      "exactly the limit": [
        chunked(`4\r\nabcd\r\n6\r\nefghij\r\n${LAST}`),
        accepted(posted("abcdefghij")),
        tenBytes,
      ],
      "one chunk too long": [chunked(`B\r\nabcdefghijk\r\n${LAST}`), broken(413), tenBytes],
      "a request in a chunk that is too large": [
        chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
        broken(413),
        tenBytes,
      ],
      "sum too long": [
        chunked(`6\r\nabcdef\r\n5\r\nghijk\r\n${LAST}`),
        broken(413, posted("abcdef")),
        tenBytes,
      ],
      "the sum does not overflow": [chunked("1\r\na\r\n1fffffffffffff\r\n"), broken(413, posted("a")), huge],
      "no body allowed, none sent": [chunked(LAST), accepted(posted("")), { maxBodyBytes: 0 }],
      "no body allowed, one byte": [chunked(`1\r\na\r\n${LAST}`), broken(413), { maxBodyBytes: 0 }],
      "counted for each message": [
        chunked(`6\r\nabcdef\r\n${LAST}`).repeat(2),
        accepted(posted("abcdef"), posted("abcdef")),
        tenBytes,
      ],
    }),
    ...rows("RFC 9112 §7.1.1", {
      "an extension within the limit": [extended(`;${"a".repeat(20)}`), hello, shortExtensions],
      "extensions whose sum is over the limit": [
        chunked(`${`1;${"a".repeat(20)}\r\nx\r\n`.repeat(3)}${LAST}`),
        broken(400, posted("xx")),
        { maxChunkExtensionBytes: 50 },
      ],
      "extensions are counted for each message": [
        extended(`;${"a".repeat(30)}`).repeat(3),
        accepted(posted("hello"), posted("hello"), posted("hello")),
        shortExtensions,
      ],
    }),
    ...each(
      "RFC 9112 §7.1.1",
      broken(),
      {
        "an extension over the limit": extended(`;${"a".repeat(60)}`),
        "an extension over the limit, without end": chunked(`5;${"a".repeat(60)}`),
        "an extension over the limit with white space": extended(`${" ".repeat(60)};a`),
        "the last chunk's extension counts": chunked(`0;${"a".repeat(60)}\r\n\r\n`),
      },
      shortExtensions,
    ),
  ],
};
