import type { Member, Position } from "../protocol/channels/messages.ts";

/** A message in the history of a channel. */
export interface StoredMessage {
  readonly offset: number;
  /** JSON text. */
  readonly record: string;
}

/** How much of a channel's history to keep. */
export interface HistoryOptions {
  /** The number of messages, from 1 to 10,000. Older messages are dropped. */
  maxMessages: number;
  /** The size of all messages together, in bytes. The newest is always kept. Default 1 MiB. */
  maxBytes?: number;
  /** How long to keep the history after its last message, in milliseconds. Default a day. */
  maxAgeMs?: number;
}

/** A store's answer when it is asked for a history. */
export interface History extends Position {
  /** All messages after the requested offset, or all that are left when some of them were dropped. */
  readonly messages: readonly StoredMessage[];
}

/** A user's connection, for presence. */
export interface Presence extends Member {
  /** The id of the connection, unique in all processes. */
  readonly client: string;
}

/**
 * Keeps what channels remember: histories and presence. Each function must be atomic, because several processes can call
 * it for one channel at the same time. A call that rejects is tried again, or the client gets the error "unavailable".
 */
export interface ChannelStore {
  /**
   * Adds a message. The first message of a new history has offset 1, and the offset grows by 1 with each message.
   * @returns its position
   */
  append(channel: string, record: string, history: Required<HistoryOptions>): Promise<Position>;
  /**
   * Returns the messages after a position. If there is no history, the store begins one, so that later messages can be
   * recovered from offset 0.
   * @param after if undefined, or of another epoch, all messages are returned
   */
  read(channel: string, after: Position | undefined, history: Required<HistoryOptions>): Promise<History>;
  /**
   * Adds a connection, or keeps it.
   * @param ttlMs the connection expires unless it is kept again within this time, in milliseconds
   * @returns whether its user had no other connection
   */
  join(channel: string, presence: Presence, ttlMs: number): Promise<boolean>;
  /** Removes a connection. @returns whether its user has no other one left */
  leave(channel: string, presence: Presence): Promise<boolean>;
  /**
   * Extends connections, and removes expired ones, whose processes have ended.
   * @param ttlMs as for {@link join}
   * @returns the users who are present now
   */
  keep(channel: string, presences: readonly Presence[], ttlMs: number): Promise<Member[]>;
}
