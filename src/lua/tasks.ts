import { ChurnMap } from "../bytes/churn-map.ts";
import type { Frame } from "./frame.ts";
import type { Machine, Thread } from "./machine.ts";

/** Pushes values on the stack of a frame and returns their number. */
export type Push = (frame: Frame) => number;

/** Called when a task stops. Values are on the frame. */
export interface TaskHandlers {
  onEnd?(frame: Frame, values: number): void;
  onError(error: unknown): void;
}

export const NOTHING: Push = () => 0;

/** Runs Lua functions that can wait for the host. */
export class Tasks {
  private readonly machine: Machine;
  private readonly waiting = new ChurnMap<Thread, TaskHandlers>();
  private running: Thread | undefined;

  /** Called when a task waits. It continues when it is woken. */
  onWait: (thread: Thread) => void = () => {};

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** The task that calls the host now. */
  get current(): Thread | undefined {
    return this.running;
  }

  /** Calls a kept function. */
  start(reference: number, push: Push, handlers: TaskHandlers): void {
    const { frame } = this.machine;
    const { L } = frame;
    const thread = this.machine.prepare(reference);
    const values = push(frame);
    frame.L = L;
    this.run(thread, values, handlers);
  }

  /** Continues a waiting task. Its wait returns the pushed values. */
  wake(thread: Thread, push: Push): void {
    const handlers = this.waiting.get(thread);
    if (handlers === undefined) return;
    this.waiting.delete(thread);
    const { frame } = this.machine;
    const { L } = frame;
    frame.L = thread.L;
    frame.count = 0;
    const values = push(frame);
    frame.L = L;
    this.run(thread, values, handlers);
  }

  private run(thread: Thread, values: number, handlers: TaskHandlers): void {
    const { frame } = this.machine;
    const { L } = frame;
    const before = this.running;
    this.running = thread;
    try {
      const stop = this.machine.resume(thread, values);
      if (stop.hasEnded) {
        handlers.onEnd?.(frame, stop.values);
        this.machine.recycle(thread);
      } else {
        this.waiting.set(thread, handlers);
        this.onWait(thread);
      }
    } catch (error) {
      handlers.onError(error);
    } finally {
      this.running = before;
      frame.L = L;
    }
  }
}
