import { ChurnMap, type ChurnSet } from "../bytes/churn-map.ts";
import type { Limits } from "./limits.ts";

/** Something with deadlines that is checked once a tick. */
export interface Ticking {
  onTick(tick: number): void;
}

/** What ticks are counted in. */
const UNIT_MS = 5;
const LONGEST_STEP_MS = 1_000;

/**
 * One timer for all connections. It counts time in ticks, so setting a deadline reads no clock. A jump of the system
 * clock, or a program that was stopped for a while, does not make connections time out at once.
 */
export class DeadlineTimer {
  /** The number of 5 ms units that have passed. */
  tick = 0;
  private readonly members: ChurnSet<Ticking>;
  private readonly limits: Limits;
  /** Members with shorter timeouts than the limits, and how often they are checked, in units. */
  private readonly quick = new ChurnMap<Ticking, number>();
  /** The time until the timer fires, in units. */
  private step = LONGEST_STEP_MS / UNIT_MS;
  /** When all members are checked. */
  private next = 0;
  private timer: NodeJS.Timeout | undefined;
  /** When the timer was set or last fired, by performance.now(). */
  private since = 0;

  /**
   * @param members the members that receive each tick
   * @param limits the shortest of their timeouts decides how fine the ticks are: a quarter of it, 5 ms to 1 s
   */
  constructor(members: ChurnSet<Ticking>, limits: Limits) {
    this.members = members;
    this.limits = limits;
    this.step = this.usualStep();
  }

  /** Returns the first tick that is at least `ms` milliseconds away; 0 and Infinity mean never. */
  after(ms: number): number {
    return ms === 0 ? Number.POSITIVE_INFINITY : this.tick + Math.ceil(ms / UNIT_MS) + this.step;
  }

  /** Starts the timer. Call it when there is a member. It stops automatically when there is none. */
  start(): void {
    if (this.timer === undefined) this.arm(this.usualStep());
  }

  /**
   * Checks one member more often, because its timeouts are shorter than the limits.
   * @param ms its shortest timeout
   */
  quicken(member: Ticking, ms: number): void {
    const step = stepFor(ms);
    if (step >= this.usualStep()) return;
    this.quick.set(member, step);
    if (this.timer === undefined || step < this.step) this.arm(step);
  }

  /** Checks a member no more often than the others, because it is leaving. */
  forget(member: Ticking): void {
    this.quick.delete(member);
  }

  private arm(step: number): void {
    const now = performance.now();
    // The part of a longer step that has passed counts. Otherwise connections that come and go would stop the clock of
    // all others.
    if (this.timer !== undefined) {
      this.tick += Math.min(this.step, Math.floor((now - this.since) / UNIT_MS));
    }
    this.since = now;
    this.step = step;
    clearInterval(this.timer);
    // Never keeps the program alive by itself: the sockets do that.
    this.timer = setInterval(() => this.advance(), step * UNIT_MS).unref();
  }

  private advance(): void {
    this.tick += this.step;
    this.since = performance.now();
    const usual = this.usualStep();
    let step = usual;
    for (const quick of this.quick.values()) step = Math.min(step, quick);
    if (this.members.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    } else if (step !== this.step) this.arm(step);
    if (this.tick < this.next) {
      for (const member of this.quick.keys()) member.onTick(this.tick);
      return;
    }
    this.next = this.tick + usual;
    for (const member of this.members) member.onTick(this.tick);
  }

  private usualStep(): number {
    const { limits } = this;
    let shortest = Number.POSITIVE_INFINITY;
    for (const ms of [
      limits.headTimeoutMs,
      limits.bodyTimeoutMs,
      limits.keepAliveTimeoutMs,
      limits.handlerTimeoutMs,
      limits.writeTimeoutMs,
      limits.closeTimeoutMs,
      limits.lingerTimeoutMs,
      limits.webSocketIdleTimeoutMs,
      limits.pongTimeoutMs,
      limits.webSocketLifetimeMs,
    ])
      if (ms > 0 && ms < shortest) shortest = ms;
    return stepFor(shortest);
  }
}

/** A quarter of a timeout, in units. */
function stepFor(ms: number): number {
  return Math.max(1, Math.floor(Math.min(LONGEST_STEP_MS, ms / 4) / UNIT_MS));
}
