import {
  CLOSE,
  type ClientMessage,
  JSON_PROTOCOL,
  MESSAGE_PACK_PROTOCOL,
  type ServerMessage,
  type Subscribed,
  type Welcome,
} from "../protocol/channels/messages.ts";
import { type CallOptions, Calls } from "./calls.ts";
import type { ChannelError } from "./channel-error.ts";
import { type ConnectionState, ReconnectingSocket, type ReconnectOptions } from "./reconnecting-socket.ts";
import { Subscription, type SubscriptionEvents } from "./subscription.ts";
import type { AnswerOf, InputOf, NameIn, OutputOf, Types } from "./types.ts";

export interface ClientOptions extends Omit<ReconnectOptions, "protocols"> {
  /** The token for the server's `authenticate`. A function is called for each connection, and before the token expires. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Uses MessagePack instead of JSON, for example with the package `@msgpack/msgpack`. */
  messagePack?: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown };
  /** Called when the state of the connection changes. @param user the user's name, once the server has reported it */
  onState?(state: ConnectionState, user: string | undefined): void;
  /** Called when the client gives up because the server refuses it. @param code the close code: 4400, 4401 or 4410 */
  onRefused?(code: number, reason: string): void;
}

/** A request whose input can be undefined needs none. */
type RequestArguments<Input> = undefined extends Input
  ? [data?: Input, options?: CallOptions]
  : [data: Input, options?: CallOptions];

/** The client gives up after so many refusals in a row. */
const MAX_REFUSALS = 3;
/** A token is refreshed after this share of its lifetime. */
const REFRESH_AT = 0.8;

/**
 * A client for `portico/channels`: one connection, which reconnects, and subscriptions that recover missed messages.
 * For browsers, Node 22 and later, Bun and Deno.
 */
export class Client<App extends Types = Types> {
  private readonly options: ClientOptions;
  private readonly socket: ReconnectingSocket;
  private readonly calls: Calls;
  private readonly subscriptions = new Map<string, Subscription<never, never>>();
  /** The ids of this client's connections, including former ones. */
  private readonly ids = new Set<string>();
  private user: string | undefined;
  private isWelcome = false;
  private refusals = 0;
  private refreshTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Connects, and reconnects until {@link close}.
   * @param url the address of the channels, such as "wss://example.com/channels". A function is called for each attempt
   * @throws Error in a runtime without WebSocket, unless `makeSocket` is set
   */
  constructor(url: string | URL | (() => string | Promise<string>), options: ClientOptions = {}) {
    this.options = options;
    this.calls = new Calls((message) => this.isWelcome && this.transmit(message));
    const protocols = [options.messagePack === undefined ? JSON_PROTOCOL : MESSAGE_PACK_PROTOCOL];
    const events = {
      onOpen: () => void this.signIn(),
      onMessage: (data: string | ArrayBuffer) => this.receive(data),
      onClose: (code: number, reason: string, wasStable: boolean) => this.onClose(code, reason, wasStable),
      onState: (state: ConnectionState) => this.onState(state),
      ping: () => this.encode({ type: "ping" }),
    };
    const urlOf = typeof url === "function" ? url : () => String(url);
    this.socket = new ReconnectingSocket(urlOf, { ...options, protocols }, events);
  }

  /** The state of the connection. It is "open" once the server has accepted the sign-in. */
  get state(): ConnectionState {
    const { state } = this.socket;
    return state === "open" && !this.isWelcome ? "connecting" : state;
  }

  /**
   * Subscribes to a channel. Without a connection, the client subscribes once it has one.
   * @throws Error when the client is already subscribed to this channel
   */
  subscribe<Name extends NameIn<App["channels"]>>(
    channel: Name,
    events: SubscriptionEvents<OutputOf<App["channels"], Name>> = {},
  ): Subscription<InputOf<App["channels"], Name>, OutputOf<App["channels"], Name>> {
    if (this.subscriptions.has(channel)) throw new Error(`this client is already subscribed to ${channel}`);
    const subscription = new Subscription<InputOf<App["channels"], Name>, OutputOf<App["channels"], Name>>(
      channel,
      events,
      {
        isOwn: (client) => this.ids.has(client),
        isConnected: () => this.isWelcome,
        publish: async (name, data, { quiet, ...options }) => {
          const message = { type: "publish", channel: name, data, ...(quiet && { quiet }) } as const;
          const answer = await this.calls.send(message, options);
          return answer.type === "published" ? answer.offset : undefined;
        },
        subscribe: (name, since, history, settle) =>
          void this.calls.begin(
            { type: "subscribe", channel: name, history, ...(since && { since }) },
            (answer) => settle(answer as Subscribed | ChannelError),
          ),
        forget: ({ channel: name }) => {
          this.subscriptions.delete(name);
          if (this.isWelcome) this.calls.send({ type: "unsubscribe", channel: name }).catch(() => {});
        },
      },
    );
    this.subscriptions.set(channel, subscription as Subscription<never, never>);
    if (this.isWelcome) subscription.onConnected();
    return subscription;
  }

