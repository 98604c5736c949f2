import {
  accepted,
  each,
  get,
  last,
  many,
  post,
  read,
  refused,
  rows,
  type Table,
  unfinishedWith,
} from "../support/http-case.ts";

const pass = { maxBodyBytes: Number.MAX_SAFE_INTEGER };
const sized = (length: string) => post(`Content-Length: ${length}`);
const coded = (...values: string[]) => post(...values.map((value) => `Transfer-Encoding: ${value}`));
const end = "0\r\n\r\n";

export const lengthForms: Table = {
  area: "Content-Length",
  cases: [
    ...rows("RFC 9112 §6.2", {
      "any case of the name": [
        `${post("CONTENT-length:2")}ab`,
        accepted(read({ contentLength: 2 }, { body: "ab" })),
      ],
    }),
    ...rows("RFC 9110 §8.6", {
      "leading zeros": [`${sized("0005")}hello`, accepted(read({ contentLength: 5 }, { body: "hello" }))],
    }),
    ...rows("RFC 9110 §5.5", {
      "white space around": [`${sized(" \t2\t ")}ab`, accepted(read({ contentLength: 2 }, { body: "ab" }))],
    }),
    ...rows("RFC 9110 §9.3.1", {
      "with GET": [`${get("Content-Length: 2")}ab`, accepted(read({ method: "GET" }, { body: "ab" }))],
    }),
    ...rows("RFC 9110 §9.3.2", {
      "with HEAD": [
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
        accepted(read({ method: "HEAD" }, { body: "ab" })),
      ],
    }),
    ...rows("RFC 9112 §6.2", {
      "on 1.0": [
        "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
        last(read({ minorVersion: 0, contentLength: 2 }, { body: "ab" })),
      ],
      "any bytes in the body": [
        `${sized("6")}\0\r\n\n\xff\x80`,
        accepted(read({}, { body: "\0\r\n\n\xff\x80" })),
      ],
      "a request as the body": [
        `${sized(String(get().length))}${get()}`,
        accepted(read({}, { body: get() })),
      ],
    }),
    ...rows("RFC 9112 §8", {
      "unfinished body: no end": [
        `${sized("5")}hell`,
        unfinishedWith(read({ contentLength: 5 }, { body: "hell" })),
      ],
      "no byte of the body yet": [sized("5"), unfinishedWith(read({ contentLength: 5 }))],
    }),
    ...each(
      "RFC 9110 §8.6",
      refused(),
      {
        "2^64 + 5": sized("18446744073709551621"),
        "many nines": sized("9".repeat(400)),
      },
      pass,
    ),
    ...rows("RFC 9110 §8.6", {
      "2^32 + 2 is not 2": [
        `${sized("4294967298")}ab`,
        unfinishedWith(read({ contentLength: 4294967298 }, { body: "ab" })),
        pass,
      ],
      "more than the limit": [sized("11"), refused(413), { maxBodyBytes: 10 }],
    }),
    ["RFC 9110 §15.5.14", "no body allowed, none sent", sized("0"), accepted(read()), { maxBodyBytes: 0 }],
    ["RFC 9110 §15.5.14", "no body allowed, one byte", `${sized("1")}a`, refused(413), { maxBodyBytes: 0 }],
    ...many("RFC 9112 §6.3", refused(), ["1_0", "5,5"], (value) => [
      `invalid: ${JSON.stringify(value)}`,
      `${sized(value)}hello`,
    ]),
    ...rows("RFC 9112 §6.3 (decision)", {
      "twice the same": [`${post("Content-Length: 5", "content-length: 5")}hello`, refused()],
    }),
  ],
};

export const codingForms: Table = {
  area: "Transfer-Encoding",
  cases: [
    ...rows("RFC 9112 §7", {
      "mixed case": [
        `${post("transfer-ENCODING: ChunkeD")}${end}`,
        accepted(read({ chunked: true, contentLength: -1 })),
      ],
    }),
    ...rows("RFC 9110 §5.5", {
      "white space around": [
        `${coded(" \tchunked \t")}${end}`,
        accepted(read({ chunked: true, contentLength: -1 })),
      ],
    }),
    ...rows("RFC 9112 §6.1", {
      "with GET": [`${get("Transfer-Encoding: chunked")}${end}`, accepted(read({ chunked: true }))],
    }),
    ...each("RFC 9112 §6.3", refused(), {
      identity: `${coded("identity")}hello`,
      "chunked, gzip on two lines": `${coded("chunked", "gzip")}${end}`,
      "only white space": `${coded(" \t ")}${end}`,
      "before Content-Length": `${post("Transfer-Encoding: chunked", "Content-Length: 5")}${end}`,
      "empty, with Content-Length": `${post("Content-Length: 5", "Transfer-Encoding:")}hello`,
    }),
    ["RFC 9110 §5.6.1.2 (decision)", "empty element before", `${coded(", chunked")}${end}`, refused(501)],
    ...each("RFC 9112 §6.1", refused(), {
      "0xa0 is no white space": `${coded("\xa0chunked")}${end}`,
      "unknown one on 1.0": "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n",
      "on 1.0 with Content-Length":
        "POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    }),
    ["RFC 9112 §7.1", "chunked with a parameter", `${coded("chunked;a=b")}${end}`, refused()],
    ["RFC 9112 §7", "chunked with a control inside", `${coded("chun\x0bed")}${end}`, refused()],
    ...rows("RFC 9110 §8.4", {
      "Content-Encoding frames nothing": [
        get("Content-Encoding: chunked"),
        accepted(read({ chunked: false })),
      ],
    }),
    ...rows("RFC 9110 §15.5.12", {
      "requireContentLength with a length": [
        `${sized("1")}a`,
        accepted(read({}, { body: "a" })),
        { requireContentLength: true },
      ],
      "requireContentLength without a body": [get(), accepted(read()), { requireContentLength: true }],
    }),
  ],
};
