import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/server/target.ts";
import { formParts } from "../../src/web/forms.ts";
import { harness, keepPolling, routed } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";

const BOUNDARY = "b";
const PART = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n`;
const TYPE = `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n`;
const LARGE = 1_000_000;
const head = (length: number, lines = ""): string =>
  `POST / HTTP/1.1\r\nHost: h\r\n${TYPE}${lines}Content-Length: ${length}\r\n\r\n`;
const CHUNKED = `POST / HTTP/1.1\r\nHost: h\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Programs that read a part of the content, answer, and neither read on nor let go. */
const programs: Record<string, (server: Server) => unknown> = {
  "next() once": (server) =>
    server.post("/", async (exchange) => {
      await exchange.body[Symbol.asyncIterator]().next();
      exchange.end("answered");
    }),
  "onBody and pauseBody": (server) =>
    server.post("/", (exchange) => {
      let isAnswered = false;
      exchange.onBody(() => {
        exchange.pauseBody();
        if (!isAnswered) exchange.end("answered");
        isAnswered = true;
      });
    }),
  "pauseBody after the answer": (server) =>
    server.post("/", (exchange) => {
      exchange.onBody(() => {});
      exchange.end("answered");
      exchange.pauseBody();
    }),
  "formParts with one next()": (server) =>
    server.post("/", async (exchange) => {
      await formParts(exchange).next();
      exchange.end("answered");
    }),
  "one read of getReader()": (server) =>
    server.fetch(async (request) => {
      await request.body?.getReader().read();
      return new Response("answered");
    }),
  "one read of a clone": (server) =>
    server.fetch(async (request) => {
      await request.clone().body?.getReader().read();
      return new Response("answered");
    }),
  "one read of a branch of tee()": (server) =>
    server.fetch(async (request) => {
      await request.body?.tee()[0].getReader().read();
      return new Response("answered");
    }),
  "one read, and a streamed answer": (server) =>
    server.fetch(async (request) => {
      await request.body?.getReader().read();
      return new Response(new Blob(["answered"]).stream());
    }),
};

describe("content that nobody takes after the answer ends its connection after bodyTimeoutMs", () => {
  const limits = { bodyTimeoutMs: 60, closeTimeoutMs: 40 };
  for (const [name, add] of Object.entries(programs)) {
    for (const delivery of ["immediate", "deferred"] as const) {
      for (const sent of [LARGE - 1, 1_000]) {
        test(`${name}, ${delivery}, ${sent} bytes of ${LARGE}`, async (t) => {
          const { server, connect } = harness(t, { delivery, limits });
          add(server);
          keepPolling(t, server, delivery);
          const client = connect().send(head(LARGE) + PART);
          assert.equal((await client.send("x".repeat(sent - PART.length)).answer("POST")).text, "answered");
          await client.until(() => client.closed, "the end of the connection");
        });
      }
    }
  }

  for (const way of ["TCP", "TLS"] as const) {
    test(`over ${way}, chunked`, async (t) => {
      const { server, connectOver } = harness(t, { limits });
      programs["next() once"]?.(server);
      const client = await connectOver(way);
      assert.equal((await client.send(CHUNKED + chunk("x".repeat(LARGE))).answer("POST")).text, "answered");
      await client.over();
    });
  }

  test("also while the program pauses the server", async (t) => {
    const { server, connect } = harness(t, { limits });
    programs["next() once"]?.(server);
    const client = connect().send(head(LARGE) + "x".repeat(LARGE));
    assert.equal((await client.answer("POST")).text, "answered");
    server.pause();
    await client.until(() => client.closed, "the end of the connection");
  });

  test("a program that takes it slowly has the time for each piece", async (t) => {
    const { server, connect } = harness(t, { limits: { bodyTimeoutMs: 100, closeTimeoutMs: 40 } });
    const read = signal<number>();
    server.post("/", async (exchange) => {
      let length = 0;
      for await (const piece of exchange.body) {
        if (length === 0) exchange.end("answered");
        length += piece.length;
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      read.give(length);
    });
    const client = connect().send(head(300_000));
    for (let i = 0; i < 30; i++) client.send("x".repeat(10_000));
    assert.equal(await read.wait("all of the content"), 300_000);
  });
});

describe("an answer before the content has been read says what becomes of the connection", () => {
  const limits = { maxDiscardBytes: 1_000 };
  /** Answers when some of the content has come, and reads no more. */
  const refuseAtOnce =
    (status: number): Handler =>
    async (exchange) => {
      for await (const _ of exchange.body) {
        exchange.status(status).end(status === 204 ? "" : "no");
        return;
      }
    };

  for (const [name, status] of [
    ["with content", 403],
    ["without content", 204],
  ] as const) {
    test(`a loop that answers ${name} and is left: Connection: close, and it is closed at once`, async (t) => {
      const { connect } = routed(harness(t, { limits }), "post", refuseAtOnce(status));
      const client = connect().send(`${head(LARGE)}begun`);
      const answer = await client.answer("POST");
      assert.deepEqual([answer.status, answer.header("connection")], [status, "close"]);
      await client.over();
    });
  }

  test("chunked content, too", async (t) => {
    const { connect } = routed(harness(t, { limits }), "post", refuseAtOnce(403));
    const client = connect().send(CHUNKED + chunk("begun"));
    assert.equal((await client.answer("POST")).header("connection"), "close");
    await client.over();
  });

  test("a small rest is thrown away, and the connection goes on", async (t) => {
    const { connect } = routed(harness(t, { limits }), "post", refuseAtOnce(403));
    const client = connect().send(`${head(500)}begun`);
    assert.equal((await client.answer("POST")).header("connection"), undefined);
    assert.equal((await client.send("x".repeat(495)).get("/none").answer()).status, 404);
  });

  test("a program that reads on after such an answer gets everything, and then the connection is closed", async (t) => {
    for (const lines of ["", "Connection: close\r\n"]) {
      const read = signal<number>();
      const { connect } = routed(harness(t, { limits }), "post", async (exchange) => {
        let length = 0;
        for await (const piece of exchange.body) {
          if (length === 0) exchange.status(202).end("taken");
          length += piece.length;
        }
        read.give(length);
      });
      const client = connect().send(`${head(100_000, lines)}x`);
      const answer = await client.answer("POST");
      assert.deepEqual([answer.status, answer.header("connection")], [202, "close"]);
      for (let i = 0; i < 9; i++) client.send("x".repeat(11_111));
      assert.equal(await read.wait("the content"), 100_000);
      await client.over();
    }
  });

  test("an answer that is streamed while the content is read keeps the connection", async (t) => {
    const { server, connect } = harness(t, { limits });
    server.post("/", async (exchange) => void (await exchange.stream(exchange.body)));
    const client = connect().send(`${head(100_000)}x`);
    await client.untilText("x\r\n");
    client.send("x".repeat(99_999));
    const answer = await client.answer("POST");
    assert.deepEqual([answer.body.length, answer.header("connection")], [100_000, undefined]);
    await turns();
    assert.equal((await client.get("/none").answer()).status, 404);
  });
});
