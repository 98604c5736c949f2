import type { LoadOptions } from "./bench-load.ts";
import type { BenchResults } from "./bench-results.ts";
import { inBytes, inTime, paint } from "./terminal.ts";

const PERCENTILES = [50, 75, 90, 99, 99.9, 99.99] as const;
const BAR_WIDTH = 40;

const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");

/** Returns the results as a record for `--json`. */
export function asRecord(options: LoadOptions, results: BenchResults): Record<string, unknown> {
  const { latency } = results;
  const measured = results.answered > 0;
  const ms = (ns: number): number => (measured ? ns / 1e6 : 0);
  const percentiles = PERCENTILES.map((percent) => [`p${percent}`, results.percentileMs(percent)]);
  return {
    url: options.url.href,
    connections: options.connections,
    inFlight: options.inFlight,
    ...(options.rate === undefined ? {} : { rate: options.rate, unanswered: results.unanswered }),
    durationMs: results.durationMs,
    requests: results.answered,
    requestsPerSecond: results.requestsPerSecond,
    bytesReceived: results.bytesReceived,
    failed: results.failed,
    reconnects: results.reconnects,
    statuses: Object.fromEntries(results.statuses),
    errors: Object.fromEntries(results.errors),
    latencyMs: {
      min: ms(latency.min),
      mean: ms(latency.mean),
      stddev: ms(latency.stddev),
      ...Object.fromEntries(percentiles),
      max: ms(latency.max),
    },
    histogram: results.histogram(),
  };
}

/** Returns the results as lines for people. */
export function asText(options: LoadOptions, results: BenchResults): string[] {
  const { answered, durationMs, latency, bytesReceived } = results;
  const what = options.url.protocol.startsWith("ws") ? "messages" : "requests";
  const rate = `${grouped(results.requestsPerSecond)} ${what}/s`;
  const perSecond = inBytes(Math.round((bytesReceived * 1_000) / Math.max(1, durationMs)));
  const lines = [
    `${paint("green", rate)}  ${grouped(answered)} in ${inTime(durationMs)}, ${perSecond}/s received`,
    `${options.connections} connections, ${options.inFlight} in flight on each`,
  ];
  if (options.rate !== undefined) {
    lines.push(
      `Rate: ${grouped(options.rate)} ${what}/s asked for; latency is measured from when each was due`,
    );
    if (results.unanswered > 0) {
      lines.push(paint("yellow", `Due without an answer at the end: ${grouped(results.unanswered)}`));
    }
  }
  if (answered > 0) {
    const figures = PERCENTILES.map(
      (percent) => `  ${`${percent}%`.padEnd(7)}${inTime(results.percentileMs(percent))}`,
    );
    const spread = `mean ${inTime(latency.mean / 1e6)}, deviation ${inTime(latency.stddev / 1e6)}`;
    lines.push("", `Latency: ${spread}, from ${inTime(latency.min / 1e6)} to ${inTime(latency.max / 1e6)}`);
    lines.push(...figures, "", ...histogramLines(results));
  }
  const statuses = [...results.statuses].sort(([a], [b]) => a - b);
  if (statuses.length > 0) {
    lines.push(
      "",
      `Statuses: ${statuses.map(([status, count]) => `${status} × ${grouped(count)}`).join(", ")}`,
    );
  }
  if (results.reconnects > 0) lines.push(`Connections opened again: ${grouped(results.reconnects)}`);
  for (const [code, count] of results.errors) lines.push(paint("red", `Error: ${code} × ${grouped(count)}`));
  if (results.failed > 0) lines.push(paint("red", `Failed: ${grouped(results.failed)}`));
  return lines;
}

function histogramLines(results: BenchResults): string[] {
  const rows = results.histogram();
  const most = Math.max(...rows.map(({ count }) => count));
  return rows.map(({ fromMs, toMs, count }) => {
    const range = `${inTime(fromMs).padStart(8)} to ${inTime(toMs).padEnd(8)}`;
    const bar = "█".repeat(Math.max(count > 0 ? 1 : 0, Math.round((count / most) * BAR_WIDTH)));
    return `  ${range} ${paint("cyan", bar.padEnd(BAR_WIDTH))} ${grouped(count)}`;
  });
}
