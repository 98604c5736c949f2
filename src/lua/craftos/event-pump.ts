import { ChurnSet } from "../../bytes/churn-map.ts";
import type { Event, Http } from "../../craftos/index.ts";
import { Fifo } from "../../delivery/fifo.ts";
import type { Thread } from "../machine.ts";
import { NOTHING, type Tasks } from "../tasks.ts";

/** How many events are taken from the queue ahead of the program. Others wait there, and slow their clients down. */
const MAX_BATCH = 64;
const TERMINATE = "terminate";

/**
 * Passes events to the tasks that wait. Entering Lua costs more than an event. So a task that pulls in a loop gets the
 * events of a turn one after the other, without leaving Lua.
 */
export class EventPump {
  private readonly http: Http;
  private readonly tasks: Tasks;
  /** Waits for what a program will ask for when it sees an event. */
  private readonly expect: (event: Event) => Promise<void> | undefined;
  private readonly batch = new Fifo<Event>();
  private readonly waiting = new ChurnSet<Thread>();
  /** The event that all waiting tasks see now, and those that have. */
  private offered: Event | undefined;
  private readonly served = new ChurnSet<Thread>();
  private isScheduled = false;
  private onRoom: (() => void) | undefined;

  constructor(http: Http, tasks: Tasks, expect: (event: Event) => Promise<void> | undefined) {
    this.http = http;
    this.tasks = tasks;
    this.expect = expect;
  }

  /** Takes events until the computer is stopped. */
  async run(): Promise<void> {
    let events = this.http.events();
    for (;;) {
      try {
        const { value, done } = await events.next();
        if (done) return;
        const expected = this.expect(value);
        if (expected !== undefined) await expected;
        this.batch.push(value);
      } catch {
        // What an iteration reports as an error is an event for a program.
        this.batch.push([TERMINATE]);
        events = this.http.events();
      }
      this.schedule();
      if (this.batch.length >= MAX_BATCH) await new Promise<void>((resolve) => (this.onRoom = resolve));
    }
  }

  /** The next event for a task, or undefined: it waits then. */
  take(thread: Thread, filter: string | undefined): Event | undefined {
    const { offered } = this;
    if (offered !== undefined && !this.served.has(thread)) {
      this.served.add(thread);
      if (isWanted(offered, filter)) return offered;
    }
    // Each task sees every event, so nobody takes one while another waits.
    if (this.waiting.size > 0) return undefined;
    for (let event = this.next(); event !== undefined; event = this.next()) {
      if (isWanted(event, filter)) return event;
    }
    return undefined;
  }

  /** Notes a task that waits. */
  wait(thread: Thread): void {
    this.waiting.add(thread);
    this.schedule();
  }

  private next(): Event | undefined {
    const event = this.batch.shift();
    if (this.batch.length < MAX_BATCH / 2) {
      this.onRoom?.();
      this.onRoom = undefined;
    }
    return event;
  }

  private schedule(): void {
    if (this.isScheduled || this.batch.length === 0 || this.waiting.size === 0) return;
    this.isScheduled = true;
    setImmediate(() => this.offer());
  }

  private offer(): void {
    this.isScheduled = false;
    this.offered = this.next();
    this.served.clear();
    const threads = [...this.waiting];
    for (const thread of threads) {
      this.waiting.delete(thread);
      this.tasks.wake(thread, NOTHING);
    }
    this.offered = undefined;
    this.schedule();
  }
}

function isWanted(event: Event, filter: string | undefined): boolean {
  return filter === undefined || event[0] === filter || event[0] === TERMINATE;
}
