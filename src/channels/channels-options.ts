import type { OptionNames } from "../options/check-options.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { ChannelLimits } from "./channel-limits.ts";
import type { ChannelDefinition, RequestDefinition } from "./definitions.ts";
import type { Origins } from "./origins.ts";
import type { Authenticate } from "./session.ts";
import type { MessagePack } from "./shared-message.ts";
import type { ChannelStore } from "./store.ts";

export interface ChannelsOptions<
  Definitions extends Readonly<Record<string, ChannelDefinition>>,
  Requests extends Readonly<Record<string, RequestDefinition>>,
> {
  /** Where clients connect. Default "/channels". */
  path?: string;
  /**
   * Says who a client is, from the token that it sends first, and again when it sends a newer one. Undefined, or an error,
   * refuses it. "anonymous": everybody can connect, and each connection is a user.
   */
  authenticate: "anonymous" | Authenticate;
  /** By name, or by the begin of a name and "*". The whole name wins, and then the longest begin. */
  channels: Definitions;
  /** What clients can ask, by name. */
  requests?: Requests;
  /** Keeps histories and presence. Default: `memoryStore()`, for a server without a broker. */
  store?: ChannelStore;
  /** The pages that can connect. Default "same": those of this host, and clients that are no browsers. */
  origins?: Origins;
  /** Lets clients speak MessagePack, too, such as by the package `@msgpack/msgpack`. Default: JSON only. */
  messagePack?: MessagePack;
  /** permessage-deflate for the connections. Default false. */
  compression?: boolean | DeflateOptions;
  limits?: Partial<ChannelLimits>;
  /** Gets what the program's functions and the store throw. Default: the server's `onError`. */
  onError?(error: unknown): unknown;
}

export const channelsOptionNames: OptionNames<ChannelsOptions<Record<string, never>, Record<string, never>>> =
  {
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

/** Names of a table: those without a star as they are, patterns as any text that begins alike. */
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
