import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, type TestContext, test } from "node:test";
import { EventQueue } from "../../src/exchange/server-event.ts";
import { type Loop, type LoopOptions, startLoop, type TickReport } from "../../src/loop/index.ts";
import { Server } from "../../src/server/server.ts";
import { TestClock, testClient } from "../../src/testing/index.ts";
import { throwing } from "../support/failing.ts";
import { harness } from "../support/harness.ts";
import { eventually, turns, within } from "../support/waiting.ts";

const TICK_MS = 10;

interface Made {
  readonly loop: Loop;
  readonly clock: TestClock;
  /** The numbers of the steps that ran. */
  readonly steps: number[];
}

/** A loop of 100 ticks a second on time that stands still. */
function made(t: TestContext, options: Partial<LoopOptions> = {}): Made {
  const clock = new TestClock();
  const steps: number[] = [];
  const loop = startLoop({ hz: 1_000 / TICK_MS, step: (_dt, tick) => steps.push(tick), clock, ...options });
  t.after(() => loop.stop());
  return { loop, clock, steps };
}

describe("a loop", () => {
  test("runs one step each tick, with the length of a tick in seconds", (t) => {
    const lengths: number[] = [];
    const { clock, loop } = made(t, { step: (dt) => lengths.push(dt) });
    clock.advance(9);
    assert.deepEqual(lengths, []);
    clock.advance(1);
    assert.deepEqual(lengths, [0.01]);
    clock.advance(100);
    assert.equal(lengths.length, 11);
    assert.equal(loop.tick, 11);
  });

  test("does not drift: an hour of late timers has as many steps as an hour", (t) => {
    const clock = new TestClock();
    const late = { ...lateTimers(clock), now: () => clock.now() };
    let steps = 0;
    const loop = startLoop({ hz: 30, step: () => steps++, clock: late });
    t.after(() => loop.stop());
    clock.advance(3_600_000 + 50);
    assert.ok(Math.abs(steps - 108_000) <= 1, `${steps} steps in an hour`);
    assert.equal(loop.figures.skippedTicks, 0);
  });

  test("polls the events that wait before the step, once in each tick", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    await using client = testClient(server);
    const log: string[] = [];
    server.get("/", (exchange) => {
      log.push("request");
      return exchange.end("ok");
    });
    const { clock } = made(t, { server, step: (_dt, tick) => log.push(`step ${tick}`) });
    const answer = client.fetch("/");
    await client.delivered();
    clock.advance(TICK_MS);
    assert.deepEqual(log, ["request", "step 1"]);
    assert.equal(await (await answer).text(), "ok");
    clock.advance(TICK_MS);
    assert.deepEqual(log, ["request", "step 1", "step 2"]);
  });

  test("sends what a tick has sent before the tick ends", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    await using client = testClient(server);
    server.websocket("/", { open: (socket) => socket.subscribe("all") });
    const { clock } = made(t, { server, step: () => server.publish("all", "now") });
    const opening = client.webSocket("/");
    await client.delivered();
    const before = server.counters.bytesSent;
    clock.advance(TICK_MS);
    assert.ok(server.counters.bytesSent >= before + 5);
    assert.equal(await (await opening).next(), "now");
  });

  test("makes up for a short delay, gives up ticks of a long one, and says so", (t) => {
    const skips: number[] = [];
    const { clock, loop, steps } = made(t, { maxCatchUp: 3, onSkip: (ticks) => skips.push(ticks) });
    clock.stall(25);
    clock.advance(0);
    assert.deepEqual(steps, [1, 2]);
    clock.stall(200);
    clock.advance(0);
    assert.deepEqual(steps, [1, 2, 3, 4, 5]);
    assert.deepEqual(skips, [17]);
    assert.equal(loop.figures.skippedTicks, 17);
    clock.advance(5);
    assert.equal(loop.tick, 6, "the next tick is due where it would have been");
  });

  test("polls for half of a tick at most, and goes on with what is left in the next", (t) => {
    const queue = new EventQueue(() => 1_000_000);
    let ran = 0;
    // The budget of a poll is real time.
    const call = (): void => {
      ran++;
      for (const end = performance.now() + 3; performance.now() < end; );
    };
    for (let i = 0; i < 5; i++) queue.push({ type: "call", call });
    const { clock } = made(t, { queue });
    // Two events take more than half of a tick; on a busy machine one can take as long.
    clock.advance(TICK_MS);
    const first = ran;
    assert.ok(first === 1 || first === 2, `${first} events`);
    clock.advance(TICK_MS);
    assert.ok(ran - first === 1 || ran - first === 2, `${ran - first} events`);
  });

  test("measures lateness, poll, step and flush, and begins anew when the figures are taken", (t) => {
    const { clock, loop } = made(t, {
      poll: () => clock.stall(1),
      step: () => clock.stall(2),
    });
    clock.stall(15);
    clock.advance(5);
    const { ticks, events, latenessMs, pollMs, stepMs } = loop.takeFigures();
    assert.deepEqual([ticks, events], [2, 0]);
    assert.ok(near(latenessMs.p50, 0) && near(latenessMs.max, 5), `late by ${latenessMs.max}`);
    assert.ok(near(pollMs.p50, 1) && near(stepMs.p50, 2), `${pollMs.p50} and ${stepMs.p50}`);
    assert.equal(loop.figures.ticks, 0);
  });

  test("publishes a report of each tick on the channel portico:loop:tick", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    const reports: (TickReport & { server: unknown })[] = [];
    const listener = (message: unknown): void => {
      const report = message as TickReport & { server: unknown };
      if (report.server === server) reports.push(report);
    };
    subscribe("portico:loop:tick", listener);
    t.after(() => unsubscribe("portico:loop:tick", listener));
    const { clock } = made(t, { server });
    clock.advance(TICK_MS);
    assert.deepEqual([reports.length, reports[0]?.tick], [1, 1]);
  });

  test("goes on after a step that throws, when there is onError", (t) => {
    const errors: unknown[] = [];
    const failure = new Error("mine");
    const { clock, loop } = made(t, {
      step: throwing(failure),
      onError: (error) => errors.push(error),
    });
    clock.advance(2 * TICK_MS);
    assert.deepEqual(errors, [failure, failure]);
    assert.equal(loop.tick, 2);
  });

  test("throws what a step throws out of the timer without onError, and goes on", (t) => {
    let calls = 0;
    const { clock } = made(t, {
      step: () => {
        if (++calls === 1) throw new Error("mine");
      },
    });
    assert.throws(() => clock.advance(TICK_MS), /mine/);
    clock.advance(2 * TICK_MS);
    assert.ok(calls >= 2);
  });

  test("turns without sleeping for the last spinMs", (t) => {
    const clock = new TestClock();
    let immediates = 0;
    let sleptMs = 0;
    const loop = startLoop({
      hz: 100,
      step: () => {},
      spinMs: 2,
      clock: {
        now: () => clock.now(),
        setTimeout: (callback, ms) => {
          sleptMs = ms;
          return clock.setTimeout(callback, ms);
        },
        clearTimeout: (timer) => clock.clearTimeout(timer),
        setImmediate: (callback) => {
          immediates++;
          return clock.setTimeout(callback, 0.5);
        },
      },
    });
    t.after(() => loop.stop());
    assert.equal(sleptMs, 8);
    clock.advance(10);
    assert.equal(immediates, 4);
    assert.equal(loop.tick, 1);
  });

  test("refuses options that cannot be, and a server that delivers at once", () => {
    const step = (): void => {};
    assert.throws(() => startLoop({ hz: 0, step }), RangeError);
    assert.throws(() => startLoop({ hz: 30, step, maxCatchUp: 0 }), RangeError);
    assert.throws(() => startLoop({ hz: 30, step, maxPollMs: -1 }), RangeError);
    assert.throws(() => startLoop({ hz: 30 } as unknown as LoopOptions), TypeError);
    assert.throws(() => startLoop({ hz: 30, step, steps: 1 } as LoopOptions), /steps/);
    assert.throws(() => startLoop({ hz: 30, step, server: new Server() }), { code: "ERR_DELIVERY" });
  });
});

