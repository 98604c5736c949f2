import { BenchResults } from "./bench-results.ts";
import { codeOf, Failure, whyUnreached } from "./failure.ts";
import { aborted } from "./stopping.ts";

export interface LoadOptions {
  readonly url: URL;
  readonly connections: number;
  /** Requests that each connection sends before it waits for an answer. */
  readonly inFlight: number;
  /** How long; for ever when `requests` is given. In milliseconds. */
  readonly durationMs: number;
  /** How many in all; as many as there is time for when it is infinite. */
  readonly requests: number;
  /** For one answer, and for one connection to be opened, in milliseconds. */
  readonly timeoutMs: number;
  /** The status that is expected; else any from 200 to 399. */
  readonly expect: number | undefined;
}

/** What a connection tells its run. */
export interface LoadEvents {
  /**
   * The answer to the oldest request that has none.
   * @param status undefined for a message
   * @param closes whether it is the last answer that this connection gives
   */
  answered(status: number | undefined, closes: boolean): void;
  received(bytes: number): void;
  /** It is of no use any more. @param code why, or undefined when the server may end it here */
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
/** Without any answer for so long after one should have come, a run is over. */
const PATIENCE_MS = 5_000;

/** Keeps a number of connections busy and measures them. */
export class Load {
  readonly results: BenchResults = new BenchResults();
  readonly options: LoadOptions;
  private readonly open: OpenLink;
  private readonly finish = new AbortController();
  private startedAt = 0;
  private lastAnswerAt = 0;
  /** Requests that may still be sent. */
  private unsent: number;
  /** Requests that have been sent and have not ended. */
  private pending = 0;

  constructor(options: LoadOptions, open: OpenLink) {
    this.options = options;
    this.open = open;
    this.unsent = options.requests;
  }

  /** How far it has come, 0 to 1. */
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
   * Opens all connections, and when they are there begins to measure.
   * @param stop ends it early; what was measured until then counts
   * @throws Failure when a connection cannot be opened at the beginning
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
      await aborted(this.finish.signal);
      this.results.durationMs = this.elapsedMs;
      return this.results;
    } catch (error) {
      if (this.over) return this.results;
      throw new Failure(`${this.options.url.href} cannot be reached: ${whyUnreached(error)}`);
    } finally {
      for (const timer of timers) clearTimeout(timer);
      stop.removeEventListener("abort", end);
      end();
      for (const worker of workers) worker.leave();
    }
  }

  /** Whether there is something to be sent. */
  get hasWork(): boolean {
    return !this.over && this.unsent > 0;
  }

  get over(): boolean {
    return this.finish.signal.aborted;
  }

  /** @returns whether one more request is to be sent */
  take(): boolean {
    if (this.over || this.unsent === 0) return false;
    this.unsent--;
    this.pending++;
    return true;
  }

  /** Requests that were taken have not been looked at. */
  giveBack(requests: number): void {
    this.unsent += requests;
    this.pending -= requests;
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
    if (this.unsent === 0 && this.pending === 0) this.finish.abort();
  }

  private look(workers: readonly Worker[]): void {
    const now = performance.now();
    for (const worker of workers) worker.giveUpBefore(now - this.options.timeoutMs);
    // Nothing comes any more: whoever waits for a number of answers would wait for ever.
    if (now - this.lastAnswerAt > this.options.timeoutMs + PATIENCE_MS) {
      this.results.recordError("no answers any more", 0);
      this.finish.abort();
    }
  }
}

/** One of the connections, opened again each time it is lost. */
class Worker {
  private readonly load: Load;
  private link: LoadLink | undefined;
  /** Counts connections: what is told of a former one concerns nobody. */
  private attempt = 0;
  /** When each request was sent that has no answer yet. */
  private sentAt: number[] = [];

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

  /** Sends as much as may be on its way. */
  fill(): void {
    const { link, load } = this;
    if (link === undefined) return;
    while (this.sentAt.length < load.options.inFlight && load.take()) {
      this.sentAt.push(performance.now());
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
    const sentAt = this.sentAt.shift();
    // A server may send messages that nobody asked for.
    if (sentAt === undefined) return;
    this.load.answered(performance.now() - sentAt, status);
    if (!closes) this.fill();
    else {
      // RFC 9112 §9.3.2: what was sent after it was not looked at, and is sent again.
      this.load.giveBack(this.sentAt.length);
      this.sentAt = [];
      void this.lost(undefined);
    }
  }

  private async lost(code: string | undefined): Promise<void> {
    const { load } = this;
    const unanswered = this.sentAt.length;
    this.leave();
    this.sentAt = [];
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
