import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { harness, keepPolling, routed } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

const PIECE = "x".repeat(16_000);
const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;

/** A callback that fails fails once: what comes afterwards is thrown away, and the program is told of one error. */
describe("a callback of onBody that fails", () => {
  for (const delivery of ["immediate", "deferred"] as const) {
    for (const kind of ["throws", "rejects", "rejects later"] as const) {
      test(`${delivery}: one that ${kind} is called no more, reported once and answered 500`, async (t) => {
        let calls = 0;
        const { server, reports, connectTcp } = routed(harness(t, { delivery }), "post", (exchange) => {
          exchange.onBody(() => {
            calls++;
            if (kind === "throws") throw new Error("a mistake");
            return kind === "rejects"
              ? Promise.reject(new Error("a mistake"))
              : sleep(5).then(() => Promise.reject(new Error("a mistake")));
          });
        });
        keepPolling(t, server, delivery);
        const client = await connectTcp();
        client.send(head("/", 200 * PIECE.length));
        const answer = client.answer("POST");
        for (let i = 0; i < 20; i++) {
          client.send(PIECE);
          await turns(2);
        }
        assert.equal((await answer).status, 500);
        assert.equal((await answer).header("connection"), "close");
        const until = calls;
        for (let i = 0; i < 20; i++) client.send(PIECE);
        await client.over();
        assert.equal(calls, until, "it is called no more");
        if (kind === "throws") assert.equal(calls, 1);
        await sleep(20);
        assert.equal(reports.length, 1);
        assert.equal(server.counters.errors["HANDLER"], 1);
      });
    }
  }

  test("one that throws for what had been kept is called no more", async (t) => {
    let calls = 0;
    const { reports, connect } = routed(harness(t), "post", async (exchange) => {
      await turns(5);
      exchange.onBody(() => {
        calls++;
        throw new Error("a mistake");
      });
    });
    const client = connect().send(head("/", 10) + "x".repeat(4));
    assert.equal((await client.answer("POST")).status, 500);
    client.send("x".repeat(6)).get("/none");
    assert.equal((await client.answer()).status, 404, "the connection goes on behind a small rest");
    assert.deepEqual([calls, reports.length], [1, 1]);
  });

  test("one that throws after the answer is called no more, and the answer stays", async (t) => {
    const { server, reports, connect } = harness(t, { limits: { maxDiscardBytes: 10 * PIECE.length } });
    let calls = 0;
    server.post("/", (exchange) => {
      exchange.onBody(() => {
        if (++calls === 1) exchange.end("fine");
        else throw new Error("a mistake");
      });
    });
    const client = connect().send(head("/", 5 * PIECE.length));
    for (let i = 0; i < 5; i++) {
      client.send(PIECE);
      await turns(2);
    }
    assert.equal((await client.answer("POST")).text, "fine");
    assert.equal((await client.get("/none").answer()).status, 404);
    assert.deepEqual([calls, reports.length], [2, 1]);
  });
});

describe("a message handler that fails", () => {
  for (const delivery of ["immediate", "deferred"] as const) {
    for (const kind of ["throws", "rejects"] as const) {
      test(`${delivery}: one that ${kind} is called no more for its WebSocket, and reported once`, async (t) => {
        const { server, reports, connect } = harness(t, { delivery });
        let calls = 0;
        let closes = 0;
        server.websocket("/", {
          message() {
            calls++;
            if (kind === "rejects") return Promise.reject(new Error("a mistake"));
            throw new Error("a mistake");
          },
          close: () => void closes++,
        });
        const poll = setInterval(() => delivery === "deferred" && server.poll(1), 1);
        t.after(() => clearInterval(poll));
        const client = await open(connect(), "/");
        for (let i = 0; i < 20; i++) client.send(`message ${i}`);
        assert.equal((await client.closeFrame()).code, 1011);
        await eventually(() => closes === 1, "the close");
        if (kind === "throws" || delivery === "deferred") assert.equal(calls, 1);
        assert.equal(reports.length, 1);
      });
    }
  }
});
