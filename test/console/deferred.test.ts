import assert from "node:assert/strict";
import { test } from "node:test";
import { Server } from "portico";
import { console } from "portico/console";
import { startLoop } from "portico/loop";
import { TestClock, testClient } from "portico/testing";
import type { ConsoleMessage } from "../../src/console/messages.ts";

test("the console of a server with deferred delivery is alive although nobody polls", async () => {
  await using server = new Server({ delivery: "deferred" });
  server.mount(console());
  server.get("/", (exchange) => exchange.end("polled"));
  await using client = testClient(server, { timeoutMs: 2_000 });
  assert.equal((await client.fetch("/console/")).status, 200);
  assert.equal((await client.fetch("/console/main.js")).status, 200);
  const socket = await client.webSocket("/console/live");
  const hello = JSON.parse(String(await socket.next())) as { type: string };
  assert.equal(hello.type, "hello");
  assert.equal(server.waitingEvents, 0);
  await socket.close();
});

test("the console shows what the ticks of a loop take, and which were given up", async () => {
  await using server = new Server({ delivery: "deferred" });
  server.mount(console());
  await using client = testClient(server, { timeoutMs: 5_000 });
  const socket = await client.webSocket("/console/live");
  const clock = new TestClock();
  const loop = startLoop({ server, hz: 100, maxCatchUp: 1, step: () => clock.stall(2), clock });
  clock.advance(10);
  clock.stall(50);
  clock.advance(0);
  let shown: string | undefined;
  for (;;) {
    const message = JSON.parse(String(await socket.next())) as ConsoleMessage;
    if (message.type === "events") shown ??= message.rows.find(({ kind }) => kind === "loop:tick")?.text;
    if (message.type !== "sample") continue;
    assert.ok((message.sample.tickDuration ?? 0) >= 2, `${message.sample.tickDuration} ms`);
    assert.equal(message.sample.tickLateness === null, false);
    break;
  }
  assert.equal(shown, "4 given up before step 2");
  loop.stop();
});
