import { createHash } from "node:crypto";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Broker, BrokerReceiver } from "../server/broker.ts";

/** The part of a `@nats-io/transport-node` connection that the broker uses. */
export interface NatsConnection {
  publish(subject: string, payload: Uint8Array): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: { readonly data: Uint8Array }) => void },
  ): { unsubscribe(): void };
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
  closed(): Promise<unknown>;
  isClosed(): boolean;
}

export interface NatsBrokerOptions {
  /** The prefix of all subjects. Servers with the same prefix share their topics. Default "portico.". */
  prefix?: string;
}

const natsBrokerOptionNames: OptionNames<NatsBrokerOptions> = { prefix: true };

/** Longer ones are hashed: NATS closes connections whose subjects do not fit into 4 KiB. */
const MAX_TOKEN = 1_000;
/** For the next attempt to subscribe to what NATS refused. */
const RETRY_MS = 1_000;

/**
 * Shares topics through NATS.
 * @param connection a connection of `@nats-io/transport-node`. Create it with `maxReconnectAttempts: -1`, because by
 *   default it gives up after ten attempts. The broker does not close it
 * @throws TypeError for an unknown option
 */
export function natsBroker(connection: NatsConnection, options: NatsBrokerOptions = {}): Broker {
  checkOptions("natsBroker", options, natsBrokerOptionNames);
  return new NatsBroker(connection, options.prefix ?? "portico.");
}

class NatsBroker implements Broker {
  readonly name: string = "NATS";
  private readonly connection: NatsConnection;
  private readonly prefix: string;
  private readonly subscriptions = new Map<string, { unsubscribe(): void }>();
  private receiver: BrokerReceiver | undefined;
  private flushing: Promise<void> | undefined;
  /** Topics that NATS has not subscribed us to. */
  private readonly refused = new Set<string>();
  private retryTimer: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection, prefix: string) {
    this.connection = connection;
    this.prefix = prefix;
  }

  start(receiver: BrokerReceiver): void {
    const { connection } = this;
    this.receiver = receiver;
    if (connection.isClosed()) {
      receiver.onState("disconnected", new Error("the connection to NATS is closed"));
      return;
    }
    receiver.onState("connected");
    this.watch().catch((error: unknown) => this.onClosed(error));
    connection.closed().then(
      (error) => this.onClosed(error),
      (error) => this.onClosed(error),
    );
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    this.connection.publish(this.subjectOf(topic), message);
    // One for all messages of a turn: it resolves when the server has read them.
    this.flushing ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.flushing = undefined;
        this.connection.flush().then(resolve, reject);
      });
    });
    return this.flushing;
  }

  subscribe(topic: string): void {
    const callback = (error: Error | null, message: { readonly data: Uint8Array }): void => {
      if (error === null) this.receiver?.onMessage(topic, message.data);
      else this.onRefused(topic, error);
    };
    this.subscriptions.set(topic, this.connection.subscribe(this.subjectOf(topic), { callback }));
  }

  unsubscribe(topic: string): void {
    this.refused.delete(topic);
    this.subscriptions.get(topic)?.unsubscribe();
    this.subscriptions.delete(topic);
  }

  close(): void {
    clearTimeout(this.retryTimer);
    this.receiver = undefined;
    if (this.connection.isClosed()) return;
    for (const subscription of this.subscriptions.values()) subscription.unsubscribe();
    this.subscriptions.clear();
  }

  /** A topic as one token of a subject: no spaces, dots or wildcards. */
  private subjectOf(topic: string): string {
    const token = encodeURIComponent(Buffer.from(topic).toString()).replace(/[.*]/g, (character) =>
      character === "." ? "%2E" : "%2A",
    );
    if (token.length <= MAX_TOKEN) return `${this.prefix}t${token}`;
    return `${this.prefix}h${createHash("sha256").update(topic).digest("hex")}`;
  }

  private onRefused(topic: string, error: unknown): void {
    this.refused.add(topic);
    this.receiver?.onState("disconnected", error);
    this.retryTimer ??= setTimeout(() => void this.retry(), RETRY_MS).unref();
  }

  private async retry(): Promise<void> {
    this.retryTimer = undefined;
    if (this.connection.isClosed()) return;
    const topics = [...this.refused];
    this.refused.clear();
    for (const topic of topics) {
      try {
        this.subscribe(topic);
      } catch (error) {
        // Such as that of a connection that drains.
        this.onRefused(topic, error);
      }
    }
    // A refusal comes before the answer to this.
    const isAnswered = await this.connection.flush().then(
      () => true,
      () => false,
    );
    if (isAnswered && this.refused.size === 0) this.receiver?.onState("connected");
  }

  private async watch(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (this.receiver === undefined) return;
      if (type === "reconnect") this.receiver.onState("connected");
      else if (type === "disconnect" || type === "staleConnection") {
        this.receiver.onState("disconnected", new Error("the connection to NATS is lost"));
      }
    }
  }

  private onClosed(error: unknown): void {
    this.receiver?.onState("disconnected", error ?? new Error("the connection to NATS has been closed"));
  }
}
