import { losslessJson } from "../protocol/channels/lossless-json.ts";
import {
  CLOSE,
  type ClientMessage,
  isName,
  JSON_PROTOCOL,
  MAX_NAME_LENGTH,
  MESSAGE_PACK_PROTOCOL,
  type ServerMessage,
  type Subscribed,
  type Welcome,
} from "../protocol/channels/messages.ts";
import { callProgram } from "./call-program.ts";
import { type CallOptions, Calls } from "./calls.ts";
import { ChannelError } from "./channel-error.ts";
import {
  addressOf,
  type ConnectionState,
  ReconnectingSocket,
  type ReconnectOptions,
} from "./reconnecting-socket.ts";
import { Subscription, type SubscriptionEvents } from "./subscription.ts";
import { later } from "./timers.ts";
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
/** Not sooner than this, in milliseconds: the new token can end as soon as the old one. */
const MIN_REFRESH_MS = 100;
/** How many ids of former connections to remember. */
const MAX_IDS = 1_000;

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
  /** Counts the connections, so that the tokens of former ones are ignored. */
  private connection = 0;
  private refreshTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Connects, and reconnects until {@link close}.
   * @param url the address of the channels, such as "wss://example.com/channels". A function is called for each attempt
   * @throws Error in a runtime without WebSocket, unless `makeSocket` is set; TypeError for an invalid URL; RangeError for
   *   an invalid time
   */
  constructor(url: string | URL | (() => string | Promise<string>), options: ClientOptions = {}) {
    this.options = options;
    this.calls = new Calls((message) => this.isWelcome && this.transmit(message));
    const protocols = [options.messagePack === undefined ? JSON_PROTOCOL : MESSAGE_PACK_PROTOCOL];
    const events = {
      onOpen: () => this.signIn(),
      onMessage: (data: string | ArrayBuffer) => this.receive(data),
      onClose: (code: number, reason: string, wasStable: boolean) => this.onClose(code, reason, wasStable),
      onState: (state: ConnectionState) => this.onState(state),
      ping: () => this.encode({ type: "ping" }),
    };
    const address = typeof url === "function" ? "" : addressOf(url).href;
    const urlOf = typeof url === "function" ? url : () => address;
    this.socket = new ReconnectingSocket(urlOf, { ...options, protocols }, events);
  }

  /** The state of the connection. It is "open" once the server has accepted the sign-in. */
  get state(): ConnectionState {
    const { state } = this.socket;
    return state === "open" && !this.isWelcome ? "connecting" : state;
  }

  /**
   * Subscribes to a channel. Without a connection, the client subscribes once it has one.
   * @throws Error when the client is already subscribed to this channel; RangeError for a name or a `history` that cannot be
   */
  subscribe<Name extends NameIn<App["channels"]>>(
    channel: Name,
    events: SubscriptionEvents<OutputOf<App["channels"], Name>> = {},
  ): Subscription<InputOf<App["channels"], Name>, OutputOf<App["channels"], Name>> {
    checkName(channel);
    if (this.subscriptions.has(channel)) throw new Error(`this client is already subscribed to ${channel}`);
    const { history = 0 } = events;
    if (!Number.isSafeInteger(history) || history < 0) {
      throw new RangeError(`history cannot be ${history}. Use an integer of at least 0`);
    }
    const subscription = new Subscription<InputOf<App["channels"], Name>, OutputOf<App["channels"], Name>>(
      channel,
      events,
      {
        isOwn: (client) => this.ids.has(client),
        isConnected: () => this.isWelcome,
        publish: async (name, data, { quiet, ...options }) => {
          if (["undefined", "function", "symbol"].includes(typeof data)) {
            throw new TypeError(`a message cannot be ${String(data)}. Use a value that JSON can hold`);
          }
          const message = { type: "publish", channel: name, data, ...(quiet && { quiet }) } as const;
          const answer = await this.calls.send(message, options);
          return answer.type === "published" ? answer.offset : undefined;
        },
        subscribe: (name, since, count, settle) =>
          void this.calls.begin(
            { type: "subscribe", channel: name, history: count, ...(since && { since }) },
            (answer) => settle(answer as Subscribed | ChannelError),
          ),
        forget: ({ channel: name }) => {
          this.subscriptions.delete(name);
          if (this.isWelcome) this.calls.send({ type: "unsubscribe", channel: name }).catch(() => {});
        },
      },
    );
    if (this.socket.state === "closed") subscription.onClosed();
    else this.subscriptions.set(channel, subscription as Subscription<never, never>);
    if (this.isWelcome) subscription.onConnected();
    return subscription;
  }

  /** Sends a request, once there is a connection. @returns the answer. Rejects with a {@link ChannelError} */
  async request<Name extends keyof App["requests"] & string>(
    name: Name,
    ...[data, options]: RequestArguments<InputOf<App["requests"], Name>>
  ): Promise<AnswerOf<App["requests"], Name>> {
    checkName(name);
    const answer = await this.calls.send({ type: "request", name, data }, options);
    return (answer.type === "answer" ? answer.data : undefined) as AnswerOf<App["requests"], Name>;
  }

  /** Ends the connection for good. Calls without an answer reject. */
  close(): void {
    this.onDisconnected("closed");
    this.finish(new ChannelError("closed", "the client is closed"));
    this.socket.close();
  }

  private signIn(): void {
    void this.withToken((token) =>
      this.transmit({ type: "hello", id: 0, ...(token !== undefined && { token }) }),
    );
  }

  /**
   * Gets the token for a message of this connection. If the token function fails, the connection ends, and the next one
   * calls it again.
   */
  private async withToken(use: (token: string | undefined) => void): Promise<void> {
    const { connection, options } = this;
    const { token } = options;
    try {
      const value = typeof token === "function" ? await token() : token;
      if (connection === this.connection) use(value);
    } catch {
      if (connection === this.connection) this.socket.restart();
    }
  }

  private transmit(message: ClientMessage): boolean {
    return this.socket.send(this.encode(message));
  }

  private encode(message: ClientMessage): string | Uint8Array<ArrayBuffer> {
    const { messagePack } = this.options;
    if (messagePack === undefined) return losslessJson(message);
    return messagePack.encode(message) as Uint8Array<ArrayBuffer>;
  }

  private receive(data: string | ArrayBuffer): void {
    try {
      const message = this.decode(data);
      if (message.type === "welcome") this.onWelcome(message);
      else if ("id" in message) this.calls.receive(message);
      else if (message.type !== "pong") this.subscriptions.get(message.channel)?.receive(message);
    } catch {
      // After an invalid message, the client cannot trust the messages that follow.
      this.socket.restart();
    }
  }

  private decode(data: string | ArrayBuffer): ServerMessage {
    if (typeof data === "string") return JSON.parse(data) as ServerMessage;
    return this.options.messagePack?.decode(new Uint8Array(data)) as ServerMessage;
  }

  private onWelcome({ client, user, pingAfterMs, expiresInMs }: Welcome): void {
    this.ids.add(client);
    const [oldest] = this.ids;
    if (this.ids.size > MAX_IDS && oldest !== undefined) this.ids.delete(oldest);
    this.user = user;
    this.isWelcome = true;
    this.socket.settle(pingAfterMs);
    this.refreshAfter(expiresInMs);
    callProgram(() => this.options.onState?.("open", user));
    for (const subscription of this.subscriptions.values()) subscription.onConnected();
    this.calls.onConnected();
  }

  private refreshAfter(expiresInMs: number | undefined): void {
    if (expiresInMs === undefined) return;
    this.refreshTimer = later(() => this.refresh(), Math.max(MIN_REFRESH_MS, expiresInMs * REFRESH_AT));
  }

  private refresh(): void {
    void this.withToken((token) => {
      if (token === undefined) return;
      this.calls.begin({ type: "refresh", token }, (answer) => {
        if ("type" in answer && answer.type === "refreshed") this.refreshAfter(answer.expiresInMs);
      });
    });
  }

  private onClose(code: number, reason: string, wasStable: boolean): boolean {
    this.onDisconnected(`${code} ${reason}`.trim());
    if (wasStable) this.refusals = 0;
    if (code === CLOSE.badMessage || code === CLOSE.signIn) this.refusals++;
    if (code !== CLOSE.dismissed && this.refusals < MAX_REFUSALS) return true;
    this.finish(new ChannelError("offline", `the server refuses this client (${code} ${reason})`));
    callProgram(() => this.options.onRefused?.(code, reason));
    return false;
  }

  /** Called when the client will not connect again. */
  private finish(error: ChannelError): void {
    this.calls.close(error);
    for (const subscription of this.subscriptions.values()) subscription.onClosed();
    this.subscriptions.clear();
  }

  private onDisconnected(why: string): void {
    clearTimeout(this.refreshTimer);
    this.connection++;
    this.isWelcome = false;
    this.calls.onDisconnected(why);
    for (const subscription of this.subscriptions.values()) subscription.onDisconnected();
  }

  private onState(state: ConnectionState): void {
    if (state !== "open") this.options.onState?.(state, this.user);
  }
}

/** @throws RangeError for a name that the server would close the connection for */
function checkName(name: string): void {
  const { length } = name;
  if (!isName(name)) throw new RangeError(`a name has 1 to ${MAX_NAME_LENGTH} characters, not ${length}`);
}
