/**
 * Shares the topics of a server with the servers of other processes and machines. Each server needs a separate broker.
 */
export interface Broker {
  /** What kind of broker it is, for people. */
  readonly name?: string;
  /**
   * Begins to report to a receiver. The server calls it once, before everything else. A broker is disconnected at
   * first. It reconnects automatically after it has lost its connection.
   */
  start(receiver: BrokerReceiver): void;
  /**
   * Sends a message to all servers that have subscribed to a topic. Messages on the same topic keep their order.
   * @param topic any text
   * @param message the broker must not change it, and the server does not change it afterwards
   * @returns nothing, or a promise that settles when the message has been sent or lost. Until then its bytes count
   *   against `limits.maxBrokerBytes`
   * @throws for a message that cannot be sent; the server counts it as dropped
   */
  publish(topic: string, message: Uint8Array): unknown;
  /** Subscribes to a topic until {@link unsubscribe}, even across lost connections. */
  subscribe(topic: string): void;
  /** Ends {@link subscribe}. */
  unsubscribe(topic: string): void;
  /** Ends all subscriptions. Connections that the program made stay open. */
  close(): Promise<void> | void;
}

/** Receives the messages and states of a broker. Its functions never throw. */
export interface BrokerReceiver {
  /** @param message a message that a server published, possibly the receiving server itself */
  onMessage(topic: string, message: Uint8Array): void;
  /**
   * Reports whether the broker can be reached.
   * @param error the reason why it cannot be reached
   */
  onState(state: BrokerState, error?: unknown): void;
}

/** Whether messages reach other servers. */
export type BrokerState = "connected" | "disconnected";

let makeDefault: () => Broker | undefined = () => undefined;

/** @internal Sets what makes the broker of servers that are given none; undefined keeps their topics in this process. */
export function setDefaultBroker(factory: () => Broker | undefined): void {
  makeDefault = factory;
}

/** Returns the broker of a server without the option `broker`. */
export function defaultBroker(): Broker | undefined {
  return makeDefault();
}
