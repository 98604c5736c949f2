import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventStream, EventStreamOptions, ServerSentEvent } from "../../src/web/event-stream.ts";
import { eventStream } from "../../src/web/event-stream.ts";
import { launchBrowser } from "../support/browser.ts";
import { harness } from "../support/harness.ts";
import type { RawClient } from "../support/raw-client.ts";
import { absent, chromium } from "../support/tools.ts";
import { eventually, signal, turns } from "../support/waiting.ts";

/** A stream and its client, which has the head of the response. */
async function streaming(
  t: Parameters<typeof harness>[0],
  options: EventStreamOptions = {},
  settings: Parameters<typeof harness>[1] = {},
) {
  const { server, connect, reports } = harness(t, settings);
  const opened = signal<EventStream>();
  server.get("/", (exchange) => opened.give(eventStream(exchange, options)));
  const client = connect().get("/");
  const events = await opened.wait("the stream");
  await client.until(() => client.rest.includes("\r\n\r\n"), "the head");
  return { server, client, events, reports };
}

describe("an event stream", () => {
  test("begins with its head, before any event", async (t) => {
    const { client, events } = await streaming(t);
    events.close();
    const answer = await client.answer();
    assert.deepEqual(
      [answer.status, answer.text, answer.header("content-type"), answer.header("cache-control")],
      [200, "", "text/event-stream", "no-store"],
    );
  });

  const cases: [name: string, event: ServerSentEvent, text: string][] = [
    ["data", { data: "a" }, "data: a\n\n"],
    ["no data", { data: "" }, "data: \n\n"],
    ["spaces", { data: " a " }, "data:  a \n\n"],
    ["lines", { data: "a\nb\r\nc\rd\n" }, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"],
    ["what looks like a field", { data: "a\nid: 1" }, "data: a\ndata: id: 1\n\n"],
    ["other scripts", { data: "é€😀" }, "data: é€😀\n\n"],
    ["all fields", { data: "a", event: "e", id: "i", retry: 5 }, "retry: 5\nevent: e\nid: i\ndata: a\n\n"],
    ["an id that is empty", { data: "a", id: "" }, "id: \ndata: a\n\n"],
  ];
  for (const [name, event, text] of cases) {
    test(`sends ${name}`, async (t) => {
      const { client, events } = await streaming(t);
      assert.equal(events.send(event), true);
      events.close();
      assert.equal((await client.answer()).text, text);
    });
  }

  test("sends comments, and the time to wait", async (t) => {
    const { client, events } = await streaming(t, { retryMs: 7 });
    assert.equal(events.comment("a\nb"), true);
    events.close();
    assert.equal((await client.answer()).text, "retry: 7\n\n: a\n: b\n\n");
  });

  const refused: [name: string, event: ServerSentEvent][] = [
    ...["a\rb", "a\nb", "a\0b"].flatMap((text): [string, ServerSentEvent][] => [
      [`the id ${JSON.stringify(text)}`, { data: "", id: text }],
      [`the type ${JSON.stringify(text)}`, { data: "", event: text }],
    ]),
    ["a time with a fraction", { data: "", retry: 1.5 }],
    ["a time below 0", { data: "", retry: -1 }],
    ["a time that is none", { data: "", retry: Number.NaN }],
  ];
  for (const [name, event] of refused) {
    test(`refuses ${name}, and sends nothing of it`, async (t) => {
      const { client, events } = await streaming(t);
      assert.throws(() => events.send(event), "retry" in event ? RangeError : TypeError);
      events.close();
      assert.equal((await client.answer()).text, "");
    });
  }

  test("a wrong option throws before anything is sent", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => {
      assert.throws(() => eventStream(exchange, { retryMs: -1 }), RangeError);
      exchange.end("still to answer");
    });
    assert.equal((await connect().get("/").answer()).header("content-type"), "text/plain; charset=utf-8");
  });

  for (const [sent, seen] of [
    ["", undefined],
    ["Last-Event-ID: 7\r\n", "7"],
    [`Last-Event-ID: ${Buffer.from("é").toString("latin1")}\r\n`, "é"],
  ]) {
    test(`lastEventId is ${seen}`, async (t) => {
      const { server, connect } = harness(t);
      const opened = signal<EventStream>();
      server.get("/", (exchange) => opened.give(eventStream(exchange)));
      connect().get("/", sent);
      assert.equal((await opened.wait("the stream")).lastEventId, seen);
    });
  }

  test("a comment is sent when nothing else is", async (t) => {
    const { client } = await streaming(t, { heartbeatMs: 5 });
    await client.until(() => client.rest.split(": \n\n").length > 3, "three of them");
  });

  for (const [how, end] of [
    ["the client goes", (_events, client) => client.destroy()],
    ["it is closed", (events) => events.close()],
  ] as [string, (events: EventStream, client: { destroy(): void }) => void][]) {
    test(`when ${how}, onClose is told once and everything answers`, async (t) => {
      const { client, events, reports } = await streaming(t, { heartbeatMs: 1 });
      const seen: string[] = [];
      events.onClose(() => seen.push("before"));
      assert.equal(events.closed, false);
      end(events, client);
      await turns();
      events.onClose(() => seen.push("after"));
      assert.deepEqual([events.closed, events.send({ data: "" }), events.comment()], [true, false, false]);
      assert.equal(await events.drained(), false);
      events.close();
      await turns();
      assert.deepEqual(seen, ["before", "after"]);
      assert.deepEqual(reports, []);
    });
  }

  test("a response that is ended otherwise is noticed", async (t) => {
    const { server, connect } = harness(t);
    const closed = signal();
    server.get("/", (exchange) => {
      eventStream(exchange, { heartbeatMs: 1 }).onClose(closed.give);
      exchange.end();
    });
    connect().get("/");
    await closed.wait("the end");
  });

  test("HEAD gets the head, and the stream is closed", async (t) => {
    const { server, connect } = harness(t);
    const closed: boolean[] = [];
    server.get("/", (exchange) => void closed.push(eventStream(exchange).closed));
    const answer = await connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD");
    assert.deepEqual([answer.header("content-type"), closed], ["text/event-stream", [true]]);
  });

  test("a slow client is waited for", async (t) => {
    const { client, events } = await streaming(t, {}, { limits: { writeHighWaterBytes: 1_000 } });
    client.pause();
    await turns();
    let count = 1;
    while (events.send({ data: "x".repeat(100) })) count++;
    assert.ok(count < 20, `${count} events`);
    let drained: boolean | undefined;
    const waiting = events.drained().then((answer) => {
      drained = answer;
    });
    await turns();
    assert.equal(drained, undefined);
    client.resume();
    await waiting;
    assert.equal(drained, true);
  });

  test("one that takes nothing is cut off at maxBufferedBytes, and nobody is blamed", async (t) => {
    const { client, events, reports } = await streaming(t, { maxBufferedBytes: 100_000 });
    client.pause();
    await turns();
    let sent = 0;
    for (; !events.closed; sent++) {
      events.send({ data: "x".repeat(1_000) });
      await turns(1);
      assert.ok(sent < 500, "never cut off");
    }
    assert.ok(sent > 90, `cut off after ${sent} events`);
    assert.deepEqual(reports, []);
  });

  test("an event that is larger than that reaches one that reads", async (t) => {
    const { client, events } = await streaming(t, { maxBufferedBytes: 100_000 });
    const data = "x".repeat(200_000);
    events.send({ data });
    assert.equal(await events.drained(), true);
    events.send({ data: "next" });
    events.close();
    assert.equal((await client.answer()).text, `data: ${data}\n\ndata: next\n\n`);
  });

  const end: [how: string, close: (events: EventStream, client: RawClient) => void][] = [
    ["is closed", (events) => events.close()],
    ["loses its client", (_events, client) => client.destroy()],
  ];
  for (const [how, close] of end) {
    test(`what listeners throw when it ${how} is reported, and all are called`, async (t) => {
      const { client, events, reports } = await streaming(t);
      const called: string[] = [];
      const listeners = ["throws", "rejects", "late"].map((name) => () => {
        called.push(name);
        if (name === "rejects") return Promise.reject(new Error(name));
        throw new Error(name);
      });
      for (const listener of listeners.slice(0, 2)) events.onClose(listener);
      close(events, client);
      await eventually(() => events.closed, "the end");
      await turns();
      for (const listener of listeners.slice(2)) events.onClose(listener);
      await turns();
      assert.deepEqual(called, ["throws", "rejects", "late"]);
      assert.deepEqual(reports.map(({ error }) => String(error)).sort(), [
        "Error: late",
        "Error: rejects",
        "Error: throws",
      ]);
    });
  }

  test("no heartbeat is later than a timer of Node can wait: it would fire at once", async (t) => {
    const { mock } = t.mock.method(globalThis, "setInterval");
    await streaming(t, { heartbeatMs: Number.POSITIVE_INFINITY });
    assert.deepEqual(
      mock.calls.map((call) => call.arguments[1]).filter((ms) => ms !== undefined && ms > 10_000),
      [2_147_483_647],
    );
  });

  test("deferred delivery: the end comes with poll", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const seen: string[] = [];
    server.get("/", (exchange) => eventStream(exchange).onClose(() => seen.push("closed")));
    const client = connect().get("/");
    await turns();
    server.poll();
    await client.until(() => client.rest.includes("\r\n\r\n"), "the head");
    client.destroy();
    await turns();
    assert.deepEqual(seen, []);
    server.poll();
    assert.deepEqual(seen, ["closed"]);
  });
});

