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
   * "immediate" (default): handlers run when something happens. "deferred": everything waits in a queue until
   * `poll` or `events` of the server takes it. Or a queue that several servers share.
   */
  delivery?: "immediate" | "deferred" | EventQueue;
  /** Gets the errors that handlers throw, and all else that is not the client's fault. Default: to the console, after the request's method and path. */
  onError?: ErrorReporter;
  /** Shares topics with the servers of other processes and machines. Default: topics belong to this process, or its workers. */
  broker?: Broker;
  /** Answer HEAD with the route for GET, without its content. Default true. */
  autoHead?: boolean;
  /** Answer OPTIONS with 204 and Allow where no route does. Default true. */
  autoOptions?: boolean;
  /** Answer 405 with Allow where a path has routes, but not for the method; false: 404. Default true. */
  autoAllow?: boolean;
  /**
   * Answer clients that end their half of the connection after the request, as `nc` does. Default false: a client that
   * closes looks the same, so handlers could not be told that nobody waits for their work.
   */
  allowHalfOpen?: boolean;
  /**
   * Read from all sockets into one buffer and write to their handles, where Node allows it. Default true; false uses
   * their streams only, which is slower.
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
  /** How long exchanges and WebSockets may take to end by themselves, in milliseconds. Default 5,000. */
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

/** Returns how long a close may take. @throws TypeError for an unknown option */
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
