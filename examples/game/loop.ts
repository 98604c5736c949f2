// A loop in steps of equal length: step n is due at start + n × length, however late the steps before it were.
import { performance } from "node:perf_hooks";

/** Tells how many steps are due. No clock of its own. */
export class FixedStep {
  /** Steps that were given up because too many were due at once. */
  skipped = 0;
  private readonly stepMs: number;
  private readonly maxSteps: number;
  private readonly startMs: number;
  private done = 0;

  /** @param maxSteps after a longer stop the world stands still for what is more, instead of running ever later */
  constructor(stepMs: number, maxSteps: number, startMs: number) {
    this.stepMs = stepMs;
    this.maxSteps = maxSteps;
    this.startMs = startMs;
  }

  /** When the next step is due. */
  get nextMs(): number {
    return this.startMs + (this.done + 1) * this.stepMs;
  }

  /** @returns when each of the steps was due that are to be run now */
  advance(nowMs: number): number[] {
    const due = Math.max(0, Math.floor((nowMs - this.startMs) / this.stepMs) - this.done);
    const skipped = Math.max(0, due - this.maxSteps);
    this.skipped += skipped;
    this.done += skipped;
    const times: number[] = [];
    for (let i = skipped; i < due; i++) {
      times.push(this.nextMs);
      this.done++;
    }
    return times;
  }
}

/** Something that is measured, the last values of it. */
export class Samples {
  private readonly values: Float64Array;
  private count = 0;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
  }

  add(value: number): void {
    this.values[this.count++ % this.values.length] = value;
  }

  /** Median, 99th percentile and maximum of what was added since the last call, rounded to 0.01. */
  take(): { p50: number; p99: number; max: number } {
    const sorted = this.values.slice(0, this.count).sort();
    this.count = 0;
    const at = (share: number): number => {
      const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      return Math.round(value * 100) / 100;
    };
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

/** A loop that runs. */
export interface Loop {
  /** How many milliseconds after they were due steps began. */
  readonly lateMs: Samples;
  /** How many milliseconds they took. */
  readonly workMs: Samples;
  /** How many steps time has had since the loop began, those that were skipped among them. */
  expectedSteps(): number;
  readonly skipped: number;
  stop(): void;
}

/** Runs `step` so many times a second. */
export function startLoop(stepsPerSecond: number, maxSteps: number, step: () => void): Loop {
  const stepMs = 1_000 / stepsPerSecond;
  const startMs = performance.now();
  const steps = new FixedStep(stepMs, maxSteps, startMs);
  const lateMs = new Samples(60 * stepsPerSecond);
  const workMs = new Samples(60 * stepsPerSecond);
  let timer: NodeJS.Timeout;
  const run = (): void => {
    for (const dueMs of steps.advance(performance.now())) {
      const beganMs = performance.now();
      lateMs.add(beganMs - dueMs);
      step();
      workMs.add(performance.now() - beganMs);
    }
    // A timer may fire a little early: then nothing is due yet, and the rest of a millisecond is waited for.
    timer = setTimeout(run, Math.max(1, Math.ceil(steps.nextMs - performance.now())));
  };
  timer = setTimeout(run, stepMs);
  return {
    lateMs,
    workMs,
    expectedSteps: () => Math.floor((performance.now() - startMs) / stepMs),
    get skipped() {
      return steps.skipped;
    },
    stop: () => clearTimeout(timer),
  };
}
