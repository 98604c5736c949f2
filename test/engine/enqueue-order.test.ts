import assert from "node:assert/strict";
import { test } from "node:test";
import { harness } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { pairOn } from "../support/web-socket-pair.ts";

test("onEnqueue never runs before open: messages that came first are reported right after it", async (t) => {
  const log: string[] = [];
  const { server, client } = await pairOn(harness(t, { delivery: "deferred" }), {
    open: () => void log.push("open"),
    onEnqueue: (_socket, data) => void log.push(`enqueue ${data}`),
    message: (_socket, data) => void log.push(`message ${data}`),
  });
  client.send("1").send("2");
  await eventually(() => server.waitingEvents === 3, "the events");
  assert.deepEqual(log, []);
  assert.equal(server.poll(1), 1);
  assert.deepEqual(log, ["open", "enqueue 1", "enqueue 2"]);
  client.send("3");
  await turns();
  assert.equal(log.at(-1), "enqueue 3");
  server.poll();
  assert.deepEqual(log.slice(4), ["message 1", "message 2", "message 3"]);
});

test("a socket that open closes reports none of them", async (t) => {
  const log: string[] = [];
  const { server, client } = await pairOn(harness(t, { delivery: "deferred" }), {
    open: (socket) => socket.terminate(),
    onEnqueue: () => void log.push("enqueue"),
    message: () => void log.push("message"),
    close: () => void log.push("close"),
  });
  client.send("1").send("2");
  await eventually(() => server.waitingEvents === 3, "the events");
  server.poll();
  assert.deepEqual(log, ["close"]);
});

test("a message for which onEnqueue returns false is not queued, and an answer leaves at once", async (t) => {
  const log: string[] = [];
  const results: Record<string, unknown> = {
    keep: undefined,
    zero: 0,
    drop: false,
    fail: Promise.resolve(false),
  };
  const { server, client } = await pairOn(harness(t, { delivery: "deferred" }), {
    onEnqueue: (socket, data) => {
      if (`${data}` === "drop") socket.send("dropped");
      return results[`${data}`];
    },
    message: (_socket, data) => void log.push(`${data}`),
  });
  await eventually(() => server.waitingEvents === 1, "the opening");
  server.poll();
  for (const text of Object.keys(results)) client.send(text);
  assert.equal(await client.text(), "dropped");
  await eventually(() => server.waitingEvents === 3, "the others");
  server.poll();
  assert.deepEqual(log, ["keep", "zero", "fail"]);
});
