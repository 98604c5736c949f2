import {
  accepted,
  broken,
  type Case,
  chunked,
  each,
  get,
  post,
  read,
  refused,
  refusedBehind,
  rows,
  type Table,
  unfinishedBehind,
} from "../support/http-case.ts";

const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
const small = { maxHeadBytes: 200, maxTargetBytes: 50, maxFieldCount: 8 };
const many = (count: number) => Array.from({ length: count }, (_, at) => `X${at}: 1`);

export const headLimits: Table = {
  area: "limits of the head",
  cases: [
    ...rows("RFC 9112 §3", {
      "target of exactly the limit": [
        `GET /${"a".repeat(49)}${rest}`,
        accepted(read({ path: `/${"a".repeat(49)}` })),
        small,
      ],
    }),
    ...each(
      "RFC 9112 §3",
      refused(414),
      {
        "target one byte longer": `GET /${"a".repeat(50)}${rest}`,
        "the query counts": `GET /?${"a".repeat(49)}${rest}`,
        "the authority counts": `GET http://${"a".repeat(49)}/${rest}`,
        "long target without end": `GET /${"a".repeat(150)}`,
        "request line without end": `GET /${"a".repeat(300)}`,
      },
      small,
    ),
    ...each(
      "RFC 9112 §3",
      refused(414),
      {
        "no request line end within the head": `GET /${"a".repeat(300)}`,
        "request line longer than the head": `GET /${"a".repeat(300)}${rest}`,
      },
      { maxHeadBytes: 200, maxTargetBytes: 1000 },
    ),
    ...each(
      "RFC 6585 §5",
      accepted(read()),
      {
        "head well within the limit": get(`X: ${"a".repeat(100)}`),
        "as many fields as allowed": get(...many(7)),
      },
      small,
    ),
    ...each(
      "RFC 6585 §5",
      refused(431),
      {
        "one long field": get(`X: ${"a".repeat(300)}`),
        "a field value without end": `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(300)}`,
        "a field name without end": `GET / HTTP/1.1\r\nHost: a\r\n${"a".repeat(300)}`,
        "white space without end": `GET / HTTP/1.1\r\nHost: a\r\nX:${" ".repeat(300)}`,
        "several fields": get(...Array.from({ length: 5 }, () => `X: ${"a".repeat(50)}`)),
        "one field more": get(...many(8)),
        "too many, without end": `GET / HTTP/1.1\r\nHost: a\r\n${many(12).join("\r\n")}\r\n`,
        "repeated fields count": get(...Array.from({ length: 8 }, () => "x:")),
      },
      small,
    ),
    ...rows("RFC 6585 §5", {
      "counted for each head": [get(...many(7)).repeat(3), accepted(read(), read(), read()), small],
      "head bytes counted for each head": [
        get(`X: ${"a".repeat(100)}`).repeat(4),
        accepted(read(), read(), read(), read()),
        small,
      ],
      "the body does not count": [
        `${post("Content-Length: 500")}${"b".repeat(500)}${get()}`,
        accepted(read({}, { body: "b".repeat(500) }), read()),
        small,
      ],
      "after a good request": [
        `${get()}${get(`X: ${"a".repeat(300)}`)}`,
        refusedBehind([read()], 431),
        small,
      ],
    }),
  ],
};

const SIZE = 64;
const lengths = [-3, -2, -1, 0, 1, 2, 3].map((more) => SIZE + more);
const headOf = (length: number) => get(`X: ${"a".repeat(length - get("X: ").length)}`);

export const headSizes: Table = {
  area: "limits of the head to the byte",
  cases: lengths.flatMap((length) =>
    ["", "\r\n"].flatMap((lead): Case[] => {
      const name = `a head of ${length} bytes of ${SIZE}${lead === "" ? "" : ", an empty line before it"}`;
      const limits = { maxHeadBytes: SIZE };
      const over = length > SIZE;
      return [
        ...rows("RFC 6585 §5", {
          [name]: [lead + headOf(length), over ? refused(431) : accepted(read()), limits],
          [`${name}, between requests`]: [
            get() + lead + headOf(length) + get(),
            over ? refusedBehind([read()], 431) : accepted(read(), read(), read()),
            limits,
          ],
        }),
      ];
    }),
  ),
};

export const trailerSizes: Table = {
  area: "limits of the trailers to the byte",
  cases: lengths.map((length): Case => {
    const value = "a".repeat(length - 7);
    const outcome = accepted(read({}, { trailerLines: [["X", value]] }));
    return [
      "RFC 6585 §5",
      `trailers of ${length} bytes of ${SIZE}`,
      chunked(`0\r\nX: ${value}\r\n\r\n`),
      length > SIZE ? broken(431) : outcome,
      { maxTrailerBytes: SIZE },
    ];
  }),
};

const to = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n");
const sized = (data: string) => `${post(`Content-Length: ${data.length}`)}${data}`;
const hundred = Array.from({ length: 100 }, (_, at) => `/${at}`);

