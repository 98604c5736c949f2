import { isThenable } from "./thenable.ts";

/**
 * Calls a function of the program.
 * @param onError gets what it throws, or what its promise rejects with
 */
export function callHandler(handler: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = handler();
    if (isThenable(result)) result.then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}
