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
  unfinishedWith,
  upgraded,
} from "../support/http-case.ts";

const CONTINUE = "Expect: 100-continue";
const CHUNKED = "Transfer-Encoding: chunked";
const expecting = (value: string, ...lines: string[]) =>
  `${post(`Expect: ${value}`, "Content-Length: 2", ...lines)}ab`;

export const expectations: Table = {
  area: "Expect (RFC 9110 §10.1.1)",
  cases: [
    ...each("RFC 9110 §10.1.1", continued(posted("ab")), {
      "100-continue": expecting("100-continue"),
      "in any case": expecting("100-Continue"),
      "any case of the name": `${post("eXPECT:100-continue", "Content-Length: 2")}ab`,
      "with chunked content": `${post(CONTINUE, CHUNKED)}2\r\nab\r\n0\r\n\r\n`,
    }),
    ...rows("RFC 9110 §10.1.1", {
      "without content: nothing to wait for": [get(CONTINUE), accepted(saw())],
      "with a length of 0: nothing to wait for": [post(CONTINUE, "Content-Length: 0"), accepted(posted(""))],
      "with an empty chunked content": [`${post(CONTINUE, CHUNKED)}0\r\n\r\n`, continued(posted(""))],
      "told before the content": [
        post(CONTINUE, "Content-Length: 2"),
        unfinishedWith(posted("", { head: { expectContinue: true } })),
      ],
      "ignored on 1.0": [
        `${head("POST /x HTTP/1.0", "Host: h", "Expect: 100-continue", "Content-Length: 2")}ab`,
        last(posted("ab", { version: "1.0", head: { expectContinue: false } })),
      ],
    }),
    ...listOf(
      '200-ok¦100-continued¦100-continu¦x 100-continue¦100-continue, x¦100-continue;a=b¦"100-continue"',
      "100 continue¦\xa0100-continue",
    ).map((value): Case => ["RFC 9110 §15.5.18", `another: ${value}`, expecting(value), refused(417)]),
    ...many(STRICT, refused(417), ["", "100-continue,", "100-continue, 100-continue"], (value) => [
      `a list that is not just 100-continue: ${JSON.stringify(value)}`,
      expecting(value),
    ]),
    ["RFC 9110 §15.5.18", "another on a second line", expecting("100-continue", "Expect: x"), refused(417)],
    ...rows("RFC 9110 §15.5.14", {
      "content that is too large is not asked for": [
        post(CONTINUE, "Content-Length: 11"),
        refused(413),
        { maxBodyBytes: 10 },
      ],
    }),
    ["RFC 9112 §5.2", "folded", `${post("Expect:", " 100-continue", "Content-Length: 2")}ab`, refused()],
  ],
};

const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const VERSION = "Sec-WebSocket-Version: 13";
const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket"];
const toSocket = (...lines: string[]) => head("GET /ws HTTP/1.1", "Host: h", ...lines);

export const upgrades: Table = {
  area: "Upgrade (RFC 9110 §7.8, RFC 6455 §4.2)",
  cases: [
    ["RFC 6455 §4.2.2", "a handshake: what follows", toSocket(...UPGRADE, KEY, VERSION), upgraded],
    ...each("RFC 9110 §7.8", accepted(saw()), {
      "h2c is ignored": get(
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
      ),
      "ignored where there is no WebSocket": get(...UPGRADE, KEY, VERSION),
    }),
    ...rows("RFC 9110 §7.8", {
      "TLS/1.0 is ignored": [
        head("OPTIONS /x HTTP/1.1", "Host: h", "Connection: Upgrade", "Upgrade: TLS/1.0"),
        accepted(saw({ method: "OPTIONS" })),
      ],
      "ignored on 1.0": [
        head("GET /ws HTTP/1.0", "Host: h", ...UPGRADE, KEY, VERSION),
        last(saw({ target: "/ws", version: "1.0" })),
      ],
    }),
    ...each("RFC 9110 §7.8", accepted(saw({ target: "/ws" })), {
      "without the connection option it is ignored": toSocket("Upgrade: websocket", KEY, VERSION),
      "without the field the connection option is ignored": toSocket("Connection: Upgrade", KEY, VERSION),
    }),
    ...rows("RFC 6455 §4.4", {
      "a version that is not known: the connection stays HTTP": [
        toSocket(...UPGRADE, KEY, "Sec-WebSocket-Version: 777"),
        answered(426),
      ],
    }),
    ...each("RFC 6455 §4.2.1", answered(400), {
      "no key: the connection stays HTTP": toSocket(...UPGRADE, VERSION),
      "a key that is none": toSocket(...UPGRADE, "Sec-WebSocket-Key: x", VERSION),
      "two keys": toSocket(...UPGRADE, KEY, KEY, VERSION),
    }),
    ...rows("RFC 9110 §7.8", {
      "a handshake with content: the content is no frame and no request": [
        toSocket(...UPGRADE, KEY, VERSION, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        answered(400),
      ],
    }),
  ],
};
