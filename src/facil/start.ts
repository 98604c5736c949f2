import { isMainThread } from "node:worker_threads";
import type { OnRequest } from "./http-server.ts";
import { superior } from "./orders.ts";
import { superviseProcesses } from "./process-group.ts";
import { serve } from "./serving.ts";
import { type HttpSettings, planFrom } from "./settings.ts";

let calls = 0;
/** The call that this process or thread is for has stopped. */
let served = false;

/**
 * Starts an HTTP and WebSocket service and resolves when it has stopped: by SIGINT, SIGTERM or `server.stop()`.
 *
 * With `processes` or `threads` the program's main script runs again in each of them, up to its same call of this
 * function, which serves there. They share the port and nothing else: each has loaded the handlers for itself. A
 * process that crashes is started again; a thread that crashes ends its process.
 *
 * @param on_request called for each request when its content is complete. It may answer later. What it throws, or its
 *   promise rejects with, is answered with 500
 * @param udata the program's own: `request.udata` begins with it
 * @throws the system's error when the address cannot be bound, RangeError for settings that make no sense
 */
export async function start_http_server(
  on_request: OnRequest,
  udata: unknown,
  settings: HttpSettings = {},
): Promise<void> {
  const call = ++calls;
  if (superior !== undefined && superior.orders.call !== call) {
    // Calls before the one that this process or thread is for are done with elsewhere; later ones are not for it.
    if (call < superior.orders.call) return undefined;
    if (served && !isMainThread) process.exit();
    return new Promise<never>(() => {});
  }
  const plan = planFrom(settings);
  if (superior === undefined && plan.processes > 1) return superviseProcesses(plan, call);
  await serve(on_request, udata, plan, call, superior);
  served = true;
}
