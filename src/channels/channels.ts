import { randomUUID } from "node:crypto";
import { ChurnMap, ChurnSet } from "../bytes/churn-map.ts";
import { callHandler } from "../delivery/call-handler.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import { CLOSE, JSON_PROTOCOL, MESSAGE_PACK_PROTOCOL, type Member } from "../protocol/channels/messages.ts";
import type { Server } from "../server/server.ts";
import { onTopic } from "../websocket/topics.ts";
import { Channel, type ChannelContext, type Published, publishRecord } from "./channel.ts";
import { type ChannelLimits, channelLimitsOf } from "./channel-limits.ts";
import { type ChannelsOptions, checkChannelsOptions, type InputOf, type NameOf } from "./channels-options.ts";
import { type ChannelDefinition, definitionOf, historyOf, type RequestDefinition } from "./definitions.ts";
import { memoryStore } from "./memory-store.ts";
import { isOriginAllowed } from "./origins.ts";
import { Session, type SessionContext } from "./session.ts";
import { recordOf } from "./shared-message.ts";
import { validate } from "./standard-schema.ts";
import type { ChannelStore } from "./store.ts";

const MAX_TICK_MS = 1_000;
const MIN_TICK_MS = 5;

/**
 * Channels for the clients of a server: named streams of messages, with authorization, types, history, recovery and
 * presence. Mount {@link part}. `portico/client` is the client. docs/channels.md describes the protocol for other clients.
 */
export class Channels<
  const Definitions extends Readonly<Record<string, ChannelDefinition>> = Record<string, ChannelDefinition>,
  const Requests extends Readonly<Record<string, RequestDefinition>> = Record<string, never>,
