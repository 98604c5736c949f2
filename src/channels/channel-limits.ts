import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { hintFor } from "../options/check-options.ts";
import { isWhole } from "./definitions.ts";

/** Limits of channels, all in one place. Times are in milliseconds. */
export interface ChannelLimits {
  /** How many channels a connection can subscribe to. Default 100. */
  maxChannelsPerClient: number;
  /** The size of a client's message, in bytes. Default 64 KiB. */
  maxMessageBytes: number;
  /** How many messages a client can send per second; beyond that it is read from more slowly. Default 50. */
  messagesPerSecond: number;
  /** How many messages a client can send at once after a silence. Default 100. */
  burst: number;
  /** How many messages of a client are answered at a time; meanwhile it is not read from. Default 32. */
  maxPending: number;
  /** How long a client can take to sign in. Default 10 s. */
  signInTimeoutMs: number;
  /** How long the answer to a request can take. Default 10 s. */
  requestTimeoutMs: number;
  /** After this much silence of the server, clients send a ping. Default 25 s. */
  pingAfterMs: number;
  /** The other members do not notice when a user comes back within this time. Default 5 s. */
  leaveDelayMs: number;
  /** The members of a process that ends without notice leave after this time. Default 30 s. */
  presenceTtlMs: number;
  /** How often channels check the store for messages that the broker has lost. Default 10 s. */
  syncIntervalMs: number;
}

const defaultChannelLimits: Readonly<ChannelLimits> = {
  maxChannelsPerClient: 100,
  maxMessageBytes: 65_536,
  messagesPerSecond: 50,
  burst: 100,
  maxPending: 32,
  signInTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  pingAfterMs: 25_000,
  leaveDelayMs: 5_000,
  presenceTtlMs: 30_000,
  syncIntervalMs: 10_000,
};

/** @throws TypeError for an unknown name; RangeError for a value that is not an integer from 1 to 2,147,483,647 */
export function channelLimitsOf(given: Partial<ChannelLimits> = {}): ChannelLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultChannelLimits, name)) {
      const hint = hintFor(name, Object.keys(defaultChannelLimits));
      throw new TypeError(`limits.${name} is not a limit of channels. ${hint}`);
    }
    if (!isWhole(value, MAX_TIMER_MS)) {
      throw new RangeError(
        `limits.${name} cannot be ${String(value)}. Use an integer from 1 to ${MAX_TIMER_MS}`,
      );
    }
  }
  return { ...defaultChannelLimits, ...given };
}
