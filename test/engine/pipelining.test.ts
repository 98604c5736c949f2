import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { harness, nextAnswers } from "../support/harness.ts";
import { signal, sleep, turns } from "../support/waiting.ts";

function gets(count: number, target: (i: number) => string = (i) => `/${i}`): string {
  return Array.from({ length: count }, (_, i) => `GET ${target(i)} HTTP/1.1\r\nHost: h\r\n\r\n`).join("");
}

describe("pipelined requests", () => {
  test("are answered in order by handlers that take their time", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:i", async (exchange) => {
      const i = Number(exchange.params.i);
      if (i % 3 === 0) await turns(1);
      if (i % 3 === 1) await sleep(1);
      exchange.end(String(i));
    });
    const client = connect().send(gets(60));
    for (let i = 0; i < 60; i++) assert.equal((await client.answer()).text, String(i));
  });

  test("wait until the response before is complete: one handler at a time", async (t) => {
    const { server, connect } = harness(t);
    let running = 0;
    let most = 0;
    server.get("/:i", async (exchange) => {
      most = Math.max(most, ++running);
      exchange.write("a");
      await turns(1);
      running--;
      exchange.end("b");
    });
    const client = connect().send(gets(20));
    for (let i = 0; i < 20; i++) assert.equal((await client.answer()).text, "ab");
    assert.equal(most, 1);
  });

  test("come in one read and their answers leave in one write", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:i", (exchange) => void exchange.end(exchange.params.i));
    const client = connect().send(gets(100));
    for (let i = 0; i < 100; i++) assert.equal((await client.answer()).text, String(i));
    assert.equal(client.deliveries.length, 1);
  });

  test("may come cut anywhere, with content between them", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:i", (exchange) => void exchange.end(exchange.params.i));
    server.post(
      "/:i",
      async (exchange) => void exchange.end(`${exchange.params.i} ${await exchange.text()}`),
    );
    const text =
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
      "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n" +
      "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
      "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n";
    for (const size of [1, 7, 64, text.length]) {
      const client = connect();
      for (let at = 0; at < text.length; at += size) client.send(text.slice(at, at + size));
      for (const expected of ["1 abc", "2", "3 de", "4"])
        assert.equal((await client.answer()).text, expected);
    }
  });

  test("after a broken one nothing is answered any more, before it everything is", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:i", async (exchange) => {
      await turns(1);
      exchange.end(exchange.params.i);
    });
    const client = connect().send(`${gets(2)}GET /bad HTTP/1.1\r\nHost : h\r\n\r\n${gets(1)}`);
    assert.deepEqual(await nextAnswers(client, "text", "text", "status"), ["0", "1", 400]);
    await client.over();
    assert.equal(client.rest, "");
  });

  test("a handler that never answers holds up only its own connection, within bounds", async (t) => {
    const { server, connect } = harness(t);
    const begun = signal();
    server.get("/never", () => begun.give());
    server.get("/:i", (exchange) => void exchange.end("ok"));
    const stuck = connect().get("/never");
    await begun.wait("the request");
    for (let i = 0; i < 1_000; i++) stuck.send(gets(10));
    await turns(20);
    assert.ok(stuck.wire.waitingBytes > 200_000, "all that was sent has been read");
    assert.equal((await connect().get("/1").answer()).text, "ok");
  });

  test("sent at full speed by a client that does not read: memory stays bounded, and nothing is lost", async (t) => {
    const limits = { maxBackpressureBytes: 1_000_000 };
    const { server, connect } = harness(t, { limits });
    const body = "x".repeat(10_000);
    let handled = 0;
    server.get("/:i", (exchange) => {
      handled++;
      exchange.end(body);
    });
    const client = connect().pause();
    const count = 1_000;
    for (let i = 0; i < count / 10; i++) {
      client.send(gets(10));
      await turns(1);
    }
    await turns(20);
    const waiting = handled * body.length;
    assert.ok(waiting <= 2_000_000, `${waiting} bytes wait for a client that does not read`);
    client.resume();
    for (let i = 0; i < count; i++) assert.equal((await client.answer()).body.length, body.length);
    assert.equal(handled, count);
  });

  test("the same on a real socket", async (t) => {
    const { server, connectTcp } = harness(t, { limits: { maxBackpressureBytes: 1_000_000 } });
    const body = Buffer.alloc(20_000, "x");
    let handled = 0;
    server.get("/", (exchange) => {
      handled++;
      exchange.end(body);
    });
    const client = await connectTcp();
    client.pause();
    // The system itself may take some megabytes on loopback.
    for (let i = 0; i < 2_000; i++) {
      client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      if (i % 50 === 0) await turns(1);
    }
    await turns(50);
    assert.ok(handled * body.length < 20_000_000, `${handled} of 2000 answers of 20 kB are in memory`);
    client.resume();
    await client.until(() => handled === 2_000 || client.closed, "the rest to be served", 3_000);
  });
});
