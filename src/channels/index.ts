export type { ChannelLimits } from "./channel-limits.ts";
export type { ChannelsOptions } from "./channels.ts";
export { Channels } from "./channels.ts";
export type { ChannelClient, ChannelDefinition, PublishFunction, RequestDefinition } from "./definitions.ts";
export { channel, request } from "./definitions.ts";
export { memoryStore } from "./memory-store.ts";
export type { Authenticate, Identity } from "./session.ts";
export type { MessagePack } from "./shared-message.ts";
export type { ChannelStore, History, HistoryOptions, Presence, StoredMessage } from "./store.ts";