test("EventSource of a real browser: types, lines, ids, and connecting again where it was", {
  skip: absent(chromium, "chromium"),
}, async (t) => {
  const { server } = harness(t);
  const ids: (string | undefined)[] = [];
  server.get("/", (exchange) => exchange.setHeader("Content-Type", "text/html").end("<title>page</title>"));
  server.get("/events", (exchange) => {
    const events = eventStream(exchange, { retryMs: 20 });
    ids.push(events.lastEventId);
    const from = Number(events.lastEventId?.replace("é", "") ?? 0);
    events.comment("not seen");
    events.send({ data: `line ${from}\n  é`, id: `é${from + 1}` });
    events.send({ data: "", event: "named" });
    // The browser connects again.
    events.close();
  });
  const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.context.newPage();
  await page.goto(url, { timeout: 10_000 });
  // A string, because what runs in the page knows other globals.
  const seen: unknown = await page.evaluate(`new Promise((resolve, reject) => {
    const seen = [];
    const source = new EventSource("/events");
    source.onmessage = ({ type, data, lastEventId }) => seen.push([type, data, lastEventId]);
    source.addEventListener("named", ({ type, data, lastEventId }) => {
      seen.push([type, data, lastEventId]);
      if (seen.length < 6) return;
      source.close();
      resolve(seen);
    });
    setTimeout(() => reject(new Error("only " + JSON.stringify(seen))), 8000);
  })`);
  assert.deepEqual(seen, [
    ["message", "line 0\n  é", "é1"],
    ["named", "", "é1"],
    ["message", "line 1\n  é", "é2"],
    ["named", "", "é2"],
    ["message", "line 2\n  é", "é3"],
    ["named", "", "é3"],
  ]);
  assert.deepEqual(ids, [undefined, "é1", "é2"]);
});
