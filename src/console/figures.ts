import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Exchange, Outcome, Server } from "../index.ts";
import type { Sample, Totals } from "./messages.ts";

/** Longer durations count as this one, in microseconds: the histogram has a size that does not grow. */
const HIGHEST_US = 3_600_000_000;
const FIGURES = 2;

/** Messages of open consoles so far, which are taken from the figures. */
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
  private responses = 0;
  private at: number;
  private messagesIn: number;
  private messagesOut: number;

  constructor(server: Server, own: OwnTraffic) {
    this.server = server;
    this.own = own;
    this.at = performance.now();
    this.messagesIn = this.received;
    this.messagesOut = this.sent;
  }

  /** Counts a response; only one that is complete has a duration. */
  respond(outcome: Outcome, durationMs: number): void {
    if (outcome === "upgraded") return;
    this.responses++;
    if (outcome !== "complete") return;
    this.durations.record(Math.min(HIGHEST_US, Math.max(1, Math.round(durationMs * 1_000))));
  }

  /** The figures since the last call. */
  sample(): Sample {
    const { server, durations } = this;
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.at) / 1_000);
    const percentile = (p: number): number | null =>
      durations.count === 0 ? null : durations.percentile(p) / 1_000;
    const memory = process.memoryUsage();
    const webSockets = server.counters.openWebSockets;
    const sample: Sample = {
      at: Date.now(),
      requests: this.responses / seconds,
      messagesIn: Math.max(0, this.received - this.messagesIn) / seconds,
      messagesOut: Math.max(0, this.sent - this.messagesOut) / seconds,
      p50: percentile(50),
      p95: percentile(95),
      p99: percentile(99),
      http: Math.max(0, server.counters.openConnections - webSockets),
      webSockets: Math.max(0, webSockets - this.own.consoles),
      rss: memory.rss,
      heapUsed: memory.heapUsed,
      waitingEvents: server.waitingEvents,
      pendingBytes: server.counters.pendingBytes,
    };
    this.at = now;
    this.responses = 0;
    durations.reset();
    this.messagesIn = this.received;
    this.messagesOut = this.sent;
    return sample;
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
      errors: Object.values(counters.errors).reduce((sum, count) => sum + count, 0),
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

/** More of a path is not shown: a peer may send thousands of characters, on each of thousands of connections. */
const MAX_PATH = 200;

/** The method and path of a request; its query may hold what is nobody's business. */
export function nameOf({ method, path }: Exchange): string {
  return `${method} ${path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path}`;
}
