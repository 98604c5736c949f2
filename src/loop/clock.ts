/** The clock of a loop. Tests can replace it. */
export interface LoopClock {
  /** Returns the time in milliseconds since any fixed point. It never goes backwards. */
  now(): number;
  /** Calls back after `ms` milliseconds. @returns a timer for {@link clearTimeout} */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls back in the next turn of the event loop. Only `spinMs` uses it. */
  setImmediate(callback: () => void): unknown;
}

/** The globals are looked up at each call: fake timers can replace them. */
const globalClock: LoopClock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback) => globalThis.setImmediate(callback),
};

/** Fills in missing functions. */
export function clockFrom(given: Partial<LoopClock>): LoopClock {
  const own = (name: keyof LoopClock): LoopClock =>
    given[name] === undefined ? globalClock : (given as LoopClock);
  return {
    now: () => own("now").now(),
    setTimeout: (callback, ms) => own("setTimeout").setTimeout(callback, ms),
    clearTimeout: (timer) => own("clearTimeout").clearTimeout(timer),
    setImmediate: (callback) => own("setImmediate").setImmediate(callback),
  };
}
