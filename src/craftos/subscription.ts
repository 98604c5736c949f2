import type { ComputerQueue } from "./computer-queue.ts";
import { type Event, TERMINATE, terminated } from "./events.ts";

/**
 * Every event from its creation on, one by one. What comes while the program is busy is kept, and counts towards the
 * limit of the queue. To be ended by `return`, as `for await` does.
 */
export class Subscription implements AsyncIterableIterator<Event> {
  private readonly queue: ComputerQueue;
  private readonly wants: (event: Event) => boolean;
  private readonly onEnd: () => void;
  private kept: { readonly event: Event; readonly cost: number }[] = [];
  private wake: (() => void) | undefined;
  private ended = false;

  constructor(queue: ComputerQueue, wants: (event: Event) => boolean, onEnd: () => void) {
    this.queue = queue;
    this.wants = wants;
    this.onEnd = onEnd;
  }

  /** @param cost what the event counts for while it is kept, in bytes */
  take(event: Event, cost: number): void {
    if (event[0] !== TERMINATE && !this.wants(event)) return;
    this.kept.push({ event, cost });
    this.queue.source.hold(cost);
    this.wake?.();
  }

  /** @throws Error "Terminated" after a `terminate` event, which ends it */
  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.kept.length === 0 && !this.ended) await this.wait();
    const next = this.kept.shift();
    if (next === undefined) return { value: undefined, done: true };
    this.queue.source.free(next.cost);
    if (next.event[0] !== TERMINATE) return { value: next.event, done: false };
    await this.return();
    throw terminated();
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    for (const { cost } of this.kept) this.queue.source.free(cost);
    this.kept = [];
    this.ended = true;
    this.onEnd();
    this.wake?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      // `terminate` comes as an event, too.
      const release = this.queue.park(() => {});
      this.wake = () => {
        this.wake = undefined;
        release();
        resolve();
      };
    });
  }
}
