import type { Member } from "../protocol/channels/messages.ts";
import type { ChannelStore, Presence } from "./store.ts";

/** What reports changes of who is there. */
export interface AttendanceEvents {
  onJoin(member: Member): void;
  onLeave(user: string): void;
  /** Tells all processes, this one among them, that a user has come or gone. */
  announce(isJoin: boolean, member: Member): void;
  report(error: unknown): void;
}

interface Leaving {
  readonly presence: Presence;
  at: number;
}

/** After a failure of the store. */
const RETRY_MS = 1_000;

/**
 * Who is in a channel: users, each with one connection or more, of all processes. The store decides who came first and
 * who left last; what is here follows it, by what is announced and by looking again.
 */
export class Attendance {
  private readonly channel: string;
  private readonly store: ChannelStore;
  private readonly ttlMs: number;
  private readonly leaveDelayMs: number;
  private readonly events: AttendanceEvents;
  private readonly members = new Map<string, Member>();
  /** Connections of this process. */
  private readonly here = new Map<string, Presence>();
  /** Of them, those that have ended, while their users may come back. */
  private readonly leaving = new Map<string, Leaving>();
  private keepAt = 0;
  /** While the store is asked: users of whom something newer is known than what it answers. */
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

  /** All users. */
  list(): Member[] {
    return [...this.members.values()];
  }

  /** Whether connections of this process are there, or have not left yet. */
  get isInUse(): boolean {
    return this.here.size > 0 || this.leaving.size > 0;
  }

  /** Asks the store who is there. */
  async load(): Promise<void> {
    await this.keep();
  }

  /** Adds a connection of this process. */
  async enter(presence: Presence): Promise<void> {
    this.here.set(presence.client, presence);
    try {
      const isFirst = await this.store.join(this.channel, presence, this.ttlMs);
      const member = memberOf(presence);
      if (isFirst) this.events.announce(true, member);
      else this.onAnnounced(true, member);
    } catch (error) {
      this.here.delete(presence.client);
      throw error;
    }
  }

  /** Removes a connection of this process after a while, in which its user can come back. */
  exit(client: string, now: number): void {
    const presence = this.here.get(client);
    if (presence === undefined) return;
    this.here.delete(client);
    this.leaving.set(client, { presence, at: now + this.leaveDelayMs });
  }

  /** A process has announced that a user has come or gone. */
  onAnnounced(isJoin: boolean, member: Member): void {
    this.changed?.add(member.user);
    if (isJoin) this.add(member);
    else if (!this.hasHere(member.user)) this.remove(member.user);
  }

  /** Does what is due. */
  tick(now: number): void {
    for (const [client, leaving] of this.leaving) {
      if (leaving.at > now) continue;
      leaving.at = now + RETRY_MS;
      void this.leave(client, leaving.presence);
    }
    if (now >= this.keepAt && this.changed === undefined) this.keep(now).catch(this.events.report);
  }

  /** This process ends: others find that its connections have left, unless they come back to them. */
  async handOver(): Promise<void> {
    await this.store.keep(this.channel, this.local(), this.leaveDelayMs);
  }

  private async leave(client: string, presence: Presence): Promise<void> {
    try {
      const isLast = await this.store.leave(this.channel, presence);
      if (!this.leaving.delete(client)) return;
      if (isLast) this.events.announce(false, memberOf(presence));
    } catch (error) {
      this.events.report(error);
    }
  }

  /** Keeps the connections of this process, and follows the store. */
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
    return [...this.here.values(), ...[...this.leaving.values()].map(({ presence }) => presence)];
  }

  private hasHere(user: string): boolean {
    for (const presence of this.here.values()) if (presence.user === user) return true;
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
