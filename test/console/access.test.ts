import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Access, sameOrigin } from "../../src/console/access.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { processorMs } from "../support/processor-time.ts";

/** As much of a request as access looks at. */
function request(authority: string, remoteAddress?: string, headers: Record<string, string> = {}): Exchange {
  const fields = { authority, remoteAddress, header: (name: string) => headers[name] };
  return fields as unknown as Exchange;
}

describe("without a token", () => {
  const access = new Access(undefined, "/console");
  const served: [remote: string, authority: string][] = [
    ["127.0.0.1", "127.0.0.1:9001"],
    ["127.0.0.1", "localhost:9001"],
    ["127.1.2.3", "LOCALHOST"],
    ["127.0.0.1", "app.localhost:9001"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::1", "[::1]:9001"],
  ];
  for (const [remote, authority] of served) {
    it(`serves ${remote} that asks ${authority}`, () =>
      assert.equal(access.permits(request(authority, remote)), true));
  }

  const refused: [
    why: string,
    remote: string | undefined,
    authority: string,
    headers?: Record<string, string>,
  ][] = [
    ["another machine", "192.0.2.1", "127.0.0.1:9001"],
    ["an address that only begins like loopback", "127.0.0.1.example", "127.0.0.1"],
    ["a name that was made to point here (DNS rebinding)", "127.0.0.1", "rebound.example:9001"],
    ["a name that begins like loopback", "127.0.0.1", "127.0.0.1.rebound.example"],
    ["a name that begins like localhost", "127.0.0.1", "localhost.rebound.example"],
    ["a name that ends like localhost", "127.0.0.1", "reboundlocalhost"],
    ["a name below that has no name", "127.0.0.1", ".localhost"],
    ["no name", "127.0.0.1", ""],
    ["a Unix socket, whose other end is mostly a proxy", undefined, "localhost"],
    ["a proxy that says so", "127.0.0.1", "127.0.0.1:9001", { "x-forwarded-for": "192.0.2.1" }],
    ["a proxy that says so by Forwarded", "127.0.0.1", "localhost", { forwarded: "for=192.0.2.1" }],
  ];
  for (const [why, remote, authority, headers] of refused) {
    it(`refuses ${why}`, () => assert.equal(access.permits(request(authority, remote, headers)), false));
  }

  it("accepts no text as a token", () => assert.equal(access.accepts(""), false));
});

describe("with a token", () => {
  const token = "sixteen letters!";
  const access = new Access(token, "/console");
  const cookie = (): string => {
    let set = "";
    access.grant({
      encrypted: true,
      headSent: false,
      appendHeader: (_name: string, value: string) => {
        set = value;
      },
    } as unknown as Exchange);
    return set;
  };
  const proof = cookie().split(";")[0] ?? "";

  it("refuses one that is too short", () => {
    for (const short of ["", "fifteen letters", 5 as unknown as string]) {
      assert.throws(() => new Access(short, "/"), /RangeError: the token of a console must have at least 16/);
    }
  });

  it("keeps proof in a cookie that scripts, other sites and other paths do not get", () => {
    const [value = "", ...attributes] = cookie().split("; ");
    assert.match(value, /^portico_console=[\w-]{43}$/);
    assert.deepEqual(attributes, ["Path=/console", "HttpOnly", "Secure", "SameSite=Strict"]);
    assert.ok(!cookie().includes(token));
  });

  it("compares many cookies quickly, and finds the proof behind them", () => {
    for (const other of ["portico_console=", `portico_console=${"a".repeat(43)}`, ""]) {
      const headers = { cookie: `${`${other};`.repeat(20_000)} ${proof}` };
      const start = processorMs();
      for (let i = 0; i < 10; i++) assert.ok(access.permits(request("localhost", "127.0.0.1", headers)));
      assert.ok(processorMs() - start < 1_000, other);
    }
  });

  const cases: [what: string, cookie: string | undefined, permitted: boolean][] = [
    ["the proof", proof, true],
    ["the proof among others", `a=b; ${proof}; c=d`, true],
    ["the proof after a wrong one", `portico_console=x; ${proof}`, true],
    ["nothing", undefined, false],
    ["the token itself", `portico_console=${token}`, false],
    ["a part of the proof", proof.slice(0, -1), false],
    ["more than the proof", `${proof}A`, false],
    ["the proof under another name", `x${proof}`, false],
  ];
  for (const [what, value, permitted] of cases) {
    it(`${permitted ? "serves" : "refuses"} ${what}, also from this machine`, () => {
      const headers = value === undefined ? {} : { cookie: value };
      assert.equal(access.permits(request("localhost", "127.0.0.1", headers)), permitted);
    });
  }

  it("is the same after a restart, and another one for another token", () => {
    const headers = { cookie: proof };
    assert.equal(new Access(token, "/console").permits(request("h", "192.0.2.1", headers)), true);
    assert.equal(new Access(`${token}!`, "/console").permits(request("h", "192.0.2.1", headers)), false);
  });

  it("accepts the token and nothing else", () => {
    assert.equal(access.accepts(token), true);
    for (const wrong of ["", token.slice(1), `${token} `, token.toUpperCase()])
      assert.equal(access.accepts(wrong), false);
  });
});

describe("the origin of a WebSocket (RFC 6455 §10.2)", () => {
  const cases: [origin: string | undefined, authority: string, same: boolean][] = [
    [undefined, "localhost:9001", true],
    ["http://localhost:9001", "localhost:9001", true],
    ["https://Console.example", "console.example", true],
    ["http://localhost:9002", "localhost:9001", false],
    ["http://localhost", "localhost:9001", false],
    ["https://other.example", "console.example", false],
    ["https://console.example.other.example", "console.example", false],
    ["https://user@console.example", "console.example", false],
    ["null", "console.example", false],
    ["", "", false],
    ["file://", "console.example", false],
  ];
  for (const [origin, authority, same] of cases) {
    it(`${origin ?? "none"} is ${same ? "" : "not "}of ${authority}`, () => {
      const headers = origin === undefined ? {} : { origin };
      assert.equal(sameOrigin(request(authority, "127.0.0.1", headers)), same);
    });
  }
});
