import type { Limits } from "../limits/limits.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import type { Broker } from "./broker.ts";

/** More topics than this are not kept without subscribers, however fast clients change what they subscribe to. */
const MAX_LEAVING = 10_000;

/** The topics that a server has subscribed to at its broker: those of its sockets, and for a while those that they left. */
export class RelaySubscriptions {
  private readonly broker: Broker;
  private readonly limits: Limits;
  private readonly onError: (error: unknown) => void;
  /** Topics without subscribers, and when they are unsubscribed; the first one is the next. */
  private readonly leaving = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(broker: Broker, limits: Limits, onError: (error: unknown) => void) {
    this.broker = broker;
    this.limits = limits;
    this.onError = onError;
  }

  onFirst(topic: string): void {
    if (this.leaving.delete(topic)) return;
    try {
      this.broker.subscribe(topic);
    } catch (error) {
      this.onError(error);
    }
  }

  onLast(topic: string): void {
    this.leaving.set(topic, performance.now() + this.limits.brokerLeaveDelayMs);
    this.leaveDue();
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.leaving.clear();
  }

  private leaveDue(): void {
    const now = performance.now();
    for (const [topic, leaveAt] of this.leaving) {
      if (leaveAt > now && this.leaving.size <= MAX_LEAVING) {
        this.timer ??= setTimeout(() => this.onTimer(), Math.min(leaveAt - now, MAX_TIMER_MS)).unref();
        return;
      }
      this.leaving.delete(topic);
      try {
        this.broker.unsubscribe(topic);
      } catch (error) {
        this.onError(error);
      }
    }
  }

  private onTimer(): void {
    this.timer = undefined;
    this.leaveDue();
  }
}