> {
  /** Adds the route to a server: `server.mount(channels.part)`. Only one server can mount it. */
  readonly part: (server: Server) => void;
  private readonly options: ChannelsOptions<Definitions, Requests>;
  private readonly limits: ChannelLimits;
  private readonly open = new ChurnMap<string, Channel>();
  private readonly sessions = new ChurnSet<Session>();
  private readonly store: ChannelStore;
  private server: Server | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private lastState: string | undefined;

  /** @throws TypeError or RangeError for invalid options */
  constructor(options: ChannelsOptions<Definitions, Requests>) {
    checkChannelsOptions(options);
    this.options = options;
    this.limits = channelLimitsOf(options.limits);
    this.store = options.store ?? memoryStore();
    this.part = (server) => this.mount(server);
  }

  /**
   * Publishes a message to a channel, in all processes.
   * @returns its position in the history; undefined in channels without one. Rejects when the message does not match its
   *   schema, JSON cannot hold it, or the store fails. After a failure of the store, the message might have been published
   */
  async publish<Name extends NameOf<Definitions>>(
    channel: Name,
    data: InputOf<Definitions, Name>,
  ): Promise<Published> {
    const definition = this.definitionOf(channel);
    if (definition === undefined) throw new TypeError(`there is no channel ${JSON.stringify(channel)}`);
    this.mounted();
    const valid = await validate(definition.message, data);
    const record = recordOf(valid, undefined, false, this.options.messagePack);
    return await publishRecord(
      this.context(),
      channel,
      definition.history && historyOf(definition.history),
      record,
    );
  }

  /** Returns the users in a channel with presence, of all processes, while a client of this process is subscribed to it. */
  members(channel: NameOf<Definitions>): readonly Member[] {
    return this.open.get(channel)?.members() ?? [];
  }

  /** Yields the channels with subscribers in this process, each with their number. */
  *subscribers(): IterableIterator<readonly [channel: string, subscribers: number]> {
    for (const [name, { subscribers }] of this.open) if (subscribers.size > 0) yield [name, subscribers.size];
  }

  /** Ends a user's subscriptions to a channel in this process. @returns how many there were */
  unsubscribe(
    user: string,
    channel: NameOf<Definitions>,
    reason = "the server has ended the subscription",
  ): number {
    return this.sessionsOf(user).filter((session) => session.end(channel, "forbidden", reason)).length;
  }

  /** Disconnects a user in this process. Its clients do not reconnect. @returns how many connections there were */
  disconnect(user: string, reason = "the server has ended the connection"): number {
    const sessions = this.sessionsOf(user);
    for (const session of sessions) session.close(CLOSE.dismissed, reason);
    return sessions.length;
  }

  private mount(server: Server): void {
    if (this.server !== undefined) throw new TypeError("these channels are already mounted on a server");
    this.server = server;
    this.checkStore(server);
    const { path = "/channels", origins = "same", compression = false, messagePack } = this.options;
    const context = this.context();
    server.websocket<Session | undefined>(
      path,
      {
        upgrade(exchange) {
          return isOriginAllowed(exchange, origins)
            ? undefined
            : exchange.refuse(403, "this origin is not allowed");
        },
        open: (socket) => this.onOpen(socket, context),
        message: (socket, data, binary) => socket.data?.receive(data, binary),
        close: (socket) => this.onClose(socket),
      },
      {
        protocols: messagePack === undefined ? [JSON_PROTOCOL] : [JSON_PROTOCOL, MESSAGE_PACK_PROTOCOL],
        compression,
        delivery: "immediate",
        maxMessageBytes: this.limits.maxMessageBytes,
        budget: { perSecond: this.limits.messagesPerSecond, burst: this.limits.burst },
      },
    );
    const { syncIntervalMs, presenceTtlMs, leaveDelayMs, signInTimeoutMs } = this.limits;
    const shortest = Math.min(syncIntervalMs, presenceTtlMs, leaveDelayMs, signInTimeoutMs);
    this.ticker = setInterval(() => this.tick(), Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, shortest / 4)));
    this.ticker.unref();
    server.onClose(() => this.onServerClose());
  }

  /** A store in memory cannot know what other processes publish. */
  private checkStore(server: Server): void {
    if (this.options.store !== undefined || server.brokerState === undefined) return;
    for (const [name, { history, presence }] of Object.entries<ChannelDefinition>(this.options.channels)) {
      if (history === undefined && presence !== true) continue;
      throw new TypeError(
        `channel ${JSON.stringify(name)} has a history or presence, and the server shares its topics with other ` +
          "processes: set store, for example to redisStore(client)",
      );
    }
  }

  private onOpen(socket: WebSocket<Session | undefined>, context: SessionContext): void {
    const isPacked = socket.protocol === MESSAGE_PACK_PROTOCOL;
    const exchange = socket.request as Exchange;
    if (socket.protocol === "") {
      socket.closeNow(CLOSE.badMessage, `offer the subprotocol ${JSON_PROTOCOL}`);
      return;
    }
    const session = new Session(socket as WebSocket, exchange, context, isPacked);
    socket.data = session;
    this.sessions.add(session);
  }

  private onClose(socket: WebSocket<Session | undefined>): void {
    const session = socket.data;
    if (session === undefined) return;
    this.sessions.delete(session);
    session.onClose();
  }

  private tick(): void {
    const now = performance.now();
    for (const session of this.sessions) session.tick(now);
    const state = this.server?.brokerState;
    const isBack = state === "connected" && this.lastState === "disconnected";
    this.lastState = state;
    for (const [name, channel] of this.open) {
      if (channel.isIdle(now)) {
        this.open.delete(name);
        channel.close();
      } else {
        channel.tick(now);
        if (isBack) channel.syncSoon();
      }
    }
  }

  private onServerClose(): void {
    clearInterval(this.ticker);
    for (const channel of this.open.values()) {
      channel.attendance?.handOver().catch((error: unknown) => this.report(error));
      channel.close();
    }
  }

  private context(): SessionContext & ChannelContext {
    const { options, limits, store } = this;
    const { authenticate, messagePack, requests = {} } = options;
    return {
      limits,
      store,
      requests,
      messagePack,
      authenticate: authenticate === "anonymous" ? () => ({ user: randomUUID() }) : authenticate,
      definitionOf: (name) => this.definitionOf(name),
      acquire: (name, definition) => this.acquire(name, definition),
      announce: (channel, text) => void this.mounted().publish(topicOf(channel), text),
      listen: (channel, listener) =>
        onTopic(this.mounted().core.topics, topicOf(channel), (data) =>
          callHandler(
            // A broker delivers bytes.
            () => listener(typeof data === "string" ? data : Buffer.from(data).toString()),
            (error) => this.report(error),
          ),
        ),
      report: (error) => this.report(error),
    };
  }

  private mounted(): Server {
    if (this.server === undefined)
      throw new TypeError("mount the channels first: server.mount(channels.part)");
    return this.server;
  }

  private definitionOf(name: string): ChannelDefinition | undefined {
    return definitionOf(this.options.channels, name);
  }

  private acquire(name: string, definition: ChannelDefinition): Channel {
    let channel = this.open.get(name);
    if (channel === undefined) {
      channel = new Channel(name, definition, this.context());
      this.open.set(name, channel);
    }
    channel.acquire();
    return channel;
  }

  private sessionsOf(user: string): Session[] {
    return [...this.sessions].filter((session) => session.user === user);
  }

  private report(error: unknown): void {
    const { onError } = this.options;
    if (onError === undefined) this.mounted().core.report(error);
    else
      callHandler(
        () => onError(error),
        (second) => this.mounted().core.report(second),
      );
  }
}

function topicOf(channel: string): string {
  return `portico.channels/${channel}`;
}

/** The types of channels and requests, for `portico/client`: `new Client<TypesOf<typeof channels>>(url)`. */
export type TypesOf<Of> =
  Of extends Channels<infer Definitions, infer Requests>
    ? {
        channels: {
          [Name in keyof Definitions]: Definitions[Name] extends ChannelDefinition<infer Input, infer Output>
            ? { input: Input; output: Output }
            : never;
        };
        requests: {
          [Name in keyof Requests]: Requests[Name] extends RequestDefinition<
            infer Input,
            infer _O,
            infer Answer
          >
            ? { input: Input; answer: Answer }
            : never;
        };
      }
    : never;
