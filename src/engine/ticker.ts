import type { Limits } from "./limits.ts";

/** Something with deadlines that is looked at once a tick. */
export interface Ticking {
  onTick(tick: number): void;
}

/**
 * One timer for all connections. Time is counted in ticks, so that noting a deadline reads no clock, and neither
 * a jump of the system's clock nor a program that was stopped for a while makes connections time out at once.
 */
export class Ticker {
  /** The current tick. */
  tick = 0;
  private readonly members: ReadonlySet<Ticking>;
  private readonly tickMs: number;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param members are told of each tick
   * @param limits the shortest of their timeouts decides how fine the ticks are: a quarter of it, 5 ms to 1 s
   */
  constructor(members: ReadonlySet<Ticking>, limits: Limits) {
    this.members = members;
    const timeouts = [
      limits.headTimeoutMs,
      limits.bodyTimeoutMs,
      limits.keepAliveTimeoutMs,
      limits.writeTimeoutMs,
      limits.closeTimeoutMs,
      limits.webSocketIdleTimeoutMs,
      limits.pongTimeoutMs,
      limits.webSocketLifetimeMs,
    ];
    const shortest = Math.min(...timeouts.filter((ms) => ms > 0));
    this.tickMs = Math.min(1_000, Math.max(5, shortest / 4));
  }

  /** The first tick that is certainly `ms` milliseconds away. */
  after(ms: number): number {
    return this.tick + Math.ceil(ms / this.tickMs) + 1;
  }

  /** To be called when there is a member; the timer stops by itself when there is none. */
  start(): void {
    // Never keeps the program alive by itself: the sockets do that.
    this.timer ??= setInterval(() => this.advance(), this.tickMs).unref();
  }

  private advance(): void {
    this.tick++;
    if (this.members.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    for (const member of this.members) member.onTick(this.tick);
  }
}
