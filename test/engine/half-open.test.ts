import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { harness, keepPolling, routed } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

describe("allowHalfOpen: a client that ends its half behind the request", () => {
  for (const way of ["memory", "TCP", "TLS"] as const) {
    for (const delivery of ["immediate", "deferred"] as const) {
      test(`gets the answer of a handler that waits, over ${way}, ${delivery}`, async (t) => {
        let aborts = 0;
        const { server, connectOver } = routed(
          harness(t, { allowHalfOpen: true, delivery }),
          "get",
          async (exchange) => {
            exchange.onAbort(() => aborts++);
            await turns(20);
            exchange.end("here you are");
          },
        );
        keepPolling(t, server, delivery);
        const client = (await connectOver(way)).send(GET).end();
        const answer = await client.answer();
        assert.deepEqual([answer.text, answer.header("connection")], ["here you are", "close"]);
        await client.over();
        assert.equal(aborts, 0);
      });
    }
  }

  test("gets all answers to pipelined requests, and a streamed one to its end", async (t) => {
    const { connectTcp } = routed(harness(t, { allowHalfOpen: true }), "get", async (exchange) => {
      await turns(5);
      exchange.write("piece by ");
      await turns(5);
      exchange.end("piece");
    });
    const client = (await connectTcp()).send(GET + GET + GET).end();
    for (let i = 0; i < 3; i++) assert.equal((await client.answer()).text, "piece by piece");
    await client.over();
  });

  test("gets the answer to content that the program takes slowly", async (t) => {
    const { connectTcp } = routed(harness(t, { allowHalfOpen: true }), "post", async (exchange) => {
      let length = 0;
      for await (const piece of exchange.body) {
        length += piece.length;
        await turns(3);
      }
      exchange.end(String(length));
    });
    const client = await connectTcp();
    assert.equal((await client.post("/", "x".repeat(1_000_000)).end().answer("POST")).text, "1000000");
  });

  test("is aborted when its content is not complete", async (t) => {
    const { server, connect } = harness(t, { allowHalfOpen: true });
    const aborted = signal();
    server.post("/", (exchange) => exchange.onAbort(aborted.give));
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
    client.end();
    await aborted.wait("the abort");
    await client.over();
  });

  test("is noticed when it is reset while the handler waits", async (t) => {
    const { server, connectTcp } = harness(t, { allowHalfOpen: true, limits: { keepAliveTimeoutMs: 60 } });
    const aborted = signal();
    const asked = signal();
    server.get("/", (exchange) => {
      exchange.onAbort(aborted.give);
      asked.give();
    });
    const client = (await connectTcp()).send(GET).end();
    await asked.wait("the request");
    client.reset();
    await aborted.wait("the abort");
  });

  test("by default it counts as gone, also with Connection: close", async (t) => {
    const { server, connectTcp } = harness(t);
    for (const lines of ["", "Connection: close\r\n"]) {
      const aborted = signal();
      server.replaceRoutes(() => server.get("/", (exchange) => exchange.onAbort(aborted.give)));
      const client = (await connectTcp()).get("/", lines).end();
      await aborted.wait("the abort");
      await client.over();
      assert.equal(client.text, "");
    }
  });
});
