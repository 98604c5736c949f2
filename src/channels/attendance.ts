import { ChurnMap } from "../bytes/churn-map.ts";
import type { Member } from "../protocol/channels/messages.ts";
import type { ChannelStore, Presence } from "./store.ts";

/** Gets the changes of an attendance. */
export interface AttendanceEvents {
  onJoin(member: Member): void;
  onLeave(user: string): void;
  /** Announces to all processes, including this one, that a user has joined or left. */
  announce(isJoin: boolean, member: Member): void;
  report(error: unknown): void;
}

interface Leaving {
  readonly presence: Presence;
  at: number;
}

/** The pause after a failure of the store. */
const RETRY_MS = 1_000;
const SOON_MS = 1_000;

/**
 * The users in a channel, of all processes, each with one or more connections. The store decides which connection of a
 * user came first and which left last. This copy follows it, through announcements and by reading the store regularly.
 */
export class Attendance {
  private readonly channel: string;
  private readonly store: ChannelStore;
  private readonly ttlMs: number;
  private readonly leaveDelayMs: number;
  private readonly events: AttendanceEvents;
  private readonly members = new ChurnMap<string, Member>();
  /** Connections of this process, and how often each has entered: a subscription can start while its predecessor ends. */
  private readonly here = new ChurnMap<string, { readonly presence: Presence; readonly entries: number }>();
  /** Connections of this process that have ended, while their users can still come back. */
  private readonly leaving = new ChurnMap<string, Leaving>();
  private keepAt = 0;
  /** While the store is read: the users with announcements that are newer than its answer. */
  private changed: Set<string> | undefined;

  constructor(
    channel: string,
    store: ChannelStore,
    { presenceTtlMs, leaveDelayMs }: { presenceTtlMs: number; leaveDelayMs: number },
    events: AttendanceEvents,
  ) {
    this.channel = channel;
    this.store = store;
    this.ttlMs = presenceTtlMs;
    this.leaveDelayMs = leaveDelayMs;
    this.events = events;
  }

  /** Returns all users. */
  list(): Member[] {
    return [...this.members.values()];
  }

  /** Whether this process has connections here, or some that have not left yet. */
  get isInUse(): boolean {
    return this.here.size > 0 || this.leaving.size > 0;
  }

  /** Reads the members from the store, and soon again: announcements might not reach this process yet. */
  async load(): Promise<void> {
    await this.keep();
    this.keepAt = Math.min(this.keepAt, performance.now() + SOON_MS);
  }

  /** Adds a connection of this process, until as many calls of {@link exit}. */
  async enter(presence: Presence): Promise<void> {
    const entries = (this.here.get(presence.client)?.entries ?? 0) + 1;
    this.here.set(presence.client, { presence, entries });
    this.leaving.delete(presence.client);
    try {
      const isFirst = await this.store.join(this.channel, presence, this.ttlMs);
      const member = memberOf(presence);
      if (isFirst) this.events.announce(true, member);
      else this.onAnnounced(true, member);
    } catch (error) {
      this.countExit(presence.client);
      throw error;
    }
  }

  /** Removes a connection of this process after a delay, during which its user can come back. */
  exit(client: string, now: number): void {
    const presence = this.countExit(client);
    if (presence !== undefined) this.leaving.set(client, { presence, at: now + this.leaveDelayMs });
  }

  /** Handles the announcement of a process that a user has joined or left. */
  onAnnounced(isJoin: boolean, member: Member): void {
    this.changed?.add(member.user);
    if (isJoin) this.add(member);
    else if (!this.hasHere(member.user)) this.remove(member.user);
  }

  /** Does what is due. */
  tick(now: number): void {
    for (const [client, leaving] of this.leaving) {
      if (leaving.at > now) continue;
      // Not again before the store has answered: the commands that wait for it must not pile up.
      leaving.at = Number.POSITIVE_INFINITY;
      void this.leave(client, leaving);
    }
    if (now >= this.keepAt && this.changed === undefined) this.keep(now).catch(this.events.report);
  }

  /** Lets the connections of this process expire soon, because it ends. Users who reconnect elsewhere stay. */
  async handOver(): Promise<void> {
    await this.store.keep(this.channel, this.local(), this.leaveDelayMs);
  }

  private async leave(client: string, leaving: Leaving): Promise<void> {
    const { presence } = leaving;
    try {
      const isLast = await this.store.leave(this.channel, presence);
      if (this.leaving.get(client) !== leaving) return;
      this.leaving.delete(client);
      if (isLast) this.events.announce(false, memberOf(presence));
    } catch (error) {
      leaving.at = performance.now() + RETRY_MS;
      this.events.report(error);
    }
  }

  /** @returns the connection, if it is not here any more */
  private countExit(client: string): Presence | undefined {
    const entry = this.here.get(client);
    if (entry === undefined) return undefined;
    if (entry.entries > 1) {
      this.here.set(client, { ...entry, entries: entry.entries - 1 });
      return undefined;
    }
    this.here.delete(client);
    return entry.presence;
  }

  /** Extends the connections of this process in the store, and follows its answer. */
  private async keep(now: number = performance.now()): Promise<void> {
    const changed = new Set<string>();
    this.changed = changed;
    this.keepAt = now + this.ttlMs / 3;
    try {
      const found = await this.store.keep(this.channel, this.local(), this.ttlMs);
      const users = new Set(found.map(({ user }) => user));
      for (const member of found) if (!changed.has(member.user)) this.add(member);
      for (const user of this.members.keys()) {
        if (!users.has(user) && !changed.has(user) && !this.hasHere(user)) this.remove(user);
      }
    } catch (error) {
      this.keepAt = now + RETRY_MS;
      throw error;
    } finally {
      this.changed = undefined;
    }
  }

  private local(): Presence[] {
    return [...this.here.values(), ...this.leaving.values()].map(({ presence }) => presence);
  }

  private hasHere(user: string): boolean {
    for (const { presence } of this.here.values()) if (presence.user === user) return true;
    return false;
  }

  private add(member: Member): void {
    const isNew = !this.members.has(member.user);
    this.members.set(member.user, member);
    if (isNew) this.events.onJoin(member);
  }

  private remove(user: string): void {
    if (this.members.delete(user)) this.events.onLeave(user);
  }
}

function memberOf({ user, info }: Presence): Member {
  return info === undefined ? { user } : { user, info };
}
