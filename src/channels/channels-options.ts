import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { ChannelLimits } from "./channel-limits.ts";
import { type ChannelDefinition, checkDefinitions, type RequestDefinition } from "./definitions.ts";
import { checkOrigins, type Origins } from "./origins.ts";
import type { Authenticate } from "./session.ts";
import type { MessagePack } from "./shared-message.ts";
import type { ChannelStore } from "./store.ts";

export interface ChannelsOptions<
  Definitions extends Readonly<Record<string, ChannelDefinition>>,
  Requests extends Readonly<Record<string, RequestDefinition>>,
> {
  /** The path where clients connect. Default "/channels". */
  path?: string;
  /**
   * Identifies a client by the token in its first message, and again when it sends a newer token. A client is refused if
   * the function returns undefined or throws. With "anonymous", everybody can connect, and each connection is a separate
   * user.
   */
  authenticate: "anonymous" | Authenticate;
  /** The channels, by name or by the beginning of a name and "*". An exact name wins, then the longest beginning. */
  channels: Definitions;
  /** The requests that clients can send, by name. */
  requests?: Requests;
  /** Keeps histories and presence. Default: `memoryStore()`, for a server without a broker. */
  store?: ChannelStore;
  /** The pages that can connect. Default "same": pages of this host, and clients that are not browsers. */
  origins?: Origins;
  /** Also lets clients use MessagePack, for example with the package `@msgpack/msgpack`. Default: JSON only. */
  messagePack?: MessagePack;
  /** Compresses messages with permessage-deflate. Default false. */
  compression?: boolean | DeflateOptions;
  limits?: Partial<ChannelLimits>;
  /** Called with errors of the program's functions and of the store. Default: the server's `onError`. */
  onError?(error: unknown): unknown;
}

const channelsOptionNames: OptionNames<ChannelsOptions<Record<string, never>, Record<string, never>>> = {
  path: true,
  authenticate: true,
  channels: true,
  requests: true,
  store: true,
  origins: true,
  messagePack: true,
  compression: true,
  limits: true,
  onError: true,
};

/** @throws TypeError or RangeError for invalid options */
export function checkChannelsOptions(
  options: ChannelsOptions<
    Readonly<Record<string, ChannelDefinition>>,
    Readonly<Record<string, RequestDefinition>>
  >,
): void {
  checkOptions("Channels", options, channelsOptionNames);
  const { authenticate, channels, requests = {}, origins = "same", messagePack, onError } = options;
  if (authenticate !== "anonymous" && typeof authenticate !== "function") {
    throw new TypeError('Channels needs authenticate: a function, or "anonymous"');
  }
  checkDefinitions(channels, requests);
  checkOrigins(origins);
  const { encode, decode }: Partial<MessagePack> = messagePack ?? {};
  if (messagePack !== undefined && (typeof encode !== "function" || typeof decode !== "function")) {
    throw new TypeError(
      "messagePack needs the functions encode and decode, like the package @msgpack/msgpack",
    );
  }
  if (onError !== undefined && typeof onError !== "function") {
    throw new TypeError(`onError of Channels must be a function, not ${String(onError)}`);
  }
}

/** The names that a table allows: exact names, and for patterns with a star any name that begins like them. */
export type NameOf<Table> = {
  [Name in keyof Table & string]: Name extends `${infer Begin}*` ? `${Begin}${string}` : Name;
}[keyof Table & string];

/** What a program can publish to a channel. */
export type InputOf<Table, Name extends string> = {
  [Pattern in keyof Table & string]: Name extends NameOf<Pick<Table, Pattern>>
    ? InputOfDefinition<Table[Pattern]>
    : never;
}[keyof Table & string];

type InputOfDefinition<Definition> =
  Definition extends ChannelDefinition<infer Input, infer _Output> ? Input : unknown;
