import { readRaw, writeRaw } from "../connection/raw-access.ts";
import { callHandler } from "../delivery/call-handler.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { activeOn } from "../server/server-connection.ts";
import { Transport } from "../transport/transport.ts";
import { cut } from "./cut.ts";
import { removeContentFile } from "./http-request.ts";
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
  /**
   * Reads what the client has sent after the request that is being handled, before it is read as the next request.
   * @param sockfd a request's `sockfd`
   * @param buffer receives the bytes
   * @param max_len how many at most; the length of `buffer` when absent
   * @returns the number of bytes, 0 when none are there, or -1 when the connection has ended or is a WebSocket
   */
  read(server: HttpServer, sockfd: Connection, buffer: Uint8Array, max_len?: number): number;
  /**
   * Sends bytes as they are, after what was sent before. A request that has no response yet counts as answered: write all of
   * the answer in one callback, and do not use `HttpResponse` for it.
   * @param sockfd a request's `sockfd`
   * @param data text as UTF-8, or bytes, which are copied
   * @param length how many bytes of it; all when absent
   * @returns 0, or -1 when the connection has ended or is a WebSocket, while a response is in progress, and when more than
   *   `limits.maxBackpressureBytes` would wait for the client
   */
  write(server: HttpServer, sockfd: Connection, data: string | Uint8Array, length?: number): 0 | -1;
  /** Returns the settings that `start_http_server` got. */
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
  read(_server, sockfd, buffer, max_len = buffer.length) {
    if (!(sockfd instanceof Transport) || !(max_len >= 0)) return -1;
    return readRaw(sockfd, buffer.subarray(0, max_len));
  },
  write(_server, sockfd, data, length) {
    if (!(sockfd instanceof Transport) || (length !== undefined && !(length >= 0))) return -1;
    const active = activeOn(sockfd);
    if (!writeRaw(sockfd, Buffer.from(cut(data, length)))) return -1;
    if (active !== undefined) queueMicrotask(() => removeContentFile(active));
    return 0;
  },
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
