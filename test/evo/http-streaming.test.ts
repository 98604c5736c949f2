import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { assertAnswer } from "../support/assert-answer.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { type Signal, signal, sleep, within } from "../support/waiting.ts";
import { httpServer, nextFinished, request, requested } from "./harness.ts";

/** Content of any size without holding it: a random pattern that repeats after a prime number of bytes. */
const PERIOD = 1_000_003;
const CHUNK = 256 << 10;
const pattern = ((): Buffer => {
  const once = randomBytes(PERIOD);
  return Buffer.concat([once, once.subarray(0, CHUNK)]);
})();

function slice(offset: number, size: number): Buffer {
  const from = offset % PERIOD;
  return pattern.subarray(from, from + size);
}

/** A client with one buffer that reads a response of the pattern and notes the first wrong byte. */
interface SlowReader {
  readonly socket: Socket;
  readonly complete: Signal;
  head: string;
  received: number;
  wrongAt: number;
}

function slowReader(t: TestContext, port: number, total: number, pauseMs: number): SlowReader {
  const buffer = Buffer.allocUnsafeSlow(64 << 10);
  const check = (from: number, to: number): void => {
    const expected = slice(reader.received, to - from);
    if (reader.wrongAt < 0 && buffer.compare(expected, 0, expected.length, from, to) !== 0) {
      reader.wrongAt = reader.received;
    }
    reader.received += to - from;
    if (reader.received >= total) reader.complete.give();
  };
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      buffer,
      callback(size): boolean {
        let from = 0;
        if (reader.head === "") {
          from = buffer.subarray(0, size).indexOf("\r\n\r\n") + 4;
          reader.head = buffer.toString("latin1", 0, from);
        }
        check(from, size);
        if (pauseMs === 0) return true;
        setTimeout(() => socket.resume(), pauseMs);
        return false;
      },
    },
  });
  t.after(() => socket.destroy());
  const reader: SlowReader = { socket, complete: signal(), head: "", received: 0, wrongAt: -1 };
  socket.write("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  return reader;
}

