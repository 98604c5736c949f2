import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** Measurements of one tick. Times are in milliseconds. */
export interface TickReport {
  /** The number of the step, from 1. */
  readonly tick: number;
  /** The time between when the tick was due and when it began. */
  readonly latenessMs: number;
  /** The time spent in handlers of events. */
  readonly pollMs: number;
  readonly stepMs: number;
  /** The time to hand sent data to the system. */
  readonly flushMs: number;
  /** The number of polled events. */
  readonly events: number;
  /** The number of ticks skipped before this one. */
  readonly skippedTicks: number;
}

/** The distribution of a time over the ticks, in milliseconds. 0 if there were no ticks. */
export interface Distribution {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measurements of a loop. */
export interface LoopFigures {
  /** The number of ticks that ran. */
  readonly ticks: number;
  /** The number of skipped ticks. */
  readonly skippedTicks: number;
  /** The number of polled events. */
  readonly events: number;
  readonly latenessMs: Distribution;
  readonly pollMs: Distribution;
  readonly stepMs: Distribution;
  readonly flushMs: Distribution;
}

/** Longer times count as this one, in microseconds: a histogram has a size that does not grow. */
const HIGHEST_US = 3_600_000_000;

/** Adds up the reports of ticks. */
export class TickFigures {
  private readonly lateness = histogram();
  private readonly poll = histogram();
  private readonly step = histogram();
  private readonly flush = histogram();
  private ticks = 0;
  private skippedTicks = 0;
  private events = 0;

  add(report: TickReport): void {
    this.ticks++;
    this.skippedTicks += report.skippedTicks;
    this.events += report.events;
    record(this.lateness, report.latenessMs);
    record(this.poll, report.pollMs);
    record(this.step, report.stepMs);
    record(this.flush, report.flushMs);
  }

  get(): LoopFigures {
    const { ticks, skippedTicks, events } = this;
    return {
      ...{ ticks, skippedTicks, events },
      latenessMs: distribution(this.lateness),
      pollMs: distribution(this.poll),
      stepMs: distribution(this.step),
      flushMs: distribution(this.flush),
    };
  }

  reset(): void {
    this.ticks = this.skippedTicks = this.events = 0;
    for (const each of [this.lateness, this.poll, this.step, this.flush]) each.reset();
  }
}

function histogram(): RecordableHistogram {
  return createHistogram({ highest: HIGHEST_US, figures: 2 });
}

function record(into: RecordableHistogram, ms: number): void {
  into.record(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1_000))));
}

function distribution(of: RecordableHistogram): Distribution {
  if (of.count === 0) return { p50: 0, p99: 0, max: 0 };
  return { p50: of.percentile(50) / 1_000, p99: of.percentile(99) / 1_000, max: of.max / 1_000 };
}
