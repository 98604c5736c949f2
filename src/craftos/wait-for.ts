import { MAX_TIMER_MS } from "../node/max-timer.ts";

/** A queue that gives events out as long as somebody waits. */
export interface WaitableQueue {
  /**
   * Keeps the queue running while a caller waits for something that an event brings about elsewhere.
   * @param fail called with "Terminated" by a `terminate` event
   * @returns a function that ends the wait
   */
  park(fail: (error: Error) => void): () => void;
}

/**
 * Waits in a line for a value while the queue continues.
 * @param line the functions that receive the values, first come first served
 * @param timeout in seconds, after which the value is null
 * @throws Error "Terminated"
 */
export function waitFor<T>(
  queue: WaitableQueue,
  line: ((value: T | null) => void)[],
  timeout: number | undefined,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      unpark();
      const place = line.indexOf(receive);
      if (place >= 0) line.splice(place, 1);
    };
    const receive = (value: T | null): void => {
      end();
      resolve(value);
    };
    const unpark = queue.park((error) => {
      end();
      reject(error);
    });
    line.push(receive);
    if (timeout !== undefined) timer = setTimeout(receive, Math.min(timeout * 1_000, MAX_TIMER_MS), null);
  });
}
