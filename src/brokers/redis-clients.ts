// The parts of the two Redis clients that are used. A program creates its client and passes it in, so this package
// depends on neither.

/** The functions that both clients have. */
interface RedisPublisher {
  publish(channel: string, message: Buffer): Promise<unknown>;
  on(event: string, listener: (error?: unknown) => void): unknown;
  off(event: string, listener: (error?: unknown) => void): unknown;
}

/** A client of `@redis/client` or `redis`, from `createClient` or `createCluster`. */
export interface NodeRedisClient extends RedisPublisher {
  readonly isReady: boolean;
  sPublish(channel: string, message: Buffer): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
  /** Absent before version 5. */
  withCommandOptions?(options: { timeout: number }): Pick<NodeRedisClient, "publish" | "sPublish">;
}

type NodeRedisListener = (message: string | Buffer, channel: string | Buffer) => void;

/** The second connection, which the broker opens. */
interface NodeRedisSubscriber {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  on(event: string, listener: (error?: unknown) => void): unknown;
  subscribe(channel: string, listener: NodeRedisListener, isBuffer: true): Promise<unknown>;
  sSubscribe(channel: string, listener: NodeRedisListener, isBuffer: true): Promise<unknown>;
  unsubscribe(channel: string, listener: NodeRedisListener, isBuffer: true): Promise<unknown>;
  sUnsubscribe(channel: string, listener: NodeRedisListener, isBuffer: true): Promise<unknown>;
  destroy(): void;
}

/** A client of `ioredis`: `Redis` or `Cluster`. */
export interface IoRedisClient extends RedisPublisher {
  readonly status: string;
  readonly isCluster: boolean;
  spublish(channel: string, message: Buffer): Promise<unknown>;
  duplicate(): IoRedisSubscriber;
}

/** The second connection, which the broker opens. */
interface IoRedisSubscriber {
  readonly status: string;
  connect(): Promise<unknown>;
  on(event: string, listener: (first?: unknown, second?: unknown) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** A common interface for both clients: one connection publishes, the other subscribes. */
export interface RedisLink {
  readonly isReady: boolean;
  publish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Opens the second connection. @param onChange called when {@link isReady} can have changed */
  open(onMessage: (channel: string, message: Buffer) => void, onChange: (error?: unknown) => void): void;
  /** Closes the second connection. */
  close(): void;
}

/** After each of these a connection can be ready, or not be ready any more. */
const EVENTS = ["ready", "connect", "reconnecting", "close", "end", "error", "disconnect"].concat(
  ["node-ready", "node-disconnect", "node-error", "+node", "-node"], // clusters
);

export function nodeRedisLink(client: NodeRedisClient, sharded: boolean | undefined): RedisLink {
  const isSharded = sharded ?? "slots" in client; // a cluster
  const subscriber = client.duplicate();
  // The client makes an AbortSignal with a timer for each command that has a timeout. That dominates the cost of a message
  // (npm run bench -- brokers). The server bounds the commands in flight.
  const publisher = client.withCommandOptions?.({ timeout: 0 }) ?? client;
  let onMessage: (channel: string, message: Buffer) => void = () => {};
  let onChange: (error?: unknown) => void = () => {};
  const listener: NodeRedisListener = (message, channel) => {
    if (typeof message !== "string") onMessage(channel.toString(), message);
  };
  return {
    get isReady() {
      return client.isReady && subscriber.isReady;
    },
    publish: (channel, message) =>
      isSharded ? publisher.sPublish(channel, message) : publisher.publish(channel, message),
    subscribe: (channel) =>
      isSharded
        ? subscriber.sSubscribe(channel, listener, true)
        : subscriber.subscribe(channel, listener, true),
    // Without the listener, the client would forget a subscription that is made before the answer has arrived.
    unsubscribe: (channel) =>
      isSharded
        ? subscriber.sUnsubscribe(channel, listener, true)
        : subscriber.unsubscribe(channel, listener, true),
    open(messages, changes) {
      onMessage = messages;
      onChange = changes;
      for (const event of EVENTS) {
        client.on(event, onChange);
        subscriber.on(event, onChange);
      }
      subscriber.connect().then(() => onChange(), onChange);
      onChange();
    },
    close() {
      for (const event of EVENTS) client.off(event, onChange);
      subscriber.destroy();
    },
  };
}

export function ioRedisLink(client: IoRedisClient, sharded: boolean | undefined): RedisLink {
  const isSharded = sharded ?? client.isCluster;
  const subscriber = client.duplicate();
  let onChange: (error?: unknown) => void = () => {};
  return {
    get isReady() {
      return client.status === "ready" && subscriber.status === "ready";
    },
    publish: (channel, message) =>
      isSharded ? client.spublish(channel, message) : client.publish(channel, message),
    subscribe: (channel) => (isSharded ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel)),
    unsubscribe: (channel) =>
      isSharded ? subscriber.sunsubscribe(channel) : subscriber.unsubscribe(channel),
    open(onMessage, changes) {
      onChange = changes;
      for (const event of EVENTS) {
        client.on(event, onChange);
        subscriber.on(event, onChange);
      }
      subscriber.on(isSharded ? "smessageBuffer" : "messageBuffer", (channel, message) => {
        if (Buffer.isBuffer(message)) onMessage(String(channel), message);
      });
      if (subscriber.status === "wait") subscriber.connect().then(() => onChange(), onChange);
      onChange();
    },
    close() {
      for (const event of EVENTS) client.off(event, onChange);
      subscriber.disconnect();
    },
  };
}
