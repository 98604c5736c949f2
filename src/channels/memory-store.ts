import { randomBytes } from "node:crypto";
import { ChurnMap } from "../bytes/churn-map.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Member, Position } from "../protocol/channels/messages.ts";
import { isWhole } from "./definitions.ts";
import type { ChannelStore, History, HistoryOptions, Presence, StoredMessage } from "./store.ts";

interface Stream {
  readonly epoch: string;
  offset: number;
  messages: StoredMessage[];
  bytes: number;
  expiresAt: number;
}

interface Connection {
  readonly presence: Presence;
  expiresAt: number;
}

const EPOCH_BYTES = 9;
/** How long to keep a history that has no messages yet: clients can make up any number of names. In milliseconds. */
export const EMPTY_HISTORY_MS = 600_000;
/** Expired streams are removed once in so many calls. */
const SWEEP_EVERY = 1_000;

const DEFAULT_BYTES = 268_435_456;
/** What a message and a history cost apart from the text, roughly. */
const MESSAGE_BYTES = 100;
const STREAM_BYTES = 500;

export interface MemoryStoreOptions {
  /**
   * How much memory all histories together can take, roughly, in bytes. Beyond that, those that were not used for the longest
   * time are dropped, and start over. Default 256 MiB.
   */
  maxBytes?: number;
}

const optionNames: OptionNames<MemoryStoreOptions> = { maxBytes: true };

/**
 * Keeps histories and presence in this process, and loses them when it ends. Servers of one process can share a store.
 * @throws TypeError for an unknown option; RangeError for an invalid number
 */
export function memoryStore(options: MemoryStoreOptions = {}): ChannelStore {
  checkOptions("memoryStore", options, optionNames);
  const { maxBytes = DEFAULT_BYTES } = options;
  if (!isWhole(maxBytes, Number.MAX_SAFE_INTEGER))
    throw new RangeError(`maxBytes of memoryStore cannot be ${maxBytes}. Use an integer of at least 1`);
  return new MemoryStore(maxBytes);
}

class MemoryStore implements ChannelStore {
  /** Those that were used last are last. */
  private readonly streams = new ChurnMap<string, Stream>();
  private readonly maxBytes: number;
  /** What all streams cost. */
  private bytes = 0;
  private readonly presences = new ChurnMap<string, ChurnMap<string, Connection>>();
  private calls = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  async append(channel: string, record: string, history: Required<HistoryOptions>): Promise<Position> {
    const stream = this.streamOf(channel, history);
    this.bytes -= costOf(stream);
    stream.expiresAt = performance.now() + history.maxAgeMs;
    const offset = ++stream.offset;
    stream.messages.push({ offset, record });
    stream.bytes += record.length;
    while (
      stream.messages.length > history.maxMessages ||
      (stream.bytes > history.maxBytes && stream.messages.length > 1)
    ) {
      stream.bytes -= stream.messages.shift()?.record.length ?? 0;
    }
    this.bytes += costOf(stream);
    this.dropOldest();
    return { epoch: stream.epoch, offset };
  }

  async read(
    channel: string,
    after: Position | undefined,
    history: Required<HistoryOptions>,
  ): Promise<History> {
    const { epoch, offset, messages } = this.streamOf(channel, history);
    const from = after?.epoch === epoch ? after.offset : 0;
    return { epoch, offset, messages: messages.filter((message) => message.offset > from) };
  }

  async join(channel: string, presence: Presence, ttlMs: number): Promise<boolean> {
    const connections = this.connectionsOf(channel);
    const isFirst = !hasUser(connections, presence.user);
    connections.set(presence.client, { presence, expiresAt: performance.now() + ttlMs });
    return isFirst;
  }

  async leave(channel: string, { client, user }: Presence): Promise<boolean> {
    const connections = this.connectionsOf(channel);
    const isLast = connections.delete(client) && !hasUser(connections, user);
    if (connections.size === 0) this.presences.delete(channel);
    return isLast;
  }

  async keep(channel: string, presences: readonly Presence[], ttlMs: number): Promise<Member[]> {
    const connections = this.connectionsOf(channel);
    const expiresAt = performance.now() + ttlMs;
    for (const presence of presences) connections.set(presence.client, { presence, expiresAt });
    if (connections.size === 0) this.presences.delete(channel);
    return membersOf(connections);
  }

  private streamOf(channel: string, { maxAgeMs }: Required<HistoryOptions>): Stream {
    const now = performance.now();
    if (++this.calls % SWEEP_EVERY === 0) {
      for (const [name, one] of this.streams) if (one.expiresAt <= now) this.drop(name, one);
    }
    let stream = this.streams.get(channel);
    if (stream !== undefined) this.drop(channel, stream);
    if (stream === undefined || stream.expiresAt <= now) {
      const epoch = randomBytes(EPOCH_BYTES).toString("base64url");
      stream = { epoch, offset: 0, messages: [], bytes: 0, expiresAt: 0 };
    }
    this.streams.set(channel, stream);
    this.bytes += costOf(stream);
    this.dropOldest();
    const keptMs = stream.offset > 0 ? maxAgeMs : Math.min(maxAgeMs, EMPTY_HISTORY_MS);
    stream.expiresAt = now + keptMs;
    return stream;
  }

  private drop(channel: string, stream: Stream): void {
    this.streams.delete(channel);
    this.bytes -= costOf(stream);
  }

  /** Clients can make up any number of channels where patterns allow them. The history in use is always kept. */
  private dropOldest(): void {
    for (const [channel, stream] of this.streams) {
      if (this.bytes <= this.maxBytes || this.streams.size === 1) return;
      this.drop(channel, stream);
    }
  }

  private connectionsOf(channel: string): ChurnMap<string, Connection> {
    let connections = this.presences.get(channel);
    if (connections === undefined) {
      connections = new ChurnMap();
      this.presences.set(channel, connections);
    }
    const now = performance.now();
    for (const [client, { expiresAt }] of connections) if (expiresAt <= now) connections.delete(client);
    return connections;
  }
}

/** A character of a text can take two bytes. */
function costOf({ bytes, messages }: Stream): number {
  return STREAM_BYTES + 2 * bytes + MESSAGE_BYTES * messages.length;
}

function hasUser(connections: ChurnMap<string, Connection>, user: string): boolean {
  for (const { presence } of connections.values()) if (presence.user === user) return true;
  return false;
}

function membersOf(connections: ChurnMap<string, Connection>): Member[] {
  const members = new Map<string, Member>();
  for (const { presence } of connections.values()) {
    const { user, info } = presence;
    members.set(user, info === undefined ? { user } : { user, info });
  }
  return [...members.values()];
}
