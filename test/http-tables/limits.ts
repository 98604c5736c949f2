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
