import { randomBytes } from "node:crypto";
import { ChurnSet } from "../bytes/churn-map.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import {
  CLOSE,
  type ClientMessage,
  type ErrorCode,
  type ServerMessage,
} from "../protocol/channels/messages.ts";
import { answerRequest, inTime } from "./answer-request.ts";
import type { ChannelLimits } from "./channel-limits.ts";
import { readClientMessage } from "./client-message.ts";
import { LONE_SURROGATE, type RequestDefinition } from "./definitions.ts";
import { Failure, unavailable } from "./failure.ts";
import { answerText, type MessagePack, recordOf, type SharedMessage } from "./shared-message.ts";
import { InvalidValue, validate } from "./standard-schema.ts";
import type { Presence } from "./store.ts";
import { Subscriptions, type SubscriptionsContext, type SubscriptionsOwner } from "./subscriptions.ts";

/** The identity of a client. */
export interface Identity {
  /** The user's name. Connections of one user are one member of a channel. */
  user: string;
  /** For the program's functions; clients do not see it. */
  data?: unknown;
  /** What other members see in channels with presence. JSON must be able to hold it. */
  info?: unknown;
  /** When the token expires, in milliseconds since 1970 (`Date.now()`). Default: never. */
  expiresAt?: number;
}

export type Authenticate = (
  token: string | undefined,
  exchange: Exchange,
) => Identity | undefined | Promise<Identity | undefined>;

/** What a session needs from its channels. */
export interface SessionContext extends SubscriptionsContext {
  readonly limits: ChannelLimits;
  readonly requests: Readonly<Record<string, RequestDefinition>>;
  readonly messagePack: MessagePack | undefined;
  authenticate: Authenticate;
}

const ID_BYTES = 12;

/** One client's connection, from the sign-in to the end. */
export class Session implements SubscriptionsOwner {
  readonly id: string = randomBytes(ID_BYTES).toString("base64url");
  private readonly socket: WebSocket;
  private readonly context: SessionContext;
  private readonly exchange: Exchange;
  private readonly isPacked: boolean;
  private readonly subscriptions: Subscriptions;
  private hasEnded = false;
  /** The requests that are being answered. */
  private readonly running = new ChurnSet<AbortController>();
  private identity: Identity | undefined;
  /** The sign-in in progress. Messages that arrive meanwhile wait for it. */
  private signingIn: Promise<void> | undefined;
  private expiresAt: number;
  private pending = 0;
  private lastId = -1;
  /** Publishes the client's messages one after another. */
  private published: Promise<unknown> = Promise.resolve();

  constructor(socket: WebSocket, exchange: Exchange, context: SessionContext, isPacked: boolean) {
    this.socket = socket;
    this.exchange = exchange;
    this.context = context;
    this.isPacked = isPacked;
    this.subscriptions = new Subscriptions(this, context);
    this.expiresAt = performance.now() + context.limits.signInTimeoutMs;
  }

  get user(): string {
    return this.identity?.user ?? "";
  }

