import { MAX_TIMER_MS } from "../transport/max-timer.ts";
import type { ComputerQueue } from "./computer-queue.ts";

/**
 * Waits in a line for a value while the queue goes on.
 * @param line whose functions are given the values, the first one first
 * @param timeout in seconds, after which the value is null
 * @throws Error "Terminated"
 */
export function waitFor<T>(
  queue: ComputerQueue,
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
