// What clients and servers of channels say to each other, in the first version: docs/channels.md has each message.

/** The subprotocols (RFC 6455 §1.9): the same messages as JSON text, or as MessagePack in binary messages. */
export const JSON_PROTOCOL = "portico.channels.1.json";
export const MESSAGE_PACK_PROTOCOL = "portico.channels.1.msgpack";

/** Close codes (RFC 6455 §7.4.2) by which a server says what a client should do. */
export const CLOSE = {
  /** What the client sent breaks a rule of the protocol: come back, but not for ever. */
  badMessage: 4400,
  /** The sign-in was refused, or its time is over: come back with another token. */
  signIn: 4401,
  /** The client did not sign in in time, or was silent: come back. */
  timeout: 4408,
  /** The program has ended the connection: do not come back. */
  dismissed: 4410,
  /** The client is too slow for its messages: come back, and recover. */
  tooSlow: 4413,
} as const;

export type ErrorCode =
  /** The message does not fit the type of the channel or the request; `message` says why. */
  | "invalid"
  | "forbidden"
  | "unknown-channel"
  | "unknown-request"
  | "not-subscribed"
  | "too-many-channels"
  /** A subscription of this name has begun and not ended, or was ended meanwhile. */
  | "conflict"
  /** The answer did not come in time. */
  | "timeout"
  /** The store cannot be reached: try again. */
  | "unavailable"
  /** The program's function has thrown. */
  | "failed";

/** Where a client is in the history of a channel. */
export interface Position {
  /** Names one unbroken history. Offsets of another epoch mean nothing. */
  readonly epoch: string;
  /** The offset of the last message; they are counted from 1. */
  readonly offset: number;
}

/** A user who is there, with one connection or more. */
export interface Member {
  readonly user: string;
  /** What the server tells the others about the user. */
  readonly info?: unknown;
}

/** A message of a channel. */
export interface ChannelMessage {
  /** Undefined in channels without a history. */
  readonly offset?: number;
  readonly data: unknown;
  /** The connection that published it; undefined for the server. */
  readonly client?: string;
  /** The connection that published it does not want it. */
  readonly quiet?: true;
}

export type ClientMessage =
  | { readonly type: "hello"; readonly id: number; readonly token?: string }
  | { readonly type: "refresh"; readonly id: number; readonly token: string }
  | {
      readonly type: "subscribe";
      readonly id: number;
      readonly channel: string;
      /** To recover what came after it. */
      readonly since?: Position;
      /** How many of the last messages to send when there is nothing to recover. */
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
  /** Names this connection. */
  readonly client: string;
  readonly user: string;
  /** How long the token is valid, in milliseconds; undefined: for ever. */
  readonly expiresInMs?: number;
  /** After such a silence of the server the client sends a ping, in milliseconds. */
  readonly pingAfterMs: number;
}

export interface Subscribed {
  readonly type: "subscribed";
  readonly id: number;
  /** Undefined in channels without a history. */
  readonly position?: Position;
  /** Whether `messages` are all that came after `since`. */
  readonly recovered: boolean;
  readonly messages: readonly ChannelMessage[];
  /** Who is there; undefined in channels without presence. */
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
  /** A message that this client published and does not want: only its offset counts. */
  | { readonly type: "skip"; readonly channel: string; readonly offset: number }
  | ({ readonly type: "join"; readonly channel: string } & Member)
  | { readonly type: "leave"; readonly channel: string; readonly user: string }
  /** Messages are missing here, and cannot be recovered. */
  | { readonly type: "reset"; readonly channel: string; readonly position: Position }
  /** The server has ended a subscription. */
  | { readonly type: "ended"; readonly channel: string; readonly code: ErrorCode; readonly message: string };
