// Handlers that fail on purpose, and where their errors go.
import type { TestContext } from "node:test";

/** A handler that throws. */
export function throwing(error: unknown = new Error("on purpose")): () => never {
  return () => {
    throw error;
  };
}

/** A handler that throws, or returns a promise that rejects. */
export function failing(rejects: boolean, error: unknown): () => Promise<never> {
  return rejects ? () => Promise.reject(error) : throwing(error);
}

/** Collects the errors of callbacks in a browser's clients, which would be uncaught. */
export function uncaught(t: TestContext): unknown[] {
  const errors: unknown[] = [];
  t.mock.method(globalThis, "queueMicrotask", (callback: () => void) => {
    try {
      callback();
    } catch (error) {
      errors.push(error);
    }
  });
  return errors;
}
