import { ChurnSet } from "../bytes/churn-map.ts";
import type { Member, Position, ServerMessage } from "../protocol/channels/messages.ts";
import { Attendance } from "./attendance.ts";
import type { ChannelLimits } from "./channel-limits.ts";
import { ChannelLog, type Merged } from "./channel-log.ts";
import { type ChannelDefinition, historyOf } from "./definitions.ts";
import { messageText, quietClientOf, SharedMessage } from "./shared-message.ts";
import type { ChannelStore, HistoryOptions, Presence, StoredMessage } from "./store.ts";

/** What a channel needs from its process. */
export interface ChannelContext {
  readonly store: ChannelStore;
  readonly limits: ChannelLimits;
  /** Sends an announcement about a channel to all processes, including this one, at once. */
  announce(channel: string, text: string): void;
  /** Calls `listener` with each announcement. @returns a function that ends this */
  listen(channel: string, listener: (text: string) => void): () => void;
  report(error: unknown): void;
}

/** A subscribed client. */
export interface ChannelSubscriber {
  readonly id: string;
  deliver(message: SharedMessage): void;
}

/** Where a published message is in the history; undefined in channels without one. */
export type Published = Position | undefined;

/** A missing message might still arrive: the store is read after this pause. */
const GAP_MS = 30;
const RETRY_MS = 1_000;
const SOON_MS = 1_000;

/** One channel in this process: its copy of the history, its members, and the subscribers here. */
export class Channel {
  readonly name: string;
  readonly definition: ChannelDefinition;
  readonly subscribers: ChurnSet<ChannelSubscriber> = new ChurnSet();
  readonly attendance: Attendance | undefined;
  private readonly context: ChannelContext;
  private readonly history: Required<HistoryOptions> | undefined;
  private readonly log: ChannelLog | undefined;
  private readonly stopListening: () => void;
  private loading: Promise<void> | undefined;
  private syncing: Promise<void> | undefined;
  private syncAt: number;
  private gapTimer: NodeJS.Timeout | undefined;
  private users = 0;
  /** When the channel can be closed, if nobody uses it. */
  private idleAt = 0;

  constructor(name: string, definition: ChannelDefinition, context: ChannelContext) {
    this.name = name;
    this.definition = definition;
    this.context = context;
    this.history = definition.history && historyOf(definition.history);
    this.log = this.history && new ChannelLog(this.history);
    this.syncAt = performance.now() + context.limits.syncIntervalMs;
    if (definition.presence === true) {
      this.attendance = new Attendance(name, context.store, context.limits, {
        onJoin: (member) => this.send({ type: "join", channel: name, ...member }),
        onLeave: (user) => this.send({ type: "leave", channel: name, user }),
        announce: (isJoin, member) =>
          context.announce(name, (isJoin ? "join " : "leave ") + JSON.stringify(member)),
        report: (error) => context.report(error),
      });
    }
    this.stopListening = context.listen(name, (text) => this.onAnnounced(text));
  }

  /** Resolves when the history and the members are known. Rejects when the store fails. */
  async ready(): Promise<void> {
    this.loading ??= this.load();
    try {
      await this.loading;
    } catch (error) {
      this.loading = undefined;
      throw error;
    }
  }

  /** Keeps the channel open until {@link release}. */
  acquire(): void {
    this.users++;
  }

  release(): void {
    this.users--;
    this.idleAt = performance.now() + this.context.limits.leaveDelayMs;
  }

  isIdle(now: number): boolean {
    return this.users === 0 && now >= this.idleAt && !this.attendance?.isInUse;
  }

  close(): void {
    clearTimeout(this.gapTimer);
    this.stopListening();
  }

  /** Publishes a record in all processes. */
  async publish(record: string): Promise<Published> {
    return await publishRecord(this.context, this.name, this.history, record);
  }

  /** The position of the newest message; undefined without a history, and before {@link ready}. */
  get position(): Position | undefined {
    return this.log?.position;
  }

  /** Returns the messages after a position; undefined when some of them are not here. */
  since(position: Position): readonly StoredMessage[] | undefined {
    return this.log?.since(position);
  }

