import { callHandler } from "../delivery/call-handler.ts";
import type { HttpServer } from "./http-server.ts";
import { maxMessageSize, setMaxMessageSize, setTimeoutSeconds, timeoutSeconds } from "./websocket-globals.ts";
import { type WebsocketSettings, websocket_upgrade } from "./websocket-upgrade.ts";
import { countWebsockets, openWebsockets, type Ws } from "./ws.ts";

/** How many connections `each` serves before other events get their turn. */
const EACH_AT_ONCE = 256;

/** The functions and settings of the global `Websocket`. Each process and thread has its own. */
export interface WebsocketFunctions {
  /** The same as {@link websocket_upgrade}. */
  upgrade(settings: WebsocketSettings): 0 | -1;
  /**
   * The largest message that is taken, over all its fragments and after decompression, in bytes; 262,144 at first.
   * A larger one closes its connection with 1009. A change holds for messages that begin afterwards.
   */
  max_msg_size: number;
  /**
   * How long a connection is silent in both directions before it is sent a ping, in seconds from 0 (never) to 255;
   * 40 at first. May take a second longer. A change holds for new connections.
   */
  timeout: number;
  /** The program's own data of a connection. */
  get_udata(ws: Ws): unknown;
  /** @returns what it was before */
  set_udata(ws: Ws, udata: unknown): unknown;
  /** The server that a connection belongs to. */
  get_server(ws: Ws): HttpServer | undefined;
  /** A UUID (RFC 9562) of the connection. */
  get_uuid(ws: Ws): string | undefined;
  /**
   * Sends a message.
   * @param data bytes are copied up to 64 KiB; larger ones must not change until they are taken
   * @param size how many bytes of it; all when absent
   * @param is_text whether it goes as text; by default a string does and bytes do not
   * @returns 0, or -1 when it is closed, over the backpressure limit, or text that is not valid UTF-8
   */
  write(ws: Ws, data: string | Uint8Array, size?: number, is_text?: boolean | number): 0 | -1;
  /** Sends a close frame; the connection ends after what was written has arrived. @returns -1 when it was not open */
  close(ws: Ws): 0 | -1;
  /**
   * Performs a task on every open connection of this process (of this thread, where there are more) but one.
   * Returns at once; the task follows in portions. Connections that close meanwhile are left out, new ones as well.
   * @param originator is left out; null for none
   * @param on_finish called once, after all
   */
  each<Arg>(
    originator: Ws | null,
    task: (ws: Ws, arg: Arg) => unknown,
    arg: Arg,
    on_finish?: (originator: Ws | null, arg: Arg) => unknown,
  ): void;
  /** Open connections of this process (of this thread, where there are more), whichever is given. */
  count(ws?: Ws | null): number;
}

/** WebSocket connections in the manner of the original; nothing here throws but the two settings. */
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
