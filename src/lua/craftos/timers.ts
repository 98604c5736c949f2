import { ChurnMap } from "../../bytes/churn-map.ts";
import type { Http } from "../../craftos/index.ts";
import { MAX_TIMER_MS } from "../../node/max-timer.ts";
import type { HostFunction } from "../machine.ts";

/** Seconds of a day of the computer, which has 24 hours. */
const DAY_S = 1_200;

/** Timers and alarms, which queue events. */
export class Timers {
  private readonly http: Http;
  private readonly running = new ChurnMap<number, NodeJS.Timeout>();
  private last = 0;

  constructor(http: Http) {
    this.http = http;
  }

  stop(): void {
    for (const timer of this.running.values()) clearTimeout(timer);
    this.running.clear();
  }

  functions(): Record<string, HostFunction> {
    const cancel: HostFunction = (frame) => {
      const id = frame.number(1);
      clearTimeout(this.running.get(id));
      this.running.delete(id);
      return 0;
    };
    return {
      startTimer: (frame) => {
        frame.pushNumber(this.start("timer", frame.number(1)));
        return 1;
      },
      cancelTimer: cancel,
      setAlarm: (frame) => {
        const hour = frame.number(1);
        if (!(hour >= 0 && hour < 24)) throw new RangeError("Number out of range");
        const hours = (hour - hourOfDay() + 24) % 24;
        frame.pushNumber(this.start("alarm", (hours / 24) * DAY_S));
        return 1;
      },
      cancelAlarm: cancel,
      ingameTime(frame) {
        frame.pushNumber(hourOfDay());
        return 1;
      },
      ingameDay(frame) {
        frame.pushNumber(1 + Math.floor(process.uptime() / DAY_S));
        return 1;
      },
      uptime(frame) {
        frame.pushNumber(process.uptime());
        return 1;
      },
    };
  }

  private start(event: string, seconds: number): number {
    const id = ++this.last;
    const ring = (): void => {
      this.running.delete(id);
      this.http.queueEvent(event, id);
    };
    this.running.set(id, setTimeout(ring, seconds > 0 ? Math.min(seconds * 1_000, MAX_TIMER_MS) : 0));
    return id;
  }
}

/** The computer starts at 6 in the morning. */
function hourOfDay(): number {
  return (6 + (process.uptime() / DAY_S) * 24) % 24;
}
