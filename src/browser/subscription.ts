import type {
  ChannelMessage,
  Member,
  Position,
  ServerMessage,
  Subscribed,
} from "../protocol/channels/messages.ts";
import { callProgram } from "./call-program.ts";
import type { CallOptions } from "./calls.ts";
import { ChannelError } from "./channel-error.ts";

/** Where a received message comes from. */
export interface ReceivedMessage {
  /** Its offset in the history; undefined in channels without one. */
  readonly offset: number | undefined;
  /** The id of the connection that published it; undefined if the server did. */
  readonly client: string | undefined;
  /** Whether it was published before this subscription, or while there was no connection. */
  readonly isOld: boolean;
}

export interface SubscriptionEvents<Output> {
  /** How many of the last messages to get at first, and again after messages were missed. Default 0. */
  history?: number;
  /** Called once for each message, in order. */
  onMessage?(data: Output, message: ReceivedMessage): void;
  /**
   * Called when the server has accepted the subscription: for the first time, or after the connection was lost.
   * @param isComplete whether no message is missing since the last one. False the first time
   */
  onSubscribed?(isComplete: boolean): void;
  /** Called when messages before the next one are missing. Reload what you show. */
  onMissed?(): void;
  onJoin?(member: Member): void;
  onLeave?(user: string): void;
  /** Called when the server has refused or ended the subscription. The client does not try again. */
  onEnded?(error: ChannelError): void;
}

/** "pending": the server has not accepted the subscription yet, or the connection is lost and the client will try again. */
export type SubscriptionState = "pending" | "subscribed" | "ended";

/** What a subscription needs from its client. */
export interface SubscriptionOwner {
  /** Whether this id belongs to a connection of this client, or to a former one. */
  isOwn(client: string): boolean;
  publish(channel: string, data: unknown, options: PublishOptions): Promise<number | undefined>;
  /** Sends the subscription. @param settle gets the answer before the next message is handled */
  subscribe(
    channel: string,
    since: Position | undefined,
    history: number,
    settle: (answer: Subscribed | ChannelError) => void,
  ): void;
  forget(subscription: Subscription<never, never>): void;
  isConnected(): boolean;
}

export interface PublishOptions extends CallOptions {
  /** Whether this client does not want to receive the message itself. Default false. */
  quiet?: boolean;
}

/** The first pause, and how often it doubles. A random part of it keeps clients from coming all at once. */
const RETRY_MS = 1_000;
const MAX_DOUBLINGS = 5;
const RETRIED = new Set<string>(["unavailable", "timeout", "conflict"]);

/** The messages and members of one channel, across reconnections. */
export class Subscription<Input = unknown, Output = unknown> {
  readonly channel: string;
  state: SubscriptionState = "pending";
  private readonly owner: SubscriptionOwner;
  private readonly events: SubscriptionEvents<Output>;
  private readonly present = new Map<string, Member>();
  private position: Position | undefined;
  private hasBegun = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private retries = 0;
  /** Counts the attempts, so that answers to older ones are ignored. */
  private attempt = 0;

  /** Created by `client.subscribe`. */
  constructor(channel: string, events: SubscriptionEvents<Output>, owner: SubscriptionOwner) {
    this.channel = channel;
    this.events = events;
    this.owner = owner;
  }

  /** The users who are present, in channels with presence. Without a connection, the users at the time it was lost. */
  get members(): readonly Member[] {
    return [...this.present.values()];
  }

  /**
   * Publishes a message, once there is a connection.
   * @returns its offset; undefined in channels without a history. Rejects with a {@link ChannelError}
   */
  publish(data: Input, options: PublishOptions = {}): Promise<number | undefined> {
    return this.owner.publish(this.channel, data, options);
  }

  /** Ends the subscription. */
  unsubscribe(): void {
    if (this.state === "ended") return;
    this.onClosed();
    this.owner.forget(this as Subscription<never, never>);
  }

  /** Subscribes on a new connection. */
  onConnected(): void {
    this.begin();
  }

