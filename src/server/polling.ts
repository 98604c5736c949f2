import { PorticoError } from "../exchange/errors.ts";
import { EventQueue, type ServerEvent } from "../exchange/server-event.ts";
import type { Limits } from "../limits/limits.ts";

/** Returns the queue of a way of delivery, or undefined. @throws TypeError for what is not a way of delivery */
export function queueFor(
  delivery: "immediate" | "deferred" | EventQueue,
  limits: Limits,
): EventQueue | undefined {
  if (delivery === "immediate") return undefined;
  if (delivery === "deferred") return new EventQueue(() => limits.maxQueueBytes);
  if (typeof delivery === "object") return delivery;
  throw new TypeError(`delivery cannot be ${delivery}. Use "immediate", "deferred" or an EventQueue`);
}

/** @throws PorticoError ERR_DELIVERY when events are delivered at once */
export function polledQueue(queue: EventQueue | undefined): EventQueue {
  if (queue === undefined) throw new PorticoError("ERR_DELIVERY");
  return queue;
}

/** Waits until an event is there. @returns false when it is over and none is left */
export async function eventIn(queue: EventQueue, isOver: () => boolean): Promise<boolean> {
  while (queue.length === 0) {
    if (isOver()) return false;
    await queue.waitForEvent();
  }
  return true;
}

/** The events of a queue as they come, which is asked for with the first. @param server answers false when there will be no more */
export async function* eventsOf(
  openQueue: () => EventQueue,
  server: { waitForEvent(): Promise<boolean> },
): AsyncGenerator<ServerEvent, void, undefined> {
  const queue = openQueue();
  for (;;) {
    const event = queue.shift();
    if (event === undefined) {
      if (await server.waitForEvent()) continue;
      return;
    }
    // A program that takes events takes the content, which comes as events, too.
    if (event.type === "request") event.exchange.wantBody();
    // Code that waits in `drained` does not wait for its event to be run.
    else if (event.type === "writable" || event.type === "abort") event.exchange.driver.releaseWaiters();
    else if (event.type === "drain" || event.type === "close") event.socket.driver.releaseWaiters();
    yield event;
  }
}
