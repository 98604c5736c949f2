import { callHandler } from "../delivery/call-handler.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import type { Connection, HttpServer } from "./http-server.ts";
import type { HttpSettings } from "./settings.ts";

/** The functions of the global `Server`. */
export interface ServerFunctions {
  /**
   * Sets the program's data of a connection or of the server. A connection's data is dropped when it ends.
   * @param sockfd the `sockfd` of a request, or 0 for the server
   * @returns the previous data
   */
  set_udata(server: HttpServer, sockfd: Connection | 0, udata: unknown): unknown;
  /** Returns the program's data of a connection or, for 0, of the server. */
  get_udata(server: HttpServer, sockfd: Connection | 0): unknown;
  /** Returns the settings that were passed to `start_http_server`. */
  settings(server: HttpServer): Readonly<HttpSettings>;
  /**
   * Calls a task repeatedly until the server stops. Errors of the task are printed.
   * @param milliseconds the time between two calls, in milliseconds
   * @param repetitions the number of calls; 0 for no limit
   * @returns 0, or -1 for an invalid number, or if the server is not running
   */
  run_every<Arg>(
    server: HttpServer,
    milliseconds: number,
    repetitions: number,
    task: (arg: Arg) => unknown,
    arg: Arg,
  ): 0 | -1;
}

const connectionData = new WeakMap<Connection, unknown>();
const settingsOf = new WeakMap<HttpServer, Readonly<HttpSettings>>();
const timersOf = new WeakMap<HttpServer, Set<NodeJS.Timeout>>();

/** Called when a server begins to serve. */
export function startServing(server: HttpServer, settings: Readonly<HttpSettings>): void {
  timersOf.set(server, new Set());
  settingsOf.set(server, settings);
}

/** Called when a server stops. */
export function endServing(server: HttpServer): void {
  for (const timer of timersOf.get(server) ?? []) clearInterval(timer);
  timersOf.delete(server);
}

/** Functions for a server and its connections, as in the original. */
export const Server: ServerFunctions = {
  set_udata(server, sockfd, udata) {
    const before = Server.get_udata(server, sockfd);
    if (sockfd === 0) server.udata = udata;
    else connectionData.set(sockfd, udata);
    return before;
  },
  get_udata: (server, sockfd) => (sockfd === 0 ? server.udata : connectionData.get(sockfd)),
  settings: (server) => settingsOf.get(server) ?? {},
  run_every(server, milliseconds, repetitions, task, arg) {
    const timers = timersOf.get(server);
    const isPossible = milliseconds >= 0 && Number.isInteger(repetitions) && repetitions >= 0;
    if (timers === undefined || !isPossible) return -1;
    let calls = 0;
    const run = (): void => {
      if (++calls === repetitions) {
        clearInterval(timer);
        timers.delete(timer);
      }
      callHandler(() => task(arg), console.error);
    };
    const timer = setInterval(run, Math.min(milliseconds, MAX_TIMER_MS));
    timers.add(timer);
    return 0;
  },
};
