import { BenchResults } from "./bench-results.ts";
import { codeOf, Failure, whyUnreached } from "./failure.ts";
import { ClosedSchedule, ConstantRate, type Schedule } from "./schedule.ts";
import { aborted } from "./stopping.ts";

export interface LoadOptions {
  readonly url: URL;
  readonly connections: number;
  /** Requests per second of all connections together; undefined: as many as the connections are able to send. */
  readonly rate: number | undefined;
  /** Requests that each connection sends before it waits for an answer. */
  readonly inFlight: number;
  /** Duration of the run in milliseconds; not used when `requests` is finite. */
  readonly durationMs: number;
  /** Number of requests; infinite: as many as there is time for. */
  readonly requests: number;
  /** For one answer, and for one connection to be opened, in milliseconds. */
  readonly timeoutMs: number;
  /** The status that is expected; else any from 200 to 399. */
  readonly expect: number | undefined;
}

/** Events of a connection. */
export interface LoadEvents {
  /**
   * The answer to the oldest request that has none.
   * @param status undefined for a message
   * @param closes whether it is the last answer that this connection gives
   */
  answered(status: number | undefined, closes: boolean): void;
  received(bytes: number): void;
  /** Drops the connection. @param code the reason, or undefined if the server can end it here */
  lost(code: string | undefined): void;
}

/** One connection, without what HTTP and WebSocket have in common. */
export interface LoadLink {
  /** Sends one request. */
  send(): void;
  destroy(): void;
}

/** Opens a connection. @throws when there is none */
export type OpenLink = (events: LoadEvents, signal: AbortSignal) => Promise<LoadLink>;

const OPEN_AT_ONCE = 256;
const RETRY_MS = 100;
const LOOK_MS = 100;
/** A run ends if no answer arrives for so long after it was due. */
const PATIENCE_MS = 5_000;

/** Keeps a number of connections busy and measures them. */
export class Load {
  readonly results: BenchResults = new BenchResults();
  readonly options: LoadOptions;
  private readonly open: OpenLink;
  private readonly finish = new AbortController();
  private startedAt = 0;
  private lastAnswerAt = 0;
  private readonly schedule: Schedule;
  /** Requests that have been sent and have not ended. */
  private pending = 0;
  /** The connection that was asked first. */
  private first = 0;

  constructor(options: LoadOptions, open: OpenLink) {
    this.options = options;
    this.open = open;
    const { rate, requests } = options;
    this.schedule = rate === undefined ? new ClosedSchedule(requests) : new ConstantRate(rate, requests);
  }

