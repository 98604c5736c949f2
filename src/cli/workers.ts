import { runWorkers, type WorkerEvent } from "../workers/index.ts";
import { Failure, messageOf } from "./failure.ts";
import { networkUrls } from "./listening.ts";
import { openBrowser } from "./open-browser.ts";
import { announce, GRACE_MS, type ServingOptions } from "./serving.ts";
import { stopSignal } from "./stopping.ts";
import { complain, printJson } from "./terminal.ts";

/** The options of `portico run` that matter here. */
interface WorkersRunOptions extends ServingOptions {
  workers?: number | "auto";
}

/**
 * Runs `portico run` in several processes, which each run this command line again.
 * @throws Failure when they cannot start, or crash again and again
 */
export async function superviseRun(name: string, options: WorkersRunOptions): Promise<void> {
  stopSignal();
  let isAnnounced = false;
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === "ready" && !isAnnounced) {
      isAnnounced = true;
      const url = urlOf(options, event.port);
      const network = networkUrls({ host: options.host, port: event.port }, url.slice(0, url.indexOf(":")));
      announce(`Running ${name} in workers`, url, event.port, network, options);
      if (options.open) openBrowser(url);
    } else if (options.json) {
      const { type, ...rest } = event;
      printJson({ event: type, ...rest });
    } else describe(event);
  };
  const module = new URL("../cli/main.js", import.meta.url);
  try {
    await runWorkers({ module, workers: options.workers ?? "auto", graceMs: GRACE_MS, onEvent });
  } catch (error) {
    throw new Failure(messageOf(error));
  }
}

function describe(event: WorkerEvent): void {
  if (event.type === "crashed")
    complain(`worker ${event.worker} ended with ${event.reason}. It restarts in ${event.restartInMs} ms`);
  else if (event.type === "not-replaced")
    complain(`worker ${event.worker} was not replaced and keeps running: ${event.reason}`);
  else if (event.type === "dropped")
    complain(`worker ${event.worker} does not read its channel: ${event.messages} messages were dropped`);
}

function urlOf({ host, tlsCert }: ServingOptions, port: number): string {
  const isAny = host === "::" || host === "0.0.0.0";
  const name = isAny ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${tlsCert === undefined ? "http" : "https"}://${name}:${port}`;
}
