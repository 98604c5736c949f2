import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Exchange, Outcome, Server } from "../index.ts";
import { Durations } from "./durations.ts";
import { errorTotals } from "./error-codes.ts";
import type { Sample, Totals } from "./messages.ts";
import { ProcessFigures } from "./process-figures.ts";

/** Longer durations count as this one, in microseconds: the histogram has a size that does not grow. */
const HIGHEST_US = 3_600_000_000;
const FIGURES = 2;

/** Traffic of open consoles so far, which is subtracted from the figures. */
export interface OwnTraffic {
  messagesIn: number;
  messagesOut: number;
  /** Consoles that are open now. */
  consoles: number;
}

/** Makes the figures of one server, second by second, without what its consoles cause. */
export class Figures {
  private readonly server: Server;
  private readonly own: OwnTraffic;
  private readonly durations: RecordableHistogram = createHistogram({
    highest: HIGHEST_US,
    figures: FIGURES,
  });
  /** The same, in a form that can be added to that of other workers. */
  private readonly summary = new Durations();
  private readonly process = new ProcessFigures();
  /** Whether each response is reported to {@link respond}. */
  private isWatching = false;
  private responses = 0;
  /** By the class of their status. */
  private classes: number[] = [];
  private requests: number;
  private at: number;
  private messagesIn: number;
  private messagesOut: number;

  constructor(server: Server, own: OwnTraffic) {
    this.server = server;
    this.own = own;
    this.at = performance.now();
    this.requests = server.counters.requests;
    this.messagesIn = this.received;
    this.messagesOut = this.sent;
  }

  /** Says whether responses are reported from now on. Without them a sample has no percentiles and classes. */
  watch(isWatching: boolean): void {
    this.isWatching = isWatching;
    this.responses = 0;
    this.classes = [];
    this.durations.reset();
    this.summary.clear();
  }

  /** Counts a response. Only a complete one has a duration. */
  respond(outcome: Outcome, status: number, durationMs: number): void {
    if (outcome === "upgraded") return;
    this.responses++;
    const index = Math.floor(status / 100);
    this.classes[index] = (this.classes[index] ?? 0) + 1;
    if (outcome !== "complete") return;
    this.summary.add(durationMs);
    this.durations.record(Math.min(HIGHEST_US, Math.max(1, Math.round(durationMs * 1_000))));
  }

  /** How long the responses since the last sample took, see `Durations`. */
  durationCounts(): number[] {
    return this.summary.pairs();
  }

  /** The figures since the last call. */
  sample(): Sample {
    const { server, durations } = this;
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.at) / 1_000);
    const requests = this.isWatching ? this.responses : Math.max(0, server.counters.requests - this.requests);
    const ofClass = (index: number): number | null =>
      this.isWatching ? (this.classes[index] ?? 0) / seconds : null;
    const percentile = (p: number): number | null =>
      durations.count === 0 ? null : durations.percentile(p) / 1_000;
    const memory = process.memoryUsage();
    const webSockets = server.counters.openWebSockets;
    const sample: Sample = {
      at: Date.now(),
      requests: requests / seconds,
      success: ofClass(2),
      redirect: ofClass(3),
      clientError: ofClass(4),
      serverError: ofClass(5),
      messagesIn: Math.max(0, this.received - this.messagesIn) / seconds,
      messagesOut: Math.max(0, this.sent - this.messagesOut) / seconds,
      p50: percentile(50),
      p95: percentile(95),
      p99: percentile(99),
      ...this.process.sample(),
      http: Math.max(0, server.counters.openConnections - webSockets),
      webSockets: Math.max(0, webSockets - this.own.consoles),
      rss: memory.rss,
      heapUsed: memory.heapUsed,
      waitingEvents: server.waitingEvents,
      pendingBytes: server.counters.pendingBytes,
    };
    this.at = now;
    this.requests = server.counters.requests;
    this.watch(this.isWatching);
    this.messagesIn = this.received;
    this.messagesOut = this.sent;
    return sample;
  }

  stop(): void {
    this.process.stop();
  }

  totals(): Totals {
    const { counters } = this.server;
    return {
      uptimeSeconds: Math.floor(process.uptime()),
      connections: counters.connections,
      refusedConnections: counters.refusedConnections,
      requests: counters.requests,
      messagesReceived: this.received,
      messagesSent: this.sent,
      messagesDropped: counters.messagesDropped,
      ...errorTotals(counters.errors),
      errorCodes: counters.errors,
      consoles: this.own.consoles,
    };
  }

  private get received(): number {
    return this.server.counters.messagesReceived - this.own.messagesIn;
  }

  private get sent(): number {
    return this.server.counters.messagesSent - this.own.messagesOut;
  }
}

/** Paths are cut here: a client can send thousands of characters on each of thousands of connections. */
const MAX_PATH = 200;

/** The method and path of a request. Its query can hold secrets. */
export function nameOf({ method, path }: Exchange): string {
  return `${method} ${path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path}`;
}
