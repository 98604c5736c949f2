import { Durations } from "./durations.ts";
import type {
  BrokerRow,
  LimitRow,
  NodeRow,
  RouteRow,
  Sample,
  TopicRow,
  Totals,
  WorkerRow,
} from "./messages.ts";
import type { RouteReport, WorkerReport } from "./worker-report.ts";

const MAX_ROWS = 100;

const SUMMED = [
  "requests",
  "success",
  "redirect",
  "clientError",
  "serverError",
  "messagesIn",
  "messagesOut",
  "cpu",
  "http",
  "webSockets",
  "rss",
  "heapUsed",
  "waitingEvents",
  "pendingBytes",
] as const satisfies readonly (keyof Sample)[];

type Summed = (typeof SUMMED)[number];

/** One sample of all workers: sums, or the highest value where a sum means nothing. */
export function mergedSample(samples: readonly Sample[], durations: readonly (readonly number[])[]): Sample {
  const [first, ...others] = samples;
  if (first === undefined) throw new RangeError("there is no sample");
  if (others.length === 0) return first;
  const highest = (name: keyof Sample): number | null =>
    samples.reduce<number | null>((most, { [name]: value }) => largest(most, value), null);
  const sums = {} as Record<Summed, number>;
  for (const name of SUMMED) sums[name] = samples.reduce((sum, { [name]: value }) => sum + (value ?? 0), 0);
  const all = Durations.of(durations);
  const percentile = (share: number, name: "p50" | "p95" | "p99"): number | null =>
    all.quantile(share) ?? highest(name);
  return {
    ...first,
    ...sums,
    p50: percentile(0.5, "p50"),
    p95: percentile(0.95, "p95"),
    p99: percentile(0.99, "p99"),
    loopBusy: highest("loopBusy"),
    loopDelay: highest("loopDelay"),
    tickLateness: highest("tickLateness"),
    tickDuration: highest("tickDuration"),
  };
}

/** The samples of all workers, one for each second, the oldest first. */
export function mergedHistory(histories: readonly (readonly Sample[])[]): readonly Sample[] {
  const [only = [], ...others] = histories;
  if (others.length === 0) return only;
  const seconds = new Map<number, Sample[]>();
  for (const history of histories) {
    // A worker can have two samples that round to the same second.
    const own = new Map(history.map((sample) => [Math.round(sample.at / 1_000), sample]));
    for (const [second, sample] of own) seconds.set(second, [...(seconds.get(second) ?? []), sample]);
  }
  return [...seconds].sort(([a], [b]) => a - b).map(([, samples]) => mergedSample(samples, []));
}

export function mergedTotals(reports: readonly WorkerReport[]): Totals {
  const merged = { ...zeroTotals };
  const errorCodes: Record<string, number> = {};
  for (const { totals } of reports) {
    for (const name of Object.keys(zeroTotals) as (keyof typeof zeroTotals)[]) merged[name] += totals[name];
    for (const [code, count] of Object.entries(totals.errorCodes)) {
      errorCodes[code] = (errorCodes[code] ?? 0) + count;
    }
  }
  const uptimeSeconds = Math.max(0, ...reports.map(({ totals }) => totals.uptimeSeconds));
  return { ...merged, uptimeSeconds, errorCodes };
}

const zeroTotals = {
  connections: 0,
  refusedConnections: 0,
  requests: 0,
  messagesReceived: 0,
  messagesSent: 0,
  messagesDropped: 0,
  errors: 0,
  clientMistakes: 0,
  disconnects: 0,
  consoles: 0,
};

/** The routes with the most responses lately, first. */
export function routeRows(reports: readonly (readonly RouteReport[])[]): RouteRow[] {
  const byRoute = new Map<string, RouteReport[]>();
  for (const report of reports.flat()) {
    const same = byRoute.get(report.route);
    if (same === undefined) byRoute.set(report.route, [report]);
    else same.push(report);
  }
  const rows = [...byRoute].map(([route, parts]): RouteRow => {
    const sum = (value: (part: RouteReport) => number): number =>
      parts.reduce((total, part) => total + value(part), 0);
    const all = Durations.of(parts.map(({ durations }) => durations));
    return {
      route,
      rate: sum(({ responses, seconds }) => responses / seconds),
      p50: all.quantile(0.5),
      p99: all.quantile(0.99),
      errors: sum(({ errors }) => errors),
      aborted: sum(({ aborted }) => aborted),
      count: sum(({ count }) => count),
    };
  });
  return rows.sort((a, b) => b.rate - a.rate || b.count - a.count).slice(0, MAX_ROWS);
}

/** The topics with the most subscribers in all workers, first, and how many topics there are, as far as it is known. */
export function topicRows(reports: readonly WorkerReport[]): { topics: TopicRow[]; topicCount: number } {
  const byName = new Map<string, { members: number; workers: [worker: number, members: number][] }>();
  for (const { worker, topics } of reports) {
    for (const { name, members } of topics) {
      const row = byName.get(name) ?? { members: 0, workers: [] };
      row.members += members;
      row.workers.push([worker, members]);
      byName.set(name, row);
    }
  }
  const topics = [...byName].map(([name, row]) => ({ name, ...row }));
  const topicCount = Math.max(topics.length, ...reports.map((report) => report.topicCount));
  return { topics: topics.sort((a, b) => b.members - a.members).slice(0, MAX_ROWS), topicCount };
}

/** The limits with the highest value of a worker. */
export function mergedLimits(reports: readonly WorkerReport[]): LimitRow[] {
  const rows = new Map<string, LimitRow>();
  for (const row of reports.flatMap(({ limits }) => limits)) {
    const known = rows.get(row.name);
    rows.set(row.name, known === undefined ? row : { ...known, now: largest(known.now, row.now) });
  }
  return [...rows.values()];
}

export function workerRows(reports: readonly WorkerReport[]): WorkerRow[] {
  return reports
    .map(({ worker, pid, sample, totals, topicCount }) => ({
      worker,
      pid,
      uptimeSeconds: totals.uptimeSeconds,
      requests: sample.requests,
      p99: sample.p99,
      http: sample.http,
      webSockets: sample.webSockets,
      topics: topicCount,
      cpu: sample.cpu,
      loopDelay: sample.loopDelay,
      rss: sample.rss,
    }))
    .sort((a, b) => a.worker - b.worker || a.pid - b.pid);
}

/** The broker as each worker sees it, and all servers that use it, as far as they are known. */
export function brokerRows(reports: readonly WorkerReport[]): { brokers: BrokerRow[]; nodes: NodeRow[] } {
  const brokers: BrokerRow[] = [];
  const nodes = new Map<string, NodeRow>();
  for (const { worker, broker } of reports) {
    if (broker === undefined) continue;
    const { nodes: known, ...status } = broker;
    brokers.push({ worker, ...status });
    for (const node of known) if (node.isOwn || !nodes.has(node.id)) nodes.set(node.id, node);
  }
  return {
    brokers: brokers.sort((a, b) => a.worker - b.worker),
    nodes: [...nodes.values()].slice(0, MAX_ROWS),
  };
}

function largest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
