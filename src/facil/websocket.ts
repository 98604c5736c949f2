import { callHandler } from "../delivery/call-handler.ts";
import type { HttpServer } from "./http-server.ts";
import { maxMessageSize, setMaxMessageSize, setTimeoutSeconds, timeoutSeconds } from "./websocket-globals.ts";
import { type WebsocketSettings, websocket_upgrade } from "./websocket-upgrade.ts";
import { countWebsockets, openWebsockets, type Ws } from "./ws.ts";

/** How many connections `each` serves before other events get their turn. */
const EACH_AT_ONCE = 256;

/** The functions and settings of the global `Websocket`. Each process and thread has its own. */
export interface WebsocketFunctions {
  /** Same as {@link websocket_upgrade}. */
  upgrade(settings: WebsocketSettings): 0 | -1;
  /**
   * The largest accepted message, over all its fragments and after decompression, in bytes. Default 262,144. A larger
   * message closes its connection with 1009. A change applies to messages that begin afterwards.
   */
  max_msg_size: number;
  /**
   * How long a connection is silent in both directions before it gets a ping, in seconds from 0 (never) to 255. Default
   * 40. It can take a second longer. A change applies to new connections.
   */
  timeout: number;
  /** Returns the program's data of a connection. */
  get_udata(ws: Ws): unknown;
  /** Sets the program's data of a connection. @returns the previous data */
  set_udata(ws: Ws, udata: unknown): unknown;
  /** Returns the server that a connection belongs to. */
  get_server(ws: Ws): HttpServer | undefined;
  /** Returns a UUID (RFC 9562) of the connection. */
  get_uuid(ws: Ws): string | undefined;
  /**
   * Sends a message.
   * @param data bytes are copied up to 64 KiB; do not change larger ones until they have been sent
   * @param size the number of bytes of `data`; all by default
   * @param is_text whether to send it as text; by default true for a string and false for bytes
   * @returns 0, or -1 if the connection is closed or over its backpressure limit, or the text is not valid UTF-8
   */
  write(ws: Ws, data: string | Uint8Array, size?: number, is_text?: boolean | number): 0 | -1;
  /** Sends a close frame. The connection ends after all written data has arrived. @returns -1 if it was not open */
  close(ws: Ws): 0 | -1;
  /**
   * Runs a task for every open connection of this process (of this thread, if there are several) except one. It returns
   * at once; the task runs later, in portions. It skips connections that close or open meanwhile.
   * @param originator the connection to skip; null for none
   * @param on_finish called once, after the last task
   */
  each<Arg>(
    originator: Ws | null,
    task: (ws: Ws, arg: Arg) => unknown,
    arg: Arg,
    on_finish?: (originator: Ws | null, arg: Arg) => unknown,
  ): void;
  /**
   * Returns the number of open connections of this process (of this thread, if there are several). The argument has no
   * effect.
   */
  count(ws?: Ws | null): number;
}

/** Functions for WebSocket connections, as in the original. Only the two settings can throw. */
export const Websocket: WebsocketFunctions = {
  upgrade: websocket_upgrade,
  get max_msg_size() {
    return maxMessageSize();
  },
  set max_msg_size(bytes) {
    setMaxMessageSize(bytes);
  },
  get timeout() {
    return timeoutSeconds();
  },
  set timeout(seconds) {
    setTimeoutSeconds(seconds);
  },
  get_udata: (ws) => ws.udata,
  set_udata: (ws, udata) => ws.exchangeUdata(udata),
  get_server: (ws) => ws.server,
  get_uuid: (ws) => ws.uuid,
  write(ws, data, size, is_text = typeof data === "string") {
    return ws.write(data, size, Boolean(is_text)) ? 0 : -1;
  },
  close: (ws) => (ws.close() ? 0 : -1),
  each(originator, task, arg, on_finish) {
    const targets = openWebsockets();
    let next = 0;
    const run = (): void => {
      const end = Math.min(next + EACH_AT_ONCE, targets.length);
      for (const ws of targets.slice(next, end)) {
        if (ws !== originator && ws.isOpen) callHandler(() => task(ws, arg), console.error);
      }
      next = end;
      if (next < targets.length) setImmediate(run);
      else if (on_finish !== undefined) callHandler(() => on_finish(originator, arg), console.error);
    };
    setImmediate(run);
  },
  count: () => countWebsockets(),
};
