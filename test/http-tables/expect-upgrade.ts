import { listOf } from "../support/bytes.ts";
import {
  accepted,
  answered,
  type Case,
  continued,
  each,
  get,
  HIDDEN,
  head,
  last,
  many,
  post,
  posted,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  upgraded,
} from "../support/http-case.ts";

const expecting = (value: string, ...lines: string[]) =>
  `${post(`Expect: ${value}`, "Content-Length: 2", ...lines)}ab`;

export const expectations: Table = {
  area: "Expect (RFC 9110 §10.1.1)",
  cases: [
    ...each("RFC 9110 §10.1.1", continued(posted("ab")), {
      "100-continue": expecting("100-continue"),
      "in any case": expecting("100-Continue"),
      "with chunked content": `${post("Expect: 100-continue", "Transfer-Encoding: chunked")}2\r\nab\r\n0\r\n\r\n`,
    }),
    ...rows("RFC 9110 §10.1.1", {
      "without content: nothing to wait for": [get("Expect: 100-continue"), accepted(saw())],
      "with a length of 0: nothing to wait for": [
        post("Expect: 100-continue", "Content-Length: 0"),
        accepted(posted("")),
      ],
      "with an empty chunked content": [
        `${post("Expect: 100-continue", "Transfer-Encoding: chunked")}0\r\n\r\n`,
        continued(posted("")),
      ],
      "ignored on 1.0": [
        `${head("POST /x HTTP/1.0", "Host: h", "Expect: 100-continue", "Content-Length: 2")}ab`,
        last(posted("ab", { version: "1.0" })),
      ],
    }),
    ...listOf(
      '200-ok¦100-continued¦x 100-continue¦100-continue, x¦100-continue;a=b¦"100-continue"',
      "100 continue¦\xa0100-continue",
    ).map((value): Case => ["RFC 9110 §15.5.18", `another: ${value}`, expecting(value), refused(417)]),
    ...many(STRICT, refused(417), ["", "100-continue,", "100-continue, 100-continue"], (value) => [
      `a list that is not just 100-continue: ${JSON.stringify(value)}`,
      expecting(value),
    ]),
    ["RFC 9110 §15.5.18", "another on a second line", expecting("100-continue", "Expect: x"), refused(417)],
    ...rows("RFC 9110 §15.5.14", {
      "content that is too large is not asked for": [
        post("Expect: 100-continue", "Content-Length: 11"),
        refused(413),
        { maxBodyBytes: 10 },
      ],
    }),
    ["RFC 9112 §5.2", "folded", `${post("Expect:", " 100-continue", "Content-Length: 2")}ab`, refused()],
  ],
};

const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const toSocket = (...lines: string[]) => head("GET /ws HTTP/1.1", "Host: h", ...lines);
const wsSaw = saw({ target: "/ws" });

export const upgrades: Table = {
  area: "Upgrade (RFC 9110 §7.8, RFC 6455 §4.2)",
  cases: [
    ...rows("RFC 6455 §4.2.2", {
      "a WebSocket: what follows is no HTTP": [
        toSocket("Connection: Upgrade", "Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13"),
        upgraded,
      ],
    }),
    ...each("RFC 9110 §7.8", accepted(saw()), {
      "h2c is ignored": get(
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
      ),
      "ignored where there is no WebSocket": get(
        "Connection: Upgrade",
        "Upgrade: websocket",
        KEY,
        "Sec-WebSocket-Version: 13",
      ),
    }),
    ...rows("RFC 9110 §7.8", {
      "TLS/1.0 is ignored": [
        head("OPTIONS /x HTTP/1.1", "Host: h", "Connection: Upgrade", "Upgrade: TLS/1.0"),
        accepted(saw({ method: "OPTIONS" })),
      ],
    }),
    ...each("RFC 9110 §7.8", accepted(wsSaw), {
      "without the connection option it is ignored": toSocket(
        "Upgrade: websocket",
        KEY,
        "Sec-WebSocket-Version: 13",
      ),
      "without the field the connection option is ignored": toSocket(
        "Connection: Upgrade",
        KEY,
        "Sec-WebSocket-Version: 13",
      ),
    }),
    ...rows("RFC 9110 §7.8", {
      "ignored on 1.0": [
        head(
          "GET /ws HTTP/1.0",
          "Host: h",
          "Connection: Upgrade",
          "Upgrade: websocket",
          KEY,
          "Sec-WebSocket-Version: 13",
        ),
        last(saw({ target: "/ws", version: "1.0" })),
      ],
    }),
    ...rows("RFC 6455 §4.4", {
      "a version that is not known: the connection stays HTTP": [
        toSocket("Connection: Upgrade", "Upgrade: websocket", KEY, "Sec-WebSocket-Version: 777"),
        answered(426),
      ],
    }),
    ...each("RFC 6455 §4.2.1", answered(400), {
      "no key: the connection stays HTTP": toSocket(
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
      ),
      "a key that is none": toSocket(
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: x",
        "Sec-WebSocket-Version: 13",
      ),
      "two keys": toSocket(
        "Connection: Upgrade",
        "Upgrade: websocket",
        KEY,
        KEY,
        "Sec-WebSocket-Version: 13",
      ),
    }),
    ...rows("RFC 9110 §7.8", {
      "a handshake with content: the content is no frame and no request": [
        toSocket(
          "Connection: Upgrade",
          "Upgrade: websocket",
          KEY,
          "Sec-WebSocket-Version: 13",
          `Content-Length: ${HIDDEN.length}`,
        ) + HIDDEN,
        answered(400),
      ],
      "with content that is not taken up": [
        `${post("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 2")}ab`,
        accepted(posted("ab")),
      ],
    }),
  ],
};
