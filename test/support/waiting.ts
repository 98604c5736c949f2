// Waiting for what happens, with an end to patience.
import { setTimeout as sleep } from "node:timers/promises";

/** How long a test waits for what should come at once, in milliseconds. */
export const PATIENCE_MS = 10_000;

/** Rejects when `promise` is not settled in time. */
export async function within<T>(promise: Promise<T>, what: string, ms: number = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still waiting for ${what} after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for what no event tells. */
export async function eventually(
  condition: () => boolean,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still waiting for ${what} after ${ms} ms`);
    await sleep(2);
  }
}

/** A promise and its two ends. */
export interface Signal<T = void> {
  readonly promise: Promise<T>;
  give(value: T): void;
  /** The promise, for as long as a test is patient. */
  wait(what: string): Promise<T>;
}

export function signal<T = void>(): Signal<T> {
  let give: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    give = resolve;
  });
  return { promise, give: (value) => give(value), wait: (what) => within(promise, what) };
}

/** Lets everything happen that is due, in memory. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export { sleep };
