import { hintFor } from "../options/check-options.ts";
import { defaultHttpLimits, type HttpLimits } from "../protocol/http1/http-limits.ts";

/**
 * The limits and timeouts of a server. Names that end in Bytes are in bytes, and names that end in Ms in milliseconds.
 * You can change `server.limits` while the server runs. A change applies from the next request, message or connection
 * on. A timeout of 0 or Infinity never ends.
 */
export interface Limits extends HttpLimits {
  /** The largest WebSocket message, over all its fragments and after decompression. A larger one closes with 1009. */
  maxMessageBytes: number;
  /**
   * How much data can wait for one slow client. A WebSocket message beyond it is dropped, and a response beyond it is
   * aborted.
   */
  maxBackpressureBytes: number;
  /** How much data can wait for all slow clients of the server together. */
  maxTotalBackpressureBytes: number;
  /**
   * How much memory all incomplete WebSocket messages and request bodies can use together. Beyond it those larger than
   * 64 KiB are refused with 1013 or 503.
   */
  maxTotalIncompleteBytes: number;
  /** The amount of waiting data from which a write asks the program to wait for `drain`. */
  writeHighWaterBytes: number;
  /**
   * Deferred delivery: how much memory the waiting events can use, at least 256 bytes each, before all senders are
   * paused.
   */
  maxQueueBytes: number;
  /**
   * Deferred delivery: the same for the events of one socket, at least 4 KiB each. It pauses only this socket, so that
   * the others do not wait longer in a poll.
   */
  maxQueueBytesPerSocket: number;
  /** How much of a request body is read and discarded to keep a connection whose request was answered early. */
  maxDiscardBytes: number;
  /** The number of open connections. */
  maxConnections: number;
  /** The number of open connections from one address. */
  maxConnectionsPerAddress: number;
  /** The number of requests on one connection before it is closed. */
  maxRequestsPerConnection: number;
  /** The number of topics that one WebSocket can subscribe to. */
  maxSubscriptions: number;
  /** How much data can wait for the broker. Beyond it the oldest messages for other servers are dropped. */
  maxBrokerBytes: number;
  /** How long the broker subscription of a topic without subscribers is kept; 0: not at all. */
  brokerLeaveDelayMs: number;
  /**
   * The time for the head of a request, from its first byte or from the start of the connection. After it the client
   * gets 408.
   */
  headTimeoutMs: number;
  /** The time for each 64 KiB of a request body, or for the rest of it. After it the client gets 408. */
  bodyTimeoutMs: number;
  /** The time between two requests on one connection. Set it longer than your load balancer keeps idle connections. */
  keepAliveTimeoutMs: number;
  /**
   * The time for a handler, from the end of the request to the head of the response, without the time spent waiting for
   * the client. After it the client gets 503. A route can have a different timeout, and so can an exchange with
   * `answerWithin`.
   */
  handlerTimeoutMs: number;
  /** The time after which a client that reads none of its waiting data is disconnected. */
  writeTimeoutMs: number;
  /** The time for a client to close after the server has, or to send more of what it is sending. Not 0. */
  closeTimeoutMs: number;
  /** The total time for a client that keeps sending after the server has ended the connection. */
  lingerTimeoutMs: number;
  /** The time after which a silent WebSocket gets a ping. */
  webSocketIdleTimeoutMs: number;
  /**
   * The time for anything to arrive after that ping. After it the WebSocket is disconnected; with Infinity it gets
   * another ping instead.
   */
  pongTimeoutMs: number;
  /** The age at which a WebSocket is closed with 1001; 0 for no limit. */
  webSocketLifetimeMs: number;
}

/** The defaults; the reasons are in docs/limits.md. */
export const defaultLimits: Readonly<Limits> = {
  ...defaultHttpLimits,
  maxMessageBytes: 16_777_216,
  maxBackpressureBytes: 16_777_216,
  maxTotalBackpressureBytes: 1_073_741_824,
  maxTotalIncompleteBytes: 1_073_741_824,
  writeHighWaterBytes: 65_536,
  maxQueueBytes: 16_777_216,
  maxQueueBytesPerSocket: 1_048_576,
  maxDiscardBytes: 65_536,
  maxConnections: 65_536,
  maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  maxRequestsPerConnection: Number.POSITIVE_INFINITY,
  maxSubscriptions: 1_024,
  maxBrokerBytes: 16_777_216,
  brokerLeaveDelayMs: 5_000,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  handlerTimeoutMs: 30_000,
  writeTimeoutMs: 60_000,
  closeTimeoutMs: 2_000,
  lingerTimeoutMs: 30_000,
  webSocketIdleTimeoutMs: 120_000,
  pongTimeoutMs: 30_000,
  webSocketLifetimeMs: 0,
};

/** With 0 a program that answers each `writable` would write nothing again and again, and a connection would never end. */
const NOT_ZERO = new Set(["writeHighWaterBytes", "closeTimeoutMs"]);

/**
 * Fills in the defaults.
 * @throws RangeError for an unknown limit, and for a value that is not a number of at least 0 (for some limits, at
 *   least 1)
 */
export function limitsFrom(given: Partial<Limits>): Limits {
  for (const [name, value] of Object.entries(given)) checkLimit(name, value);
  return { ...defaultLimits, ...given };
}

/**
 * Returns the limits in a form that a program can change: new values are checked as by {@link limitsFrom}. The engine
 * reads the limits directly, which is faster.
 */
export function changeableLimits(limits: Limits): Limits {
  return new Proxy(limits, {
    set(target, name, value) {
      checkLimit(String(name), value);
      return Reflect.set(target, name, value);
    },
  });
}

function checkLimit(name: string, value: unknown): void {
  if (!Object.hasOwn(defaultLimits, name)) {
    const hint = hintFor(name, Object.keys(defaultLimits));
    throw new RangeError(`limits.${name} is not a limit of Portico. ${hint}`);
  }
  const least = NOT_ZERO.has(name) ? 1 : 0;
  const isLimit =
    name === "requireContentLength"
      ? typeof value === "boolean"
      : typeof value === "number" && value >= least;
  if (!isLimit) {
    throw new RangeError(`limits.${name} cannot be ${String(value)}. Use a number of at least ${least}`);
  }
}