  onDisconnected(): void {
    this.attempt++;
    clearTimeout(this.retryTimer);
    if (this.state === "subscribed") this.state = "pending";
  }

  /** Handles a message about this channel. */
  receive(message: ServerMessage): void {
    if (message.type === "ended") this.fail(new ChannelError(message.code, message.message));
    // Messages before the answer to a new subscription belong to the previous one.
    if (this.state !== "subscribed") return;
    switch (message.type) {
      case "message":
        if (message.offset === undefined || this.advance(message.offset)) this.tell(message, false);
        break;
      case "skip":
        this.advance(message.offset);
        break;
      case "join":
        this.join(message);
        break;
      case "leave":
        this.leave(message.user);
        break;
      case "reset":
        this.position = message.position;
        this.emit(({ onMissed }) => onMissed?.());
    }
  }

  /** The client has ended, or the subscription. */
  onClosed(): void {
    this.attempt++;
    clearTimeout(this.retryTimer);
    this.state = "ended";
  }

  private begin(): void {
    const attempt = ++this.attempt;
    this.state = "pending";
    this.owner.subscribe(this.channel, this.position, this.events.history ?? 0, (answer) => {
      if (attempt !== this.attempt) return;
      if (!(answer instanceof Error)) this.onSubscribed(answer);
      else if (RETRIED.has(answer.code)) this.retryTimer = setTimeout(() => this.begin(), this.nextPauseMs());
      // When the connection is lost, the next one subscribes again.
      else if (answer.code !== "disconnected" && answer.code !== "offline") this.fail(answer);
    });
  }

  private nextPauseMs(): number {
    const doublings = Math.min(this.retries++, MAX_DOUBLINGS);
    return RETRY_MS * 2 ** doublings * (0.5 + Math.random() / 2);
  }

  private onSubscribed({ position, recovered, messages, members }: Subscribed): void {
    const before = this.position;
    this.state = "subscribed";
    this.retries = 0;
    if (this.hasBegun && !recovered) this.emit(({ onMissed }) => onMissed?.());
    this.hasBegun = true;
    this.position = position;
    const known = before?.epoch === position?.epoch ? (before?.offset ?? 0) : 0;
    for (const message of messages) if ((message.offset ?? 0) > known) this.tell(message, true);
    if (members !== undefined) this.follow(members);
    this.emit(({ onSubscribed }) => onSubscribed?.(recovered));
  }

  private tell({ offset, data, client, quiet }: ChannelMessage, isOld: boolean): void {
    if (quiet && client !== undefined && this.owner.isOwn(client)) return;
    this.emit(({ onMessage }) => onMessage?.(data as Output, { offset, client, isOld }));
  }

  /** @returns whether this is the next message */
  private advance(offset: number): boolean {
    const { position } = this;
    if (position === undefined || offset <= position.offset) return false;
    if (offset === position.offset + 1) {
      this.position = { epoch: position.epoch, offset };
      return true;
    }
    // Messages are missing: recover them.
    if (this.owner.isConnected()) this.begin();
    return false;
  }

  private follow(members: readonly Member[]): void {
    const users = new Set(members.map(({ user }) => user));
    for (const user of this.present.keys()) if (!users.has(user)) this.leave(user);
    for (const member of members) this.join(member);
  }

  private join({ user, info }: Member): void {
    const isNew = !this.present.has(user);
    const member: Member = info === undefined ? { user } : { user, info };
    this.present.set(user, member);
    if (isNew) this.emit(({ onJoin }) => onJoin?.(member));
  }

  private leave(user: string): void {
    if (this.present.delete(user)) this.emit(({ onLeave }) => onLeave?.(user));
  }

  private fail(error: ChannelError): void {
    if (this.state === "ended") return;
    this.onClosed();
    this.owner.forget(this as Subscription<never, never>);
    callProgram(() => this.events.onEnded?.(error));
  }

  /** Calls a function of the program, unless another one has ended the subscription. */
  private emit(call: (events: SubscriptionEvents<Output>) => void): void {
    if (this.state !== "ended") callProgram(() => call(this.events));
  }
}
