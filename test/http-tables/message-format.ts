import { listOf } from "../support/bytes.ts";
import {
  accepted,
  answered,
  type Case,
  char,
  each,
  get,
  HIDDEN,
  head,
  hex,
  late,
  many,
  post,
  posted,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  unfinished,
  unfinishedContent,
} from "../support/http-case.ts";

/** Line ends, and what is no request at all. */
export const messageFormat: Table = {
  area: "message format (RFC 9112 §2)",
  cases: [
    ["RFC 9112 §2.1", "line, fields, empty line", get("A: b"), accepted(saw({ fields: { a: "b" } }))],
    ...rows("RFC 9112 §2.2", {
      "one empty line before the request line": [`\r\n${get()}`, accepted(saw())],
      "one empty line behind the content": [
        `${post("Content-Length: 2")}ab\r\n${get()}`,
        accepted(posted("ab"), saw()),
      ],
      "one empty line between requests": [`${get()}\r\n${get()}`, accepted(saw(), saw())],
      "two empty lines before the request line": [`\r\n\r\n${get()}`, accepted(saw())],
      "eight empty lines before each request": [
        `${"\r\n".repeat(8)}${get()}`.repeat(2),
        accepted(saw(), saw()),
      ],
    }),
    ...each(STRICT, refused(), {
      "nine empty lines before the request line": `${"\r\n".repeat(9)}${get()}`,
      "a bare LF before the request line": `\n${get()}`,
      "every line ended with LF": "GET /x HTTP/1.1\nHost: h\n\n",
      "the request line ended with LF": "GET /x HTTP/1.1\nHost: h\r\n\r\n",
      "a field line ended with LF": "GET /x HTTP/1.1\r\nHost: h\nA: b\r\n\r\n",
      "the head ended with LF LF": "GET /x HTTP/1.1\r\nHost: h\n\n",
      "the head ended with CRLF LF": "GET /x HTTP/1.1\r\nHost: h\r\n\n",
      "the head ended with LF CRLF": "GET /x HTTP/1.1\r\nHost: h\n\r\n",
    }),
    ...each("RFC 9112 §2.2", refused(), {
      "a bare CR before the request line": `\r${get()}`,
      "CR CR LF before the request line": `\r\r\n${get()}`,
      "two empty lines and a bare LF before the request line": `\r\n\r\n\n${get()}`,
      "an empty line and a space before the request line": `\r\n ${get()}`,
      "every line ended with CR": "GET /x HTTP/1.1\rHost: h\r\r",
      "the request line ended with CR": "GET /x HTTP/1.1\rHost: h\r\n\r\n",
      "a field line ended with CR": "GET /x HTTP/1.1\r\nHost: h\rA: b\r\n\r\n",
      "the request line ended with a letter and LF": "GET /x HTTP/1.1X\nHost: h\r\n\r\n",
      "the request line ended with CR CR LF": "GET /x HTTP/1.1\r\r\nHost: h\r\n\r\n",
      "a field line ended with CR CR LF": "GET /x HTTP/1.1\r\nHost: h\r\r\n\r\n",
      "lines ended with LF CR": "GET /x HTTP/1.1\n\rHost: h\n\r\n\r",
      "a space before the first field": "GET /x HTTP/1.1\r\n Host: h\r\n\r\n",
      "a tab before the first field": "GET /x HTTP/1.1\r\n\tHost: h\r\n\r\n",
      "a line of white space before the first field": "GET /x HTTP/1.1\r\n \r\nHost: h\r\n\r\n",
      "a field hidden behind white space before the first":
        "GET /x HTTP/1.1\r\n Content-Length: 50\r\nHost: h\r\n\r\n",
      "a TLS hello": "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
      "random bytes": "\x8e\xd3\0\x17\xffq\r\n\r\n",
      "a UTF-8 mark before the method": `\xef\xbb\xbf${get()}`,
      "UTF-16": [...get()].map((mark) => `${mark}\0`).join(""),
      JSON: '{"GET": "/x"}\r\n\r\n',
      "a lone colon": ":\r\n\r\n",
    }),
    ["RFC 9112 §2.2", "the head ended with CRLF CR", "GET /x HTTP/1.1\r\nHost: h\r\n\r", late(refused())],
    ["RFC 9112 §2.1", "a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", refused()],
    ["RFC 9113 §3.4", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", refused(505)],
    ...each("RFC 9112 §2.3", refused(), {
      "a simple request of HTTP/0.9": "GET /x\r\n",
      "a simple request of HTTP/0.9, and an empty line": "GET /x\r\n\r\n",
    }),
    ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x1f, 0x20, 0x09, 0x7f, 0x80, 0xa0, 0xff].map(
      (code): Case => ["RFC 9112 §2.2", `${hex(code)} before the method`, `${char(code)}${get()}`, refused()],
    ),
    ...each("RFC 9112 §8", unfinished, {
      nothing: "",
      "an empty line": "\r\n",
      "a part of the request line": "GET /x HT",
      "a request line": "GET /x HTTP/1.1\r\n",
      "a part of a field line": "GET /x HTTP/1.1\r\nHost: h\r\nA",
      "a head without its empty line": "GET /x HTTP/1.1\r\nHost: h\r\n",
      "a head without its last LF": "GET /x HTTP/1.1\r\nHost: h\r\n\r",
    }),
    ["RFC 9112 §8", "chunked without a chunk", post("Transfer-Encoding: chunked"), unfinishedContent],
  ],
};

const version = (text: string) => head(`GET /x ${text}`, "Host: h");