describe("StreamResponse(id, chunk, totalSize?)", () => {
  it("3: all of it was accepted and the response is complete", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteStatus(id, "201 Created");
    web.server.WriteHeader(id, "X-Name", "value");
    assert.equal(web.server.StreamResponse(id, "grüße"), 3);
    assert.equal(web.server.HasRequestDetails(id), false);
    const answer = await client.answer();
    assert.match(answer.head, /^HTTP\/1\.1 201 Created\r\nX-Name: value\r\n/);
    assert.equal(answer.header("content-length"), "7");
    assert.equal(answer.header("transfer-encoding"), undefined);
    assert.equal(answer.text, "grüße");
  });

  it("3 for an empty response", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.StreamResponse(id, ""), 3);
    assert.equal((await client.answer()).header("content-length"), "0");
  });

  it("1: all of it was accepted, more is to come (totalSize)", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.StreamResponse(id, "one, ", 13), 1);
    await client.until(() => client.rest.endsWith("one, "), "the first piece");
    assert.equal(web.server.HasRequestDetails(id), true);
    assert.equal(web.server.StreamResponse(id, "two, ", 13), 1);
    assert.equal(web.server.StreamResponse(id, "end", 13), 3);
    assertAnswer(await client.answer(), { text: "one, two, end", fields: { "content-length": "13" } });
    assert.equal(web.server.StreamResponse(id, "more", 13), 0);
  });

  it("0: not all of it was accepted", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    assert.equal(web.server.StreamResponse(id, Buffer.alloc(64 << 20)), 0);
    assert.equal(web.server.HasRequestDetails(id), true);
  });

  it("ends a response that WriteResponse began: 3, with the last chunk", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteResponse(id, "one, "), 3);
    assert.equal(web.server.StreamResponse(id, "two"), 3);
    assert.equal(web.server.HasRequestDetails(id), false);
    assert.equal((await client.answer()).text, "one, two");
  });

  it("the connection stays for the next request", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.StreamResponse(id, "first");
    await client.answer();
    client.get("/second");
    web.server.StreamResponse(await nextFinished(web), "second");
    assert.equal((await client.answer()).text, "second");
  });

  it("the program may reuse its buffer at once", async (t) => {
    const { web, client, id } = await requested(t);
    const chunk = Buffer.alloc(1_000, "1");
    assert.equal(web.server.StreamResponse(id, chunk, 2_000), 1);
    chunk.fill("2");
    assert.equal(web.server.StreamResponse(id, chunk, 2_000), 3);
    chunk.fill("!");
    assert.equal((await client.answer()).text, "1".repeat(1_000) + "2".repeat(1_000));
  });

  it("what was not accepted is not buffered: 100 MiB to a slow reader with at most 1 MiB in the process", async (t) => {
    const web = httpServer(t);
    const { server } = web;
    let total = 8 << 20;
    let peak = 0;
    let accepted = 0;
    let waits = 0;
    let complete = false;
    const pump = (id: string, from: number): void => {
      let offset = from;
      for (;;) {
        const chunk = slice(offset, Math.min(CHUNK, total - offset));
        const result = server.StreamResponse(id, chunk, total);
        if (result === 3) complete = true;
        if (result !== 1) {
          assert.ok(result === 0 || result === 3, `result ${result}`);
          return;
        }
        offset += chunk.length;
        accepted = offset;
      }
    };
    server.HTTP_REQUEST_FINISHED = (_, { clientID }) => pump(clientID, 0);
    server.HTTP_CONNECTION_WRITABLE = (_, { clientID, text }) => {
      assert.match(text, /^\d+$/);
      const offset = Number(text);
      assert.ok(offset >= accepted && offset <= accepted + CHUNK, `${text} after ${accepted}`);
      accepted = offset;
      waits++;
      if (waits % 50 === 0) peak = Math.max(peak, heldBytes());
      pump(clientID, offset);
    };
    // What the code itself takes is there after a first, shorter one.
    const first = slowReader(t, server.port, total, 0);
    await web.until(() => first.received === total, "the first response", 10_000);
    total = 100 << 20;
    accepted = waits = 0;
    complete = false;
    const base = heldBytes();
    const reader = slowReader(t, server.port, total, 1);
    await web.until(() => complete, "all to be accepted", 40_000);
    await within(reader.complete.promise, "the last byte", 10_000);
    assert.equal(reader.received, total);
    assert.equal(reader.wrongAt, -1);
    assert.match(reader.head, new RegExp(`\r\nContent-Length: ${total}\r\n`));
    assert.ok(waits >= 100, `${waits} waits`);
    assert.ok(peak - base <= 1 << 20, `${peak - base} bytes more in the process`);
  });

  it("one large chunk is sent from where the events say, too", async (t) => {
    const body = Buffer.concat([pattern, pattern.subarray(pattern.length % PERIOD)]).subarray(0, 2 * PERIOD);
    const total = 20 * PERIOD;
    const whole = Buffer.alloc(total, body);
    const web = httpServer(t);
    const { server } = web;
    const results: number[] = [];
    server.HTTP_REQUEST_FINISHED = (_, { clientID }) =>
      void results.push(server.StreamResponse(clientID, whole));
    server.HTTP_CONNECTION_WRITABLE = (_, { clientID, text }) =>
      void results.push(server.StreamResponse(clientID, whole.subarray(Number(text)), total));
    const reader = slowReader(t, server.port, total, 0);
    await web.until(() => results.at(-1) === 3, "all to be accepted", 10_000);
    await within(reader.complete.promise, "the last byte", 5_000);
    assert.equal(reader.wrongAt, -1);
    assert.equal(reader.received, total);
    assert.deepEqual(new Set(results), new Set([0, 3]));
  });

  it("to several slow readers at a time, each from its own offset", async (t) => {
    const total = 8 << 20;
    const web = httpServer(t);
    const { server } = web;
    let complete = 0;
    const pump = (id: string, from: number): void => {
      let offset = from;
      for (let result = 1; result === 1; ) {
        const chunk = slice(offset, Math.min(CHUNK, total - offset));
        result = server.StreamResponse(id, chunk, total);
        offset += chunk.length;
        if (result === 3) complete++;
      }
    };
    server.HTTP_REQUEST_FINISHED = (_, { clientID }) => pump(clientID, 0);
    server.HTTP_CONNECTION_WRITABLE = (_, { clientID, text }) => pump(clientID, Number(text));
    const readers = [0, 1, 2].map((pauseMs) => slowReader(t, server.port, total, pauseMs));
    await web.until(() => complete === 3, "all to be accepted", 20_000);
    for (const reader of readers) {
      await within(reader.complete.promise, "the last byte", 5_000);
      assert.equal(reader.wrongAt, -1);
      assert.equal(reader.received, total);
    }
  });

  it("a peer that goes away meanwhile is ABORTED", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    assert.equal(web.server.StreamResponse(id, Buffer.alloc(64 << 20)), 0);
    client.destroy();
    assert.equal((await web.event("HTTP_CONNECTION_ABORTED")).id, id);
    assert.equal(web.server.StreamResponse(id, "more", 64 << 20), 0);
    const { length } = web.events;
    await web.quiet();
    assert.equal(web.events.length, length);
  });
});

