import { hintFor } from "../options/check-options.ts";

/** Limits of channels, all in one place. Times are in milliseconds. */
export interface ChannelLimits {
  /** Channels that a connection can subscribe to. Default 100. */
  maxChannelsPerClient: number;
  /** Bytes of a message of a client. Default 64 KiB. */
  maxMessageBytes: number;
  /** Messages of a client in a second; beyond it the client is read from more slowly. Default 50. */
  messagesPerSecond: number;
  /** Messages that a client can send at once, when it has been silent before. Default 100. */
  burst: number;
  /** Messages of a client whose answers are under way; beyond it the client is read from when one is done. Default 32. */
  maxPending: number;
  /** For the first message. Default 10 s. */
  signInTimeoutMs: number;
  /** For the answer to a request. Default 10 s. */
  requestTimeoutMs: number;
  /** Clients send a ping after such a silence. Default 25 s. */
  pingAfterMs: number;
  /** A user who comes back so soon has not left for the others. Default 5 s. */
  leaveDelayMs: number;
  /** Members of a process that has ended leave after it. Default 30 s. */
  presenceTtlMs: number;
  /** Channels look for messages that the broker has lost, and for members. Default 10 s. */
  syncIntervalMs: number;
}

export const defaultChannelLimits: Readonly<ChannelLimits> = {
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

/** @throws TypeError for an unknown name; RangeError for a value that is not a number from 1 on */
export function channelLimitsOf(given: Partial<ChannelLimits> = {}): ChannelLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultChannelLimits, name)) {
      const hint = hintFor(name, Object.keys(defaultChannelLimits));
      throw new TypeError(`limits.${name} is not a limit of channels. ${hint}`);
    }
    if (!(typeof value === "number" && value >= 1)) {
      throw new RangeError(`limits.${name} cannot be ${String(value)}: set a number from 1 on`);
    }
  }
  return { ...defaultChannelLimits, ...given };
}
