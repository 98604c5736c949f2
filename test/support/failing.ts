// Handlers that fail on purpose.

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
