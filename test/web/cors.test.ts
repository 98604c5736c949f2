import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type CorsOptions, cors } from "../../src/web/cors.ts";
import { type SecurityHeadersOptions, securityHeaders } from "../../src/web/security-headers.ts";
import { listOf } from "../support/bytes.ts";
import { type Harness, harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { overTls } from "./tls.ts";

const A = "https://a.example";

function serving(t: TestContext, options?: CorsOptions): Harness {
  const place = harness(t);
  place.server.onRequest(cors(options));
  place.server.get("/", (exchange) => exchange.setHeader("Vary", "Accept").end("ok"));
  place.server.get("/plain", (exchange) => exchange.end("ok"));
  place.server.get("/fails", () => {
    throw new Error("a fault of the program");
  });
  return place;
}

function fields(answer: Answer): Record<string, string | undefined> {
  const names = ["origin", "credentials", "methods", "headers"].map((name) => `access-control-allow-${name}`);
  const found = [...names, "access-control-expose-headers", "access-control-max-age", "vary"].flatMap(
    (name) => {
      const value = answer.header(name);
      return value === undefined ? [] : [[name.replace("access-control-", ""), value] as const];
    },
  );
  return Object.fromEntries(found);
}

/** The fields for an origin that is allowed, where it depends on the origin. */
const allowed = (origin: string): Record<string, string> => ({ "allow-origin": origin, vary: "Origin" });
const refused = { vary: "Origin" };

describe("cors, requests", () => {
  /** [options, Origin, the fields of the answer]. */
  const cases: [
    options: CorsOptions | undefined,
    origin: string | undefined,
    expected: Record<string, string>,
  ][] = [
    [undefined, A, { "allow-origin": "*" }],
    [undefined, undefined, {}],
    [{ origins: A }, A, allowed(A)],
    [{ origins: A }, undefined, refused],
    [{ origins: A }, "https://b.example", refused],
    [{ origins: A }, "https://a.example.evil", refused],
    [{ origins: A }, "http://a.example", refused],
    [{ origins: A }, "null", refused],
    [{ origins: "null" }, "null", allowed("null")],
    [{ origins: [A, "http://localhost:3000"] }, "http://localhost:3000", allowed("http://localhost:3000")],
    [{ origins: [A, /^https:\/\/\w+\.b\.example$/g] }, "https://x.b.example", allowed("https://x.b.example")],
    [{ origins: /^https:\/\/\w+\.b\.example$/ }, "https://b.example", refused],
    // What is not anchored would match origins of others.
    [{ origins: /https:\/\/b\.example/ }, "https://b.example", allowed("https://b.example")],
    [{ origins: /https:\/\/b\.example/ }, "https://b.example.evil", refused],
    [{ origins: /b\.example$/m }, "https://evil-b.example", refused],
    [{ origins: /https:\/\/b|https:\/\/c/ }, "https://b.evil", refused],
    // As a program in JavaScript might have it.
    [{ origins: (async () => false) as unknown as () => boolean }, A, refused],
    [{ origins: (origin) => origin.endsWith(".c") }, "https://x.c", allowed("https://x.c")],
    [{ origins: () => false }, A, refused],
    [
      { origins: A, credentials: true },
      A,
      { "allow-origin": A, "allow-credentials": "true", vary: "Origin" },
    ],
    [{ origins: A, credentials: true }, "https://b.example", refused],
    [{ exposedHeaders: ["ETag", "X-A"] }, A, { "allow-origin": "*", "expose-headers": "ETag, X-A" }],
  ];
  for (const [options, origin, expected] of cases) {
    it(`${JSON.stringify(options)} for ${origin}`, async (t) => {
      const place = serving(t, options);
      const client = place.connect();
      const line = origin === undefined ? "" : `Origin: ${origin}\r\n`;
      // Twice: an expression with a flag must not remember.
      for (let i = 0; i < 2; i++) {
        const answer = await client.get("/plain", line).answer();
        assert.deepEqual([answer.status, fields(answer)], [200, expected]);
      }
    });
  }

  it("have the fields on failures, too, and OPTIONS without a preflight goes on", async (t) => {
    const place = serving(t, { origins: A });
    const expected = { "allow-origin": A, vary: "Origin, Accept" };
    for (const [path, status] of [
      ["/none", 404],
      ["/fails", 500],
    ] as const) {
      const answer = await place.connect().get(path, `Origin: ${A}\r\n`).answer();
      assert.deepEqual([answer.status, fields(answer)], [status, expected]);
    }
    const options = await place
      .connect()
      .send(`OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: ${A}\r\n\r\n`)
      .answer();
    assert.deepEqual(
      [options.status, options.header("allow"), fields(options)],
      [204, "GET, HEAD, OPTIONS", { ...expected, vary: "Origin" }],
    );
  });
});

describe("cors, preflights", () => {
  const vary = "Access-Control-Request-Method, Access-Control-Request-Headers";
  const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
  const all = { "allow-origin": "*", "allow-methods": methods, "max-age": "600", vary };
  /** [options, Origin, Access-Control-Request-Headers, the fields of the answer]. */
  const cases: [
    options: CorsOptions,
    origin: string,
    headers: string | undefined,
    expected: Record<string, string>,
  ][] = [
    [{}, A, undefined, all],
    [{}, A, "x-a, Content-Type", { ...all, "allow-headers": "x-a, Content-Type" }],
    [{}, A, "x-a: b", all],
    [
      { headers: ["X-B"], methods: ["LOCK"], maxAgeSeconds: 5 },
      A,
      "x-a",
      { ...all, "allow-methods": "GET, HEAD, POST, LOCK", "allow-headers": "X-B", "max-age": "5" },
    ],
    [
      { origins: A, credentials: true, exposedHeaders: ["X-C"] },
      A,
      undefined,
      { ...all, "allow-origin": A, "allow-credentials": "true", vary: `Origin, ${vary}` },
    ],
    [{ origins: A }, "https://b.example", "x-a", { vary: `Origin, ${vary}` }],
  ];
  for (const [options, origin, headers, expected] of cases) {
    it(`${JSON.stringify(options)} for ${origin} with ${headers}`, async (t) => {
      const client = serving(t, options).connect();
      const asked = headers === undefined ? "" : `Access-Control-Request-Headers: ${headers}\r\n`;
      const lines = `Host: h\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: PUT\r\n${asked}`;
      const answer = await client.send(`OPTIONS /none HTTP/1.1\r\n${lines}\r\n`).answer();
      assert.deepEqual(
        [answer.status, answer.header("content-length"), fields(answer)],
        [204, undefined, expected],
      );
      assert.equal((await client.get("/plain").answer()).text, "ok");
    });
  }
});

describe("cors, mistakes of the program", () => {
  const mistakes: CorsOptions[] = [
    { credentials: true },
    { origins: "*", credentials: true },
    { origins: ["*", A] },
    { origins: ["*"], credentials: true },
    { origins: "a.example" },
    { origins: `${A}/` },
    { origins: `${A}/path` },
    { origins: "https://A.example" },
    { origins: "https://a.example:443" },
    { origins: "" },
  ];
  for (const options of mistakes) {
    it(JSON.stringify(options), () => assert.throws(() => cors(options), TypeError));
  }
  it("are none of these", () => {
    const good =
      "http://localhost:8080¦http://[::1]:8080¦chrome-extension://abc¦https://xn--bcher-kva.example";
    for (const origins of listOf(good)) cors({ origins, credentials: true });
  });
});

describe("securityHeaders", () => {
  async function ask(t: TestContext, options: SecurityHeadersOptions, path = "/"): Promise<Answer> {
    const { server, connect } = harness(t);
    server.onRequest(securityHeaders(options));
    server.get("/", (exchange) => exchange.end());
    return connect().get(path).answer();
  }
  const safe: Record<string, string | undefined> = {
    "content-security-policy":
      "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; " +
      "object-src 'none'; script-src-attr 'none'; style-src 'self' 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": undefined,
    "permissions-policy": undefined,
    "strict-transport-security": undefined,
  };

  it("has a default for each field, on failures too", async (t) => {
    for (const path of ["/", "/none"]) {
      const answer = await ask(t, {}, path);
      for (const [name, value] of Object.entries(safe)) assert.equal(answer.header(name), value, name);
    }
  });

  it("asks for TLS over TLS only", async (t) => {
    const strict = async (options: SecurityHeadersOptions): Promise<unknown> => {
      const headers = await overTls(t, (server) => {
        server.onRequest(securityHeaders(options));
        server.get("/", (exchange) => exchange.end());
      });
      return headers["strict-transport-security"];
    };
    assert.equal(await strict({}), "max-age=31536000");
    const all = { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true };
    assert.equal(await strict({ strictTransport: all }), "max-age=63072000; includeSubDomains; preload");
    assert.equal(await strict({ strictTransport: false }), undefined);
  });

  it("leaves out what is turned off, and takes other values", async (t) => {
    const off = await ask(t, {
      contentPolicy: false,
      contentTypeOptions: false,
      frameOptions: false,
      referrerPolicy: false,
      openerPolicy: false,
      resourcePolicy: false,
    });
    for (const name of Object.keys(safe)) assert.equal(off.header(name), undefined, name);
    const other = await ask(t, {
      contentPolicy: { "default-src": ["'none'"], "upgrade-insecure-requests": [] },
      frameOptions: "DENY",
      embedderPolicy: "require-corp",
      permissionsPolicy: "camera=()",
    });
    assert.equal(other.header("content-security-policy"), "default-src 'none'; upgrade-insecure-requests");
    assert.equal(other.header("x-frame-options"), "DENY");
    assert.equal(other.header("cross-origin-embedder-policy"), "require-corp");
    assert.equal(other.header("permissions-policy"), "camera=()");
    assert.equal((await ask(t, { contentPolicy: "sandbox" })).header("content-security-policy"), "sandbox");
  });

  it("refuses at once what cannot be sent", () => {
    for (const policy of [
      { "default-src": ["a; b"] },
      { "Default Src": [] },
      { "img-src": ["a\r\nb"] },
      { "img-src": ["a,b"] },
    ]) {
      assert.throws(() => securityHeaders({ contentPolicy: policy }), TypeError);
    }
    for (const maxAgeSeconds of [-1, 1.5, Number.NaN]) {
      assert.throws(() => securityHeaders({ strictTransport: { maxAgeSeconds } }), TypeError);
    }
    for (const text of ["a\r\nb", "ü€"]) {
      assert.throws(() => securityHeaders({ contentPolicy: text }), TypeError);
      assert.throws(() => securityHeaders({ permissionsPolicy: text }), TypeError);
    }
  });
});
