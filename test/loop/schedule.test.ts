import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Schedule } from "../../src/loop/schedule.ts";
import { Random } from "../support/random.ts";

describe("ticks of equal length", () => {
  it("are due at the start and whole multiples of the length, however irregular the calls are", () => {
    const tickMs = 1_000 / 30;
    const schedule = new Schedule(tickMs, 5, 500);
    const times: number[] = [];
    const random = new Random(1);
    for (let now = 500; now < 60_500; ) {
      now += random.next() * 60;
      const { skipped, ticksMs } = schedule.advance(now);
      assert.equal(skipped, 0);
      for (const time of ticksMs) assert.ok(time <= now);
      assert.ok(schedule.nextMs > now);
      times.push(...ticksMs);
    }
    assert.ok(times.length >= 1_799);
    for (const [i, time] of times.entries()) assert.ok(Math.abs(time - (500 + (i + 1) * tickMs)) < 1e-6);
  });

  it("are made up for after a short delay, and given up after a long one", () => {
    const schedule = new Schedule(10, 5, 0);
    assert.deepEqual(schedule.advance(9.9), { skipped: 0, ticksMs: [] });
    assert.deepEqual(schedule.advance(10), { skipped: 0, ticksMs: [10] });
    assert.deepEqual(schedule.advance(45), { skipped: 0, ticksMs: [20, 30, 40] });
    assert.deepEqual(schedule.advance(1_005), { skipped: 91, ticksMs: [960, 970, 980, 990, 1_000] });
    assert.equal(schedule.nextMs, 1_010);
    assert.deepEqual(schedule.advance(500), { skipped: 0, ticksMs: [] });
    assert.deepEqual(schedule.advance(1_010), { skipped: 0, ticksMs: [1_010] });
  });

  it("begin again where they are restarted, and nothing is made up for", () => {
    const schedule = new Schedule(10, 5, 0);
    schedule.advance(10);
    schedule.restart(1_000);
    assert.deepEqual(schedule.advance(1_009), { skipped: 0, ticksMs: [] });
    assert.deepEqual(schedule.advance(1_010), { skipped: 0, ticksMs: [1_010] });
  });
});