export const manyRequests: Table = {
  area: "pipelining",
  cases: [
    ...rows("RFC 9112 §9.3.2", {
      "two requests": [to("/1") + to("/2"), accepted(read({ path: "/1" }), read({ path: "/2" }))],
      "a hundred": [
        hundred.map((path) => to(path)).join(""),
        accepted(...hundred.map((path) => read({ path }))),
      ],
      "fields belong to their request": [
        to("/1", "X: 1") + to("/2", "Y: 2") + to("/3"),
        accepted(
          read({
            fields: [
              ["Host", "a"],
              ["X", "1"],
            ],
          }),
          read({
            fields: [
              ["Host", "a"],
              ["Y", "2"],
            ],
          }),
          read({ fields: [["Host", "a"]] }),
        ),
      ],
      "after a sized body": [
        sized("hello") + to("/2"),
        accepted(read({}, { body: "hello" }), read({ path: "/2" })),
      ],
      "after an empty body": [
        sized("") + to("/2"),
        accepted(read({ contentLength: 0 }), read({ path: "/2" })),
      ],
      "after a chunked body": [
        chunked("2\r\nab\r\n0\r\n\r\n") + to("/2"),
        accepted(read({}, { body: "ab" }), read({ path: "/2" })),
      ],
      "after trailers": [
        chunked("0\r\nX: 1\r\n\r\n") + to("/2"),
        accepted(read({}, { trailerLines: [["X", "1"]] }), read({ path: "/2", chunked: false })),
      ],
      "every framing in turn": [
        to("/1") + sized("ab") + chunked("1\r\nc\r\n0\r\n\r\n") + sized("d") + to("/5"),
        accepted(
          read({ path: "/1", contentLength: -1, chunked: false }),
          read({ contentLength: 2, chunked: false }, { body: "ab" }),
          read({ contentLength: -1, chunked: true }, { body: "c" }),
          read({ contentLength: 1, chunked: false }, { body: "d" }),
          read({ path: "/5" }),
        ),
      ],
    }),
    ...rows("RFC 9112 §2.2", {
      "a CRLF too much after a body": [
        `${sized("ab")}\r\n${to("/2")}`,
        accepted(read({}, { body: "ab" }), read({ path: "/2" })),
      ],
      "a CRLF too much after each request": [
        `${to("/1")}\r\n${to("/2")}\r\n${to("/3")}`,
        accepted(read(), read(), read({ path: "/3" })),
      ],
      "two CRLF too much": [
        `${sized("ab")}\r\n\r\n${to("/2")}`,
        accepted(read({}, { body: "ab" }), read({ path: "/2" })),
      ],
    }),
    ...rows("RFC 9112 §6.2", {
      "less Content-Length than body": [
        `${post("Content-Length: 2")}ab{}`,
        refusedBehind([read({}, { body: "ab" })]),
      ],
    }),
    ...rows("RFC 9112 §2.3", {
      "versions may change": [
        `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${get()}`,
        accepted(read({ minorVersion: 0, keepAlive: true }), read({ minorVersion: 1 })),
      ],
    }),
    ...rows("RFC 9110 §10.1.1", {
      "state is not carried over": [
        `${post("Expect: 100-continue", "Content-Length: 1")}a${get()}`,
        accepted(
          read({ expectContinue: true }, { body: "a" }),
          read({ expectContinue: false, contentLength: -1 }),
        ),
      ],
    }),
    ...rows("RFC 9112 §9.3.2", {
      "the last one unfinished": [
        `${to("/1")}GET /2 HTTP/1.1\r\nHost: a\r\n`,
        unfinishedBehind(read({ path: "/1" })),
      ],
      "an error in the second": [`${to("/1")}GET /2 HTTP/1.1\r\n\r\n`, refusedBehind([read({ path: "/1" })])],
    }),
  ],
};

export const finalErrors: Table = {
  area: "errors are final",
  cases: [
    ...each("RFC 9112 §9.3.2", refused(), {
      "nothing after a bad request line": `GET\r\n\r\n${get()}`,
      "nothing after a bad head": `GET / HTTP/1.1\r\nX\r\n\r\n${get()}`,
    }),
    ...each("RFC 9112 §9.3.2", broken(), {
      "nothing after a bad chunk": `${chunked("x\r\n")}${get()}`,
      "nothing after bad trailers": `${chunked("0\r\nX\r\n\r\n")}${get()}`,
    }),
    [
      "RFC 9112 §9.3.2",
      "nothing after an unknown coding",
      `${post("Transfer-Encoding: x, chunked")}${get()}`,
      refused(501),
    ],
    [
      "RFC 9112 §9.3.2",
      "nothing after 413",
      `${post("Content-Length: 9")}${get()}`,
      refused(413),
      { maxBodyBytes: 8 },
    ],
    ["RFC 9112 §9.3.2", "nothing after 505", `GET / HTTP/2.0\r\nHost: a\r\n\r\n${get()}`, refused(505)],
  ],
};
