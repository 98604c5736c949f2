import type {
  ChannelMessage,
  ClientMessage,
  ErrorCode,
  ServerMessage,
} from "../protocol/channels/messages.ts";
import { inTime } from "./answer-request.ts";
import type { Channel, ChannelSubscriber } from "./channel.ts";
import type { ChannelClient, ChannelDefinition } from "./definitions.ts";
import { Failure, unavailable } from "./failure.ts";
import type { Presence, StoredMessage } from "./store.ts";

/** What subscriptions need from their client. */
export interface SubscriptionsOwner extends ChannelSubscriber, ChannelClient {
  readonly presence: Presence;
  send(message: ServerMessage): void;
}

/** What subscriptions need from their process. */
export interface SubscriptionsContext {
  readonly limits: { readonly maxChannelsPerClient: number; readonly requestTimeoutMs: number };
  definitionOf(channel: string): ChannelDefinition | undefined;
  /** Opens a channel. Release it when it is not needed any more. */
  acquire(name: string, definition: ChannelDefinition): Channel;
  report(error: unknown): void;
}

interface Subscription {
  /** Undefined until the client is subscribed. */
  channel: Channel | undefined;
  isEnded: boolean;
  /** Called with the channel, or with undefined when the client is not subscribed to it. */
  readonly waiting: ((channel: Channel | undefined) => void)[];
}

/** The channels that one client is subscribed to. */
export class Subscriptions {
  private readonly owner: SubscriptionsOwner;
  private readonly context: SubscriptionsContext;
  private readonly byName = new Map<string, Subscription>();

  constructor(owner: SubscriptionsOwner, context: SubscriptionsContext) {
    this.owner = owner;
    this.context = context;
  }

  /** Returns a channel that the client is subscribed to, or a promise while the subscription is starting. */
  find(name: string): Channel | undefined | Promise<Channel | undefined> {
    const subscription = this.byName.get(name);
    if (subscription === undefined || subscription.channel !== undefined) return subscription?.channel;
    return new Promise((resolve) => void subscription.waiting.push(resolve));
  }

  /** Subscribes, and answers. A client can subscribe again, for example to recover. */
  async add({ id, channel: name, since, history = 0 }: ClientMessage & { type: "subscribe" }): Promise<void> {
    const definition = this.context.definitionOf(name);
    if (definition === undefined) throw new Failure("unknown-channel", "the server has no such channel");
    const subscription = this.begin(name);
    let channel: Channel | undefined;
    try {
      if (!(await this.isAllowed(definition, name))) {
        throw new Failure("forbidden", "this client cannot subscribe to this channel");
      }
      channel = this.context.acquire(name, definition);
      await this.enter(channel);
      if (subscription.isEnded) {
        channel.exit(this.owner.id);
        throw new Failure("conflict", "the subscription was ended");
      }
    } catch (error) {
      if (this.byName.get(name) === subscription) this.byName.delete(name);
      channel?.release();
      settle(subscription);
      throw error;
    }
    // Nothing is awaited from here on, so messages that are published next come after the answer.
    subscription.channel = channel;
    const { position } = channel;
    const missed = since && channel.since(since);
    const members = channel.members();
    this.owner.send({
      type: "subscribed",
      id,
      ...(position !== undefined && { position }),
      recovered: missed !== undefined,
      messages: (missed ?? channel.last(history)).map(messageOf),
      ...(members !== undefined && { members }),
    });
    channel.subscribers.add(this.owner);
    settle(subscription);
  }

  /** Ends a subscription. @returns whether there was one */
  remove(name: string): boolean {
    const subscription = this.byName.get(name);
    if (subscription === undefined) return false;
    this.byName.delete(name);
    subscription.isEnded = true;
    const { channel } = subscription;
    channel?.subscribers.delete(this.owner);
    channel?.exit(this.owner.id);
    channel?.release();
    return true;
  }

  /** Ends a subscription, and sends the client the reason. @returns whether there was one */
  end(name: string, code: ErrorCode, message: string): boolean {
    if (!this.remove(name)) return false;
    this.owner.send({ type: "ended", channel: name, code, message });
    return true;
  }

  clear(): void {
    for (const name of [...this.byName.keys()]) this.remove(name);
  }

  private begin(name: string): Subscription {
    const before = this.byName.get(name);
    if (before !== undefined && before.channel === undefined) {
      throw new Failure("conflict", "a subscription to this channel is already starting");
    }
    this.remove(name);
    const { maxChannelsPerClient } = this.context.limits;
    if (this.byName.size >= maxChannelsPerClient) {
      throw new Failure(
        "too-many-channels",
        `a client can subscribe to at most ${maxChannelsPerClient} channels`,
      );
    }
    const subscription: Subscription = { channel: undefined, isEnded: false, waiting: [] };
    this.byName.set(name, subscription);
    return subscription;
  }

  private async isAllowed({ authorize }: ChannelDefinition, name: string): Promise<boolean> {
    const { requestTimeoutMs } = this.context.limits;
    return authorize === "everyone" || (await inTime(authorize(this.owner, name), requestTimeoutMs)) === true;
  }

  private async enter(channel: Channel): Promise<void> {
    try {
      await channel.ready();
      await channel.enter(this.owner.presence);
    } catch (error) {
      this.context.report(error);
      throw unavailable();
    }
  }
}

function settle({ channel, waiting }: Subscription): void {
  for (const resolve of waiting) resolve(channel);
}

function messageOf({ offset, record }: StoredMessage): ChannelMessage {
  return { offset, ...(JSON.parse(record) as { data: unknown; client?: string; quiet?: true }) };
}
