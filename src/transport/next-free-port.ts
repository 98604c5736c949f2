/** Ports that are tried after the first one. */
const MAX_TRIES = 20;

/**
 * Listens at a port, or at the next one that is free.
 * @param first the port to try first, 1 to 65535
 * @param listen listens at a port, and rejects with the system's error when it cannot
 * @returns what `listen` resolved to
 * @throws the error of the first port when the following ones are in use as well; any other error at once
 */
export async function listenFrom<Listening>(
  first: number,
  listen: (port: number) => Promise<Listening>,
): Promise<Listening> {
  let inUse: unknown;
  for (let port = first; port < Math.min(first + MAX_TRIES, 65_536); port++) {
    try {
      return await listen(port);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      inUse ??= error;
    }
  }
  throw inUse;
}
