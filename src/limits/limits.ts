import { hintFor } from "../options/check-options.ts";
import { defaultHttpLimits, type HttpLimits } from "../protocol/http1/http-limits.ts";

/**
 * Every limit and timeout of a server, with its unit in its name. `server.limits` is this record and may be
 * changed while the server runs; a change counts from the next request, message or connection on. Timeouts of 0, or
 * of Infinity, never end anything.
 */
export interface Limits extends HttpLimits {
  /** A WebSocket message over all its fragments and after inflating; more closes with 1009. */
  maxMessageBytes: number;
  /** What may wait for one slow client. A WebSocket send beyond it is dropped, a response write beyond it aborts. */
  maxBackpressureBytes: number;
  /** What may wait for all slow clients of the server together. */
  maxTotalBackpressureBytes: number;
  /**
   * What incomplete WebSocket messages and request bodies of all connections may hold together. Beyond it those that
   * grow over 64 KiB end: with 1013, or with 503.
   */
  maxTotalIncompleteBytes: number;
  /** From here on a write answers that the program should wait for `drain`. */
  writeHighWaterBytes: number;
  /** Deferred delivery: events waiting to be polled (what they hold, at least 256 bytes each) that pause the sockets. */
  maxQueueBytes: number;
  /**
   * Deferred delivery: the same for the events of one socket, at least 4 KiB each. It pauses this socket only, so that no
   * other waits longer for its turn in a poll.
   */
  maxQueueBytesPerSocket: number;
  /** Content that is read and thrown away to keep a connection whose request was answered early. */
  maxDiscardBytes: number;
  /** Open connections. */
  maxConnections: number;
  /** Open connections from one address. */
  maxConnectionsPerAddress: number;
  /** Requests on one connection before it is closed. */
  maxRequestsPerConnection: number;
  /** Topics one WebSocket may subscribe to. */
  maxSubscriptions: number;
  /** What may wait for the broker; the oldest messages for other servers are dropped then. */
  maxBrokerBytes: number;
  /** How long a topic without subscribers is still received from the broker; 0: not at all. */
  brokerLeaveDelayMs: number;
  /** From the first byte of a head (or from the connection's begin) to its end; the answer is 408. */
  headTimeoutMs: number;
  /** For each 64 KiB of content to arrive, or the rest of it; the answer is 408. */
  bodyTimeoutMs: number;
  /** Between two requests of one connection. Longer than the load balancer in front of the server keeps idle ones. */
  keepAliveTimeoutMs: number;
  /**
   * For a handler to answer: from the end of the request to the head of the response, while the client is not waited
   * for. The answer is 503. A route can have its own, and an exchange with `answerWithin`.
   */
  handlerTimeoutMs: number;
  /** For a client that takes nothing of what waits for it. */
  writeTimeoutMs: number;
  /** For a client to close after us, or to send more of what it is sending. Not 0. */
  closeTimeoutMs: number;
  /** For a client that goes on sending after we have ended the connection, in all. */
  lingerTimeoutMs: number;
  /** A WebSocket that is silent for so long is sent a ping. */
  webSocketIdleTimeoutMs: number;
  /** For anything to arrive after that ping; otherwise the WebSocket is gone. Infinity: it is pinged again instead. */
  pongTimeoutMs: number;
  /** Age at which a WebSocket is closed with 1001; 0 for none. */
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
 * @throws RangeError for a limit that is not a number from 0 on (from 1 on for some), or that is unknown
 */
export function limitsFrom(given: Partial<Limits>): Limits {
  for (const [name, value] of Object.entries(given)) checkLimit(name, value);
  return { ...defaultLimits, ...given };
}

/**
 * Returns the same limits for a program to change: what it sets is checked like what {@link limitsFrom} is given. The engine
 * reads the limits themselves, which is faster.
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
    throw new RangeError(`limits.${name} cannot be ${String(value)}: a number from ${least} on is needed`);
  }
}
