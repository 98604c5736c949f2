import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { listOf } from "../support/bytes.ts";
import { finalsOf, harness, transports } from "../support/harness.ts";
import { head } from "../support/http-case.ts";
import { type Answer, valuesOf } from "../support/http-response.ts";
import { turns } from "../support/waiting.ts";

const SMUGGLED = head("GET /smuggled HTTP/1.1", "Host: h");

const EVIL = [
  "a\r\nInjected: 1",
  "a\nInjected: 1",
  "a\rInjected: 1",
  "a\r\n Injected: 1",
  "a\r\n\r\n<p>",
  `a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
  ...listOf(
    "\r\n¦\n¦\r¦a\0¦a\x0b¦a\x7f¦a\u010d\u010aInjected: 1¦a\u560d\u560aInjected: 1¦a\u2028Injected: 1",
    "\ud83d\ude00",
  ),
];

describe("RFC 9112 §11.1: response splitting", () => {
  const ways: readonly (readonly [string, (exchange: Exchange, evil: string) => unknown])[] = [
    ["the value of setHeader", (exchange, evil) => exchange.setHeader("X", evil)],
    ["the value of appendHeader", (exchange, evil) => exchange.appendHeader("Set-Cookie", evil)],
    ["the name of setHeader", (exchange, evil) => exchange.setHeader(evil, "1")],
    ["the name of appendHeader", (exchange, evil) => exchange.appendHeader(evil, "1")],
    ["a name with a good begin", (exchange, evil) => exchange.setHeader(`X: ${evil}`, "1")],
    ["Content-Length", (exchange, evil) => exchange.setHeader("Content-Length", evil)],
    ["Connection", (exchange, evil) => exchange.setHeader("Connection", `close${evil}`)],
    ["Date", (exchange, evil) => exchange.setHeader("Date", evil)],
    ["Transfer-Encoding", (exchange, evil) => exchange.setHeader("Transfer-Encoding", evil)],
    ["the reason", (exchange, evil) => exchange.status(200, evil)],
    // What types forbid, programs in JavaScript do: an error as the reason, or a list as a value.
    ["an error as the reason", (exchange, evil) => exchange.status(500, new Error(evil) as never)],
    ["a list as the reason", (exchange, evil) => exchange.status(500, [evil, evil] as never)],
    ["a list as the value", (exchange, evil) => exchange.setHeader("X", [evil, "b"] as never)],
    ["a list as the name", (exchange, evil) => exchange.setHeader([evil] as never, "b")],
    ["an error as the value", (exchange, evil) => exchange.setHeader("X", new Error(evil) as never)],
    ["the status", (exchange, evil) => exchange.status(`200 ${evil}` as never)],
  ];
  for (const [name, set] of ways) {
    test(`${name} is refused, and nothing of it reaches the wire`, async (t) => {
      const h = harness(t);
      let evil = "";
      h.server.get("/caught", (exchange) => {
        assert.throws(() => set(exchange, evil), TypeError, JSON.stringify(evil));
        exchange.status(200).end("safe");
      });
      h.server.get("/uncaught", (exchange) => {
        set(exchange, evil);
        exchange.end("not reached");
      });
      for (evil of EVIL) {
        const client = h.connect().get("/caught").get("/uncaught").get("/caught");
        const { finals, rest } = await finalsOf(client, ["GET", "GET", "GET"]);
        const show = JSON.stringify(evil);
        assert.deepEqual(
          finals.map((answer) => [answer.status, answer.body.toString()]),
          [
            [200, "safe"],
            [500, "Internal Server Error\n"],
            [200, "safe"],
          ],
          show,
        );
        assert.equal(rest.length, 0, show);
        assert.doesNotMatch(client.received.toString("latin1"), /injected|<p>|not reached/i, show);
        client.destroy();
      }
    });
  }

  test("a parameter of the target that is echoed in Location", async (t) => {
    const h = harness(t);
    h.server.get("/go/:to", (exchange) => {
      exchange.status(302).setHeader("Location", exchange.params.to).end();
    });
    const client = h.connect();
    client
      .get("/go/a%0d%0aInjected:%201")
      .get("/go/a%0a%0a%3Cp%3E")
      .get("/go/%E5%98%8D%E5%98%8AInjected:1")
      .get("/go/b");
    const { finals } = await finalsOf(client, ["GET", "GET", "GET", "GET"]);
    assert.deepEqual(
      finals.map((answer) => answer.status),
      [500, 500, 500, 302],
    );
    assert.doesNotMatch(client.received.toString("latin1"), /injected|<p>/i);
    assert.equal(h.reports.length, 3);
  });

  test("a value that gives another text when asked again", async (t) => {
    const h = harness(t);
    h.server.get("/", (exchange) => {
      const texts = ["good", "evil\r\nInjected: 1"];
      const shifty = { toString: () => texts.shift() ?? "evil\r\nInjected: 2" };
      exchange.setHeader("X", shifty as never).end();
    });
    const client = h.connect().get("/");
    const { finals } = await finalsOf(client, ["GET"]);
    assert.equal(finals[0]?.status, 500);
    assert.deepEqual(valuesOf(finals[0]!, "x"), []);
    assert.doesNotMatch(client.received.toString("latin1"), /injected/i);
  });

  test("fields of a handshake", async (t) => {
    const h = harness(t);
    const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    for (const [index, evil] of EVIL.entries()) {
      assert.throws(
        () => h.server.websocket(`/option/${index}`, {}, { headers: { "X-A": evil } }),
        TypeError,
      );
      h.server.websocket(`/late/${index}`, {
        upgrade(exchange) {
          exchange.setHeader("X-A", evil);
        },
      });
      const client = h.connect().send(head(`GET /late/${index} HTTP/1.1`, "Host: h", ...upgrade, key));
      const { finals } = await finalsOf(client, ["GET"]);
      assert.equal(finals[0]?.status, 500);
      assert.doesNotMatch(client.received.toString("latin1"), /injected|<p>/i);
    }
    h.server.websocket("/chosen", {}, { protocols: () => "a\r\nInjected: 1" });
    const lines = [...upgrade, key, "Sec-WebSocket-Protocol: a, b"];
    const client = h.connect().send(head("GET /chosen HTTP/1.1", "Host: h", ...lines));
    const { finals } = await finalsOf(client, ["GET"]);
    assert.equal(finals[0]?.status, 101);
    assert.deepEqual(valuesOf(finals[0]!, "sec-websocket-protocol"), []);
  });
});

const TEXT = "h\u00e9llo";
const BYTES = Buffer.from(TEXT);

/** Every way to give the content TEXT, and whether the server knows its length before it begins. */
const bodies: readonly (readonly [string, boolean, (exchange: Exchange) => unknown])[] = [
  ["end(text)", true, (exchange) => exchange.end(TEXT)],
  ["end(bytes)", true, (exchange) => exchange.end(BYTES)],
  [
    "a declared length and end",
    true,
    (exchange) => exchange.setHeader("Content-Length", BYTES.length).end(TEXT),
  ],
  [
    "a declared length and write",
    true,
    (exchange) => {
      exchange.setHeader("content-length", String(BYTES.length)).write(BYTES.subarray(0, 2));
      exchange.end(BYTES.subarray(2));
    },
  ],
  [
    "write and end(bytes)",
    false,
    (exchange) => {
      exchange.write(BYTES.subarray(0, 1));
      exchange.write("");
      exchange.end(BYTES.subarray(1));
    },
  ],
  [
    "write, and end later",
    false,
    async (exchange) => {
      exchange.write(TEXT);
      await turns(2);
      exchange.end();
    },
  ],
  ["tryEnd", true, (exchange) => exchange.tryEnd(BYTES)],
  [
    "tryEnd in two parts",
    true,
    (exchange) => {
      exchange.tryEnd(BYTES.subarray(0, 2), BYTES.length);
      exchange.tryEnd(BYTES.subarray(2));
    },
  ],
  [
    "stream",
    false,
    (exchange) =>
      exchange.stream(
        (async function* () {
          yield TEXT.slice(0, 1);
          await turns(1);
          yield TEXT.slice(1);
        })(),
      ),
  ],
];

const versions: readonly (readonly [string, string[], boolean])[] = [
  ["1.1", [], true],
  ["1.1", ["Connection: close"], false],
  ["1.0", [], false],
  ["1.0", ["Connection: keep-alive"], true],
];

describe("RFC 9112 §6.3: the framing of every status, method, version and way to give the content", () => {
  for (const [name, known, send] of bodies) {
    test(name, async (t) => {
      const h = harness(t);
      h.server.any("/:code", (exchange) => {
        exchange.status(Number(exchange.params.code));
        void send(exchange);
      });
      h.server.get("/", (exchange) => void exchange.end("next"));
      for (const [, connect] of transports) {
        for (const code of [200, 203, 204, 205, 206, 304, 404, 503]) {
          for (const method of ["GET", "HEAD", "POST"]) {
            for (const [version, lines, persists] of versions) {
              const show = `${method} ${code} HTTP/${version} ${lines}`;
              const client = await connect(h);
              client.send(head(`${method} /${code} HTTP/${version}`, "Host: h", ...lines)).get("/");
              const { finals, rest } = await finalsOf(client, [method, "GET"]);
              checkResponse(finals[0]!, show, known, method, code, version);
              const closed = finals[0]?.framing === "close" || !persists;
              assert.equal(finals[1]?.body.toString(), closed ? undefined : "next", show);
              assert.equal(client.ended || client.closed, closed, show);
              assert.equal(rest.length, 0, show);
              client.destroy();
            }
          }
        }
      }
      assert.deepEqual(h.reports, []);
    });
  }

  function checkResponse(
    response: Answer,
    show: string,
    known: boolean,
    method: string,
    code: number,
    version: string,
  ): void {
    const has = method !== "HEAD" && ![204, 205, 304].includes(code);
    assert.equal(response.status, code, show);
    assert.equal(response.body.toString(), has ? TEXT : "", show);
    const unknown = version === "1.1" ? "chunked" : "close";
    const wanted = has ? (known ? "length" : unknown) : code === 205 && method !== "HEAD" ? "length" : "none";
    assert.equal(response.framing, wanted, show);
    // RFC 9112 §6.1: never to a client of 1.0; RFC 9110 §8.6: to HEAD only the length that GET would have.
    if (version === "1.0") assert.deepEqual(valuesOf(response, "transfer-encoding"), [], show);
    const [length] = valuesOf(response, "content-length");
    if (length !== undefined && code !== 205) assert.equal(length, String(BYTES.length), show);
  }

  for (const code of [
    100,
    101,
    102,
    103,
    199,
    99,
    0,
    -1,
    600,
    1000,
    200.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]) {
    test(`RFC 9110 §15: ${code} is no final status`, async (t) => {
      const h = harness(t);
      h.server.get("/", (exchange) => {
        assert.throws(() => exchange.status(code), TypeError);
        exchange.end("fine");
      });
      const { finals } = await finalsOf(h.connect().get("/"), ["GET"]);
      assert.equal(finals[0]?.body.toString(), "fine");
    });
  }
});

describe("RFC 9112 §6.3: content that is not of the declared length is never taken for whole", () => {
  const ways: readonly (readonly [string, (exchange: Exchange) => unknown])[] = [
    ["end with less", (exchange) => exchange.end("123")],
    ["end with more", (exchange) => exchange.end("1234567")],
    ["end with nothing", (exchange) => exchange.end()],
    ["write less", (exchange) => exchange.write("123") && exchange.end()],
    ["write more at once", (exchange) => exchange.write("1234567") && exchange.end()],
    ["write more in the end", (exchange) => exchange.write("1234") && exchange.end("567")],
    ["more bytes than characters", (exchange) => exchange.end("\u00e9\u00e9\u00e9\u00e9\u00e9")],
  ];
  for (const [name, send] of ways) {
    for (const [where, connect] of transports) {
      test(`${name}, ${where}: the connection breaks, and the next request is not answered`, async (t) => {
        const h = harness(t);
        let smuggled = false;
        h.server.get("/", (exchange) => {
          exchange.setHeader("Content-Length", 5);
          send(exchange);
        });
        h.server.get("/smuggled", () => {
          smuggled = true;
        });
        const client = await connect(h);
        client.send(head("GET / HTTP/1.1", "Host: h") + SMUGGLED);
        const { finals } = await finalsOf(client, ["GET", "GET"]);
        assert.equal(finals.length, 0);
        assert.equal(smuggled, false);
        assert.equal(h.reports.length, 1);
      });
    }
  }
});
