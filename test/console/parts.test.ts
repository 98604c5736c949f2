import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { afterEach, describe, it } from "node:test";
import { ConnectionRows } from "../../src/console/connection-rows.ts";
import { EventSample } from "../../src/console/event-sample.ts";
import { Figures } from "../../src/console/figures.ts";
import { readPageMessage } from "../../src/console/page-message.ts";
import { type ViewerSocket, Viewers } from "../../src/console/viewers.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerConnection } from "../../src/server/server-connection.ts";
import { listOf } from "../support/bytes.ts";
import { sleep, turns } from "../support/waiting.ts";

describe("a sample of events", () => {
  it("has all of them, in order, when they are few", () => {
    const sample = new EventSample<number>(5);
    for (let i = 0; i < 5; i++) sample.add(() => i);
    assert.deepEqual(sample.take(), { values: [0, 1, 2, 3, 4], skipped: 0 });
    assert.deepEqual(sample.take(), { values: [], skipped: 0 });
  });

  it("has as many as it may, in order, and says how many it has not", () => {
    const sample = new EventSample<number>(10);
    let made = 0;
    for (let i = 0; i < 100_000; i++) {
      sample.add(() => {
        made++;
        return i;
      });
    }
    const { values, skipped } = sample.take();
    assert.equal(values.length, 10);
    assert.equal(skipped, 99_990);
    const ascending = values.toSorted((a, b) => a - b);
    assert.deepEqual(values, ascending);
    // 10 for the first ten and about 10 ln(10,000) after them.
    assert.ok(made < 1_000, `${made} were made`);
    assert.ok((values.at(-1) ?? 0) > 100, "it is not the first ones that stay");
  });
});

describe("the figures", () => {
  const own = { messagesIn: 0, messagesOut: 0, consoles: 0 };
  const started: Figures[] = [];

  function watching(figures: Figures): Figures {
    started.push(figures);
    figures.watch(true);
    return figures;
  }

  afterEach(() => {
    for (const figures of started.splice(0)) figures.stop();
  });

  it("give percentiles of the responses since the last sample, and none when there were none", () => {
    const figures = watching(new Figures(new Server(), own));
    for (let i = 1; i <= 100; i++) figures.respond("complete", 200, i);
    figures.respond("upgraded", 101, 5_000);
    figures.respond("aborted", 0, 5_000);
    const { p50, p95, p99, requests } = figures.sample();
    for (const [value, expected] of [
      [p50, 50],
      [p95, 95],
      [p99, 99],
    ] as const) {
      assert.ok(Math.abs((value ?? 0) - expected) <= 1, `${value} for ${expected}`);
    }
    assert.ok(requests > 0);
    const empty = figures.sample();
    assert.deepEqual([empty.p50, empty.p95, empty.p99, empty.requests], [null, null, null, 0]);
  });

  it("count responses by the class of their status, and only while they are watched", () => {
    const server = new Server();
    const figures = watching(new Figures(server, own));
    for (const status of [200, 204, 302, 404, 500, 503]) figures.respond("complete", status, 1);
    const { success, redirect, clientError, serverError } = figures.sample();
    assert.ok(success !== null && redirect !== null && clientError !== null && serverError !== null);
    assert.ok(Math.abs(success / redirect - 2) < 0.01 && Math.abs(serverError / clientError - 2) < 0.01);
    figures.watch(false);
    Object.assign(server.counters, { requests: 7 });
    const unwatched = figures.sample();
    assert.deepEqual([unwatched.success, unwatched.p50], [null, null]);
    assert.ok(unwatched.requests > 0, "the counters are known all the time");
  });

  it("have the processor, the event loop, and the ticks that a loop publishes", async () => {
    const figures = watching(new Figures(new Server(), own));
    const tick = channel("portico:loop:tick");
    tick.publish({ latenessMs: 1, durationMs: 4 });
    tick.publish({ latenessMs: 7, durationMs: 2 });
    tick.publish({ latenessMs: "late" });
    tick.publish(undefined);
    // The histogram begins at the first turn of its timer.
    await sleep(50);
    for (const end = performance.now() + 200; performance.now() < end; );
    await sleep(50);
    const { cpu, loopBusy, loopDelay, tickLateness, tickDuration } = figures.sample();
    assert.deepEqual([tickLateness, tickDuration], [7, 4]);
    assert.ok(cpu > 10, `${cpu} %`);
    assert.ok((loopBusy ?? 0) > 10, `${loopBusy} %`);
    assert.ok((loopDelay ?? 0) > 150, `${loopDelay} ms`);
    assert.equal(figures.sample().tickLateness, null);
  });

  it("take any duration", () => {
    const figures = watching(new Figures(new Server(), own));
    for (const duration of [0, 1e-9, 1e12]) figures.respond("complete", 200, duration);
    assert.ok((figures.sample().p99 ?? 0) > 1_000_000);
  });

  it("leave out what the consoles cause", () => {
    const server = new Server();
    const counted = { messagesIn: 0, messagesOut: 0, consoles: 1 };
    const figures = watching(new Figures(server, counted));
    Object.assign(server.counters, {
      messagesReceived: 5,
      messagesSent: 50,
      openWebSockets: 3,
      openConnections: 4,
    });
    Object.assign(counted, { messagesIn: 5, messagesOut: 50 });
    const { messagesIn, messagesOut, webSockets, http } = figures.sample();
    assert.deepEqual([messagesIn, messagesOut, webSockets, http], [0, 0, 2, 1]);
    assert.equal(figures.totals().messagesSent, 0);
  });
});

