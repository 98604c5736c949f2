/** An answer to a question about the server's time. */
interface Sample {
  /** When the answer arrived, by this clock, in milliseconds. */
  readonly atMs: number;
  readonly roundTripMs: number;
  /** The server's time minus this clock's, in milliseconds, assuming that both directions took equally long. */
  readonly offsetMs: number;
}

const RECENT_SAMPLES = 8;
/** Two clocks drift apart by less than this share of the time that passes. So older samples count for less. */
const MAX_DRIFT = 0.000_2;
/** To measure the drift, the best sample of each period of this length is kept, in milliseconds. */
const PERIOD_MS = 30_000;
const KEPT_PERIODS = 20;
/** Corrections change the time by at most this share of the time that passes, so it does not run backwards. */
const SLEW = 0.05;
/** Larger corrections are made at once, in milliseconds. */
const JUMP_MS = 250;

/**
 * Estimates the server's time as well as the network allows. It trusts the quickest of the last answers, because a delay
 * makes an answer uncertain.
 */
export class Clock {
  private readonly now: () => number;
  private recent: Sample[] = [];
  private readonly periods: Sample[] = [];
  private best: Sample | undefined;
  private drift = 0;
  private shownMs: number | undefined;
  private shownAtMs = 0;

  /** @param now returns milliseconds since any moment. Default `performance.now` */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** Whether the server has answered. */
  get isSet(): boolean {
    return this.best !== undefined;
  }

  /** The shortest of the last round trips, in milliseconds; 0 before the first answer. */
  get roundTripMs(): number {
    return this.best?.roundTripMs ?? 0;
  }

  /** The estimated difference of the server's time minus this clock's, in milliseconds; 0 before the first answer. */
  get offsetMs(): number {
    const { best } = this;
    return best === undefined ? 0 : best.offsetMs + this.drift * (this.now() - best.atMs);
  }

  /** How much faster the server's clock runs, in parts per million; 0 until enough time has passed. */
  get driftPpm(): number {
    return this.drift * 1_000_000;
  }

  /**
   * The server's time now, in milliseconds. Small corrections are made slowly, so it does not run backwards. Corrections of
   * more than 250 ms are made at once.
   */
  get serverMs(): number {
    const nowMs = this.now();
    const wantedMs = nowMs + this.offsetMs;
    if (this.shownMs === undefined) this.shownMs = wantedMs;
    else {
      const passedMs = nowMs - this.shownAtMs;
      const error = wantedMs - (this.shownMs + passedMs);
      const most = passedMs * SLEW;
      this.shownMs += passedMs;
      this.shownMs += Math.abs(error) > JUMP_MS ? error : Math.max(-most, Math.min(most, error));
    }
    this.shownAtMs = nowMs;
    return this.shownMs;
  }

  /**
   * Adds an answer.
   * @param sentMs when the question was sent, by this clock, in milliseconds
   * @param serverMs the server's time in the answer, in milliseconds
   */
  add(sentMs: number, serverMs: number): void {
    const atMs = this.now();
    const roundTripMs = atMs - sentMs;
    if (!(roundTripMs >= 0) || !Number.isFinite(serverMs)) return;
    const sample: Sample = { atMs, roundTripMs, offsetMs: serverMs + roundTripMs / 2 - atMs };
    this.recent.push(sample);
    if (this.recent.length > RECENT_SAMPLES) this.recent.shift();
    const worth = (each: Sample): number => each.roundTripMs / 2 + (atMs - each.atMs) * MAX_DRIFT;
    this.best = this.recent.reduce((best, each) => (worth(each) < worth(best) ? each : best));
    this.estimateDrift(sample);
  }

  /** Forgets all answers: a new connection can lead to another server. */
  reset(): void {
    this.recent = [];
    this.periods.length = 0;
    this.best = undefined;
    this.drift = 0;
    this.shownMs = undefined;
  }

  private estimateDrift(sample: Sample): void {
    const { periods } = this;
    const last = periods.at(-1);
    if (last === undefined || Math.floor(sample.atMs / PERIOD_MS) !== Math.floor(last.atMs / PERIOD_MS)) {
      periods.push(sample);
      if (periods.length > KEPT_PERIODS) periods.shift();
    } else if (sample.roundTripMs < last.roundTripMs) periods[periods.length - 1] = sample;
    const [first = sample] = periods;
    // The newest period might not have a good sample yet.
    const newest = periods.at(-2) ?? first;
    if (newest.atMs - first.atMs < PERIOD_MS) return;
    const drift = (newest.offsetMs - first.offsetMs) / (newest.atMs - first.atMs);
    this.drift = Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, drift));
  }
}