  /** Sends a request, once there is a connection. @returns the answer. Rejects with a {@link ChannelError} */
  async request<Name extends keyof App["requests"] & string>(
    name: Name,
    ...[data, options]: RequestArguments<InputOf<App["requests"], Name>>
  ): Promise<AnswerOf<App["requests"], Name>> {
    const answer = await this.calls.send({ type: "request", name, data }, options);
    return (answer.type === "answer" ? answer.data : undefined) as AnswerOf<App["requests"], Name>;
  }

  /** Ends the connection for good. Calls without an answer reject. */
  close(): void {
    this.onDisconnected();
    this.calls.close();
    this.socket.close();
  }

  private async signIn(): Promise<void> {
    const token = await this.tokenNow();
    this.transmit({ type: "hello", id: 0, ...(token !== undefined && { token }) });
  }

  /** Returns the token. If the token function fails, this connection ends, and the next one calls it again. */
  private async tokenNow(): Promise<string | undefined> {
    const { token } = this.options;
    try {
      return typeof token === "function" ? await token() : token;
    } catch {
      this.socket.restart();
      return undefined;
    }
  }

  private transmit(message: ClientMessage): boolean {
    return this.socket.send(this.encode(message));
  }

  private encode(message: ClientMessage): string | Uint8Array<ArrayBuffer> {
    const { messagePack } = this.options;
    if (messagePack === undefined) return JSON.stringify(message);
    return messagePack.encode(message) as Uint8Array<ArrayBuffer>;
  }

  private receive(data: string | ArrayBuffer): void {
    let message: ServerMessage;
    try {
      message = this.decode(data);
    } catch {
      // After an invalid message, the client cannot trust the messages that follow.
      this.socket.restart();
      return;
    }
    if (message.type === "welcome") this.onWelcome(message);
    else if ("id" in message) this.calls.receive(message);
    else if (message.type !== "pong") this.subscriptions.get(message.channel)?.receive(message);
  }

  private decode(data: string | ArrayBuffer): ServerMessage {
    if (typeof data === "string") return JSON.parse(data) as ServerMessage;
    return this.options.messagePack?.decode(new Uint8Array(data)) as ServerMessage;
  }

  private onWelcome({ client, user, pingAfterMs, expiresInMs }: Welcome): void {
    this.ids.add(client);
    this.user = user;
    this.isWelcome = true;
    this.socket.settle(pingAfterMs);
    this.refreshAfter(expiresInMs);
    this.options.onState?.("open", user);
    for (const subscription of this.subscriptions.values()) subscription.onConnected();
    this.calls.onConnected();
  }

  private refreshAfter(expiresInMs: number | undefined): void {
    if (expiresInMs === undefined) return;
    this.refreshTimer = setTimeout(
      () => void this.refresh(),
      Math.min(expiresInMs * REFRESH_AT, 2 ** 31 - 1),
    );
  }

  private async refresh(): Promise<void> {
    const token = await this.tokenNow();
    if (token === undefined) return;
    const answer = await this.calls.send({ type: "refresh", token }).catch(() => undefined);
    if (answer?.type === "refreshed") this.refreshAfter(answer.expiresInMs);
  }

  private onClose(code: number, reason: string, wasStable: boolean): boolean {
    this.onDisconnected();
    if (wasStable) this.refusals = 0;
    if (code === CLOSE.badMessage || code === CLOSE.signIn) this.refusals++;
    if (code !== CLOSE.dismissed && this.refusals < MAX_REFUSALS) return true;
    this.calls.close();
    this.options.onRefused?.(code, reason);
    return false;
  }

  private onDisconnected(): void {
    clearTimeout(this.refreshTimer);
    this.isWelcome = false;
    this.calls.onDisconnected();
    for (const subscription of this.subscriptions.values()) subscription.onDisconnected();
  }

  private onState(state: ConnectionState): void {
    if (state !== "open") this.options.onState?.(state, this.user);
  }
}