/** The table of HTTP connections with these properties. */
function rowsOf(connections: readonly object[]): ConnectionRows {
  for (const connection of connections)
    Object.assign(connection, { kind: "http", remoteAddress: "192.0.2.1", remotePort: 1 });
  const ageOf = () => ({ requestAgeMs: 5, requestIsOlder: false });
  return new ConnectionRows(connections as ServerConnection[], { isOwn: () => false, ageOf });
}

describe("the table of 12,000 connections with long paths", () => {
  let reads = 0;
  const rows = rowsOf(
    Array.from({ length: 12_000 }, (_, index) => ({
      id: `id ${index}`,
      get active() {
        reads++;
        return { method: "GET", path: `/${"x".repeat(10_000)}` };
      },
    })),
  );

  it("has few rows and short names for a page, whatever peers send", () => {
    const { rows: shown, total } = rows.matching("", "");
    assert.deepEqual([shown.length, reads, total], [100, 100, 12_000]);
    assert.ok(shown.every(({ serves }) => serves.length < 250));
  });

  it("is made once for the filters of all pages, and not of more than 10,000", () => {
    reads = 0;
    for (let page = 0; page < 32; page++) {
      const { rows: shown, matching, sifted } = rows.matching(`ID 999${page % 10}`, "");
      assert.deepEqual([shown[0]?.id, matching, sifted], [`id 999${page % 10}`, 1, 10_000]);
    }
    assert.equal(reads, 10_000);
    assert.equal(rows.matching("id 11999", "").matching, 0);
    assert.equal(rows.matching(" get /XXX", "").rows.length, 100);
  });
});

describe("the order of connections", () => {
  const rows = rowsOf([3, 1, 2].map((size) => ({ id: `id ${size}`, bytesSent: size, active: undefined })));
  const order = (sort: string): number[] => rows.matching("", sort).rows.map(({ bytesSent }) => bytesSent);

  it("is that of a column, in either direction, or that of their age", () => {
    assert.deepEqual(order("bytesSent"), [1, 2, 3]);
    assert.deepEqual(order("-bytesSent"), [3, 2, 1]);
    for (const other of ["", "nothing", "__proto__", "-"]) assert.deepEqual(order(other), [3, 1, 2]);
  });
});

describe("a message of a page", () => {
  const understood = [
    { type: "filter", text: "" },
    { type: "sort", text: "-ageMs" },
    { type: "topic", text: "lobby" },
    { type: "action", name: "Arena", text: "Save" },
    { type: "close", id: "x" },
    { type: "chat", text: "<b>" },
    { type: "panel", name: "evo", text: "left" },
  ];
  for (const message of understood) {
    it(JSON.stringify(message), () =>
      assert.deepEqual(readPageMessage(Buffer.from(JSON.stringify({ ...message, more: 1 }))), message),
    );
  }

  const others = [
    ...listOf(
      '¦{¦null¦5¦"chat"¦[]¦{}¦{"type":"chat"}¦{"type":"chat","text":5}',
      '{"type":"close","text":"x"}¦{"type":"panel","text":"x"}',
      '{"type":"__proto__","text":"x"}¦{"__proto__":{"type":"chat","text":"x"}}',
    ),
    JSON.stringify({ type: "chat", text: "x".repeat(501) }),
  ];
  for (const text of others) {
    it(`is not ${text.slice(0, 40) || "nothing"}`, () =>
      assert.equal(readPageMessage(Buffer.from(text)), undefined));
  }
});

describe("a page that is too slow", () => {
  it("gets nothing more until it has caught up, and what it missed is not kept", async () => {
    const server = new Server();
    const viewers = new Viewers(server, {
      panels: [],
      own: [],
      history: false,
      traffic: null,
      isOwn: () => false,
    });
    const sent: string[] = [];
    const slow = {
      data: viewers.newcomer(),
      bufferedBytes: 0,
      send(text: string) {
        sent.push(JSON.parse(text).type);
        return "sent";
      },
    };
    const socket = slow as unknown as ViewerSocket;
    viewers.open(socket);
    await turns(1);
    slow.bufferedBytes = 1_000_000;
    for (let i = 0; i < 10; i++) viewers.message(socket, { type: "chat", text: "hello" });
    assert.deepEqual(sent, ["hello", "history"]);
    slow.bufferedBytes = 0;
    viewers.message(socket, { type: "chat", text: "hello" });
    assert.deepEqual(sent, ["hello", "history", "chat"]);
    viewers.close(socket);
  });
});
