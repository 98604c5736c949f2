import { isMainThread } from "node:worker_threads";
import { HttpServer, type OnRequest } from "./http-server.ts";
import type { Orders, Superior } from "./orders.ts";
import type { Plan } from "./settings.ts";
import { addressOf, assertFree, findSharing } from "./sharing.ts";
import { ThreadGroup } from "./thread-group.ts";
import { onEndSignals } from "./waiting.ts";

/**
 * Serves in this process with its threads, or in this thread.
 * @param call the how manieth call of the program it is
 * @param superior who has started this process or thread; undefined for the program itself
 * @returns when it has stopped
 */
export async function serve(
  on_request: OnRequest,
  udata: unknown,
  plan: Plan,
  call: number,
  superior: Superior | undefined,
): Promise<void> {
  let stop: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const askStop = superior === undefined ? stop : () => superior.tell({ type: "stop" });
  const isThread = superior !== undefined && !isMainThread;
  const threads = isThread ? 1 : plan.threads;
  superior?.onStop(stop);
  const forgetSignals = plan.signals && isMainThread ? onEndSignals(stop) : () => {};
  const server = new HttpServer(on_request, udata, plan, askStop);
  let group: ThreadGroup | undefined;
  try {
    const sharing = superior?.orders.sharing ?? (threads > 1 ? await findSharing() : "alone");
    if (superior === undefined && sharing === "reuse") await assertFree(plan);
    const fd = superior?.orders.fd;
    const address = addressOf(plan, superior?.orders.port ?? plan.port, sharing);
    await server.start(fd === undefined ? address : { fd, ...(plan.tls && { tls: plan.tls }) });
    if (threads > 1) {
      const orders: Orders = { call, sharing, port: server.port };
      const shared = sharing === "descriptor" ? { ...orders, fd: server.descriptor } : orders;
      group = new ThreadGroup(threads - 1, shared, askStop);
      await Promise.race([group.started(), asked]);
    }
    superior?.tell({ type: "ready", port: server.port });
    await asked;
    await Promise.all([server.shutDown(), group?.stop(plan.graceMs)]);
    superior?.tell({ type: "stopped" });
  } catch (error) {
    await Promise.all([server.shutDown(), group?.stop(0)]);
    const own = !isSystemError(error);
    // What the program throws is shown here, too, as it always is; the superior ends what does not end by itself.
    superior?.tell({ type: "failed", ...describe(error) });
    superior?.leave();
    // The superior says so to the program, once for all; here the program goes no further.
    if (superior !== undefined && !own) await new Promise<never>(() => {});
    throw error;
  } finally {
    forgetSignals();
  }
  superior?.leave();
}

function describe(error: unknown): { message: string; code: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  return { message: error.message, code: "code" in error ? String(error.code) : undefined };
}

/** Whether it comes from the system, as EADDRINUSE does, and not from the program. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
