import { isMainThread } from "node:worker_threads";
import type { OnRequest } from "./engine-server.ts";
import { superviseProcesses } from "./processes.ts";
import { serve } from "./serving.ts";
import { type HttpSettings, planFrom } from "./settings.ts";
import { facilSupervisor as supervisor } from "./worker-config.ts";

let calls = 0;
/** Whether the call that this process or thread serves has stopped. */
let hasServed = false;

/**
 * Starts an HTTP and WebSocket service and resolves when it has stopped: by SIGINT, SIGTERM or `server.stop()`.
 *
 * With `processes` or `threads` the program's main script runs again in each of them, up to its same call of this
 * function, which serves there. They share the port and nothing else: each has loaded the handlers for itself. A
 * process that crashes is started again; a thread that crashes ends its process.
 *
 * @param on_request called for each request when its body is complete. It can answer later. An error that it throws, or a
 *   promise that rejects, is answered with 500
 * @param folder_or_udata a string is the public folder, as in the original; anything else is the program's own data, which
 *   `request.udata` begins with
 * @throws the system's error when the address cannot be bound, RangeError for settings that make no sense,
 *   TypeError for two public folders
 */
export async function start_http_server(
  on_request: OnRequest,
  folder_or_udata: unknown,
  settings: HttpSettings = {},
): Promise<void> {
  const call = ++calls;
  if (supervisor !== undefined && supervisor.config.call !== call) {
    // Each process and thread serves one call. Earlier calls end elsewhere, and later ones never begin here.
    if (call < supervisor.config.call) return undefined;
    if (hasServed && !isMainThread) process.exit();
    return new Promise<never>(() => {});
  }
  const isFolder = typeof folder_or_udata === "string";
  if (isFolder && settings.public_folder !== undefined) {
    throw new TypeError(
      "the public folder is given twice: pass it as the second argument or as the setting public_folder",
    );
  }
  const plan = planFrom(isFolder ? { ...settings, public_folder: folder_or_udata } : settings);
  const udata = isFolder ? null : folder_or_udata;
  if (supervisor === undefined && plan.processes > 1) return superviseProcesses(plan, call);
  await serve(on_request, udata, plan, call, supervisor);
  hasServed = true;
}
