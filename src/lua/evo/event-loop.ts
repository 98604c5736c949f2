import { MAX_TIMER_MS } from "../../node/max-timer.ts";
import type { Thread } from "../machine.ts";
import { NOTHING, type Push, type Tasks } from "../tasks.ts";

/** A task that has called `uv.run`. */
interface Runner {
  readonly thread: Thread;
  /** The number of callbacks after which it continues. */
  readonly once: boolean;
}

/**
 * The event loop as a program of libuv sees it: `uv.run` waits while something is active, and callbacks run meanwhile.
 */
export class EventLoop {
  private readonly tasks: Tasks;
  private readonly onError: (error: unknown) => void;
  private readonly onEnd: () => void;
  private readonly runners: Runner[] = [];
  private active = 0;
  private isStopping = false;
  private hasCalledBack = false;
  private isScheduled = false;
  private mainHasEnded = false;
  private wasRun = false;

  /** @param onEnd called when the program has nothing more to do */
  constructor(tasks: Tasks, onError: (error: unknown) => void, onEnd: () => void) {
    this.tasks = tasks;
    this.onError = onError;
    this.onEnd = onEnd;
  }

  get isAlive(): boolean {
    return this.active > 0;
  }

  /** Counts something that keeps `uv.run` waiting. */
  activate(): void {
    this.active++;
  }

  deactivate(): void {
    this.active--;
    this.schedule();
  }

  /** `uv.run`. @returns whether the task has to wait */
  run(mode: string): boolean {
    const thread = this.tasks.current;
    if (thread === undefined) return false;
    this.wasRun = true;
    this.hasCalledBack = false;
    this.isStopping = false;
    this.runners.push({ thread, once: mode !== "default" });
    if (mode === "nowait") setImmediate(() => this.countCallback());
    else this.schedule();
    return true;
  }

  /** `uv.stop` */
  stop(): void {
    this.isStopping = true;
    this.schedule();
  }

  /** Lets a task wait for a time. */
  sleep(ms: number): void {
    const thread = this.tasks.current;
    if (thread === undefined) return;
    setTimeout(() => this.tasks.wake(thread, NOTHING), ms > 0 ? Math.min(ms, MAX_TIMER_MS) : 0);
  }

  /** The main chunk has ended. */
  endMain(): void {
    this.mainHasEnded = true;
    this.schedule();
  }

  /** Calls a function of the program, in a task. */
  callBack(reference: number, push: Push): void {
    this.tasks.start(reference, push, { onError: this.onError });
    this.countCallback();
  }

  /** Notes that a callback has run, which is what `uv.run("once")` waits for. */
  countCallback(): void {
    this.hasCalledBack = true;
    this.schedule();
  }

  /** Continues when nothing of the program is running. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => this.settle());
  }

  private settle(): void {
    this.isScheduled = false;
    const runner = this.runners.at(-1);
    if (runner === undefined) {
      if (this.mainHasEnded && (this.wasRun || this.isStopping || this.active === 0)) this.onEnd();
      return;
    }
    if (!this.isStopping && this.active > 0 && !(runner.once && this.hasCalledBack)) return;
    this.runners.pop();
    this.isStopping = false;
    this.hasCalledBack = false;
    const isAlive = this.active > 0;
    this.tasks.wake(runner.thread, (frame) => {
      frame.pushBoolean(isAlive);
      return 1;
    });
    this.schedule();
  }
}
