import type { Exchange } from "../engine/exchange.ts";
import type { Server } from "../engine/server.ts";
import { beginLeaving, isLeaving } from "./readiness.ts";

export interface ShutdownOptions {
  /** Default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[];
  /**
   * How long the server goes on to answer, but not ready: time for load balancers to notice and to send new requests
   * elsewhere. Default 0 ms; more than the interval of their probes where there are any.
   */
  readyDelayMs?: number;
  /** How long exchanges and WebSockets may then take to end. Default 10,000 ms. */
  graceMs?: number;
  /** Runs when the server is closed: the place to close databases, or to end a process that other things keep alive. */
  onDone?: () => unknown;
}

/**
 * Closes a server without losing a request when the process is told to end. At the first signal `health` answers 503,
 * and each response that begins from then on closes its connection, so that clients with open connections leave, too; after
 * `readyDelayMs` `server.close` is called. A second signal ends everything at once.
 * @returns a function that takes the handlers of the signals away again
 */
export function shutdownOnSignals(server: Server, options: ShutdownOptions = {}): () => void {
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
  let told = false;
  const onSignal = (): void => {
    if (!told) {
      told = true;
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

/** Who keeps a connection may send a request in the moment in which it is closed, and lose it. */
function closeAfter(exchange: Exchange): void {
  exchange.setHeader("Connection", "close");
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
