import { randomBytes } from "node:crypto";
import type { Member, Position } from "../protocol/channels/messages.ts";
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

/** Keeps histories and presence in this process, and loses them when it ends. Servers of one process can share a store. */
export function memoryStore(): ChannelStore {
  return new MemoryStore();
}

class MemoryStore implements ChannelStore {
  private readonly streams = new Map<string, Stream>();
  private readonly presences = new Map<string, Map<string, Connection>>();
  private calls = 0;

  async append(channel: string, record: string, history: Required<HistoryOptions>): Promise<Position> {
    const stream = this.streamOf(channel, history);
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
      for (const [name, { expiresAt }] of this.streams) if (expiresAt <= now) this.streams.delete(name);
    }
    let stream = this.streams.get(channel);
    if (stream === undefined || stream.expiresAt <= now) {
      const epoch = randomBytes(EPOCH_BYTES).toString("base64url");
      stream = { epoch, offset: 0, messages: [], bytes: 0, expiresAt: 0 };
      this.streams.set(channel, stream);
    }
    const keptMs = stream.offset > 0 ? maxAgeMs : Math.min(maxAgeMs, EMPTY_HISTORY_MS);
    stream.expiresAt = now + keptMs;
    return stream;
  }

  private connectionsOf(channel: string): Map<string, Connection> {
    let connections = this.presences.get(channel);
    if (connections === undefined) {
      connections = new Map();
      this.presences.set(channel, connections);
    }
    const now = performance.now();
    for (const [client, { expiresAt }] of connections) if (expiresAt <= now) connections.delete(client);
    return connections;
  }
}

function hasUser(connections: Map<string, Connection>, user: string): boolean {
  for (const { presence } of connections.values()) if (presence.user === user) return true;
  return false;
}

function membersOf(connections: Map<string, Connection>): Member[] {
  const members = new Map<string, Member>();
  for (const { presence } of connections.values()) {
    const { user, info } = presence;
    members.set(user, info === undefined ? { user } : { user, info });
  }
  return [...members.values()];
}
