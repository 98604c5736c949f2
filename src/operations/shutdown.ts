import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { beginLeaving, closeAfter, isLeaving } from "../server/readiness.ts";
import type { Server } from "../server/server.ts";

export interface ShutdownOptions {
  /** The signals that close the server. Default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[];
  /**
   * How long the server still answers while it reports that it is not ready, in milliseconds, so that load balancers
   * send new requests elsewhere. Default 0. With load balancers, set it above the interval of their probes.
   */
  readyDelayMs?: number;
  /** How long exchanges and WebSockets can then take to end, in milliseconds. Default 10,000. */
  graceMs?: number;
  /** Runs when the server has closed. Close databases here, or end a process that other things keep alive. */
  onDone?: () => unknown;
}

const shutdownOptionNames: OptionNames<ShutdownOptions> = {
  signals: true,
  readyDelayMs: true,
  graceMs: true,
  onDone: true,
};

/**
 * Closes a server without losing requests when the process receives a signal. At the first signal `health` answers 503,
 * and each new response closes its connection, so that clients with open connections leave as well. After
 * `readyDelayMs` it calls `server.close`. A second signal ends everything at once.
 * @returns a function that removes the signal handlers
 */
export function shutdownOnSignals(server: Server, options: ShutdownOptions = {}): () => void {
  checkOptions("shutdownOnSignals", options, shutdownOptionNames);
  const { signals = ["SIGTERM", "SIGINT"], readyDelayMs = 0, graceMs = 10_000, onDone } = options;
  const delay = new Delay();
  const remove = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const leave = async (): Promise<void> => {
    beginLeaving(server);
    server.exchanges.forEach(closeAfter);
    await delay.wait(readyDelayMs);
    await server.close({ graceMs });
    remove();
    await onDone?.();
  };
  let isSignalled = false;
  const onSignal = (): void => {
    if (!isSignalled) {
      isSignalled = true;
      void leave();
      return;
    }
    void server.close({ graceMs: 0 });
    delay.end();
  };
  for (const signal of signals) process.on(signal, onSignal);
  server.onRequest((exchange) => {
    if (isLeaving(server)) closeAfter(exchange);
  });
  return remove;
}

/** A wait that can be cut short. */
class Delay {
  private timer: NodeJS.Timeout | undefined;
  private resolve: (() => void) | undefined;

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.timer = setTimeout(resolve, ms);
    });
  }

  end(): void {
    clearTimeout(this.timer);
    this.resolve?.();
  }
}
