import { PorticoError, type PorticoErrorCode } from "../exchange/errors.ts";
import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import { cryptoModule } from "../node/builtins.ts";
import { deliver, type Receiver, type TopicLink, type Topics } from "../websocket/topics.ts";
import type { SendOptions } from "../websocket/web-socket-handlers.ts";
import type { Broker, BrokerReceiver, BrokerState } from "./broker.ts";
import {
  controlPayload,
  decodeRelayMessage,
  encodeRelayMessage,
  isFrom,
  NODE_ID_BYTES,
} from "./relay-message.ts";
import { type BrokerNode, RelayNodes } from "./relay-nodes.ts";
import { RelayOutbox } from "./relay-outbox.ts";
import { RelaySubscriptions } from "./relay-subscriptions.ts";

/** What a relay needs of its server. */
export interface RelayContext {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly topics: Topics<Receiver>;
  report(error: unknown): void;
}

/** What a server knows of its broker. */
export interface BrokerStatus {
  /** What kind of broker it is, such as "Redis". */
  readonly name: string;
  readonly state: BrokerState;
  /** Messages of topics that the broker took, that came from it, and that other servers have not got. */
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  /** What waits for the broker, with what is on its way. */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /**
   * The servers that have answered lately, this one first. Reading the status asks them again, at most every 2 s, so the first
   * result has this server only.
   */
  readonly nodes: readonly BrokerNode[];
}

/** For a broker to end: more is not waited for. */
const CLOSE_MS = 2_000;

const inUse = new WeakSet<Broker>();

/** Shares the topics of a server with those of other processes, by a broker. */
export class TopicRelay implements TopicLink, BrokerReceiver {
  /** Whether messages reach other servers now. */
  state: BrokerState = "disconnected";
  private readonly broker: Broker;
  private readonly context: RelayContext;
  private readonly nodeId = cryptoModule().randomBytes(NODE_ID_BYTES);
  private readonly outbox: RelayOutbox;
  private readonly subscriptions: RelaySubscriptions;
  private readonly nodes: RelayNodes;
  private isClosed = false;
  /** What has been reported: each once, until the broker has been away and is back. */
  private readonly reported = new Set<PorticoErrorCode>();

  /** @throws TypeError if another server has this broker; the error of its `start` */
  constructor(broker: Broker, context: RelayContext) {
    if (inUse.has(broker))
      throw new TypeError("the broker belongs to another server. Create one for each server");
    inUse.add(broker);
    this.broker = broker;
    this.context = context;
    this.outbox = new RelayOutbox(broker, context.limits, context.counters, (why) =>
      this.reportOnce("ERR_BROKER_DROPPED", why),
    );
    this.subscriptions = new RelaySubscriptions(broker, context.limits, (error) =>
      this.reportOnce("ERR_BROKER", error),
    );
    this.nodes = new RelayNodes(
      broker,
      this.nodeId,
      (topic) => this.subscriptions.onFirst(topic),
      () => ({
        openConnections: context.counters.openConnections,
        openWebSockets: context.counters.openWebSockets,
        dropped: context.counters.brokerMessagesDropped,
      }),
    );
    broker.start(this);
    this.nodes.start();
  }

  // TopicLink

  onFirst(topic: string): void {
    if (!this.isClosed) this.subscriptions.onFirst(topic);
  }

  onLast(topic: string): void {
    if (!this.isClosed) this.subscriptions.onLast(topic);
  }

  publish(topic: string, data: string | Uint8Array, options: SendOptions): void {
    if (!this.isClosed) this.outbox.send(topic, encodeRelayMessage(this.nodeId, data, options));
  }

  /** What is known of the broker and of the servers that use it. */
  status(): BrokerStatus {
    const { waitingMessages, waitingBytes } = this.outbox;
    const { counters } = this.context;
    return {
      name: this.broker.name ?? "broker",
      state: this.state,
      sent: counters.brokerMessagesSent,
      received: counters.brokerMessagesReceived,
      dropped: counters.brokerMessagesDropped,
      waitingMessages,
      waitingBytes,
      nodes: this.isClosed ? [] : this.nodes.list(),
    };
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.subscriptions.close();
    const sent = this.outbox.close();
    this.isClosed = true;
    this.state = "disconnected";
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    const ended = sent.then(() => this.broker.close());
    await Promise.race([ended, late]).catch((error: unknown) => this.context.report(error));
    clearTimeout(timer);
  }

  // BrokerReceiver

  onMessage(topic: string, message: Uint8Array): void {
    if (this.isClosed) return;
    const { context } = this;
    try {
      if (isFrom(this.nodeId, message)) return;
      const control = controlPayload(message);
      if (control !== undefined) {
        this.nodes.onMessage(control);
        return;
      }
      const { data, options } = decodeRelayMessage(message);
      context.counters.brokerMessagesReceived++;
      deliver(context.topics, topic, data, options);
    } catch (error) {
      context.counters.countError("ERR_BROKER_MESSAGE");
      this.reportOnce("ERR_BROKER_MESSAGE", error);
    }
  }

  onState(state: BrokerState, error?: unknown): void {
    if (this.isClosed) return;
    this.state = state;
    if (state === "connected") this.reported.clear();
    else this.reportOnce("ERR_BROKER", error);
    this.outbox.setOpen(state === "connected");
  }

  private reportOnce(code: PorticoErrorCode, cause: unknown): void {
    if (this.reported.has(code)) return;
    this.reported.add(code);
    const detail = cause instanceof Error ? cause.message || cause.name : cause;
    const error = new PorticoError(code, detail === undefined ? undefined : String(detail));
    if (cause instanceof Error) error.cause = cause;
    this.context.report(error);
  }
}
