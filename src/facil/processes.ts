import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { ProcessGroup } from "../processes/process-group.ts";
import { onEndSignals } from "../processes/waiting.ts";
import type { Plan } from "./settings.ts";
import { assertFree, findSharing } from "./sharing.ts";
import type { WorkerConfig } from "./worker-config.ts";

/** Extra time for a process to end, on top of the time of its server and of the program after it. */
const END_MS = 1_000;

/**
 * Starts the processes that serve, and starts them again when they crash. This process does not serve.
 * @param call the number of the call of `start_http_server` in the program, from 1
 * @returns when all have ended
 * @throws the first error when one of them cannot start at the beginning
 */
export async function superviseProcesses(plan: Plan, call: number): Promise<void> {
  if (!isMainThread) throw new Error("a thread cannot start processes");
  if (process.argv[1] === undefined) throw new Error("processes need a main script to run again");
  let group: ProcessGroup<WorkerConfig> | undefined;
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    group?.stop();
  };
  const forgetSignals = plan.signals ? onEndSignals(stop) : () => {};
  try {
    const sharing = findSharing();
    if (sharing === "reuse") await assertFree(plan);
    else cluster.schedulingPolicy = cluster.SCHED_NONE;
    if (stopped) return;
    const config: WorkerConfig = { kind: "facil", call, sharing, port: plan.port };
    group = new ProcessGroup(config, {
      processes: plan.processes,
      endWithinMs: 2 * plan.graceMs + END_MS,
      // With port 0 the first process chooses the port. Through node:cluster all ask for the same one.
      onFirstReady: (first, port) => (sharing === "reuse" ? { ...first, port } : first),
    });
    await group.run();
  } finally {
    forgetSignals();
  }
}
