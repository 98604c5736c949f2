// The messages between clients and servers of channels, version 1. docs/channels.md describes each of them.

/** The two subprotocols (RFC 6455 §1.9) carry the same messages: JSON in text messages, MessagePack in binary messages. */
export const JSON_PROTOCOL = "portico.channels.1.json";
export const MESSAGE_PACK_PROTOCOL = "portico.channels.1.msgpack";

/** Close codes (RFC 6455 §7.4.2) that tell a client what to do next. */
export const CLOSE = {
  /** A message of the client breaks a rule of the protocol: reconnect, but not forever. */
  badMessage: 4400,
  /** The sign-in was refused, or the token has expired: reconnect with another token. */
  signIn: 4401,
  /** The client took too long to sign in: reconnect. */
  timeout: 4408,
  /** The program has disconnected the client: do not reconnect. */
  dismissed: 4410,
  /** The client reads too slowly: reconnect and recover. */
  tooSlow: 4413,
} as const;

/** Longer names of channels and requests are refused. */
export const MAX_NAME_LENGTH = 255;

export function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

export type ErrorCode =
  /** The data does not match the schema of the channel or the request; `message` says why. */
  | "invalid"
  | "forbidden"
  | "unknown-channel"
  | "unknown-request"
  | "not-subscribed"
  | "too-many-channels"
  /** A subscription to this channel is already starting, or was ended while it started. */
  | "conflict"
  /** The answer took too long. */
  | "timeout"
  /** The store cannot be reached: try again. */
  | "unavailable"
  /** A function of the program threw an error. */
  | "failed";

/** A position in the history of a channel. */
export interface Position {
  /** Names one unbroken history. Offsets of different epochs cannot be compared. */
  readonly epoch: string;
  /** The offset of the last message. Offsets count from 1. */
  readonly offset: number;
}

/** A user who is present, with one or more connections. */
export interface Member {
  readonly user: string;
  /** What other members see, such as a display name. */
  readonly info?: unknown;
}

/** A message of a channel. */
export interface ChannelMessage {
  /** Undefined in channels without a history. */
  readonly offset?: number;
  readonly data: unknown;
  /** The id of the connection that published it; undefined if the server did. */
  readonly client?: string;
  /** Set when the connection that published the message does not want to receive it. */
  readonly quiet?: true;
}

export type ClientMessage =
  | { readonly type: "hello"; readonly id: number; readonly token?: string }
  | { readonly type: "refresh"; readonly id: number; readonly token: string }
  | {
      readonly type: "subscribe";
      readonly id: number;
      readonly channel: string;
      /** Recovers the messages after this position. */
      readonly since?: Position;
      /** How many of the last messages to send without `since`, or if they cannot be recovered. */
      readonly history?: number;
    }
  | { readonly type: "unsubscribe"; readonly id: number; readonly channel: string }
  | {
      readonly type: "publish";
      readonly id: number;
      readonly channel: string;
      readonly data: unknown;
      readonly quiet?: true;
    }
  | { readonly type: "request"; readonly id: number; readonly name: string; readonly data: unknown }
  | { readonly type: "ping" };

export interface Welcome {
  readonly type: "welcome";
  readonly id: number;
  /** The id of this connection. */
  readonly client: string;
  readonly user: string;
  /** How long the token is valid, in milliseconds; undefined if it never expires. */
  readonly expiresInMs?: number;
  /** The client sends a ping when the server has been silent for so long, in milliseconds. */
  readonly pingAfterMs: number;
}

export interface Subscribed {
  readonly type: "subscribed";
  readonly id: number;
  /** Undefined in channels without a history. */
  readonly position?: Position;
  /** Whether `messages` has every message after `since`. */
  readonly recovered: boolean;
  readonly messages: readonly ChannelMessage[];
  /** The users who are present; undefined in channels without presence. */
  readonly members?: readonly Member[];
}

export type ServerMessage =
  | Welcome
  | { readonly type: "refreshed"; readonly id: number; readonly expiresInMs?: number }
  | Subscribed
  | { readonly type: "unsubscribed"; readonly id: number }
  | { readonly type: "published"; readonly id: number; readonly offset?: number }
  | { readonly type: "answer"; readonly id: number; readonly data: unknown }
  | { readonly type: "error"; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "pong" }
  | ({ readonly type: "message"; readonly channel: string } & ChannelMessage)
  /** The offset of a message that this client published and does not want to receive. */
  | { readonly type: "skip"; readonly channel: string; readonly offset: number }
  | ({ readonly type: "join"; readonly channel: string } & Member)
  | { readonly type: "leave"; readonly channel: string; readonly user: string }
  /** Messages are missing and cannot be recovered. The next message follows this position. */
  | { readonly type: "reset"; readonly channel: string; readonly position: Position }
  /** The server has ended a subscription. */
  | { readonly type: "ended"; readonly channel: string; readonly code: ErrorCode; readonly message: string };
