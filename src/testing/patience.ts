import { TestClientError } from "./errors.ts";

// Kept since this module was loaded, because a test can replace the global ones by fakes.
const { setTimeout: startTimer, clearTimeout: stopTimer, setImmediate: nextTurn } = globalThis;

/** Resolves when everything that was written in memory before the call has arrived. */
export function delivered(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(() => resolve());
  });
}

/**
 * Waits for a promise, and no longer than that.
 * @param ms real milliseconds, whatever fake timers a test uses
 * @param what is said to be missing
 * @param late called when the time is over
 */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
  what: string,
  late: () => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = startTimer(() => {
      reject(
        new TestClientError(
          "ERR_TIMEOUT",
          `no ${what} within ${ms} ms. Poll a server with deferred delivery`,
        ),
      );
      late();
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    stopTimer(timer);
  }
}