  last(count: number): readonly StoredMessage[] {
    return this.log?.last(count) ?? [];
  }

  async enter(presence: Presence): Promise<void> {
    await this.attendance?.enter(presence);
  }

  exit(client: string): void {
    this.attendance?.exit(client, performance.now());
  }

  members(): Member[] | undefined {
    return this.attendance?.list();
  }

  /** Does what is due. */
  tick(now: number): void {
    this.attendance?.tick(now);
    if (this.log !== undefined && this.loading !== undefined && now >= this.syncAt) this.syncSoon();
  }

  /** Reads messages that did not arrive, for example while the broker was disconnected. */
  syncSoon(): void {
    if (this.log === undefined || this.syncing !== undefined) return;
    this.syncing = this.sync()
      .catch((error: unknown) => {
        this.syncAt = performance.now() + RETRY_MS;
        this.context.report(error);
      })
      .finally(() => {
        this.syncing = undefined;
      });
  }

  private async load(): Promise<void> {
    await Promise.all([this.sync(), this.attendance?.load()]);
    // Announcements might not reach this process yet.
    this.syncAt = Math.min(this.syncAt, performance.now() + SOON_MS);
  }

  private async sync(): Promise<void> {
    const { log, history, context } = this;
    if (log === undefined || history === undefined) return;
    this.syncAt = performance.now() + context.limits.syncIntervalMs;
    this.onMerged(log.merge(await context.store.read(this.name, log.position, history)));
  }

  private onMerged({ resetTo, messages }: Merged): void {
    if (resetTo !== undefined) this.send({ type: "reset", channel: this.name, position: resetTo });
    for (const { offset, record } of messages) this.deliver(offset, record);
  }

  private onAnnounced(text: string): void {
    const space = text.indexOf(" ");
    const [kind, rest] = [text.slice(0, space), text.slice(space + 1)];
    if (kind === "message") this.onMessage(rest);
    else if (kind === "join" || kind === "leave") {
      this.attendance?.onAnnounced(kind === "join", JSON.parse(rest) as Member);
    }
  }

  /** @param text the epoch, the offset and the record, separated by spaces; without a history only the record */
  private onMessage(text: string): void {
    const { log } = this;
    if (log === undefined) {
      this.deliver(undefined, text);
      return;
    }
    const [afterEpoch, afterOffset] = [text.indexOf(" "), text.indexOf(" ", text.indexOf(" ") + 1)];
    const epoch = text.slice(0, afterEpoch);
    const offset = Number(text.slice(afterEpoch + 1, afterOffset));
    for (const next of log.receive(epoch, { offset, record: text.slice(afterOffset + 1) })) {
      this.deliver(next.offset, next.record);
    }
    if (log.isBehind && log.position !== undefined) this.lookAgain(log);
  }

  private lookAgain(log: ChannelLog): void {
    if (this.gapTimer !== undefined) return;
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined;
      if (log.isBehind) this.syncSoon();
    }, GAP_MS);
    this.gapTimer.unref();
  }

  private deliver(offset: number | undefined, record: string): void {
    const { name, subscribers } = this;
    if (subscribers.size === 0) return;
    const message = new SharedMessage(messageText(name, offset, record));
    const quiet = quietClientOf(record);
    for (const subscriber of subscribers) {
      if (subscriber.id !== quiet) subscriber.deliver(message);
      else if (offset !== undefined)
        subscriber.deliver(SharedMessage.of({ type: "skip", channel: name, offset }));
    }
  }

  private send(message: ServerMessage): void {
    const shared = SharedMessage.of(message);
    for (const subscriber of this.subscribers) subscriber.deliver(shared);
  }
}

/** Publishes a record to a channel in all processes, whether it is open in this one or not. */
export async function publishRecord(
  context: ChannelContext,
  name: string,
  history: Required<HistoryOptions> | undefined,
  record: string,
): Promise<Published> {
  if (history === undefined) {
    context.announce(name, `message ${record}`);
    return undefined;
  }
  const position = await context.store.append(name, record, history);
  context.announce(name, `message ${position.epoch} ${position.offset} ${record}`);
  return position;
}
