import type { Member, Position } from "../protocol/channels/messages.ts";

/** A message in the history of a channel. */
export interface StoredMessage {
  readonly offset: number;
  /** JSON text. */
  readonly record: string;
}

/** How much of a channel's history is kept. */
export interface HistoryOptions {
  /** Older messages are dropped. From 1 to 10,000. */
  maxMessages: number;
  /** The bytes of all messages together; the newest is always kept. Default 1 MiB. */
  maxBytes?: number;
  /** For how long the history is kept after its last message, in milliseconds. Default a day. */
  maxAgeMs?: number;
}

/** What a store answers when it is asked for a history. */
export interface History extends Position {
  /** All that came after the offset that was asked for, or the oldest that are left when that one is gone. */
  readonly messages: readonly StoredMessage[];
}

/** A connection of a user, for presence. */
export interface Presence extends Member {
  /** Names the connection in all processes. */
  readonly client: string;
}

/**
 * Keeps what channels remember: histories, and who is there. Each function is atomic: several processes can call it for
 * the same channel at the same time. What rejects is tried again, or told to the client as "unavailable".
 */
export interface ChannelStore {
  /**
   * Adds a message. The first one of a new history has offset 1, and each next one the next offset.
   * @returns its position
   */
  append(channel: string, record: string, history: Required<HistoryOptions>): Promise<Position>;
  /**
   * Returns what is kept after a position, and begins a history where there is none: then a message that comes later
   * can be recovered from offset 0.
   * @param after undefined, or of another epoch: all that is kept
   */
  read(channel: string, after: Position | undefined, history: Required<HistoryOptions>): Promise<History>;
  /**
   * Adds a connection, or keeps it.
   * @param ttlMs when it is not kept again so soon, it expires
   * @returns whether its user had no other connection
   */
  join(channel: string, presence: Presence, ttlMs: number): Promise<boolean>;
  /** Removes a connection. @returns whether its user has no other one left */
  leave(channel: string, presence: Presence): Promise<boolean>;
  /** Keeps connections for longer. Those that have expired, of processes that ended, are removed. @returns who is there now */
  keep(channel: string, presences: readonly Presence[], ttlMs: number): Promise<Member[]>;
  /** Ends what the store does by itself. Connections that the program made stay open. */
  close?(): Promise<void> | void;
}
