import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type RequestIdOptions, requestId, requestIds } from "../../src/operations/request-ids.ts";
import { harness } from "../support/harness.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const rows: readonly [name: string, options: RequestIdOptions, lines: string, wanted: RegExp][] = [
  ["a UUID where none was given", {}, "", UUID],
  ["a UUID where nobody is trusted", {}, "X-Request-Id: abc\r\n", UUID],
  ["a UUID where the peer is not trusted", { trust: ["10.0.0.0/8"] }, "X-Request-Id: abc\r\n", UUID],
  ["that of a trusted peer", { trust: ["loopback"] }, "X-Request-Id: abc\r\n", /^abc$/],
  [
    "that of anybody",
    { trust: true },
    "x-request-id: Root=1-67891233:a/b+c.d_e~f@g\r\n",
    /^Root=1-67891233:a\/b\+c\.d_e~f@g$/,
  ],
  ["that of another field", { trust: true, field: "X-Correlation-Id" }, "X-Correlation-Id: abc\r\n", /^abc$/],
  ["the longest", { trust: true }, `X-Request-Id: ${"x".repeat(128)}\r\n`, /^x{128}$/],
  ["a UUID in place of one that is too long", { trust: true }, `X-Request-Id: ${"x".repeat(129)}\r\n`, UUID],
  ["a UUID in place of an empty one", { trust: true }, "X-Request-Id:\r\n", UUID],
  ["a UUID in place of one with spaces", { trust: true }, "X-Request-Id: a b\r\n", UUID],
  ["a UUID in place of two", { trust: true }, "X-Request-Id: a\r\nX-Request-Id: b\r\n", UUID],
  ["a UUID in place of markup", { trust: true }, "X-Request-Id: <b>\r\n", UUID],
];

describe("requestIds", () => {
  for (const [name, options, lines, wanted] of rows) {
    it(`gives ${name}`, async (t) => {
      const { server, connectTcp } = harness(t);
      server.mount(requestIds(options));
      server.get("/", (exchange) => exchange.end(requestId(exchange)));
      const answer = await (await connectTcp()).get("/", lines).answer();
      assert.match(answer.text, wanted);
      assert.equal(answer.header((options.field ?? "x-request-id").toLowerCase()), answer.text);
    });
  }

  it("gives each request another, and errors theirs, too", async (t) => {
    const { server, connect } = harness(t);
    server.mount(requestIds());
    server.get("/broken", () => {
      throw new Error("broken");
    });
    const peer = connect();
    const ids = [];
    for (const path of ["/broken", "/broken", "/nowhere"])
      ids.push((await peer.get(path).answer()).header("x-request-id"));
    for (const id of ids) assert.match(id ?? "", UUID);
    assert.equal(new Set(ids).size, 3);
  });

  it("is the id that server.find knows", async (t) => {
    const { server, connect } = harness(t);
    server.mount(requestIds());
    server.get("/", (exchange) => exchange.end(String(server.find(requestId(exchange)) === exchange)));
    assert.equal((await connect().get("/").answer()).text, "true");
  });
});
