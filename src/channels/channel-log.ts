import type { Position } from "../protocol/channels/messages.ts";
import type { History, HistoryOptions, StoredMessage } from "./store.ts";

/** The result of reading a history again. */
export interface Merged {
  /** The new position of clients that have missed messages; undefined when nothing is missing. */
  readonly resetTo: Position | undefined;
  /** The messages to deliver to all clients, in order. */
  readonly messages: readonly StoredMessage[];
}

/** How many early messages to keep at most. The store has the others. */
const MAX_EARLY = 1_000;

/**
 * This process's copy of a channel's history: in order, without gaps, each message once. Clients recover from it. The
 * store is read only when messages are missing here.
 */
export class ChannelLog {
  private readonly limits: Required<HistoryOptions>;
  private entries: StoredMessage[] = [];
  private bytes = 0;
  private current: Position | undefined;
  /** Messages that arrived before their turn: after a gap, or of another epoch. */
  private early: { readonly epoch: string; readonly message: StoredMessage }[] = [];

  constructor(limits: Required<HistoryOptions>) {
    this.limits = limits;
  }

  /** The position of the last message; undefined before the first {@link merge}. */
  get position(): Position | undefined {
    return this.current;
  }

  /** Whether messages are missing, so that the history must be read. */
  get isBehind(): boolean {
    return this.current === undefined || this.early.length > 0;
  }

  /** Accepts a message that was published. @returns the messages to deliver now, in order */
  receive(epoch: string, message: StoredMessage): StoredMessage[] {
    const { current } = this;
    if (current?.epoch === epoch) {
      if (message.offset <= current.offset) return [];
      if (message.offset === current.offset + 1) return this.push([message], current);
    }
    if (this.early.length < MAX_EARLY) this.early.push({ epoch, message });
    return [];
  }

  /** Accepts the messages that the store has after {@link position}. */
  merge({ epoch, offset, messages }: History): Merged {
    const before = this.current;
    // Early messages of this epoch follow. Those of other epochs are outdated, or the next read finds them.
    this.early = this.early.filter((early) => early.epoch === epoch);
    if (before?.epoch === epoch) {
      const fresh = messages.filter((message) => message.offset > before.offset);
      if ((fresh[0]?.offset ?? before.offset + 1) === before.offset + 1) {
        return { resetTo: undefined, messages: this.push(fresh, before) };
      }
    }
    this.entries = [];
    this.bytes = 0;
    for (const message of messages) this.keep(message);
    const resetTo = { epoch, offset };
    const following = this.push([], resetTo);
    return { resetTo: before && resetTo, messages: following };
  }

  /** Returns the messages after a position, or undefined when some of them are not here. */
  since({ epoch, offset }: Position): readonly StoredMessage[] | undefined {
    const { current } = this;
    if (current === undefined || current.epoch !== epoch || offset > current.offset) return undefined;
    const missing = current.offset - offset;
    return missing > this.entries.length ? undefined : this.last(missing);
  }

  /** Returns the last messages. */
  last(count: number): readonly StoredMessage[] {
    return count <= 0 ? [] : this.entries.slice(-count);
  }

  /** Adds the next messages, and the early ones that follow them. */
  private push(messages: readonly StoredMessage[], { epoch, offset }: Position): StoredMessage[] {
    const next = [...messages];
    let last = next.at(-1)?.offset ?? offset;
    if (this.early.length > 0) {
      const early = this.early.filter((one) => one.epoch === epoch).map(({ message }) => message);
      for (const message of early.sort((a, b) => a.offset - b.offset)) {
        if (message.offset !== last + 1) continue;
        next.push(message);
        last = message.offset;
      }
      this.early = this.early.filter((one) => one.epoch !== epoch || one.message.offset > last);
    }
    for (const message of next) this.keep(message);
    this.current = { epoch, offset: last };
    return next;
  }

  private keep(message: StoredMessage): void {
    this.entries.push(message);
    this.bytes += sizeOf(message);
    const { maxMessages, maxBytes } = this.limits;
    let dropped = 0;
    while (
      this.entries.length - dropped > maxMessages ||
      (this.bytes > maxBytes && this.entries.length - dropped > 1)
    ) {
      const oldest = this.entries[dropped++];
      if (oldest !== undefined) this.bytes -= sizeOf(oldest);
    }
    if (dropped > 0) this.entries.splice(0, dropped);
  }
}

/** Its approximate size in memory. */
function sizeOf({ record }: StoredMessage): number {
  return record.length;
}
