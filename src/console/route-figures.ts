import type { Exchange, Outcome } from "../index.ts";
import { Durations } from "./durations.ts";
import type { RouteReport } from "./worker-report.ts";

/** Routes that are counted one by one; others are counted together. */
const MAX_ROUTES = 200;
/** Figures are of the current half minute and the one before it. */
const HALF_MS = 30_000;

interface Half {
  count: number;
  errors: number;
  aborted: number;
  readonly durations: Durations;
}

const emptyHalf = (): Half => ({ count: 0, errors: 0, aborted: 0, durations: new Durations() });

interface RouteEntry {
  total: number;
  now: Half;
  before: Half;
}

/** Figures of each route, since the console was opened. */
export class RouteFigures {
  private readonly routes = new Map<string, RouteEntry>();
  private halfBegan: number = performance.now();
  private readonly began: number = performance.now();

  respond(exchange: Exchange, status: number, outcome: Outcome, durationMs: number): void {
    const name = `${exchange.method} ${exchange.route || "(no route)"}`;
    const entry = this.entryOf(name);
    entry.total++;
    entry.now.count++;
    if (status >= 500) entry.now.errors++;
    if (outcome === "complete") entry.now.durations.add(durationMs);
    else if (outcome !== "upgraded") entry.now.aborted++;
  }

  /** What each route has answered lately. */
  report(): RouteReport[] {
    const now = performance.now();
    if (now - this.halfBegan >= HALF_MS) this.turn(now);
    const seconds = Math.max(1, Math.min(now - this.began, now - this.halfBegan + HALF_MS) / 1_000);
    return [...this.routes].map(([route, { total, now: current, before }]) => ({
      route,
      seconds,
      responses: current.count + before.count,
      errors: current.errors + before.errors,
      aborted: current.aborted + before.aborted,
      count: total,
      durations: [...current.durations.pairs(), ...before.durations.pairs()],
    }));
  }

  private turn(now: number): void {
    this.halfBegan = now;
    for (const entry of this.routes.values()) {
      const { before } = entry;
      entry.before = entry.now;
      before.count = before.errors = before.aborted = 0;
      before.durations.clear();
      entry.now = before;
    }
  }

  private entryOf(name: string): RouteEntry {
    const known = this.routes.get(name);
    if (known !== undefined) return known;
    // A client can send any method, so the number of names is not that of the program's routes.
    if (this.routes.size >= MAX_ROUTES && name !== OTHERS) return this.entryOf(OTHERS);
    const entry = { total: 0, now: emptyHalf(), before: emptyHalf() };
    this.routes.set(name, entry);
    return entry;
  }
}

const OTHERS = "(other routes)";