  get data(): unknown {
    return this.identity?.data;
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get presence(): Presence {
    const { info } = this.identity ?? {};
    return { client: this.id, user: this.user, ...(info !== undefined && { info }) };
  }

  /** Handles a message of the client. */
  receive(bytes: Buffer, binary: boolean): void {
    const message = this.read(bytes, binary);
    if (message === undefined || !this.isNext(message))
      this.close(CLOSE.badMessage, "the message is not valid");
    else if (message.type === "ping") this.send({ type: "pong" });
    else if (message.type === "hello" || message.type === "refresh") this.beginSignIn(message);
    else if (this.identity === undefined && this.signingIn === undefined)
      this.close(CLOSE.badMessage, "sign in first");
    else void this.answer(message);
  }

  /** Sends a message that it shares with other clients. A client that cannot keep up is disconnected, and can recover. */
  deliver(message: SharedMessage): void {
    const frames = message.framesFor(this.isPacked ? this.context.messagePack : undefined);
    if (this.socket.driver.sendShared(frames) === "dropped") this.close(CLOSE.tooSlow, "too slow");
  }

  /** Ends the subscription to a channel. @returns whether there was one */
  end(name: string, code: ErrorCode, message: string): boolean {
    return this.subscriptions.end(name, code, message);
  }

  tick(now: number): void {
    if (now < this.expiresAt) return;
    if (this.identity === undefined) this.close(CLOSE.timeout, "the sign-in took too long");
    else this.close(CLOSE.signIn, "the token has expired");
  }

  close(code: number, reason: string): void {
    this.socket.closeNow(code, reason);
  }

  /** The connection has ended. */
  onClose(): void {
    this.hasEnded = true;
    for (const request of this.running) request.abort();
    this.subscriptions.clear();
  }

  private read(bytes: Buffer, binary: boolean): ClientMessage | undefined {
    if (binary !== this.isPacked) return undefined;
    try {
      const { messagePack } = this.context;
      return readClientMessage(binary ? messagePack?.decode(bytes) : JSON.parse(bytes.toString()));
    } catch {
      return undefined;
    }
  }

  /** Ids grow, so a message that a faulty network delivers twice is refused. */
  private isNext(message: ClientMessage): boolean {
    if (message.type === "ping") return true;
    const isNext = message.id > this.lastId;
    this.lastId = message.id;
    return isNext;
  }

  send(message: ServerMessage): void {
    const { messagePack } = this.context;
    const text = message.type === "answer" ? answerText(message) : JSON.stringify(message);
    if (!this.isPacked || messagePack === undefined) this.socket.reply(text);
    // JSON leaves out undefined fields; MessagePack would send them as nil.
    else this.socket.reply(messagePack.encode(JSON.parse(text)));
  }

  private beginSignIn(message: ClientMessage & { type: "hello" | "refresh" }): void {
    if (this.signingIn !== undefined || (message.type === "hello") !== (this.identity === undefined)) {
      this.close(CLOSE.badMessage, `${message.type} came at the wrong time`);
      return;
    }
    this.signingIn = this.signIn(message).finally(() => {
      this.signingIn = undefined;
    });
  }

  private async signIn({ type, id, token }: ClientMessage & { type: "hello" | "refresh" }): Promise<void> {
    const identity = await this.identify(token);
    if (this.hasEnded) return;
    if (identity === undefined || (this.identity !== undefined && this.user !== identity.user)) {
      return this.close(CLOSE.signIn, "the sign-in was refused");
    }
    const { expiresAt = Number.POSITIVE_INFINITY } = identity;
    const expiresInMs = Number.isFinite(expiresAt) ? Math.max(0, expiresAt - Date.now()) : undefined;
    if (expiresInMs === 0) return this.close(CLOSE.signIn, "the token has expired");
    this.identity = identity;
    this.expiresAt = performance.now() + (expiresInMs ?? Number.POSITIVE_INFINITY);
    const expiry = expiresInMs === undefined ? {} : { expiresInMs };
    if (type === "refresh") return this.send({ type: "refreshed", id, ...expiry });
    const { pingAfterMs } = this.context.limits;
    this.send({ type: "welcome", id, client: this.id, user: identity.user, pingAfterMs, ...expiry });
  }

  private async identify(token: string | undefined): Promise<Identity | undefined> {
    try {
      // Programs in JavaScript return null, too.
      const identity = (await this.context.authenticate(token, this.exchange)) ?? undefined;
      if (identity !== undefined) checkIdentity(identity, this.context.messagePack);
      return identity;
    } catch (error) {
      this.context.report(error);
      return undefined;
    }
  }

  /** Does what a message asks for, and answers it. Reading pauses while too many answers are pending. */
  private async answer(
    message: Exclude<ClientMessage, { type: "ping" | "hello" | "refresh" }>,
  ): Promise<void> {
    const { id } = message;
    if (++this.pending === this.context.limits.maxPending) this.socket.pause();
    try {
      if (this.identity === undefined) await this.signingIn;
      if (this.hasEnded) return;
      const answer = await this.perform(message);
      if (!this.hasEnded && answer !== undefined) this.send(answer);
    } catch (error) {
      const failure = this.failureOf(error);
      if (!this.hasEnded) this.send({ type: "error", id, code: failure.code, message: failure.message });
    } finally {
      if (this.pending-- === this.context.limits.maxPending) this.socket.resume();
    }
  }

  private failureOf(error: unknown): Failure {
    if (error instanceof Failure) return error;
    if (error instanceof InvalidValue) return new Failure("invalid", error.message);
    this.context.report(error);
    return new Failure("failed", "the server failed to answer");
  }

  private async perform(
    message: Exclude<ClientMessage, { type: "ping" | "hello" | "refresh" }>,
  ): Promise<ServerMessage | undefined> {
    switch (message.type) {
      case "subscribe":
        await this.subscriptions.add(message);
        return undefined;
      case "unsubscribe":
        this.subscriptions.remove(message.channel);
        return { type: "unsubscribed", id: message.id };
      case "publish": {
        const publishing = this.published.then(() => this.publish(message));
        this.published = publishing.catch(() => {});
        return await publishing;
      }
      case "request":
        return { type: "answer", id: message.id, data: await this.request(message) };
    }
  }

  private async publish(message: ClientMessage & { type: "publish" }): Promise<ServerMessage> {
    const { id, channel: name, quiet } = message;
    const channel = await this.subscriptions.find(name);
    if (channel === undefined) throw new Failure("not-subscribed", "subscribe before you publish");
    const { publish, message: schema } = channel.definition;
    if (publish === undefined) throw new Failure("forbidden", "clients cannot publish to this channel");
    const { limits, messagePack } = this.context;
    let { data } = message;
    if (schema !== undefined) data = await inTime(validate(schema, data), limits.requestTimeoutMs);
    if (publish !== "subscribers") data = await inTime(publish(this, data, name), limits.requestTimeoutMs);
    if (data === undefined) throw new Failure("forbidden", "the message was refused");
    const record = recordOf(data, this.id, quiet === true, messagePack);
    try {
      const position = await channel.publish(record);
      return { type: "published", id, ...(position !== undefined && { offset: position.offset }) };
    } catch (error) {
      this.context.report(error);
      throw unavailable();
    }
  }

  private async request({ name, data }: ClientMessage & { type: "request" }): Promise<unknown> {
    const { requests, limits } = this.context;
    const definition = Object.hasOwn(requests, name) ? requests[name] : undefined;
    if (definition === undefined) throw new Failure("unknown-request", "the server has no such request");
    const timeoutMs = definition.timeoutMs ?? limits.requestTimeoutMs;
    return await answerRequest(definition, data, this, timeoutMs, this.running);
  }
}

/** @throws TypeError for an identity that would not work */
function checkIdentity({ user, info, expiresAt = 0 }: Identity, messagePack: MessagePack | undefined): void {
  if (typeof user !== "string" || user === "" || LONE_SURROGATE.test(user)) {
    throw new TypeError(`authenticate returned a user that is not a name: ${String(user)}`);
  }
  if (typeof expiresAt !== "number" || Number.isNaN(expiresAt)) {
    throw new TypeError(`authenticate returned an expiresAt that is not a number: ${String(expiresAt)}`);
  }
  // Clients could not read what follows it otherwise.
  if (info !== undefined) recordOf(info, undefined, false, messagePack);
}
