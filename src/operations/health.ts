import { callHandler } from "../delivery/call-handler.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { type Fleet, fleet } from "../server/fleet.ts";
import { beginLeaving, isLeaving } from "../server/readiness.ts";
import type { Server } from "../server/server.ts";

/**
 * A health check. It fails if it throws, rejects, returns false or takes too long. It is not started again before it
 * has settled.
 * @param signal aborted after the timeout; pass it on, so that the check settles
 */
export type HealthCheck = (signal: AbortSignal) => unknown;

export interface HealthOptions {
  /** The path of the liveness check, which answers 200 while the program can answer. Default "/livez"; false: none. */
  live?: string | false;
  /**
   * The path of the readiness check. It answers 200 if all checks succeed, and 503 otherwise or when the server is
   * about to close. Default "/readyz"; false: none.
   */
  ready?: string | false;
  /**
   * The checks by name, for the services that the program needs. Requests that arrive while a check runs share its
   * result. After its timeout a check counts as failed until it settles.
   */
  checks?: Record<string, HealthCheck>;
  /** The server whose closing makes readiness fail. Default: the server that it is mounted on. */
  server?: Server;
  /** How long a check can take, in milliseconds. Default 2,000. */
  timeoutMs?: number;
  /**
   * Receives the error of a failed check, once for each run. Clients see only the check's name. If it throws, the error
   * is printed to the console.
   */
  onFailure?: (name: string, error: unknown) => unknown;
}

const healthOptionNames: OptionNames<HealthOptions> = {
  live: true,
  ready: true,
  checks: true,
  server: true,
  timeoutMs: true,
  onFailure: true,
};

/** Time for the answers of other workers to arrive, in milliseconds. */
const ANSWER_MS = 500;

/**
 * Answers the health checks of Kubernetes, load balancers and others. Use it with `server.mount`. With deferred
 * delivery `poll` answers them, so a program that stops polling counts as dead. In a worker (see `portico/workers`)
 * readiness covers all workers: it fails if a check fails in any of them.
 */
export function health(options: HealthOptions = {}): (server: Server) => void {
  checkOptions("health", options, healthOptionNames);
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
    const own = async (): Promise<Readiness> => {
      if (isLeaving(server)) return { status: "closing" };
      const results = await Promise.all(runs.map((run) => run()));
      // The server can have begun to close meanwhile.
      if (isLeaving(server)) return { status: "closing" };
      const status = results.some(([, result]) => result === "failed") ? "failed" : "ok";
      return { status, checks: Object.fromEntries(results) };
    };
    const all = fleet();
    const name = `health ${ready}`;
    all?.answer(name, own);
    mounted.get(ready, async (exchange) => {
      const result = all === undefined ? await own() : await readinessOf(all, name, timeoutMs + ANSWER_MS);
      answer(exchange, result.status === "ok" ? 200 : 503, result);
    });
  };
}

interface Readiness {
  readonly status: "ok" | "failed" | "closing";
  readonly checks?: Readonly<Record<string, "ok" | "failed">>;
  /** Absent in a process that is alone. */
  readonly workers?: { readonly serving: number; readonly silent: number };
}

/** Returns the readiness of all workers together: one that is about to end does not count while others serve. */
async function readinessOf(all: Fleet, name: string, timeoutMs: number): Promise<Readiness> {
  const { values, missing } = await all.ask(name, timeoutMs);
  const serving = values.filter(isReadiness).filter(({ status }) => status !== "closing");
  const workers = { serving: serving.length, silent: missing };
  if (serving.length === 0) return { status: "closing", workers };
  const checks: Record<string, "ok" | "failed"> = {};
  for (const { checks: one = {} } of serving) {
    for (const [check, result] of Object.entries(one)) if (checks[check] !== "failed") checks[check] = result;
  }
  const status = serving.some((one) => one.status === "failed") ? "failed" : "ok";
  return { status, checks, workers };
}

function isReadiness(value: unknown): value is Readiness {
  return typeof value === "object" && value !== null && "status" in value;
}

function answer(exchange: Exchange, status: number, content: object): void {
  exchange
    .status(status)
    .setHeader("Content-Type", "application/json")
    .setHeader("Cache-Control", "no-store");
  exchange.end(JSON.stringify(content));
}

/**
 * Runs a check at most once at a time, however many requests ask. A check that still runs after its timeout has failed.
 * It is started again only when it has settled, so hanging checks do not pile up.
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
    failed(new Error("the check returned false"));
  } catch (error) {
    failed(error);
  } finally {
    clearTimeout(timer);
  }
  return false;
}
