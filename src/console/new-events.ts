import type { EventRow } from "./messages.ts";
import type { WorkerReport } from "./worker-report.ts";

/** Finds the events in reports of workers that no page has been sent. */
export class NewEvents {
  /** The newest batch that was taken from each process. */
  private readonly taken = new Map<number, number>();

  /** The events that were not taken before, in order. */
  take(reports: readonly WorkerReport[]): { rows: EventRow[]; skipped: number } {
    const rows: EventRow[] = [];
    let skipped = 0;
    for (const { pid, events } of reports) {
      const last = this.taken.get(pid) ?? 0;
      for (const batch of events) {
        if (batch.number <= last) continue;
        rows.push(...batch.rows);
        skipped += batch.skipped;
        this.taken.set(pid, batch.number);
      }
    }
    const pids = new Set(reports.map(({ pid }) => pid));
    for (const pid of this.taken.keys()) if (!pids.has(pid)) this.taken.delete(pid);
    return { rows: rows.sort((a, b) => a.at - b.at), skipped };
  }
}
