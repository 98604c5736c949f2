/** The longest that a timer of Node can wait, in milliseconds (24 days); a longer one would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Returns the value for a Node timer from a timeout, which can be longer, or 0 or Infinity for no timeout. */
export function timerMs(timeoutMs: number): number {
  return timeoutMs === 0 ? MAX_TIMER_MS : Math.min(timeoutMs, MAX_TIMER_MS);
}
