import {
  accepted,
  type Case,
  each,
  get,
  last,
  post,
  read,
  refused,
  rows,
  type Table,
  unfinishedWith,
} from "../support/http-case.ts";

const old = (...lines: string[]) => ["GET / HTTP/1.0", ...lines, "", ""].join("\r\n");
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
  old(...lines(values)),
  accepted(read({ keepAlive: true })),
];
const oldCloses = (...values: string[]): Case => [
  "RFC 9112 §9.3",
  `1.0 closes with ${JSON.stringify(values)}`,
  old(...lines(values)),
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
      "Keep-Alive alone does not keep 1.0": [old("Keep-Alive: timeout=5"), last(read({ keepAlive: false }))],
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
      "ignored on 1.0": [old("Connection: upgrade", "Upgrade: websocket"), last(read({ upgrade: false }))],
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
