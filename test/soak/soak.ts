import { type Child, startChild } from "../abuse/child.ts";
import { Random } from "../support/random.ts";
import { sleep } from "../support/waiting.ts";
import { httpScenarios, Pools } from "./http-traffic.ts";
import type { Scenario, Target } from "./scenario.ts";
import type { SoakReport } from "./server.ts";
import { LongLived, webSocketScenarios } from "./web-socket-traffic.ts";

const MIB = 1 << 20;
/** How the share of the time that is warm-up is bounded, in seconds. */
const WARM_UP_SHARE = 0.2;
const LONGEST_WARM_UP_SECONDS = 120;
const REST_PATIENCE_MS = 15_000;
const COLLECTIONS = 5;
/** Failures that are kept to be shown. */
const SHOWN = 20;

/** What may have grown between the end of the warm-up and the end, at rest and after a collection. */
const MAX_HELD_GROWTH_BYTES = 4 * MIB;
const MAX_RSS_GROWTH_BYTES = 64 * MIB;

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Scenarios a second, all together. */
  readonly rate: number;
  /** How many run at the same time, at most. */
  readonly concurrency: number;
  readonly everySeconds: number;
}

/** What the traffic has done. */
interface Tally {
  readonly done: Record<string, number>;
  readonly failures: string[];
  failed: number;
}

/**
 * Mixes all kinds of traffic against a server, checks every byte, and prints what the server is at.
 * @returns whether everything held: no failure, and nothing left over
 */
export async function soak(options: SoakOptions): Promise<boolean> {
  const { seconds, seed, rate, concurrency } = options;
  console.log(
    `soak: ${seconds} s, seed ${seed}, ${rate} scenarios a second, ${concurrency} at the same time`,
  );
  const server = await startChild(new URL("server.ts", import.meta.url));
  const target = await server.ask<Target>("ports");
  const pools = new Pools(target);
  const longLived = new LongLived();
  const kept = await longLived.open(target, new Random(seed));
  const scenarios = [...httpScenarios(pools), ...webSocketScenarios(longLived)];
  const tally: Tally = { done: {}, failures: [], failed: 0 };
  const printing = new Printer(server, tally, options.everySeconds);
  const run = (from: number, forSeconds: number): Promise<void> =>
    traffic(scenarios, { ...options, seed: from, seconds: forSeconds }, target, tally);
  const rest = async (): Promise<SoakReport> => {
    await pools.close();
    return atRest(server, kept);
  };
  try {
    const warmUp = Math.min(LONGEST_WARM_UP_SECONDS, seconds * WARM_UP_SHARE);
    await run(seed, warmUp);
    const start = await rest();
    console.log(`warm after ${warmUp.toFixed(0)} s: ${figures(start)}`);
    await run(seed + 1, seconds - warmUp);
    const end = await rest();
    console.log(`at the end: ${figures(end)}`);
    console.log(`done: ${JSON.stringify(tally.done)}`);
    console.log(`peers' mistakes: ${JSON.stringify(end.counters.errors)}`);
    const broken = [...tally.failures, ...leftOver(start, end), ...idle(scenarios, tally)];
    for (const what of broken) console.log(`FAILED: ${what}`);
    console.log(broken.length === 0 ? "soak: everything held" : `soak: ${tally.failed} scenarios failed`);
    return broken.length === 0;
  } finally {
    printing.stop();
    await longLived.close().catch(() => {});
    await server.stop();
  }
}

/** Runs scenarios for a time. */
async function traffic(
  scenarios: readonly Scenario[],
  options: SoakOptions,
  target: Target,
  tally: Tally,
): Promise<void> {
  const { rate, concurrency, seed } = options;
  const deck = scenarios.flatMap((scenario) => Array.from({ length: scenario.weight }, () => scenario));
  const end = performance.now() + options.seconds * 1_000;
  const paceMs = (concurrency / rate) * 1_000;
  const lane = async (number: number): Promise<void> => {
    const random = new Random(seed * 1_000 + number);
    let next = performance.now() + random.next() * paceMs;
    while (performance.now() < end) {
      const scenario = random.pick(deck);
      try {
        await scenario.run({ target, random });
        tally.done[scenario.name] = (tally.done[scenario.name] ?? 0) + 1;
      } catch (error) {
        tally.failed++;
        const text = error instanceof Error ? error.stack : String(error);
        if (tally.failures.length < SHOWN) tally.failures.push(`${scenario.name}: ${text}`);
      }
      // What is late is not made up for.
      next = Math.max(next + paceMs, performance.now());
      await sleep(Math.max(0, Math.min(next, end) - performance.now()));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => lane(number)));
}

