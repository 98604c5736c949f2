import { listOf } from "../support/bytes.ts";
import {
  accepted,
  type Case,
  chunked,
  each,
  get,
  head,
  last,
  many,
  post,
  posted,
  read,
  refused,
  refusedBehind,
  rows,
  saw,
  type Table,
  unfinishedWith,
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

const bare10 = (...lines: string[]) => ["GET / HTTP/1.0", ...lines, "", ""].join("\r\n");
const lines = (values: string[]) => values.map((value) => `Connection: ${value}`);
const stays = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.1 stays with ${JSON.stringify(values)}`,
  get(...lines(values)),
  accepted(read({ keepAlive: true })),
];
const closes = (...values: string[]): Case => [
  "RFC 9112 §9.6",
  `1.1 closes with ${JSON.stringify(values)}`,
  get(...lines(values)),
  last(read({ keepAlive: false })),
];
const oldStays = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.0 stays with ${JSON.stringify(values)}`,
  bare10(...lines(values)),
  accepted(read({ keepAlive: true })),
];
const oldCloses = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.0 closes with ${JSON.stringify(values)}`,
  bare10(...lines(values)),
  last(read({ keepAlive: false })),
];

export const persistenceForms: Table = {
  area: "Connection",
  cases: [
    stays("Keep-Alive"),
    stays("x, close\xa0"),
    stays("close-not, x"),
    closes("ClosE"),
    closes("x,close"),
    closes("x , close , y"),
    closes("x,\tclose\t"),
    closes(", ,close,"),
    closes("x", "y, close"),
    oldStays("keep-alive"),
    oldStays("Keep-Alive"),
    oldStays("x, KEEP-ALIVE"),
    oldStays("x", "keep-alive"),
    oldCloses(""),
    oldCloses("close"),
    oldCloses("keep-alive, close"),
    oldCloses("close", "keep-alive"),
    oldCloses("keep"),
    oldCloses("keep-alivex"),
    ...rows("RFC 9112 §C.2.2", {
      "Keep-Alive alone does not keep 1.0": [
        bare10("Keep-Alive: timeout=5"),
        last(read({ keepAlive: false })),
      ],
    }),
    ["RFC 9110 §7.6.1", "any case of the name", get("cONNECTION: close"), last(read({ keepAlive: false }))],
  ],
};

const expecting = (value: string) => `${post(`Expect: ${value}`, "Content-Length: 2")}ab`;
export const expectForms: Table = {
  area: "Expect",
  cases: [
    [
      "RFC 9110 §10.1.1",
      "none",
      `${post("Content-Length: 2")}ab`,
      accepted(read({ expectContinue: false }, { body: "ab" })),
    ],
    ...each("RFC 9110 §10.1.1", accepted(read({ expectContinue: true }, { body: "ab" })), {
      "in any case": expecting("100-CONTINUE"),
      "any case of the name": `${post("eXPECT:100-continue", "Content-Length: 2")}ab`,
    }),
    [
      "RFC 9110 §10.1.1",
      "told before the body",
      post("Expect: 100-continue", "Content-Length: 2"),
      unfinishedWith(read({ expectContinue: true })),
    ],
    [
      "RFC 9110 §10.1.1",
      "ignored on 1.0",
      "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
      last(read({ expectContinue: false, minorVersion: 0 }, { body: "ab" })),
    ],
    ...each("RFC 9110 §10.1.1", refused(417), {
      "another on the next line": `${post("Expect: 100-continue", "Expect: x", "Content-Length: 2")}ab`,
      "a part of it": expecting("100-continu"),
    }),
  ],
};

export const upgradeForms: Table = {
  area: "Upgrade",
  cases: [
    ...each("RFC 9110 §7.8", accepted(read({ upgrade: false })), {
      neither: get(),
      "only Upgrade": get("Upgrade: websocket"),
      "only Connection": get("Connection: upgrade"),
      "0xa0 is no white space": get("Connection: \xa0upgrade", "Upgrade: h2c"),
      "another option": get("Connection: upgraded", "Upgrade: websocket"),
    }),
    ...each("RFC 9110 §7.8", accepted(read({ upgrade: true })), {
      both: get("Connection: upgrade", "Upgrade: websocket"),
      "any case": get("connection: UPGRADE", "uPGRADE: WebSocket"),
      "on a second line": get("Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c"),
      "several protocols": get("Connection: upgrade", "Upgrade: websocket, IRC/6.9"),
    }),
    ...rows("RFC 9110 §7.8", {
      "in a list": [
        get("Upgrade: websocket", "Connection: keep-alive, Upgrade"),
        accepted(read({ upgrade: true, keepAlive: true })),
      ],
      "ignored on 1.0": [bare10("Connection: upgrade", "Upgrade: websocket"), last(read({ upgrade: false }))],
      "with a body": [
        `${post("Connection: upgrade", "Upgrade: h2c", "Content-Length: 2")}ab`,
        accepted(read({ upgrade: true }, { body: "ab" })),
      ],
      "not taken up: HTTP goes on": [
        `${get("Connection: upgrade", "Upgrade: h2c")}${get()}`,
        accepted(read({ upgrade: true }), read({ upgrade: false })),
      ],
    }),
  ],
};
