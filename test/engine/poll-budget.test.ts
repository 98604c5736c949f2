import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventQueue } from "../../src/exchange/server-event.ts";
import { Server } from "../../src/server/server.ts";
import { numbers } from "../support/bytes.ts";
import { frame } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";

/** A queue with so many calls, and the numbers of those that ran. */
function filled(count: number, work: () => void = () => {}): { queue: EventQueue; ran: number[] } {
  const queue = new EventQueue(() => 1_000_000);
  const ran: number[] = [];
  for (let i = 0; i < count; i++) {
    queue.push({
      type: "call",
      call: () => {
        ran.push(i);
        work();
      },
    });
  }
  return { queue, ran };
}

describe("a poll", () => {
  test("runs what waited when it began, and leaves what handlers queue to the next", () => {
    const queue = new EventQueue(() => 1_000_000);
    const server = new Server({ delivery: queue });
    let ran = 0;
    const call = (): void => {
      if (++ran < 1_000) queue.push({ type: "call", call });
    };
    queue.push({ type: "call", call });
    queue.push({ type: "call", call });
    assert.equal(server.poll(), 2);
    assert.equal(ran, 2);
    assert.equal(server.waitingEvents, 2);
    assert.equal(server.poll(), 2);
  });

  test("runs what its events lead to: the open after an upgrade, and the next request of a pipeline", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const log: string[] = [];
    server.websocket("/", { upgrade: () => void log.push("upgrade"), open: () => void log.push("open") });
    server.get("/:i", (exchange) => {
      log.push(exchange.params.i);
      exchange.end();
    });
    connect().get("/1").get("/2").get("/3");
    connect().send(handshake("/"));
    await eventually(() => server.waitingEvents === 2, "the requests");
    server.poll();
    assert.deepEqual(log.sort(), ["1", "2", "3", "open", "upgrade"]);
  });

  test("ends at a call that a handler has queued, and what comes behind it keeps its place", () => {
    const queue = new EventQueue(() => 1_000_000);
    const log: string[] = [];
    const push = (name: string, then?: () => void): void =>
      queue.push({
        type: "call",
        call: () => {
          log.push(name);
          then?.();
        },
      });
    push("a", () => {
      push("c");
      push("d");
    });
    push("b");
    assert.equal(queue.poll(), 2);
    assert.equal(queue.poll(), 2);
    assert.deepEqual(log, ["a", "b", "c", "d"]);
  });

  test("runs at most maxEvents, and what is left comes first next time", () => {
    const { queue, ran } = filled(10);
    const server = new Server({ delivery: queue });
    assert.equal(server.poll({ maxEvents: 4 }), 4);
    queue.push({ type: "call", call: () => ran.push(99) });
    assert.equal(server.poll({ maxEvents: 4 }), 4);
    assert.equal(server.poll({ maxEvents: 0 }), 0);
    assert.equal(server.poll(), 3);
    assert.deepEqual(ran, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
  });

  test("begins no event once maxMs have passed, but always one", () => {
    const { queue, ran } = filled(100, () => {
      for (const end = performance.now() + 2; performance.now() < end; );
    });
    const server = new Server({ delivery: queue });
    const count = server.poll({ maxMs: 5 });
    assert.ok(count >= 1 && count <= 3, `${count} events of 2 ms ran within 5 ms`);
    assert.equal(server.poll({ maxMs: 0 }), 1);
    assert.deepEqual(ran, numbers(count + 1));
  });

  test("refuses a budget that cannot be one", () => {
    const server = new Server({ delivery: "deferred" });
    assert.throws(() => server.poll({ maxEvent: 1 } as object), /maxEvents/);
    assert.throws(() => server.poll({ maxMs: -1 }), RangeError);
    assert.throws(() => server.poll(Number.NaN), RangeError);
  });
});

describe("a client that floods a server with deferred delivery", () => {
  const burst = Buffer.concat(Array.from({ length: 4_000 }, () => frame(1, "x")));

  test("has no more than its share of the queue, so that others wait a poll of that at most", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const log: string[] = [];
    server.websocket("/", { message: (_socket, data) => void log.push(data.toString()) });
    const flood = await open(connect(), "/");
    const quiet = await open(connect(), "/");
    server.poll();
    flood.raw.send(burst);
    await turns();
    quiet.send("quiet");
    await turns();
    server.poll();
    const before = log.indexOf("quiet");
    assert.ok(before >= 0, "the other client was not heard in this poll");
    assert.ok(before <= 300, `${before} messages of the flood came first`);
  });

  test("loses nothing, and its messages stay in order", async (t) => {
    const { server, connect } = harness(t, {
      delivery: "deferred",
      limits: { maxQueueBytesPerSocket: 2_000 },
    });
    const got: number[] = [];
    server.websocket("/", { message: (_socket, data) => void got.push(Number(data.toString())) });
    const client = await open(connect(), "/");
    client.raw.send(Buffer.concat(Array.from({ length: 500 }, (_, i) => frame(1, String(i)))));
    let most = 0;
    await eventually(() => {
      most = Math.max(most, server.waitingEvents);
      server.poll();
      return got.length === 500;
    }, "all messages");
    assert.ok(most <= 9, `${most} events of 256 bytes waited, the share is 2000 bytes`);
    assert.deepEqual(got, numbers(500));
  });

  test("holds only itself back: a request with content larger than the share arrives whole", async (t) => {
    const { server, connectTcp } = harness(t, {
      delivery: "deferred",
      limits: { maxQueueBytesPerSocket: 10_000 },
    });
    server.post("/", async (exchange) => `${(await exchange.bytes()).length}`);
    const client = (await connectTcp()).post("/", "x".repeat(1_000_000));
    await eventually(() => {
      server.poll();
      return client.rest.includes("1000000");
    }, "the answer");
  });
});
