import { codeOf, EXIT } from "./failure.ts";

let stopping: AbortController | undefined;

/**
 * Aborted by the first SIGINT or SIGTERM, and when nobody reads what is printed any more. It sets the exit code of the
 * process; a second signal ends it at once.
 */
export function stopSignal(): AbortSignal {
  if (stopping !== undefined) return stopping.signal;
  const controller = new AbortController();
  stopping = controller;
  const listen = (name: "SIGINT" | "SIGTERM", exitCode: number): void => {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      process.exitCode = exitCode;
      controller.abort();
    });
  };
  listen("SIGINT", EXIT.interrupted);
  listen("SIGTERM", EXIT.terminated);
  process.stdout.on("error", () => controller.abort());
  return controller.signal;
}

/** @returns when the signal is aborted */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Output into a pipe without a reader is lost. That is not an error of the program. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (codeOf(error) !== "EPIPE") throw error;
    });
  }
}
