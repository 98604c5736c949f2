import type { Exchange, Server } from "../index.ts";
import { Access, sameOrigin } from "./access.ts";
import { Page } from "./page.ts";
import { setPolicy } from "./page-files.ts";
import { readPageMessage } from "./page-message.ts";
import type { Panel } from "./program.ts";
import { type Viewer, Viewers } from "./viewers.ts";

export interface ConsoleOptions {
  /**
   * Whoever gives it may use the console, from anywhere: at least 16 characters that nobody guesses. Without one the
   * console answers only to this machine: to loopback addresses that ask for a loopback name.
   */
  token?: string | undefined;
  /** Where it is mounted. Default "/console". */
  path?: string;
}

/** What the console of `npm start` has in addition. */
export interface ConsoleExtras {
  readonly panels: readonly Panel[];
  /** Paths of a route that answers GET and of one that echoes WebSocket messages. */
  readonly traffic: { readonly get: string; readonly echo: string } | null;
}

/** Larger than the longest message of a page. */
const MAX_MESSAGE_BYTES = 8_192;

/**
 * A page that shows a server at work: `server.mount(console({ token }))`, then open /console/. While nobody has it
 * open it measures nothing.
 * @returns the part to mount
 * @throws RangeError for a token of fewer than 16 characters, and for a path that is none
 */
export function console(options: ConsoleOptions = {}): (server: Server) => void {
  return consoleWith(options, { panels: [], traffic: null });
}

/** The same with what `npm start` has in addition. */
export function consoleWith(options: ConsoleOptions, extras: ConsoleExtras): (server: Server) => void {
  const { token, path = "/console" } = options;
  if (!/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(path))
    throw new RangeError(`${path} is no path for a console: write it like "/console"`);
  const base = path === "/" ? "" : path;
  const access = new Access(token, path);
  const page = new Page(access, base);
  const live = `${base}/live`;
  const paths = new Set([...page.paths, live]);
  const isOwn = (exchange: Exchange): boolean => paths.has(exchange.path);
  return (server) => {
    const viewers = new Viewers(server, { ...extras, isOwn });
    page.serveOn(server);
    server.websocket<Viewer>(
      live,
      {
        upgrade(exchange) {
          setPolicy(exchange);
          if (!sameOrigin(exchange) || !access.permits(exchange)) exchange.status(403).end();
          else if (viewers.full) exchange.status(503).end();
          return viewers.newcomer(); // nobody comes when the exchange is over
        },
        open: (socket) => viewers.open(socket),
        message: (socket, data) => viewers.message(socket, readPageMessage(data)),
        close: (socket) => viewers.close(socket),
      },
      { maxMessageBytes: MAX_MESSAGE_BYTES },
    );
    server.onClose(() => viewers.end());
  };
}
