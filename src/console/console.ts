import type { Exchange, Server } from "../index.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { Access, sameOrigin } from "./access.ts";
import { type ConsolePanel, checkPanels } from "./own-panels.ts";
import { AT_ONCE, Page } from "./page.ts";
import { setPolicy } from "./page-files.ts";
import { readPageMessage } from "./page-message.ts";
import type { Panel } from "./program.ts";
import { type Viewer, Viewers } from "./viewers.ts";

export interface ConsoleOptions {
  /**
   * The secret that opens the console from any machine, at least 16 characters. Without a token the console answers
   * only requests from this machine: from loopback addresses, for a loopback host name.
   */
  token?: string | undefined;
  /** The path of the console. Default "/console". */
  path?: string;
  /** Your own panels, such as the world of a game. */
  panels?: readonly ConsolePanel[];
  /**
   * Records errors and one sample per second while no page is open, so that a page starts with the last ten minutes.
   * Default true. It costs a 20 ms timer, which measures the event loop, and memory for 600 samples.
   */
  history?: boolean;
}

const consoleOptionNames: OptionNames<ConsoleOptions> = {
  token: true,
  path: true,
  panels: true,
  history: "boolean",
};

/** The additional parts of the console of `npm start`. */
export interface ConsoleExtras {
  readonly panels: readonly Panel[];
  /** Paths of a route that answers GET and of one that echoes WebSocket messages. */
  readonly traffic: { readonly get: string; readonly echo: string } | null;
}

/** Larger than the longest message of a page. */
const MAX_MESSAGE_BYTES = 8_192;

/**
 * Creates a console, a page that shows a server at work: call `server.mount(console({ token }))` and open /console/.
 * Individual requests are measured only while a page is open.
 * @throws RangeError for a token of fewer than 16 characters or an invalid path. TypeError for an unknown option of the
 *   console or of a panel, and for two panels with the same title
 */
export function console(options: ConsoleOptions = {}): (server: Server) => void {
  return consoleWith(options, { panels: [], traffic: null });
}

/** Like {@link console}, with the additional parts of `npm start`. */
export function consoleWith(options: ConsoleOptions, extras: ConsoleExtras): (server: Server) => void {
  checkOptions("console", options, consoleOptionNames);
  const { token, path = "/console", panels = [], history = true } = options;
  checkPanels(panels);
  if (!/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(path))
    throw new RangeError(`${path} is not a path for a console. Write it like "/console".`);
  const base = path === "/" ? "" : path;
  const access = new Access(token, path);
  const page = new Page(access, base);
  const live = `${base}/live`;
  const paths = new Set([...page.paths, live]);
  const isOwn = (exchange: Exchange): boolean => paths.has(exchange.path);
  return (server) => {
    const viewers = new Viewers(server, { ...extras, own: panels, history, isOwn });
    page.serveOn(server);
    server.websocket<Viewer>(
      live,
      {
        upgrade(exchange) {
          setPolicy(exchange);
          if (!sameOrigin(exchange) || !access.permits(exchange)) return exchange.refuse(403);
          return viewers.full ? exchange.refuse(503) : viewers.newcomer();
        },
        open: (socket) => viewers.open(socket),
        message: (socket, data) => viewers.message(socket, readPageMessage(data)),
        close: (socket) => viewers.close(socket),
      },
      { maxMessageBytes: MAX_MESSAGE_BYTES, ...AT_ONCE },
    );
    server.onClose(() => viewers.end());
  };
}
