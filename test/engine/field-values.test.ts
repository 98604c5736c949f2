// What a program gives as the value of a field: text, numbers and lists of those. Everything else is its mistake.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { FieldError } from "../../src/protocol/http/field-lines.ts";
import type { FieldValue } from "../../src/protocol/http/field-values.ts";
import { Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/server/target.ts";
import { testClient } from "../../src/testing/index.ts";
import { cors } from "../../src/web/cors.ts";
import { harness, routed } from "../support/harness.ts";

const NONSENSE: [name: string, value: unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["an object", { a: 1 }],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["true", true],
  ["a symbol", Symbol("a")],
  ["a list with undefined", ["a", undefined]],
  ["a list in a list", [["a"]]],
  ["a list with a line break", ["a", "b\r\nX: 1"]],
];

async function linesOf(t: Parameters<typeof harness>[0], handler: Handler): Promise<string[]> {
  const { connect } = routed(harness(t), "get", handler);
  const { head } = await connect().get("/").answer();
  return head.split("\r\n").filter((line) => /^(?:set-cookie|x):/i.test(line));
}

describe("a list as the value of a field", () => {
  for (const call of ["setHeader", "appendHeader"] as const) {
    test(`is one line for each element in ${call}`, async (t) => {
      const lines = await linesOf(t, (exchange) =>
        exchange[call]("Set-Cookie", ["a=1; Path=/", "b=2"])[call]("X", ["1", 2]).end(),
      );
      assert.deepEqual(lines, ["Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "X: 1", "X: 2"]);
    });
  }

  test("takes the place of all lines of the name", async (t) => {
    const lines = await linesOf(t, (exchange) =>
      exchange
        .setHeader("X", ["1", "2"])
        .setHeader("X", ["3", "4"])
        .setHeader("Set-Cookie", "a=1")
        .setHeader("Set-Cookie", [])
        .end(),
    );
    assert.deepEqual(lines, ["X: 3", "X: 4"]);
  });

  test("is a FieldError for a field that has one value (RFC 9110 §5.3)", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/", (exchange) => exchange.setHeader("Location", ["/a", "/b"]).end());
    assert.equal((await connect().get("/").answer()).status, 500);
    assert.ok(reports[0]?.error instanceof FieldError);
    assert.match(String(reports[0]?.error), /Location can have only one value/);
  });
});

for (const [name, value] of NONSENSE) {
  const wrong = value as FieldValue;
  describe(`${name} as the value of a field is a FieldError`, () => {
    for (const call of ["setHeader", "appendHeader"] as const) {
      test(call, async (t) => {
        const { server, connect, reports } = harness(t);
        server.get("/", (exchange) => exchange[call]("X", wrong).end());
        const answer = await connect().get("/").answer();
        assert.equal(answer.status, 500);
        assert.doesNotMatch(answer.head, /^X:/m);
        assert.ok(reports[0]?.error instanceof FieldError, String(reports[0]?.error));
      });
    }

    test("options of a WebSocket route", () => {
      assert.throws(() => new Server().websocket("/", {}, { headers: { X: wrong } }), FieldError);
    });

    test("connect", async () => {
      await assert.rejects(connect("ws://localhost:1/", {}, { headers: { X: wrong } }), FieldError);
    });

    test("a test client's headers", async () => {
      await using server = new Server();
      await using client = testClient(server);
      await assert.rejects(client.fetch("/", { headers: { X: wrong } }), FieldError);
    });
  });
}

test("a name that is not text is a FieldError", async (t) => {
  const { server, connect, reports } = harness(t);
  server.get("/", (exchange) => exchange.setHeader(undefined as unknown as string, "1").end());
  assert.equal((await connect().get("/").answer()).status, 500);
  assert.ok(reports[0]?.error instanceof FieldError);
});

test("a trailer of a test client is a FieldError when it is not text", async () => {
  await using server = new Server();
  await using client = testClient(server);
  const trailers = { X: undefined as unknown as string };
  await assert.rejects(client.fetch("/", { method: "POST", body: "x", trailers }), FieldError);
});

test("cors says at once that a name cannot be sent", () => {
  assert.throws(() => cors({ headers: ["X A"] }), FieldError);
  assert.throws(() => cors({ exposedHeaders: ["X\r\nA"] }), FieldError);
  assert.throws(() => cors({ methods: [""] }), FieldError);
});
