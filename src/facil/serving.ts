import { isMainThread } from "node:worker_threads";
import { ThreadGroup } from "../processes/thread-group.ts";
import { onEndSignals } from "../processes/waiting.ts";
import { EngineServer, type OnRequest } from "./engine-server.ts";
import type { Plan } from "./settings.ts";
import { addressOf, assertFree, findSharing } from "./sharing.ts";
import type { FacilSupervisor, WorkerConfig } from "./worker-config.ts";

/**
 * Serves in this process with its threads, or in this thread.
 * @param call the number of the call in the program, from 1
 * @param supervisor the one of this process or thread; undefined for the program itself
 * @returns when it has stopped
 */
export async function serve(
  on_request: OnRequest,
  udata: unknown,
  plan: Plan,
  call: number,
  supervisor: FacilSupervisor | undefined,
): Promise<void> {
  let stop: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const onStopRequest = supervisor === undefined ? stop : () => supervisor.send({ type: "stop" });
  const isThread = supervisor !== undefined && !isMainThread;
  const threads = isThread ? 1 : plan.threads;
  supervisor?.onMessage(({ type }) => type === "stop" && stop());
  const forgetSignals = plan.signals && isMainThread ? onEndSignals(stop) : () => {};
  const server = new EngineServer(on_request, udata, plan, onStopRequest);
  let group: ThreadGroup | undefined;
  try {
    const sharing = supervisor?.config.sharing ?? (threads > 1 ? findSharing() : "alone");
    if (supervisor === undefined && sharing === "reuse") await assertFree(plan);
    const fd = supervisor?.config.fd;
    const address = addressOf(plan, supervisor?.config.port ?? plan.port, sharing);
    await server.start(fd === undefined ? address : { fd, ...(plan.tls && { tls: plan.tls }) });
    if (threads > 1) {
      const config: WorkerConfig = { kind: "facil", call, sharing, port: server.port };
      const shared = sharing === "descriptor" ? { ...config, fd: server.descriptor } : config;
      group = new ThreadGroup(threads - 1, shared, sharing === "descriptor", onStopRequest);
      await Promise.race([group.started(), asked]);
    }
    supervisor?.send({ type: "ready", port: server.port });
    await asked;
    await Promise.all([server.close(), group?.stop(plan.graceMs)]);
    supervisor?.send({ type: "stopped" });
  } catch (error) {
    await Promise.all([server.close(), group?.stop(0)]);
    // Errors of the program are also shown here, as usual; the supervisor ends a worker that does not end by itself.
    supervisor?.send({ type: "failed", ...describe(error) });
    supervisor?.disconnect();
    // The supervisor reports an error of the system to the program, once for all workers; this worker goes no further.
    if (supervisor !== undefined && isSystemError(error)) await new Promise<never>(() => {});
    throw error;
  } finally {
    forgetSignals();
  }
  supervisor?.disconnect();
}

function describe(error: unknown): { message: string; code: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  return { message: error.message, code: "code" in error ? String(error.code) : undefined };
}

/** Returns whether an error comes from the system, such as EADDRINUSE, and not from the program. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
