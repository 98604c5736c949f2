import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from "node:perf_hooks";
import type { Sample } from "./messages.ts";

/** How often the event loop is asked whether it is late. */
const RESOLUTION_MS = 20;
/** Loops publish a report after each tick: those of portico/loop, and any other program with `latenessMs` and `durationMs`. */
const TICK_CHANNEL = "portico:loop:tick";

type ProcessSample = Pick<Sample, "cpu" | "loopBusy" | "loopDelay" | "tickLateness" | "tickDuration">;

/** Figures of the process and of its event loop. What a runtime cannot measure is null. */
export class ProcessFigures {
  private readonly delay: IntervalHistogram | undefined = delayHistogram();
  private cpu: NodeJS.CpuUsage = process.cpuUsage();
  private utilization: EventLoopUtilization | undefined = utilizationOf();
  private at: number = performance.now();
  private tickLateness: number | null = null;
  private tickDuration: number | null = null;
  private readonly onTick = (message: unknown): void => {
    this.tickLateness = largest(this.tickLateness, message, "latenessMs");
    this.tickDuration = largest(this.tickDuration, message, "durationMs");
  };

  constructor() {
    subscribe(TICK_CHANNEL, this.onTick);
  }

  /** The figures since the last call. */
  sample(): ProcessSample {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.cpu);
    const sample = {
      cpu: (user + system) / 10 / Math.max(1, now - this.at),
      loopBusy: this.busy(),
      loopDelay: this.longestDelay(),
      tickLateness: this.tickLateness,
      tickDuration: this.tickDuration,
    };
    this.at = now;
    this.cpu = process.cpuUsage();
    this.tickLateness = this.tickDuration = null;
    return sample;
  }

  stop(): void {
    this.delay?.disable();
    unsubscribe(TICK_CHANNEL, this.onTick);
  }

  private busy(): number | null {
    const last = this.utilization;
    this.utilization = utilizationOf();
    if (last === undefined || this.utilization === undefined) return null;
    return performance.eventLoopUtilization(this.utilization, last).utilization * 100;
  }

  private longestDelay(): number | null {
    const { delay } = this;
    if (delay === undefined) return null;
    // Without a value the loop has stood still for the whole time: this call is the first to notice.
    const longest = delay.count === 0 ? performance.now() - this.at : delay.max / 1e6;
    delay.reset();
    return Math.max(0, longest - RESOLUTION_MS);
  }
}

/** Other runtimes have the function and throw. */
function delayHistogram(): IntervalHistogram | undefined {
  try {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    return histogram;
  } catch {
    return undefined;
  }
}

function utilizationOf(): EventLoopUtilization | undefined {
  try {
    return performance.eventLoopUtilization();
  } catch {
    return undefined;
  }
}

function largest(before: number | null, message: unknown, name: string): number | null {
  const value: unknown =
    typeof message === "object" && message !== null ? Reflect.get(message, name) : undefined;
  return typeof value === "number" && value >= 0 ? Math.max(before ?? 0, value) : before;
}
