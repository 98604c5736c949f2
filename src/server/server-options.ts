import { Exchange } from "../exchange/exchange.ts";
import type { EventQueue } from "../exchange/server-event.ts";
import type { Limits } from "../limits/limits.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { type Broker, defaultBroker } from "./broker.ts";
import type { CoreOptions, ErrorReporter } from "./server-core.ts";

export interface ServerOptions {
  /** Limits and timeouts that differ from the defaults. */
  limits?: Partial<Limits>;
  /**
   * When handlers run. "immediate" (default): as soon as something happens. "deferred": events wait in a queue until
   * `poll` or `events` of the server takes them. Or an EventQueue, which several servers can share.
   */
  delivery?: "immediate" | "deferred" | EventQueue;
  /**
   * Receives errors of handlers, and all other errors that the client did not cause. Default: prints them to the
   * console, with the method and path of the request.
   */
  onError?: ErrorReporter;
  /**
   * Shares topics with the servers of other processes and machines. Default: topics are limited to this process, or its
   * workers.
   */
  broker?: Broker;
  /** Answers HEAD with the route for GET, without the body. Default true. */
  autoHead?: boolean;
  /** Answers OPTIONS with 204 and Allow if no route does. Default true. */
  autoOptions?: boolean;
  /** Answers 405 with Allow if a path has routes, but not for the method. Default true; false answers 404. */
  autoAllow?: boolean;
  /**
   * Answers clients that end their half of the connection after the request, as `nc` does. Default false, because a
   * client that disconnects looks the same: with true, handlers do not learn that the client has disconnected.
   */
  allowHalfOpen?: boolean;
  /**
   * Reads from all sockets into one buffer and writes to their handles, if Node allows it. Default true; false uses
   * only streams, which is slower.
   */
  directIo?: boolean;
  /** @internal Add nothing to what the program sends: for interfaces whose responses are laid down elsewhere. */
  isBare?: boolean;
}

const serverOptionNames: OptionNames<ServerOptions> = {
  limits: true,
  delivery: true,
  onError: true,
  broker: true,
  autoHead: "boolean",
  autoOptions: "boolean",
  autoAllow: "boolean",
  isBare: "boolean",
  allowHalfOpen: "boolean",
  directIo: "boolean",
};

export interface CloseOptions {
  /** How long exchanges and WebSockets can take to end by themselves, in milliseconds. Default 5,000. */
  graceMs?: number;
}

const closeOptionNames: OptionNames<CloseOptions> = {
  graceMs: true,
};

/** Returns the options with their defaults. @throws TypeError for an unknown one */
export function coreOptions(options: ServerOptions): CoreOptions {
  checkOptions("Server", options, serverOptionNames);
  const { delivery = "immediate", onError = reportToConsole } = options;
  const { autoHead = true, autoOptions = true, autoAllow = true } = options;
  const { isBare = false, allowHalfOpen = false, broker = defaultBroker() } = options;
  return { delivery, onError, broker, autoHead, autoOptions, autoAllow, isBare, allowHalfOpen };
}

/** Returns how long a close can take, in milliseconds. @throws TypeError for an unknown option */
export function graceMsOf(options: CloseOptions): number {
  checkOptions("close", options, closeOptionNames);
  return options.graceMs ?? 5_000;
}

/** The default of `onError`: says which request the error belongs to. */
const reportToConsole: ErrorReporter = (error, where) => {
  const exchange = where === undefined || where instanceof Exchange ? where : where.request;
  if (exchange === undefined) console.error(error);
  else console.error(`${exchange.method} ${exchange.path}:`, error);
};
