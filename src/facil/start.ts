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
 * Starts an HTTP and WebSocket service. Resolves when SIGINT, SIGTERM or `server.stop()` has stopped it.
 *
 * With `processes` or `threads` the program's main script runs again in each of them, up to the same call of this
 * function, which serves there. They share only the port: each loads the handlers itself. A process that crashes is
 * restarted. A thread that crashes ends its process.
 *
 * @param on_request called for each request when its body is complete. It can answer later. If it throws or rejects,
 *   the client gets 500
 * @param folder_or_udata a string is the public folder, as in the original; any other value is the initial
 *   `request.udata`
 * @throws the system's error if the address cannot be bound, RangeError for invalid settings, TypeError for two public
 *   folders
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
      "the public folder is set twice. Pass it as the second argument, or as the setting public_folder",
    );
  }
  const plan = planFrom(isFolder ? { ...settings, public_folder: folder_or_udata } : settings);
  const udata = isFolder ? null : folder_or_udata;
  if (supervisor === undefined && plan.processes > 1) return superviseProcesses(plan, call);
  await serve(on_request, udata, plan, call, supervisor);
  hasServed = true;
}