describe("a paused loop", () => {
  test("runs nothing, makes up for nothing, and goes on where it was", (t) => {
    const { clock, loop, steps } = made(t);
    clock.advance(TICK_MS);
    loop.pause();
    clock.advance(1_000);
    assert.deepEqual(steps, [1]);
    loop.resume();
    clock.advance(TICK_MS);
    assert.deepEqual(steps, [1, 2]);
    assert.equal(loop.figures.skippedTicks, 0);
  });

  test("runs one tick at a time, in memory and without a port", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    await using client = testClient(server);
    const seen: string[] = [];
    server.websocket("/", { message: (_socket, data) => void seen.push(data.toString()) });
    const { loop, steps } = made(t, { server, isPaused: true });
    const opening = client.webSocket("/");
    await client.delivered();
    loop.stepOnce();
    const socket = await opening;
    socket.send("left");
    await client.delivered();
    assert.deepEqual(seen, []);
    loop.stepOnce();
    assert.deepEqual([seen, steps], [["left"], [1, 2]]);
  });

  test("is the only one that is stepped, and not from inside a tick", (t) => {
    const { loop } = made(t);
    assert.throws(() => loop.stepOnce(), /pause/);
    const errors: unknown[] = [];
    const inside: Loop = made(t, {
      isPaused: true,
      step: () => inside.stepOnce(),
      onError: (error) => errors.push(error),
    }).loop;
    inside.stepOnce();
    assert.equal(errors.length, 1);
  });

  test("polls without steps when its server closes, so that clients are answered", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    const client = testClient(server);
    server.get("/", (exchange) => exchange.end("answered"));
    const { clock, loop, steps } = made(t, { server, isPaused: true });
    const answer = client.fetch("/");
    await client.delivered();
    const closing = server.close({ graceMs: 5_000 });
    clock.advance(TICK_MS);
    assert.equal(await (await answer).text(), "answered");
    await client.close();
    await within(closing, "the server to close");
    await within(loop.stopped, "the loop to end");
    assert.deepEqual(steps, []);
  });
});

