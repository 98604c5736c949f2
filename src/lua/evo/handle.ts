import type { Push } from "../tasks.ts";
import type { EventLoop } from "./event-loop.ts";

/** Calls back into a program: the handle, the event, and what is pushed. */
export type CallBack = (handle: number, event: string, push?: Push) => void;

/** What a handle of libuv does here. */
export abstract class Handle {
  readonly id: number;
  protected readonly loop: EventLoop;
  protected readonly callBack: CallBack;
  private counts = false;
  private isReferenced = true;
  private isRunning = false;

  constructor(id: number, loop: EventLoop, callBack: CallBack) {
    this.id = id;
    this.loop = loop;
    this.callBack = callBack;
  }

  get isActive(): boolean {
    return this.isRunning;
  }

  /** Whether `uv.run` waits for it while it is active. */
  reference(isReferenced: boolean): void {
    this.isReferenced = isReferenced;
    this.setActive(this.isRunning);
  }

  protected setActive(isRunning: boolean): void {
    this.isRunning = isRunning;
    const counts = isRunning && this.isReferenced;
    if (counts === this.counts) return;
    this.counts = counts;
    if (counts) this.loop.activate();
    else this.loop.deactivate();
  }

  abstract close(): void;
}
