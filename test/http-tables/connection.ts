import { listOf } from "../support/bytes.ts";
import {
  accepted,
  broken,
  chunked,
  each,
  get,
  head,
  last,
  many,
  post,
  posted,
  refused,
  refusedBehind,
  rows,
  type Seen,
  saw,
  type Table,
  unfinishedBehind,
} from "../support/http-case.ts";

/** Lines of Connection with these values, in their order. */
const options = (values: readonly string[]) => values.map((value) => `Connection: ${value}`);
const old = (...lines: string[]) => head("GET /x HTTP/1.0", "Host: h", ...lines);
const oldSaw = saw({ version: "1.0" });

const STAYS = listOf('keep-alive¦Keep-Alive¦¦x¦closed¦xclose¦not close¦clos¦close\xa0¦x, close\xa0¦"close"');
const CLOSES = listOf("close¦CLOSE¦cLoSe¦keep-alive, close¦close, keep-alive¦x ,\tclose\t,y¦,close,¦x,close");
const OLD_STAYS = [["keep-alive"], ["Keep-Alive"], ["x, KEEP-ALIVE"], ["x", "keep-alive"]];
const OLD_CLOSES = ["", "close", "keep-alive, close", "keep", "keep-alivex"].map((value) => [value]);

export const persistence: Table = {
  area: "persistence (RFC 9112 §9.3, §9.6)",
  cases: [
    ...many(
      "RFC 9112 §9.3",
      accepted(saw()),
      [...STAYS, ...listOf("close;q=0¦\xa0close¦close-not, x")],
      (value) => [`1.1 stays with ${JSON.stringify(value)}`, get(...options([value]))],
    ),
    ...many(
      "RFC 9112 §9.6",
      last(saw()),
      [...CLOSES, "x , close , y", "x,\tclose\t", ", ,close,"],
      (value) => [`1.1 closes with ${JSON.stringify(value)}`, get(...options([value]))],
    ),
    ...each("RFC 9112 §9.6", last(saw()), {
      "close on a second line": get(...options(["keep-alive", "close"])),
      "close in a list on a second line": get(...options(["x", "y, close"])),
      "close on the first of two lines": get(...options(["close", "keep-alive"])),
      "cONNECTION: close": get("cONNECTION: close"),
    }),
    ...each("RFC 9112 §9.6", last(posted("ab")), {
      "close with content": `${post("Connection: close", "Content-Length: 2")}ab`,
      "close with chunked content": `${post("Connection: close", "Transfer-Encoding: chunked")}2\r\nab\r\n0\r\n\r\n`,
    }),
    [
      "RFC 9112 §9.6",
      "close behind a request that stays",
      get() + get("Connection: close"),
      last(saw(), saw()),
    ],
    ["RFC 9110 §7.6.1", "Proxy-Connection is another field", get("Proxy-Connection: close"), accepted(saw())],
    ["RFC 9112 §9.6", "the field Close means nothing", get("Close: 1"), accepted(saw())],
    ...many("RFC 9112 §9.3", last(oldSaw), [...OLD_CLOSES, ["close", "keep-alive"]], (values) => [
      `1.0 closes with ${JSON.stringify(values)}`,
      old(...options(values)),
    ]),
    ...each("RFC 9112 §9.3", last(oldSaw), {
      "1.0 closes": old(),
      "1.0 with Keep-Alive alone closes": old("Keep-Alive: timeout=5"),
    }),
    ...many("RFC 9112 §9.3", accepted(oldSaw), OLD_STAYS, (values) => [
      `1.0 stays with ${JSON.stringify(values)}`,
      old(...options(values)),
    ]),
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

const to = (path: string, ...lines: string[]) => head(`GET ${path} HTTP/1.1`, "Host: h", ...lines);
const at = (target: string, seen: Seen = {}) => saw({ target, ...seen });
const sized = (data: string) => `${post(`Content-Length: ${data.length}`)}${data}`;
const withLines = (target: string, ...fields: [string, string][]) =>
  at(target, { head: { fields: [["Host", "h"], ...fields] } });
const hundred = Array.from({ length: 100 }, (_, index) => `/${index}`);

export const pipelining: Table = {
  area: "pipelining (RFC 9112 §9.3.2)",
  cases: [
    ...rows("RFC 9112 §9.3.2", {
      two: [to("/1") + to("/2"), accepted(at("/1"), at("/2"))],
      "a hundred, in order": [
        hundred.map((path) => to(path)).join(""),
        accepted(...hundred.map((path) => at(path))),
      ],
      "fields belong to their request": [
        to("/1", "X: 1") + to("/2", "Y: 2") + to("/3"),
        accepted(withLines("/1", ["X", "1"]), withLines("/2", ["Y", "2"]), withLines("/3")),
      ],
      "after a sized body": [sized("hello") + to("/2"), accepted(posted("hello"), at("/2"))],
      "after an empty body": [sized("") + to("/2"), accepted(posted(""), at("/2"))],
      "after a chunked body": [chunked("2\r\nab\r\n0\r\n\r\n") + to("/2"), accepted(posted("ab"), at("/2"))],
      "after trailers": [
        chunked("0\r\nX: 1\r\n\r\n") + to("/2"),
        accepted(posted("", { trailerLines: [["X", "1"]] }), at("/2")),
      ],
      "every framing in turn": [
        `${to("/1")}${sized("ab")}${chunked("1\r\nc\r\n0\r\n\r\n")}${post()}${sized("d")}${to("/5")}`,
        accepted(at("/1"), posted("ab"), posted("c"), posted(""), posted("d"), at("/5")),
      ],
      "HEAD among others": [
        `${get()}${head("HEAD /x HTTP/1.1", "Host: h")}${get()}`,
        accepted(saw(), saw({ method: "HEAD" }), saw()),
      ],
      "the last one unfinished": [`${to("/1")}GET /2 HTTP/1.1\r\nHost: a\r\n`, unfinishedBehind(at("/1"))],
      "good, then bad: the good one is answered first": [
        `${to("/1")}GET /2 HTTP/1.1\r\n\r\n`,
        refusedBehind([at("/1")]),
      ],
    }),
    ...rows("RFC 9112 §2.2", {
      "a CRLF too much after a body": [`${sized("ab")}\r\n${to("/2")}`, accepted(posted("ab"), at("/2"))],
      "a CRLF too much after each request": [
        `${to("/1")}\r\n${to("/2")}\r\n${to("/3")}`,
        accepted(at("/1"), at("/2"), at("/3")),
      ],
      "two CRLF too much": [`${sized("ab")}\r\n\r\n${to("/2")}`, accepted(posted("ab"), at("/2"))],
    }),
    ...rows("RFC 9110 §10.1.1", {
      "state is not carried over": [
        `${post("Expect: 100-continue", "Content-Length: 1")}a${get()}`,
        accepted(posted("a", { head: { expectContinue: true } }), saw({ head: { expectContinue: false } })),
      ],
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
    ...rows("RFC 9112 §9.3.2", {
      "nothing after an unknown coding": [post("Transfer-Encoding: x, chunked") + get(), refused(501)],
      "nothing after 413": [post("Content-Length: 9") + get(), refused(413), { maxBodyBytes: 8 }],
      "nothing after 505": [`GET / HTTP/2.0\r\nHost: a\r\n\r\n${get()}`, refused(505)],
    }),
  ],
};

const upgrading = (upgrade: boolean, seen: Seen = {}) => saw({ ...seen, head: { upgrade } });

export const upgradeForms: Table = {
  area: "Upgrade",
  cases: [
    ...each("RFC 9110 §7.8", accepted(upgrading(false)), {
      neither: get(),
      "only Upgrade": get("Upgrade: websocket"),
      "only Connection": get("Connection: upgrade"),
      "0xa0 is no white space": get("Connection: \xa0upgrade", "Upgrade: h2c"),
      "another option": get("Connection: upgraded", "Upgrade: websocket"),
    }),
    ...each("RFC 9110 §7.8", accepted(upgrading(true)), {
      both: get("Connection: upgrade", "Upgrade: websocket"),
      "any case": get("connection: UPGRADE", "uPGRADE: WebSocket"),
      "on a second line": get("Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c"),
      "several protocols": get("Connection: upgrade", "Upgrade: websocket, IRC/6.9"),
      "in a list": get("Upgrade: websocket", "Connection: keep-alive, Upgrade"),
    }),
    ...rows("RFC 9110 §7.8", {
      "ignored on 1.0": [
        old("Connection: upgrade", "Upgrade: websocket"),
        last(upgrading(false, { version: "1.0" })),
      ],
      "with a body that is not taken up": [
        `${post("Connection: upgrade", "Upgrade: h2c", "Content-Length: 2")}ab`,
        accepted(posted("ab", { head: { upgrade: true } })),
      ],
      "not taken up: HTTP goes on": [
        `${get("Connection: upgrade", "Upgrade: h2c")}${get()}`,
        accepted(upgrading(true), upgrading(false)),
      ],
    }),
  ],
};
