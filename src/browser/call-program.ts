/** Calls a function of the program. What it throws is reported as uncaught, and does not disturb the client. */
export function callProgram(callback: () => unknown): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
