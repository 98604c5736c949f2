import type { Exchange, Server } from "../index.ts";
import { fleet } from "../server/fleet.ts";
import { ConnectionRows, type MatchingRows } from "./connection-rows.ts";
import type { OwnTraffic } from "./figures.ts";
import { limitRows, type Peaks, peaksOf } from "./limit-rows.ts";
import type { ErrorRow } from "./messages.ts";
import { Recorder } from "./recorder.ts";
import { type Members, memberRows, topicSizes } from "./topic-rows.ts";
import { remoteOf, type Watch } from "./watch.ts";
import type { EventBatch, WorkerReport } from "./worker-report.ts";

const TURN_MS = 250;
const TURNS_PER_SECOND = 4;
/** A page of another worker asks once a second. This worker measures for so long after the last time. */
const LOOK_MS = 3_000;
/** Seconds of events that a report has, so that a page that is late misses none. */
const MAX_BATCHES = 2;

export interface ObserverOptions {
  /** Whether figures are recorded while nobody looks on. */
  readonly history: boolean;
  /** Whether an exchange is the console's own. */
  readonly isOwn: (exchange: Exchange) => boolean;
  /** Called four times a second while pages are open here. */
  readonly onTurn: (turn: number) => void;
}

/** Measures the server of this process, while a page is open here or in another worker. */
export class Observer {
  readonly traffic: OwnTraffic = { messagesIn: 0, messagesOut: 0, consoles: 0 };
  private readonly server: Server;
  private readonly options: ObserverOptions;
  private recorder: Recorder | undefined;
  private watch: Watch | undefined;
  private timer: NodeJS.Timeout | undefined;
  private peaks: Peaks = { bufferedBytes: 0, connectionsOfAddress: 0 };
  private turn = 0;
  /** Seconds that were reported, all in all. */
  private seconds = 0;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private last: WorkerReport | undefined;
  private batches: readonly EventBatch[] = [];
  /** The connections of this turn. */
  private rows: ConnectionRows | undefined;
  private isClosed = false;

  constructor(server: Server, options: ObserverOptions) {
    this.server = server;
    this.options = options;
    this.rest();
  }

  /** Says how many pages are open here. */
  setPages(count: number): void {
    this.traffic.consoles = count;
    if (count > 0) this.begin();
    else if (!this.isLookedAt) this.rest();
  }

  /** The last second; undefined before the first one is over. From here on others follow, for a while. */
  look(): WorkerReport | undefined {
    // What a page here asks ends with the page.
    if (this.traffic.consoles === 0) this.lookedAt = performance.now();
    this.begin();
    return this.last;
  }

  get history(): Recorder["history"] | undefined {
    return this.recorder?.history;
  }

  /** The errors that have occurred since then. @param at in milliseconds since 1970 */
  errorsSince(at: number): ErrorRow[] {
    return this.recorder?.errors.since(at) ?? [];
  }

  connections(filter: string, sort: string): MatchingRows {
    const { watch } = this;
    const { connections } = this.server;
    if (this.rows === undefined) {
      this.peaks = peaksOf(connections);
      this.rows = new ConnectionRows(connections, {
        isOwn: this.options.isOwn,
        ageOf: (exchange) => watch?.ageOf(exchange) ?? { requestAgeMs: null, requestIsOlder: false },
      });
    }
    return this.rows.matching(filter, sort);
  }

  members(topic: string): Members {
    return memberRows(this.server, topic, (socket) => `${remoteOf(socket)} ${socket.request?.path ?? ""}`);
  }

  /** @returns whether there is such a connection here */
  closeConnection(id: string): boolean {
    const connection = this.server.connections.find((open) => open.id === id);
    connection?.close();
    return connection !== undefined;
  }

  /** The server closes. */
  end(): void {
    this.isClosed = true;
    this.rest();
  }

  private get isLookedAt(): boolean {
    return performance.now() - this.lookedAt < LOOK_MS;
  }

  private begin(): void {
    if (this.watch !== undefined || this.isClosed) return;
    const recorder = this.recorder ?? this.record();
    const watch = recorder.watch();
    this.watch = watch;
    this.turn = 0;
    this.every(TURN_MS, () => this.onTurn(recorder, watch));
  }

  /** Nobody watches: only the history continues, if it is wanted. */
  private rest(): void {
    clearInterval(this.timer);
    this.recorder?.unwatch();
    this.watch = undefined;
    this.last = undefined;
    this.batches = [];
    if (this.options.history && !this.isClosed) {
      const recorder = this.recorder ?? this.record();
      this.every(TURN_MS * TURNS_PER_SECOND, () => recorder.sample());
    } else {
      this.recorder?.stop();
      this.recorder = undefined;
    }
  }

  private record(): Recorder {
    this.recorder = new Recorder(this.server, this.traffic, this.options.isOwn);
    return this.recorder;
  }

  private every(ms: number, run: () => unknown): void {
    clearInterval(this.timer);
    this.timer = setInterval(run, ms).unref();
  }

  private onTurn(recorder: Recorder, watch: Watch): void {
    this.turn++;
    this.rows = undefined;
    const isSecond = this.turn % TURNS_PER_SECOND === 0;
    if (isSecond) this.last = this.report(recorder, watch);
    if (this.traffic.consoles > 0) this.options.onTurn(this.turn);
    else if (isSecond && !this.isLookedAt) this.rest();
  }

  private report(recorder: Recorder, watch: Watch): WorkerReport {
    const { server } = this;
    const { values, skipped } = watch.take();
    const batch = { number: ++this.seconds, rows: values, skipped };
    this.batches = [...this.batches, batch].slice(-MAX_BATCHES);
    return {
      worker: fleet()?.worker ?? 0,
      pid: process.pid,
      // Before the sample, which begins them again.
      durations: recorder.figures.durationCounts(),
      sample: recorder.sample(),
      totals: recorder.figures.totals(),
      routes: watch.routes.report(),
      ...topicSizes(server),
      limits: limitRows(server, this.peaks),
      events: this.batches,
      broker: server.brokerStatus(),
    };
  }
}
