import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** One hour: nothing waits longer. */
const HIGHEST_NS = 3_600e9;
/** The maximum number of rows of a histogram. */
const MAX_ROWS = 16;

export interface HistogramRow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** What a run has measured so far. Its memory does not grow with the number of requests. */
export class BenchResults {
  /** Answers that were expected. */
  succeeded = 0;
  /** Answers with a status that was not expected, and requests without an answer. */
  failed = 0;
  /** At a constant rate: requests that were due and had no answer when the run ended. */
  unanswered = 0;
  bytesReceived = 0;
  /** Connections that were opened after the run had begun. */
  reconnects = 0;
  durationMs = 0;
  readonly statuses: Map<number, number> = new Map();
  readonly errors: Map<string, number> = new Map();
  /** In nanoseconds, with three digits that count. */
  readonly latency: RecordableHistogram = createHistogram({ lowest: 1, highest: HIGHEST_NS, figures: 3 });
  /** Two to each doubling of the time. */
  private readonly counts: number[] = [];

  get answered(): number {
    return this.latency.count;
  }

  get requestsPerSecond(): number {
    return this.durationMs > 0 ? (this.answered * 1_000) / this.durationMs : 0;
  }

  /** @param status undefined for a message @param ok whether it was expected */
  record(latencyMs: number, status: number | undefined, ok: boolean): void {
    const ns = Math.min(Math.max(1, Math.round(latencyMs * 1e6)), HIGHEST_NS);
    this.latency.record(ns);
    const index = Math.floor(2 * Math.log2(ns));
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    if (status !== undefined) this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (ok) this.succeeded++;
    else this.failed++;
  }

  /** @param requests that have no answer because of this error */
  recordError(code: string, requests: number): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    this.failed += requests;
  }

  /** @param percent 0 to 100 @returns milliseconds */
  percentileMs(percent: number): number {
    return this.answered === 0 ? 0 : this.latency.percentile(percent) / 1e6;
  }

  /** How many took how long, from the quickest to the slowest without a gap; each row spans the same factor. */
  histogram(): HistogramRow[] {
    const first = this.counts.findIndex((count) => count > 0);
    if (first < 0) return [];
    const span = Math.ceil((this.counts.length - first) / MAX_ROWS);
    const rows: HistogramRow[] = [];
    for (let at = first; at < this.counts.length; at += span) {
      let count = 0;
      for (let i = at; i < at + span; i++) count += this.counts[i] ?? 0;
      rows.push({ fromMs: boundMs(at), toMs: boundMs(at + span), count });
    }
    return rows;
  }
}

function boundMs(index: number): number {
  return 2 ** (index / 2) / 1e6;
}
