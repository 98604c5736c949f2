/** Whether a handler has returned something to wait for; programs can return anything. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

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
