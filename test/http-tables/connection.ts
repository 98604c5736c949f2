import { listOf } from "../support/bytes.ts";
import {
  accepted,
  chunked,
  each,
  get,
  head,
  last,
  many,
  post,
  posted,
  refusedBehind,
  rows,
  saw,
  type Table,
} from "../support/http-case.ts";

const closing = (...values: string[]) => get(...values.map((value) => `Connection: ${value}`));
const old = (...lines: string[]) => head("GET /x HTTP/1.0", "Host: h", ...lines);
const oldSaw = saw({ version: "1.0" });

export const persistence: Table = {
  area: "persistence (RFC 9112 §9.3, §9.6)",
  cases: [
    ...many(
      "RFC 9112 §9.3",
      accepted(saw()),
      listOf('keep-alive¦¦x¦closed¦xclose¦not close¦clos¦close\xa0¦"close"¦close;q=0¦\xa0close'),
      (value) => [`1.1 stays with ${JSON.stringify(value)}`, closing(value)],
    ),
    ...many(
      "RFC 9112 §9.6",
      last(saw()),
      ["close", "CLOSE", "cLoSe", "keep-alive, close", "close, keep-alive", "x ,\tclose\t,y", ",close,"],
      (value) => [`1.1 closes with ${JSON.stringify(value)}`, closing(value)],
    ),
    ...each("RFC 9112 §9.6", last(saw()), {
      "close on a second line": closing("keep-alive", "close"),
      "close on the first of two lines": closing("close", "keep-alive"),
    }),
    ...each("RFC 9112 §9.6", last(posted("ab")), {
      "close with content": `${post("Connection: close", "Content-Length: 2")}ab`,
      "close with chunked content": `${post("Connection: close", "Transfer-Encoding: chunked")}2\r\nab\r\n0\r\n\r\n`,
    }),
    ["RFC 9112 §9.6", "close behind a request that stays", get() + closing("close"), last(saw(), saw())],
    ["RFC 9110 §7.6.1", "Proxy-Connection is another field", get("Proxy-Connection: close"), accepted(saw())],
    ["RFC 9112 §9.6", "the field Close means nothing", get("Close: 1"), accepted(saw())],
    ...each("RFC 9112 §9.3", last(oldSaw), {
      "1.0 closes": old(),
      "1.0 with keep-alive and close closes": old("Connection: keep-alive, close"),
      "1.0 with Keep-Alive alone closes": old("Keep-Alive: timeout=5"),
      "1.0 with keep-alivex closes": old("Connection: keep-alivex"),
    }),
    ...each("RFC 9112 §9.3", accepted(oldSaw), {
      "1.0 stays with keep-alive": old("Connection: keep-alive"),
      "1.0 stays with Keep-Alive": old("Connection: x, Keep-Alive"),
    }),
    ...rows("RFC 9112 §9.3", {
      "1.0 with content stays with keep-alive": [
        `${head("POST /x HTTP/1.0", "Host: h", "Connection: keep-alive", "Content-Length: 2")}ab`,
        accepted(posted("ab", { version: "1.0" })),
      ],
      "1.0, then 1.1": [old("Connection: keep-alive") + get(), accepted(oldSaw, saw())],
      "1.1, then 1.0": [get() + old(), last(saw(), oldSaw)],
    }),
  ],
};

const numbered = (count: number) => Array.from({ length: count }, (_, index) => index);

export const pipelining: Table = {
  area: "pipelining (RFC 9112 §9.3.2)",
  cases: [
    ["RFC 9112 §9.3.2", "two", get() + get(), accepted(saw(), saw())],
    [
      "RFC 9112 §9.3.2",
      "thirty, in order",
      numbered(30)
        .map((index) => head(`GET /${index} HTTP/1.1`, "Host: h"))
        .join(""),
      accepted(...numbered(30).map((index) => saw({ target: `/${index}` }))),
    ],
    [
      "RFC 9112 §9.3.2",
      "every kind of content",
      `${post("Content-Length: 2")}ab${get()}${chunked("1\r\nc\r\n0\r\n\r\n")}${post()}${head("HEAD /x HTTP/1.1", "Host: h")}`,
      accepted(posted("ab"), saw(), posted("c"), posted(""), saw({ method: "HEAD" })),
    ],
    [
      "RFC 9112 §9.2",
      "good, then bad: the good one is answered first",
      `${get()}GET /x\r\n\r\n`,
      refusedBehind([saw()]),
    ],
  ],
};