export const versions: Table = {
  area: "versions (RFC 9112 §2.3, RFC 9110 §2.5)",
  cases: [
    ["RFC 9112 §2.3", "HTTP/1.1", version("HTTP/1.1"), accepted(saw({ version: "1.1" }))],
    ...each("RFC 9110 §2.5", accepted(saw({ version: "1.1" })), {
      "HTTP/1.2 is read as 1.1": version("HTTP/1.2"),
      "HTTP/1.9 is read as 1.1": version("HTTP/1.9"),
    }),
    ["RFC 9110 §2.5", "HTTP/1.2 without a Host, like 1.1", head("GET /x HTTP/1.2"), refused()],
    ...["HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/3.7", "HTTP/9.9"].map(
      (text): Case => ["RFC 9110 §15.6.6", text, version(text), refused(505)],
    ),
    ["RFC 9110 §15.6.6", "HTTP/2.0 without a Host", head("GET /x HTTP/2.0"), refused(505)],
    ...many(
      "RFC 9112 §2.3",
      refused(),
      listOf(
        "http/1.1¦Http/1.1¦HTTp/1.1¦HTTP/1¦HTTP/2¦HTTP/1.¦HTTP/.1¦HTTP/1.10¦HTTP/1.1.1¦HTTP/1.32¦HTTP/01.1",
        "HTTP/1.01¦HTTP/11.1¦HTTP/1,1¦HTTP/1-1¦HTTP\\1.1¦HTTP/1.x¦HTTP/x.1¦HTTP/1 .1¦HTTP/ 1.1¦HTTP /1.1",
        "HTTP/+1.1¦HTTP/-1.1¦HTTP/1.-1¦HTTP/1.1 ¦HTTP/1.1\t¦HTTP/1.1\0¦HTTP/1.1\x0b¦HTTP/1.1 HTTP/1.1",
        "HTTP/1.1 x¦HTTP/1.1x¦xHTTP/1.1¦HTTPS/1.1¦HTTP/\r\r1.1¦SHTTP/1.3¦ICAP/1.0¦RTSP/1.0¦HTTP/1.\xb1",
        "HTTP/\xb9.1¦HTTP 1.1¦HTP/1.1¦XTTP/1.1¦1.1¦ICY",
      ),
      (text) => [`malformed: ${JSON.stringify(text)}`, version(text)],
    ),
    ["RFC 9112 §2.3", "no version, two spaces", "GET /x \r\nHost: h\r\n\r\n", refused()],
  ],
};

/** Sizes that docs (README, limits) and the RFCs set. */
export const sizes: Table = {
  area: "sizes (RFC 9110 §15.5, RFC 6585 §5, README limits)",
  cases: [
    ...rows("RFC 9112 §3", {
      "a request line of 8,000 octets": [
        head(`GET /${"a".repeat(8000 - 15)} HTTP/1.1`, "Host: h"),
        accepted(saw({ target: `/${"a".repeat(8000 - 15)}` })),
      ],
    }),
    ...rows("README (maxTargetBytes)", {
      "a target of 8,192 octets": [
        head(`GET /${"a".repeat(8191)} HTTP/1.1`, "Host: h"),
        accepted(saw({ target: `/${"a".repeat(8191)}` })),
      ],
    }),
    ...each("RFC 9112 §3", refused(414), {
      "a target of 8,193 octets": head(`GET /${"a".repeat(8192)} HTTP/1.1`, "Host: h"),
      "a target without end": `GET /${"a".repeat(9000)}`,
    }),
    ...rows("README (maxHeadBytes)", {
      "a field of 8,000 octets": [
        get(`A: ${"a".repeat(8000)}`),
        accepted(saw({ fields: { a: "a".repeat(8000) } })),
      ],
    }),
    ...each("RFC 6585 §5", refused(431), {
      "a head of more than 16 KiB in one field": get(`A: ${"a".repeat(16_384)}`),
      "a field name of more than 16 KiB": get(`${"a".repeat(16_384)}: a`),
      "a head of more than 16 KiB in many fields": get(...Array<string>(90).fill(`A: ${"a".repeat(190)}`)),
      "a head of more than 16 KiB without end": `GET /x HTTP/1.1\r\nHost: h\r\nA: ${"a".repeat(17_000)}`,
      "101 fields": get(...new Array<string>(100).fill("A: b")),
    }),
    ...rows("README (maxFieldCount)", {
      "100 fields": [
        get(...new Array<string>(99).fill("A: b")),
        accepted(saw({ fields: { a: new Array<string>(99).fill("b").join(", ") } })),
      ],
    }),
    ...rows("RFC 9110 §15.5.14", {
      "content of the largest size": [
        `${post("Content-Length: 10")}0123456789`,
        accepted(posted("0123456789")),
        { maxBodyBytes: 10 },
      ],
      "a request in content that is too large": [
        post(`Content-Length: ${HIDDEN.length}`) + HIDDEN,
        refused(413),
        { maxBodyBytes: 10 },
      ],
    }),
    ...rows("RFC 9110 §15.5.12", {
      "chunked where a length is required": [
        `${post("Transfer-Encoding: chunked")}0\r\n\r\n`,
        refused(411),
        { requireContentLength: true },
      ],
      "no content where a length is required": [post(), accepted(posted("")), { requireContentLength: true }],
    }),
    ...rows("docs/routes.md", {
      "broken percent-encoding": [head("GET /%zz HTTP/1.1", "Host: h"), answered(400)],
    }),
  ],
};