describe("the end of a loop", () => {
  test("comes after close() has resolved: a request that waits is answered, and the last events run", async (t) => {
    const server = new Server({ delivery: "deferred" });
    const client = testClient(server);
    const log: string[] = [];
    server.get("/", (exchange) => exchange.end("answered"));
    server.websocket("/", { close: (_socket, code) => void log.push(`close ${code}`) });
    const { clock, loop } = made(t, { server });
    const opening = client.webSocket("/");
    await client.delivered();
    clock.advance(TICK_MS);
    const socket = await opening;
    const answer = client.fetch("/");
    await client.delivered();
    const closing = server.close({ graceMs: 2_000 });
    await client.delivered();
    clock.advance(TICK_MS);
    assert.equal((await answer).status, 200);
    assert.equal((await socket.closed).code, 1001);
    await client.close();
    await within(closing, "the server to close");
    await within(loop.stopped, "the loop to end");
    assert.deepEqual(log, ["close 1001"]);
    const { tick } = loop;
    clock.advance(100);
    assert.equal(loop.tick, tick);
  });

  test("waits for all servers, and does not change how long they may take", async (t) => {
    const queue = new EventQueue(() => 1_000_000);
    const servers = [new Server({ delivery: queue }), new Server({ delivery: queue })];
    const { clock, loop } = made(t, { server: servers, queue });
    await servers[0]?.close();
    await turns();
    clock.advance(TICK_MS);
    assert.equal(loop.tick, 1);
    await servers[1]?.close({ graceMs: 0 });
    await within(loop.stopped, "the loop to end");
  });

  test("by stop() comes at once, also from inside a step", async (t) => {
    const { clock, loop } = made(t, { step: () => loop.stop() });
    clock.advance(100);
    assert.equal(loop.tick, 1);
    await within(loop.stopped, "the loop to end");
  });
});

test("a loop on real time runs about as many steps as it should", async (t) => {
  let steps = 0;
  const loop = startLoop({ hz: 100, step: () => steps++ });
  t.after(() => loop.stop());
  const begin = performance.now();
  await eventually(() => steps >= 10, "ten steps");
  assert.ok(performance.now() - begin >= 95);
});

test("a loop runs under the fake timers of node:test", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let steps = 0;
  const loop = startLoop({ hz: 100, step: () => steps++, clock: { now: () => Date.now() } });
  for (let i = 0; i < 5; i++) t.mock.timers.tick(10);
  assert.equal(steps, 5);
  loop.stop();
});

function near(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= expected * 0.02 + 0.002;
}

/** Timers that fire a millisecond late. */
function lateTimers(clock: TestClock): Pick<TestClock, "setTimeout" | "clearTimeout"> {
  return {
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms + 1),
    clearTimeout: (timer) => clock.clearTimeout(timer),
  };
}