  /** Its progress, from 0 to 1. */
  get progress(): number {
    const { requests, durationMs } = this.options;
    const share = Number.isFinite(requests)
      ? (this.results.answered + this.results.failed) / requests
      : (performance.now() - this.startedAt) / durationMs;
    return Math.min(1, share);
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  /**
   * Opens all connections, and then begins to measure.
   * @param stop ends it early; the measurements until then count
   * @throws Failure if a connection cannot be opened at the beginning
   */
  async run(stop: AbortSignal): Promise<BenchResults> {
    const { connections, durationMs, requests } = this.options;
    const count = Math.min(connections, requests);
    const workers = Array.from({ length: count }, () => new Worker(this));
    const end = (): void => this.finish.abort();
    stop.addEventListener("abort", end, { once: true });
    if (stop.aborted) end();
    let timers: NodeJS.Timeout[] = [];
    try {
      for (let at = 0; at < count && !this.over; at += OPEN_AT_ONCE) {
        await Promise.all(workers.slice(at, at + OPEN_AT_ONCE).map((worker) => worker.connect()));
      }
      this.startedAt = this.lastAnswerAt = performance.now();
      const limit = Number.isFinite(requests) ? undefined : setTimeout(end, durationMs);
      timers = [setInterval(() => this.look(workers), LOOK_MS), ...(limit === undefined ? [] : [limit])];
      for (const worker of workers) worker.fill();
      this.schedule.start(() => {
        // Those that have waited longest are not known: the connections are asked in turn.
        for (const worker of this.inTurn(workers)) worker.fill();
      });
      await aborted(this.finish.signal);
      this.results.durationMs = this.elapsedMs;
      this.results.unanswered = this.options.rate === undefined ? 0 : this.pending + this.schedule.behind();
      return this.results;
    } catch (error) {
      if (this.over) return this.results;
      throw new Failure(`Cannot reach ${this.options.url.href}: ${whyUnreached(error)}`);
    } finally {
      for (const timer of timers) clearTimeout(timer);
      this.schedule.stop();
      stop.removeEventListener("abort", end);
      end();
      for (const worker of workers) worker.leave();
    }
  }

  /** Whether there is something to be sent. */
  get hasWork(): boolean {
    return !this.over && this.schedule.hasWork;
  }

  get over(): boolean {
    return this.finish.signal.aborted;
  }

  /** @returns when the request was due that is to be sent now, or undefined when there is none */
  take(): number | undefined {
    const dueAt = this.over ? undefined : this.schedule.take();
    if (dueAt !== undefined) this.pending++;
    return dueAt;
  }

  /** The server has not looked at requests that were due at these times. */
  giveBack(dueAt: readonly number[]): void {
    this.schedule.giveBack(dueAt);
    this.pending -= dueAt.length;
  }

  answered(latencyMs: number, status: number | undefined): void {
    if (this.over) return;
    const { expect } = this.options;
    const ok =
      status === undefined || (expect === undefined ? status >= 200 && status < 400 : status === expect);
    this.lastAnswerAt = performance.now();
    this.results.record(latencyMs, status, ok);
    this.ended(1);
  }

  /** @param requests that will have no answer */
  failed(code: string, requests: number): void {
    if (this.over) return;
    this.results.recordError(code, requests);
    this.ended(requests);
  }

  openLink(events: LoadEvents): Promise<LoadLink> {
    const signal = AbortSignal.any([this.finish.signal, AbortSignal.timeout(this.options.timeoutMs)]);
    return this.open(events, signal);
  }

  private ended(requests: number): void {
    this.pending -= requests;
    if (!this.schedule.hasWork && this.pending === 0) this.finish.abort();
  }

  /** The connections, each time beginning with another one, so that a low rate is spread over all. */
  private *inTurn(workers: readonly Worker[]): Generator<Worker> {
    this.first = (this.first + 1) % workers.length;
    for (let at = 0; at < workers.length && this.schedule.behind() > 0; at++) {
      const worker = workers[(this.first + at) % workers.length];
      if (worker !== undefined) yield worker;
    }
  }

  private look(workers: readonly Worker[]): void {
    const now = performance.now();
    for (const worker of workers) worker.giveUpBefore(now - this.options.timeoutMs);
    // The server has stopped answering: a run for a number of requests would never end.
    if (this.pending > 0 && now - this.lastAnswerAt > this.options.timeoutMs + PATIENCE_MS) {
      this.results.recordError("no answers any more", 0);
      this.finish.abort();
    }
  }
}

/** One of the connections, opened again each time it is lost. */
class Worker {
  private readonly load: Load;
  private link: LoadLink | undefined;
  /** Counts connections: events of a former one are ignored. */
  private attempt = 0;
  /** When each request without an answer was sent, and when it was due. */
  private sentAt: number[] = [];
  private dueAt: number[] = [];

  constructor(load: Load) {
    this.load = load;
  }

  /** @throws when the connection cannot be opened */
  async connect(): Promise<void> {
    const mine = ++this.attempt;
    const link = await this.load.openLink({
      answered: (status, closes) => {
        if (mine === this.attempt) this.answered(status, closes);
      },
      received: (bytes) => {
        this.load.results.bytesReceived += bytes;
      },
      lost: (code) => {
        if (mine === this.attempt) void this.lost(code);
      },
    });
    if (mine !== this.attempt || this.load.over) link.destroy();
    else this.link = link;
  }

  /** Sends as many requests as can be in flight. */
  fill(): void {
    const { link, load } = this;
    if (link === undefined) return;
    while (this.sentAt.length < load.options.inFlight) {
      const dueAt = load.take();
      if (dueAt === undefined) return;
      this.sentAt.push(performance.now());
      this.dueAt.push(dueAt);
      link.send();
    }
  }

  giveUpBefore(time: number): void {
    const oldest = this.sentAt[0];
    if (oldest !== undefined && oldest < time) void this.lost("timeout");
  }

  leave(): void {
    const { link } = this;
    this.link = undefined;
    this.attempt++;
    link?.destroy();
  }

  private answered(status: number | undefined, closes: boolean): void {
    this.sentAt.shift();
    const dueAt = this.dueAt.shift();
    // A server can send unsolicited messages.
    if (dueAt === undefined) return;
    this.load.answered(performance.now() - dueAt, status);
    if (!closes) this.fill();
    else {
      // RFC 9112 §9.3.2: the server has not handled later requests, so they are sent again.
      this.load.giveBack(this.dueAt);
      this.sentAt = [];
      this.dueAt = [];
      void this.lost(undefined);
    }
  }

  private async lost(code: string | undefined): Promise<void> {
    const { load } = this;
    const unanswered = this.sentAt.length;
    this.leave();
    this.sentAt = [];
    this.dueAt = [];
    if (code !== undefined || unanswered > 0) load.failed(code ?? "closed", unanswered);
    while (load.hasWork && this.link === undefined) {
      try {
        await this.connect();
        load.results.reconnects++;
      } catch (error) {
        load.failed(codeOf(error) || "no connection", 0);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.fill();
  }
}
