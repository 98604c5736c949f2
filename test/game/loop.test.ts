import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FixedStep, Samples } from "../../examples/game/loop.ts";

describe("steps of equal length", () => {
  it("are due at the start and whole multiples of the length, however irregular the calls are", () => {
    const stepMs = 1_000 / 30;
    const steps = new FixedStep(stepMs, 5, 500);
    const times: number[] = [];
    let seed = 1;
    for (let now = 500; now < 60_500; ) {
      seed = (seed * 48_271) % 2_147_483_647;
      now += (seed / 2_147_483_647) * 60;
      const due = steps.advance(now);
      for (const time of due) assert.ok(time <= now);
      assert.ok(steps.nextMs > now);
      times.push(...due);
    }
    assert.equal(steps.skipped, 0);
    assert.ok(times.length >= 1_799);
    for (const [i, time] of times.entries()) assert.ok(Math.abs(time - (500 + (i + 1) * stepMs)) < 1e-6);
  });

  it("are made up for after a short stop, and given up after a long one", () => {
    const steps = new FixedStep(10, 5, 0);
    assert.deepEqual(steps.advance(9.9), []);
    assert.deepEqual(steps.advance(10), [10]);
    assert.deepEqual(steps.advance(45), [20, 30, 40]);
    assert.deepEqual(steps.advance(1_005), [960, 970, 980, 990, 1_000]);
    assert.equal(steps.skipped, 91);
    assert.equal(steps.nextMs, 1_010);
    assert.deepEqual(steps.advance(500), []);
    assert.deepEqual(steps.advance(1_010), [1_010]);
  });
});

describe("what is measured", () => {
  it("is summed up, the last values only", () => {
    const samples = new Samples(100);
    assert.deepEqual(samples.take(), { p50: 0, p99: 0, max: 0 });
    for (let i = 1; i <= 1_000; i++) samples.add(i);
    assert.deepEqual(samples.take(), { p50: 951, p99: 1_000, max: 1_000 });
    samples.add(1.234);
    assert.deepEqual(samples.take(), { p50: 1.23, p99: 1.23, max: 1.23 });
  });
});
