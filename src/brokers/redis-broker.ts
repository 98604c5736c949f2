import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Broker, BrokerReceiver, BrokerState } from "../server/broker.ts";
import {
  type IoRedisClient,
  ioRedisLink,
  type NodeRedisClient,
  nodeRedisLink,
  type RedisLink,
} from "./redis-clients.ts";
import { asBuffer, TopicChannels } from "./topic-channels.ts";

export interface RedisBrokerOptions {
  /** The prefix of all channel names. Servers with the same prefix share their topics. Default "portico:". */
  prefix?: string;
  /**
   * The number of channels that all topics share, from 1 to 16,384. Use the same number on all servers. Each server
   * receives all messages on the channels of its topics. Default: one channel for each topic.
   */
  channels?: number;
  /** Uses sharded pub/sub (Redis 7, Valkey). Default: true for a cluster. */
  sharded?: boolean;
}

const redisBrokerOptionNames: OptionNames<RedisBrokerOptions> = {
  prefix: true,
  channels: true,
  sharded: "boolean",
};

/** For the next attempt to subscribe to what Redis refused, or lost. */
const RETRY_MS = 1_000;

/**
 * Shares topics through the pub/sub of Redis or Valkey.
 * @param client a client of `@redis/client`, `redis` or `ioredis`, for publishing. The broker opens a second connection
 *   from it, and closes only that one
 * @throws TypeError for an unknown option; RangeError if `channels` is out of range
 */
export function redisBroker(
  client: NodeRedisClient | IoRedisClient,
  options: RedisBrokerOptions = {},
): Broker {
  checkOptions("redisBroker", options, redisBrokerOptionNames);
  const { prefix = "portico:", channels, sharded } = options;
  const topics = new TopicChannels(prefix, channels);
  return new RedisBroker(
    () => ("spublish" in client ? ioRedisLink(client, sharded) : nodeRedisLink(client, sharded)),
    topics,
  );
}

class RedisBroker implements Broker {
  readonly name: string = "Redis";
  private readonly makeLink: () => RedisLink;
  private readonly topics: TopicChannels;
  private link: RedisLink | undefined;
  private receiver: BrokerReceiver | undefined;
  private state: BrokerState = "disconnected";
  /** Channels that Redis has not subscribed us to. */
  private readonly failed = new Set<string>();
  private retryTimer: NodeJS.Timeout | undefined;

  constructor(makeLink: () => RedisLink, topics: TopicChannels) {
    this.makeLink = makeLink;
    this.topics = topics;
  }

  start(receiver: BrokerReceiver): void {
    this.receiver = receiver;
    this.link = this.makeLink();
    this.link.open(
      (channel, packed) => {
        const unpacked = this.topics.unpack(channel, packed);
        if (unpacked !== undefined) this.receiver?.onMessage(unpacked.topic, unpacked.message);
      },
      (error) => this.onChange(error),
    );
  }

  publish(topic: string, message: Uint8Array): Promise<unknown> | undefined {
    return this.link?.publish(this.topics.channelOf(topic), asBuffer(this.topics.pack(topic, message)));
  }

  subscribe(topic: string): void {
    const channel = this.topics.add(topic);
    if (channel !== undefined) this.subscribeTo(channel);
  }

  unsubscribe(topic: string): void {
    const channel = this.topics.remove(topic);
    if (channel === undefined || this.failed.delete(channel)) return;
    // A connection that is lost meanwhile has no subscriptions.
    this.link?.unsubscribe(channel).catch(() => {});
  }

  close(): void {
    clearTimeout(this.retryTimer);
    this.receiver = undefined;
    this.link?.close();
    this.link = undefined;
  }

  private subscribeTo(channel: string): void {
    this.link?.subscribe(channel).then(
      () => this.onChange(),
      (error: unknown) => {
        if (!this.topics.has(channel)) return;
        this.failed.add(channel);
        this.onChange(error);
      },
    );
  }

  private onChange(error?: unknown): void {
    if (this.receiver === undefined || this.link === undefined) return;
    const { isReady } = this.link;
    if (isReady && this.failed.size > 0) {
      this.retryTimer ??= setTimeout(() => this.retry(), RETRY_MS).unref();
    }
    const state = isReady && this.failed.size === 0 ? "connected" : "disconnected";
    if (state === this.state && (state === "connected" || error === undefined)) return;
    this.state = state;
    this.receiver.onState(state, error);
  }

  private retry(): void {
    this.retryTimer = undefined;
    const channels = [...this.failed];
    this.failed.clear();
    for (const channel of channels) this.subscribeTo(channel);
  }
}
