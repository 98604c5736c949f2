import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { FieldError } from "../../src/protocol/http/field-lines.ts";
import { type CookieOptions, clearCookie, cookies, setCookie } from "../../src/web/cookies.ts";
import { harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { overTls } from "./tls.ts";

async function ask(t: TestContext, handler: (exchange: Exchange) => void, lines = ""): Promise<Answer> {
  const { server, connect } = harness(t);
  server.get("/", handler);
  return connect().get("/", lines).answer();
}

describe("cookies of a request", () => {
  /** [field lines, what they mean as JSON]. */
  const cases: [lines: string, expected: Record<string, string>][] = [
    ["", {}],
    ["Cookie: a=1; b=2\r\n", { a: "1", b: "2" }],
    ["Cookie: a=1\r\nCookie: b=2\r\n", { a: "1", b: "2" }],
    ["Cookie: a=1; a=2\r\n", { a: "1" }],
    ["Cookie: a=%C3%BC%20x; b=%zz\r\n", { a: "ü x", b: "%zz" }],
    ["Cookie: a=b=c\r\n", { a: "b=c" }],
    ["Cookie: nothing; =; a=1;;\r\n", { "": "", a: "1" }],
  ];
  for (const [lines, expected] of cases) {
    it(JSON.stringify(lines), async (t) => {
      const tell = (exchange: Exchange): void => void exchange.end(JSON.stringify(cookies(exchange)));
      assert.deepEqual(JSON.parse((await ask(t, tell, lines)).text), expected);
    });
  }

  it("have no prototype", async (t) => {
    const got: Record<string, string | undefined>[] = [];
    const keep = (exchange: Exchange): void => {
      got.push(cookies(exchange));
      exchange.end();
    };
    await ask(t, keep, "Cookie: __proto__=x; constructor=y\r\n");
    assert.equal(Object.getPrototypeOf(got[0]), null);
    assert.deepEqual(Object.entries(got[0] ?? {}), [
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    assert.equal(got[0]?.["toString"], undefined);
  });
});

const EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT";
const STRICT: CookieOptions = { maxAgeSeconds: 60, path: "/x", httpOnly: false, sameSite: "strict" };
const PARTED: CookieOptions = { partitioned: true, priority: "high" };

describe("cookies of a response", () => {
  /** [name, value, options, Set-Cookie]. */
  const cases: [name: string, value: string, options: CookieOptions, line: string][] = [
    ["a", "1", {}, "a=1; Path=/; HttpOnly; SameSite=Lax"],
    ["a", "\ud800", {}, "a=%EF%BF%BD; Path=/; HttpOnly; SameSite=Lax"],
    ["a", "ü;, \r\n", {}, "a=%C3%BC%3B%2C%20%0D%0A; Path=/; HttpOnly; SameSite=Lax"],
    ["a", "1", STRICT, "a=1; Max-Age=60; Path=/x; SameSite=Strict"],
    ["a", "1", { domain: "h", secure: true }, "a=1; Domain=h; Path=/; HttpOnly; Secure; SameSite=Lax"],
    ["a", "1", { expires: new Date(0) }, `a=1; Path=/; Expires=${EPOCH}; HttpOnly; SameSite=Lax`],
    ["a", "1", { sameSite: "none" }, "a=1; Path=/; HttpOnly; Secure; SameSite=None"],
    ["a", "1", PARTED, "a=1; Path=/; HttpOnly; Secure; Partitioned; Priority=High; SameSite=Lax"],
    ["__Host-a", "1", {}, "__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax"],
    ["__Secure-a", "1", { domain: "h" }, "__Secure-a=1; Domain=h; Path=/; HttpOnly; Secure; SameSite=Lax"],
  ];
  for (const [name, value, options, line] of cases) {
    it(line, async (t) => {
      const answer = await ask(t, (exchange) => {
        assert.equal(setCookie(exchange, name, value, options), true);
        exchange.end();
      });
      assert.equal(answer.header("set-cookie"), line);
    });
  }

  it("are secure over TLS", async (t) => {
    const headers = await overTls(t, (server) => {
      server.get("/", (exchange) => {
        setCookie(exchange, "a", "1");
        exchange.end();
      });
    });
    assert.equal(headers["set-cookie"], "a=1; Path=/; HttpOnly; Secure; SameSite=Lax");
  });

  it("are several, and gone when they are cleared", async (t) => {
    const answer = await ask(t, (exchange) => {
      setCookie(exchange, "a", "1", { secure: true });
      setCookie(exchange, "b", "2");
      clearCookie(exchange, "c", { path: "/x" });
      exchange.end();
    });
    const lines = answer.lines
      .filter((line) => line.startsWith("Set-Cookie: "))
      .map((line) => line.slice(12));
    assert.deepEqual(lines, [
      "a=1; Path=/; HttpOnly; Secure; SameSite=Lax",
      "b=2; Path=/; HttpOnly; SameSite=Lax",
      `c=; Max-Age=0; Path=/x; Expires=${EPOCH}; HttpOnly; SameSite=Lax`,
    ]);
  });

  it("come too late when the head has been sent", async (t) => {
    let set: boolean | undefined;
    const answer = await ask(t, (exchange) => {
      exchange.write("x");
      set = setCookie(exchange, "a", "1");
      exchange.end();
    });
    assert.equal(set, false);
    assert.equal(answer.header("set-cookie"), undefined);
  });

  /** What a browser would refuse, or what would be a field of its own. */
  const mistakes: [name: string, options: CookieOptions][] = [
    ["a b", {}],
    ["a;b", {}],
    ["a\r\nSet-Cookie: b", {}],
    ["", {}],
    ["a", { path: "/\r\n" }],
    ["a", { domain: "x; Path=/y" }],
    ["a", { maxAgeSeconds: 1.5 }],
    ["a", { expires: new Date(Number.NaN) }],
    ["a", { sameSite: "none", secure: false }],
    ["a", { partitioned: true, secure: false }],
    ["__Host-a", { path: "/x" }],
    ["__Host-a", { domain: "h.example" }],
    ["__Secure-a", { secure: false }],
  ];
  for (const [name, options] of mistakes) {
    it(`cannot be ${JSON.stringify([name, options])}`, async (t) => {
      const answer = await ask(t, (exchange) => {
        assert.throws(() => setCookie(exchange, name, "1", options), TypeError);
        exchange.end();
      });
      assert.equal(answer.status, 200);
    });
  }

  /** What a browser would refuse, as programs without types write it, too. */
  const refused: [options: object][] = [
    [{ sameSite: "none", secure: false }],
    [{ sameSite: "None" }],
    [{ sameSite: "None", secure: false }],
    [{ sameSite: true }],
  ];
  for (const [options] of refused) {
    it(`with ${JSON.stringify(options)} is a FieldError`, async (t) => {
      const answer = await ask(t, (exchange) => {
        assert.throws(() => setCookie(exchange, "a", "1", options as CookieOptions), FieldError);
        exchange.end();
      });
      assert.equal(answer.status, 200);
    });
  }
});
