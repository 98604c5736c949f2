import { callHandler } from "../engine/call-handler.ts";
import type { Exchange } from "../engine/exchange.ts";
import type { Server } from "../engine/server.ts";
import { beginLeaving, isLeaving } from "./readiness.ts";

/**
 * Fails when it throws, rejects, answers false or takes too long. It is not started again before it has settled.
 * @param signal aborted when the time is over; pass it on to what the check waits for, so that the check settles
 */
export type HealthCheck = (signal: AbortSignal) => unknown;

export interface HealthOptions {
  /** Answers 200 for as long as the program answers at all. Default "/livez"; false: nowhere. */
  live?: string | false;
  /** Answers 200 when all checks succeed, and 503 otherwise, or when the server is about to close. Default "/readyz". */
  ready?: string | false;
  /**
   * What the program cannot work without, by name. Requests that come while a check runs share its result; after its
   * time it counts as failed until it has settled.
   */
  checks?: Record<string, HealthCheck>;
  /** Whose closing makes it not ready: for answers from another server. Default: the server that it is mounted on. */
  server?: Server;
  /** How long a check may take. Default 2,000 ms. */
  timeoutMs?: number;
  /**
   * Gets what a check has failed with, once for each run; clients are told its name only. What it throws goes to the
   * console. Default: nobody does.
   */
  onFailure?: (name: string, error: unknown) => unknown;
}

/**
 * Answers those who watch a server, such as Kubernetes and load balancers, for `server.mount`. With deferred delivery
 * the answers come from `poll`, so a program that does not poll any more counts as dead, as it should.
 */
export function health(options: HealthOptions = {}): (server: Server) => void {
  const { live = "/livez", ready = "/readyz", checks = {}, timeoutMs = 2_000, onFailure } = options;
  const runs = Object.entries(checks).map(([name, check]) => {
    const failed = (error: unknown): void => callHandler(() => onFailure?.(name, error), console.error);
    const run = sharedRun(check, timeoutMs, failed);
    return async () => [name, (await run()) ? "ok" : "failed"] as const;
  });
  return (mounted) => {
    const { server = mounted } = options;
    server.onClose(() => beginLeaving(server));
    if (live !== false) mounted.get(live, (exchange) => answer(exchange, 200, { status: "ok" }));
    if (ready === false) return;
    mounted.get(ready, async (exchange) => {
      if (isLeaving(server)) return answer(exchange, 503, { status: "closing" });
      const results = await Promise.all(runs.map((run) => run()));
      // It may have begun to close meanwhile.
      if (isLeaving(server)) return answer(exchange, 503, { status: "closing" });
      const failed = results.some(([, result]) => result === "failed");
      const status = failed ? "failed" : "ok";
      return answer(exchange, failed ? 503 : 200, { status, checks: Object.fromEntries(results) });
    });
  };
}

function answer(exchange: Exchange, status: number, content: object): void {
  exchange
    .status(status)
    .setHeader("Content-Type", "application/json")
    .setHeader("Cache-Control", "no-store");
  exchange.end(JSON.stringify(content));
}

/**
 * Runs a check at most once at a time, however many requests ask. A check that is still running after its time has
 * failed; it is started again only when it has settled, so that checks that hang do not pile up.
 * @returns whether the check has succeeded in time
 */
function sharedRun(
  check: HealthCheck,
  timeoutMs: number,
  failed: (error: unknown) => void,
): () => Promise<boolean> {
  let result: Promise<boolean> | undefined;
  return () => {
    if (result === undefined) {
      const controller = new AbortController();
      const work = (async () => check(controller.signal))();
      result = succeeds(work, controller, timeoutMs, failed);
      const settled = (): void => {
        result = undefined;
      };
      work.then(settled, settled);
    }
    return result;
  };
}

async function succeeds(
  work: Promise<unknown>,
  controller: AbortController,
  timeoutMs: number,
  failed: (error: unknown) => void,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`the check took longer than ${timeoutMs} ms`);
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    if ((await Promise.race([work, late])) !== false) return true;
    failed(new Error("the check answered false"));
  } catch (error) {
    failed(error);
  } finally {
    clearTimeout(timer);
  }
  return false;
}
