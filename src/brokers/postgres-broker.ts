import { randomUUID } from "node:crypto";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Broker, BrokerReceiver, BrokerState } from "../server/broker.ts";
import { PostgresBeat } from "./postgres-beat.ts";
import { TopicChannels } from "./topic-channels.ts";

/** The part of a `postgres` client that the broker uses. */
export interface PostgresClient {
  unsafe(query: string, parameters: string[]): PromiseLike<unknown>;
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onListen: () => void,
  ): Promise<{ unlisten(): Promise<unknown> }>;
}

export interface PostgresBrokerOptions {
  /** The prefix of all channel names. Servers with the same prefix share their topics. Default "portico_". */
  prefix?: string;
  /** The number of channels that all topics share, from 1 to 16,384. Use the same number on all servers. Default 16. */
  channels?: number;
}

const postgresBrokerOptionNames: OptionNames<PostgresBrokerOptions> = { prefix: true, channels: true };

/** PostgreSQL refuses payloads of 8,000 bytes. */
const MAX_PAYLOAD = 7_999;
/** Its parameter is a JSON array of pairs: a channel and a payload. PostgreSQL keeps their order. */
const NOTIFY = "select pg_notify(pair->>0, pair->>1) from json_array_elements($1::text::json) as pair";

/**
 * Shares topics through PostgreSQL's LISTEN and NOTIFY, for programs that run no other broker. Each server receives all
 * messages on the channels of its topics. A message and its topic can have at most 5,900 bytes together. Larger
 * messages are dropped.
 * @param sql a `postgres` client, which opens one connection to listen. The broker does not close it
 * @throws TypeError for an unknown option; RangeError if `channels` is out of range
 */
export function postgresBroker(sql: PostgresClient, options: PostgresBrokerOptions = {}): Broker {
  checkOptions("postgresBroker", options, postgresBrokerOptionNames);
  const { prefix = "portico_", channels = 16 } = options;
  return new PostgresBroker(sql, `${prefix}beat_${randomUUID()}`, new TopicChannels(prefix, channels));
}

class PostgresBroker implements Broker {
  readonly name: string = "PostgreSQL";
  private readonly sql: PostgresClient;
  private readonly beatChannel: string;
  private readonly topics: TopicChannels;
  private readonly listening = new Map<string, Promise<{ unlisten(): Promise<unknown> } | undefined>>();
  private readonly beat: PostgresBeat;
  private receiver: BrokerReceiver | undefined;
  private state: BrokerState = "disconnected";
  /** What the next query sends. */
  private pairs: (readonly [channel: string, payload: string])[] = [];
  private nextQuery: Promise<void> | undefined;
  /** Resolves when no query is in progress. */
  private idle: Promise<unknown> = Promise.resolve();
  /** Makes payloads differ: PostgreSQL drops those that repeat in a transaction. */
  private count = 0;

  constructor(sql: PostgresClient, beatChannel: string, topics: TopicChannels) {
    this.sql = sql;
    this.beatChannel = beatChannel;
    this.topics = topics;
    this.beat = new PostgresBeat(
      () => this.sql.unsafe(NOTIFY, [JSON.stringify([[beatChannel, ""]])]),
      (isAlive, error) => this.setState(isAlive ? "connected" : "disconnected", error),
    );
  }

  start(receiver: BrokerReceiver): void {
    this.receiver = receiver;
    this.listenTo(
      this.beatChannel,
      () => this.beat.onReturn(),
      () => this.beat.next(),
    );
    this.beat.next();
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    const text = this.topics.pack(topic, message).toString("base64");
    const payload = `${(this.count++).toString(36)}.${text}`;
    if (payload.length > MAX_PAYLOAD) {
      throw new RangeError(
        `a message of ${message.length} bytes is too large for PostgreSQL, which carries about 5,900 with the topic. ` +
          "Send a smaller one, or use another broker",
      );
    }
    this.pairs.push([this.topics.channelOf(topic), payload]);
    // One query at a time, because those on several connections would overtake each other.
    this.nextQuery ??= this.idle.then(() => this.send());
    return this.nextQuery;
  }

  subscribe(topic: string): void {
    const channel = this.topics.add(topic);
    if (channel !== undefined) this.listenTo(channel, (payload) => this.onNotify(channel, payload));
  }

  unsubscribe(topic: string): void {
    const channel = this.topics.remove(topic);
    if (channel !== undefined) void this.unlisten(channel);
  }

  async close(): Promise<void> {
    this.receiver = undefined;
    this.beat.stop();
    await Promise.all([...this.listening.keys()].map((channel) => this.unlisten(channel)));
  }

  private async send(): Promise<void> {
    const query = Promise.resolve(this.sql.unsafe(NOTIFY, [JSON.stringify(this.pairs)]));
    this.pairs = [];
    this.nextQuery = undefined;
    this.idle = query.catch((error: unknown) => this.beat.onLost(error));
    await query;
  }

  private listenTo(channel: string, onNotify: (payload: string) => void, onListen = (): void => {}): void {
    // When this fails, the client does it again by itself as soon as it has a connection.
    const listening = this.sql.listen(channel, onNotify, onListen).catch((error: unknown) => {
      this.beat.onLost(error);
      return undefined;
    });
    this.listening.set(channel, listening);
  }

  private async unlisten(channel: string): Promise<void> {
    const listening = await this.listening.get(channel);
    this.listening.delete(channel);
    await listening?.unlisten().catch(() => {});
  }

  private onNotify(channel: string, payload: string): void {
    const packed = Buffer.from(payload.slice(payload.indexOf(".") + 1), "base64");
    const unpacked = this.topics.unpack(channel, packed);
    if (unpacked !== undefined) this.receiver?.onMessage(unpacked.topic, unpacked.message);
  }

  private setState(state: BrokerState, error?: unknown): void {
    if (state === this.state && error === undefined) return;
    this.state = state;
    this.receiver?.onState(state, error);
  }
}
