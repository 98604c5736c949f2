/** Longer timers would fire at once. */
const MAX_MS = 2 ** 31 - 1;

/** Calls back after a time, which can be Infinity. */
export function later(callback: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(callback, Math.min(ms, MAX_MS));
}

/** @throws RangeError for a time that is not a number above 0 */
export function checkTimes(times: Readonly<Record<string, number>>): void {
  for (const [name, ms] of Object.entries(times)) {
    if (!(ms > 0)) throw new RangeError(`${name} cannot be ${ms}. Use a number above 0`);
  }
}
