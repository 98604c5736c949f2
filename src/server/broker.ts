/** What a server needs to share its topics with the servers of other processes and machines. One broker serves one server. */
export interface Broker {
  /** What kind of broker it is, for people. */
  readonly name?: string;
  /**
   * Begins to report to a receiver; the server calls it once, before everything else. A broker starts as disconnected, and
   * comes back by itself when its connection is lost.
   */
  start(receiver: BrokerReceiver): void;
  /**
   * Sends a message to all servers that have subscribed to a topic, in the order of the calls for each topic.
   * @param topic any text
   * @param message must not change afterwards, and is not changed by the server
   * @returns nothing, or a promise that settles when the message is on its way or lost: until then its bytes count against
   *   `limits.maxBrokerBytes`
   * @throws for a message that it cannot send; the server counts it as dropped
   */
  publish(topic: string, message: Uint8Array): unknown;
  /** Receives the messages of a topic from now on, also after a lost connection, until {@link unsubscribe}. */
  subscribe(topic: string): void;
  /** Ends {@link subscribe}. */
  unsubscribe(topic: string): void;
  /** Ends all subscriptions. Connections that the program made stay open. */
  close(): Promise<void> | void;
}

/** What a broker reports to. None of its functions throws. */
export interface BrokerReceiver {
  /** @param message what a server published; the server's own messages may be among them */
  onMessage(topic: string, message: Uint8Array): void;
  /**
   * Reports that the broker can be reached, or that it cannot.
   * @param error why not
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

/** The broker of a server that is given none. */
export function defaultBroker(): Broker | undefined {
  return makeDefault();
}
