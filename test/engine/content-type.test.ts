import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { FieldError } from "../../src/protocol/http/field-lines.ts";
import { testClient } from "../../src/testing/index.ts";
import { throwing } from "../support/failing.ts";
import { harness, routed } from "../support/harness.ts";

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
const TYPE = "Content-Type";

type Send = (exchange: Exchange) => unknown;

async function* generated(...chunks: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* chunks;
}

const sent: readonly [what: string, send: Send, type: string | null][] = [
  ["text that ends", (x) => x.end("Grüße"), TEXT],
  ["bytes that end", (x) => x.end(Buffer.from("<script>")), BYTES],
  ["text that is written", (x) => x.write("a") && x.end(Buffer.from("b")), TEXT],
  ["bytes that are written", (x) => x.write(Uint8Array.of(1)) && x.end("b"), BYTES],
  ["text by tryEnd", (x) => x.tryEnd("a", 1), TEXT],
  ["bytes by tryEnd", (x) => x.tryEnd(Uint8Array.of(1)), BYTES],
  ["a source of text", (x) => x.stream(generated("a", Uint8Array.of(1))), TEXT],
  ["a source of bytes", (x) => x.stream(generated(Uint8Array.of(1), "a")), BYTES],
  ["an empty source", (x) => x.stream(generated()), null],
  ["an empty end", (x) => x.end(), null],
  ["no bytes", (x) => x.end(new Uint8Array()), null],
  ["nothing by tryEnd", (x) => x.tryEnd("", 0), null],
  ["204", (x) => x.status(204).end("not sent"), null],
  ["205", (x) => x.status(205).end("not sent"), null],
  ["304", (x) => x.status(304).end("not sent"), null],
  ["its own type", (x) => x.setHeader("content-type", "text/html").end("<p>"), "text/html"],
  ["its own type, appended", (x) => x.appendHeader("CONTENT-TYPE", "text/css").end("p{}"), "text/css"],
  ["null", (x) => x.setHeader("Content-Type", null).end("a"), null],
  ["null after a type", (x) => x.setHeader(TYPE, "a/b").setHeader("content-type", null).end("a"), null],
  ["a type after null", (x) => x.setHeader(TYPE, null).setHeader(TYPE, "a/b").end("a"), "a/b"],
  ["a type that was removed", (x) => x.setHeader(TYPE, "a/b").removeHeader(TYPE).end("a"), TEXT],
];

describe("Content-Type", () => {
  for (const [what, send, type] of sent) {
    test(`of ${what} is ${type}`, async (t) => {
      const { server } = routed(harness(t), "get", (exchange) => void send(exchange));
      const client = testClient(server);
      t.after(() => client.close());
      for (const method of what.includes("source") ? ["GET"] : ["GET", "HEAD"]) {
        // The second time what was composed before is used again.
        for (const _ of [1, 2]) {
          assert.equal((await client.fetch("/", { method })).headers.get("content-type"), type, method);
        }
      }
    });
  }

  test("stands behind the fields of the program, once", async (t) => {
    const { server, connect } = harness(t);
    let count = 0;
    server.get("/", (exchange) => void exchange.setHeader("X-Count", count++).end("a"));
    for (const expected of [0, 1, 2]) {
      const { lines } = await connect().get("/").answer();
      assert.deepEqual(lines.slice(0, 2), [`X-Count: ${expected}`, `Content-Type: ${TEXT}`]);
      assert.equal(lines.filter((line) => /^content-type/i.test(line)).length, 1);
    }
  });

  test("of a Response is that of the Response, or none", async (t) => {
    const { server } = harness(t);
    server.fetch((request) => {
      if (request.url.endsWith("/bytes")) return new Response(Uint8Array.of(1));
      if (request.url.endsWith("/stream")) return new Response(new Blob(["a"]).stream());
      return new Response("a");
    });
    await using client = testClient(server);
    assert.equal((await client.fetch("/bytes")).headers.get("content-type"), null);
    assert.equal((await client.fetch("/stream")).headers.get("content-type"), null);
    const { headers } = await client.fetch("/text");
    assert.match(headers.get("content-type") ?? "", /^text\/plain; ?charset=utf-8$/i);
  });

  test("set by a hook holds for the route, and not for the answer to a failure", async (t) => {
    const { server } = harness(t, { onError: () => {} });
    server.onRequest((exchange) => void exchange.setHeader("Content-Type", "image/png"));
    server.get("/", (exchange) => exchange.end("a"));
    server.get("/fails", throwing(new Error("broken")));
    const client = testClient(server);
    t.after(() => client.close());
    assert.equal((await client.fetch("/")).headers.get("content-type"), "image/png");
    assert.notEqual((await client.fetch("/fails")).headers.get("content-type"), "image/png");
  });

  test("is the only field that can be null", async (t) => {
    const thrown: unknown[] = [];
    const { server } = routed(harness(t), "get", (exchange) => {
      try {
        Reflect.apply(exchange.setHeader, exchange, ["Location", null]);
      } catch (error) {
        thrown.push(error);
      }
      exchange.end();
    });
    const client = testClient(server);
    t.after(() => client.close());
    await client.fetch("/");
    assert.ok(thrown[0] instanceof FieldError);
  });
});
