export type { Member } from "../protocol/channels/messages.ts";
export type { CallOptions } from "./calls.ts";
export { ChannelError } from "./channel-error.ts";
export type { ClientOptions } from "./client.ts";
export { Client } from "./client.ts";
export type { ConnectionState, SocketLike } from "./reconnecting-socket.ts";
export type {
  PublishOptions,
  ReceivedMessage,
  SubscriptionEvents,
  SubscriptionState,
} from "./subscription.ts";
export { Subscription } from "./subscription.ts";
export type { Types } from "./types.ts";
