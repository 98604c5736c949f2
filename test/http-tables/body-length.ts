import { listOf } from "../support/bytes.ts";
import {
  accepted,
  type Case,
  each,
  get,
  HIDDEN,
  head,
  many,
  post,
  posted,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  unfinishedContent,
  unfinishedWith,
} from "../support/http-case.ts";

const sized = (length: string) => post(`Content-Length: ${length}`);
const huge = { maxBodyBytes: Number.MAX_SAFE_INTEGER };

export const contentLength: Table = {
  area: "Content-Length (RFC 9110 §8.6, RFC 9112 §6.2, §6.3)",
  cases: [
    ...each("RFC 9112 §6.3", accepted(posted("")), {
      "neither length nor coding: no content": post(),
      "0": sized("0"),
    }),
    ["RFC 9112 §6.3", "5", `${sized("5")}hello`, accepted(posted("hello"))],
    ["RFC 9110 §8.6", "zeros are decimal", `${sized("0010")}0123456789`, accepted(posted("0123456789"))],
    ["RFC 9110 §8.6", "many leading zeros", `${sized("00000000000000000000002")}ab`, accepted(posted("ab"))],
    ["RFC 9110 §8.6", "08 is no broken octal", `${sized("08")}01234567`, accepted(posted("01234567"))],
    ["RFC 9110 §8.6", "00", sized("00"), accepted(posted(""))],
    ["RFC 9110 §5.1", "name in any case", `${post("cOnTeNt-LeNgTh: 2")}ab`, accepted(posted("ab"))],
    ...each("RFC 9112 §5.1", accepted(posted("ab")), {
      "white space around": `${post("Content-Length:\t 2 \t")}ab`,
      "no white space": `${post("Content-Length:2")}ab`,
    }),
    ...rows("RFC 9112 §6", {
      "content that is a request": [sized(`${HIDDEN.length}`) + HIDDEN, accepted(posted(HIDDEN))],
      "content that looks chunked": [`${sized("5")}0\r\n\r\n`, accepted(posted("0\r\n\r\n"))],
      "content of any bytes": [`${sized("7")}\0\r\n\n\x7f\xff\x80`, accepted(posted("\0\r\n\n\x7f\xff\x80"))],
    }),
    ...["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "get"].map(
      (method): Case => [
        "RFC 9112 §6",
        `framing does not depend on the method: ${method}`,
        head(`${method} /x HTTP/1.1`, "Host: h", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        accepted(saw({ method, body: HIDDEN })),
      ],
    ),
    ...many(
      "RFC 9112 §6.3",
      refused(),
      listOf(
        "¦ ¦+5¦-5¦-0¦+0¦--5¦5.0¦.5¦5e0¦0x5¦0X5¦0b1¦0o5¦5 5¦5 0¦5\t5¦5_0¦1_000¦5;¦5;q=1¦5a¦5L¦a5¦a¦5,¦,5",
        "5,,5¦5,5¦5, 6¦6, 5¦1_0¦\"5\"¦'5'¦(5)¦5%¦%35¦\xb2¦\xa05¦5\xa0¦Infinity¦NaN¦null¦chunked",
      ),
      (value) => [`invalid: ${JSON.stringify(value)}`, `${sized(value)}hello`],
    ),
    ...["\0", "\x0b", "\x0c", "\x01", "\x7f", "\r"].flatMap((mark): Case[] => [
      ["RFC 9110 §5.5", `${JSON.stringify(mark)} before the number`, `${sized(`${mark}5`)}hello`, refused()],
      ["RFC 9110 §5.5", `${JSON.stringify(mark)} behind the number`, `${sized(`5${mark}`)}hello`, refused()],
    ]),
    ...each(STRICT, refused(), {
      "a list of one number, twice": `${sized("5, 5")}hello`,
      "twice the same": `${post("Content-Length: 5", "Content-Length: 5")}hello`,
    }),
    ...each("RFC 9112 §6.3", refused(), {
      "twice, not the same": `${post("Content-Length: 5", "Content-Length: 6")}hello!`,
      "twice, first 0": `${post("Content-Length: 0", "Content-Length: 5")}hello`,
      "twice, second empty": `${post("Content-Length: 5", "Content-Length:")}hello`,
      "twice, in two spellings": `${post("Content-Length: 5", "content-length: 05")}hello`,
      "three times": `${post("Content-Length: 5", "Content-Length: 5", "Content-Length: 5")}hello`,
    }),
    ...each("RFC 9112 §5.1", refused(), {
      "a space before the colon": `${post("Content-Length : 5")}hello`,
      "a tab before the colon": `${post("Content-Length\t: 5")}hello`,
    }),
    ...each("RFC 9112 §5.2", refused(), {
      folded: `${post("Content-Length:", " 5")}hello`,
      "folded in the number": `${post("Content-Length: 1", " 0")}0123456789`,
    }),
    ...each("RFC 9110 §5.1", accepted(posted("")), {
      "Content_Length is another field": post("Content_Length: 5"),
      "X-Content-Length is another field": post("X-Content-Length: 5"),
    }),
    ["RFC 9110 §8.6", "2^53-1", sized("9007199254740991"), unfinishedContent, huge],
    ...each(
      "RFC 9110 §8.6",
      refused(),
      {
        "2^53": sized("9007199254740992"),
        "2^63": sized("9223372036854775808"),
        "2^64": sized("18446744073709551616"),
        "2^64 + 5 is not 5": `${sized("18446744073709551621")}hello`,
        "a hundred nines": sized("9".repeat(100)),
      },
      huge,
    ),
    ...each("RFC 9110 §8.6", refused(413), {
      "2^32 + 5 is not 5": `${sized("4294967301")}hello`,
      "2^31": sized("2147483648"),
    }),
  ],
};

const coded = (...values: string[]) => post(...values.map((value) => `Transfer-Encoding: ${value}`));
const LAST = "0\r\n\r\n";

export const transferEncoding: Table = {
  area: "Transfer-Encoding (RFC 9112 §6.1, §6.3, §7)",
  cases: [
    ["RFC 9112 §6.3", "chunked", `${coded("chunked")}5\r\nhello\r\n${LAST}`, accepted(posted("hello"))],
    ...each("RFC 9112 §7", accepted(posted("")), {
      CHUNKED: `${coded("CHUNKED")}${LAST}`,
      cHuNkEd: `${post("tRANSFER-eNCODING: cHuNkEd")}${LAST}`,
    }),
    ...each("RFC 9112 §5.1", accepted(posted("")), {
      "white space around": `${coded(" \tchunked\t ")}${LAST}`,
      "a tab behind the colon": `${post("Transfer-Encoding:\tchunked")}${LAST}`,
      "nothing behind the colon": `${post("Transfer-Encoding:chunked")}${LAST}`,
    }),
    ...["GET", "HEAD", "DELETE", "OPTIONS"].map(
      (method): Case => [
        "RFC 9112 §6",
        `framing does not depend on the method: ${method}`,
        `${head(`${method} /x HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked")}2\r\nab\r\n${LAST}`,
        accepted(saw({ method, body: "ab" })),
      ],
    ),
    ...each("RFC 9112 §6.1", refused(501), {
      "gzip, chunked is not implemented": `${coded("gzip, chunked")}${LAST}`,
      "gzip and chunked on two lines": `${coded("gzip", "chunked")}${LAST}`,
      "identity, chunked: identity is no coding any more": `${coded("identity, chunked")}${LAST}`,
      "cow, chunked": `${coded("cow, chunked")}${LAST}`,
      "cow and chunked on two lines": `${coded("cow", "chunked")}${LAST}`,
    }),
    ...many(
      "RFC 9112 §6.3",
      refused(),
      listOf(
        "gzip¦identity¦chunked, gzip¦chunked, identity¦chunked, cow¦identity, chunked, identity¦xchunked",
        "x chunked¦chunkedx¦chunked1¦chunke¦chunk¦chunked-x¦x-chunked¦chunked x¦chunked;q=1¦chunked;",
        "chunked; a=b¦\"chunked\"¦'chunked'¦chun ked¦chunked.¦chunked/1.1¦chunked=chunked¦cow chunked bar",
        "cHUN\xeaED¦none¦true¦5¦\\chunked¦%63hunked¦ch\xfcnked¦\xffchunked¦chunked\xa0¦\xa0chunked¦chunked\x85¦\u00e7hunked",
      ),
      (value) => [`chunked is not the last: ${JSON.stringify(value)}`, `${coded(value)}${LAST}`],
    ),
    ...each("RFC 9112 §6.1", refused(), {
      "chunked, chunked": `${coded("chunked, chunked")}${LAST}`,
      "chunked on two lines": `${coded("chunked", "chunked")}${LAST}`,
      "chunked twice, in two cases": `${coded("chunked,CHUNKED")}${LAST}`,
      "chunked, gzip, chunked": `${coded("chunked, gzip, chunked")}${LAST}`,
      "chunked on 1.0": `${head("POST /x HTTP/1.0", "Transfer-Encoding: chunked")}${LAST}`,
      "chunked on 1.0 that keeps alive": `${head("POST /x HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked")}${LAST}`,
      "identity on 1.0": head("POST /x HTTP/1.0", "Transfer-Encoding: identity"),
      "gzip on 1.0": head("POST /x HTTP/1.0", "Transfer-Encoding: gzip"),
    }),
    ...each("RFC 9112 §6.3", refused(), {
      "chunked, then identity on another line": `${coded("chunked", "identity")}${LAST}`,
      "chunked, then gzip on another line": `${coded("chunked", "gzip")}${LAST}`,
      "chunked, then an unknown one on another line": `${coded("chunked", "x")}${LAST}`,
      empty: `${coded("")}${LAST}`,
      "only white space": `${coded(" \t")}${LAST}`,
      "only a comma": `${coded(",")}${LAST}`,
    }),
    ...each(STRICT, refused(501), {
      "an empty element before": `${coded(",chunked")}${LAST}`,
      "an empty line before": `${coded("", "chunked")}${LAST}`,
    }),
    ...each(STRICT, refused(), {
      "an empty element behind": `${coded("chunked,")}${LAST}`,
      "an empty line behind": `${coded("chunked", "")}${LAST}`,
    }),
    ...["\0", "\x01", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\x7f", "\r", "\n"].flatMap((mark): Case[] => [
      ...each("RFC 9110 §5.5", refused(), {
        [`${JSON.stringify(mark)} before chunked`]: `${coded(`${mark}chunked`)}${LAST}`,
        [`${JSON.stringify(mark)} behind chunked`]: `${coded(`chunked${mark}`)}${LAST}`,
        [`${JSON.stringify(mark)} in chunked`]: `${coded(`chun${mark}ked`)}${LAST}`,
      }),
      ...each("RFC 9110 §5.6.2", refused(), {
        [`${JSON.stringify(mark)} behind the name`]: `${post(`Transfer-Encoding${mark}: chunked`)}${LAST}`,
        [`${JSON.stringify(mark)} before the name`]: `${post(`${mark}Transfer-Encoding: chunked`)}${LAST}`,
      }),
    ]),
    ["RFC 9110 §10.1.4", "TE frames nothing", get("TE: chunked", "Connection: TE"), accepted(saw())],
    ...rows("RFC 9110 §8.4", {
      "Content-Encoding frames nothing": [post("Content-Encoding: chunked"), accepted(posted(""))],
    }),
    ...each("RFC 9110 §5.1", accepted(posted("")), {
      "Transfer_Encoding is another field": post("Transfer_Encoding: chunked"),
      "Transfer-%45ncoding is another field": post("Transfer-%45ncoding: chunked"),
      "X-Transfer-Encoding is another field": post("X-Transfer-Encoding: chunked"),
    }),
  ],
};

/** Lengths and codings on which more than their framing depends. */
export const lengthForms: Table = {
  area: "Content-Length and Transfer-Encoding: unfinished content and limits",
  cases: [
    ...rows("RFC 9112 §8", {
      "unfinished body: no end": [`${sized("5")}hell`, unfinishedWith(posted("hell"))],
      "no byte of the body yet": [sized("5"), unfinishedWith(posted(""))],
    }),
    ...rows("RFC 9110 §8.6", {
      "2^32 + 2 is not 2": [`${sized("4294967298")}ab`, unfinishedWith(posted("ab")), huge],
      "more than the limit": [sized("11"), refused(413), { maxBodyBytes: 10 }],
    }),
    ...rows("RFC 9110 §15.5.14", {
      "no body allowed, none sent": [sized("0"), accepted(posted("")), { maxBodyBytes: 0 }],
      "no body allowed, one byte": [`${sized("1")}a`, refused(413), { maxBodyBytes: 0 }],
    }),
    ...rows("RFC 9110 §15.5.12", {
      "a length where one is required": [
        `${sized("1")}a`,
        accepted(posted("a")),
        { requireContentLength: true },
      ],
    }),
  ],
};