describe("HTTP_CONNECTION_WRITABLE", () => {
  it("a connection that was streamed to can take more; message = decimal offset of the first byte to send again", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    const body = Buffer.alloc(32 << 20, "body");
    assert.equal(web.server.StreamResponse(id, body), 0);
    await sleep(30);
    client.resume();
    const writable = await web.event("HTTP_CONNECTION_WRITABLE");
    assert.equal(writable.id, id);
    assert.match(writable.text, /^\d+$/);
    const offset = Number(writable.text);
    assert.ok(offset < body.length);
    // Nothing but what was accepted is on its way.
    const accepted = (): number => client.received.length - client.received.indexOf("\r\n\r\n") - 4;
    await client.until(() => accepted() >= offset, "what was accepted", 5_000);
    await sleep(30);
    assert.equal(accepted(), offset);
  });

  it("the offset counts from the first byte of the body, without the head", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteHeader(id, "X-Long", "x".repeat(3_000));
    const body = Buffer.alloc(20 << 20, "0123456789");
    assert.equal(web.server.StreamResponse(id, body), 0);
    for (let i = 1; web.server.HasRequestDetails(id); i++) {
      const { text } = await web.event("HTTP_CONNECTION_WRITABLE", i);
      web.server.StreamResponse(id, body.subarray(Number(text)), body.length);
    }
    assert.equal((await client.answer("GET", 5_000)).body.compare(body), 0);
  });

  it("comes after the backpressure of WriteResponse, too, when the peer has taken what was kept", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    let written = 0;
    for (let status = 3; status === 3 && written < 64 << 20; ) {
      status = web.server.WriteResponse(id, Buffer.alloc(CHUNK));
      written += CHUNK;
      await sleep(0);
    }
    web.poll();
    assert.equal(web.names.includes("HTTP_CONNECTION_WRITABLE"), false);
    client.resume();
    assert.equal((await web.event("HTTP_CONNECTION_WRITABLE")).id, id);
    assert.equal(web.server.WriteResponse(id, "more"), 3);
  });

  it("comes only where something was not accepted", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.StreamResponse(id, "small"), 3);
    await client.answer();
    const second = await request(web);
    web.server.SendResponse(second.id, "small");
    await second.client.answer();
    await web.quiet();
    assert.equal(web.names.includes("HTTP_CONNECTION_WRITABLE"), false);
  });
});