/** The report when only the connections that stay are left, after a collection. */
async function atRest(server: Child, connections: number): Promise<SoakReport> {
  const end = performance.now() + REST_PATIENCE_MS;
  let report = await server.ask<SoakReport>("report");
  while (report.counters.openConnections > connections && performance.now() < end) {
    await sleep(50);
    report = await server.ask<SoakReport>("report");
  }
  for (let i = 0; i < COLLECTIONS; i++) {
    await sleep(100);
    report = await server.ask<SoakReport>("collect");
  }
  return report;
}

/** Compares two states at rest. */
function leftOver(start: SoakReport, end: SoakReport): string[] {
  const found: string[] = [];
  const held = end.heapBytes + end.externalBytes - start.heapBytes - start.externalBytes;
  if (held > MAX_HELD_GROWTH_BYTES) found.push(`heap and buffers have grown by ${mib(held)}`);
  const rss = end.rssBytes - start.rssBytes;
  if (rss > MAX_RSS_GROWTH_BYTES) found.push(`the process has grown by ${mib(rss)}`);
  for (const kind of new Set([...Object.keys(start.resources), ...Object.keys(end.resources)])) {
    const [before = 0, after = 0] = [start.resources[kind], end.resources[kind]];
    if (after > before) found.push(`${after} of ${kind}, where there were ${before}`);
  }
  const { openConnections, openWebSockets, pendingBytes } = end.counters;
  if (openConnections !== start.counters.openConnections)
    found.push(`${openConnections} connections are left`);
  if (openWebSockets !== openConnections) found.push(`${openWebSockets} WebSockets are left`);
  if (pendingBytes !== 0) found.push(`${pendingBytes} bytes still wait`);
  for (const [text, count] of Object.entries(end.reported))
    found.push(`a handler failed ${count} times: ${text}`);
  return found;
}

/** What never ran shows nothing; a short soak need not come to everything. */
function idle(scenarios: readonly Scenario[], { done }: Tally): string[] {
  const total = Object.values(done).reduce((sum, count) => sum + count, 0);
  if (total < scenarios.length * 50) return total === 0 ? ["nothing was done"] : [];
  return scenarios.filter(({ name }) => done[name] === undefined).map(({ name }) => `never done: ${name}`);
}

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

function figures({ rssBytes, heapBytes, externalBytes, resources, counters }: SoakReport): string {
  const handles = Object.values(resources).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(resources).map(([kind, count]) => `${kind} ${count}`);
  return [
    `rss ${mib(rssBytes)}`,
    `heap ${mib(heapBytes)}`,
    `external ${mib(externalBytes)}`,
    `handles ${handles} (${kinds.join(", ")})`,
    `connections ${counters.openConnections} of ${counters.connections}`,
    `requests ${counters.requests}`,
    `messages ${counters.messagesReceived} in, ${counters.messagesSent} out`,
    `errors ${Object.values(counters.errors).reduce((sum, count) => sum + count, 0)}`,
  ].join(", ");
}

/** Prints a line now and then. */
class Printer {
  private readonly timer: NodeJS.Timeout;
  private readonly begunAt = performance.now();
  private at = performance.now();
  private serverMs = 0;
  private ownMs = 0;

  constructor(server: Child, tally: Tally, everySeconds: number) {
    this.timer = setInterval(() => {
      server.ask<SoakReport>("report").then(
        (report) => this.print(report, tally),
        (error: unknown) => console.log(`no report: ${String(error)}`),
      );
    }, everySeconds * 1_000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private print(report: SoakReport, tally: Tally): void {
    const now = performance.now();
    const { user, system } = process.cpuUsage();
    const ownMs = (user + system) / 1_000;
    const share = (ms: number): string => `${((ms / (now - this.at)) * 100).toFixed(0)} %`;
    const cpu = `cpu ${share(report.cpuMs - this.serverMs)} server, ${share(ownMs - this.ownMs)} clients`;
    console.log(
      `${((now - this.begunAt) / 1_000).toFixed(0)} s: ${figures(report)}, failures ${tally.failed}, ${cpu}`,
    );
    this.at = now;
    this.serverMs = report.cpuMs;
    this.ownMs = ownMs;
  }
}
