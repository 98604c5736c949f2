import { isThenable } from "../delivery/call-handler.ts";
import { Fifo } from "../delivery/fifo.ts";
import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import type { Broker } from "./broker.ts";

/** How much a broker can have in progress, in bytes. More waits here, where it can be dropped. */
const WINDOW_BYTES = 1_048_576;
/** What a message costs beyond its bytes. */
const OVERHEAD_BYTES = 128;

interface Waiting {
  readonly topic: string;
  readonly message: Uint8Array;
}

/** Messages on their way to a broker: in order, and bounded. */
export class RelayOutbox {
  private readonly broker: Broker;
  private readonly limits: Limits;
  private readonly counters: Counters;
  private readonly onDrop: (why: unknown) => void;
  private readonly waiting = new Fifo<Waiting>();
  private queuedBytes = 0;
  private bytesUnderWay = 0;
  private messagesUnderWay = 0;
  private isOpen = false;
  private onIdle: (() => void) | undefined;

  /** @param onDrop is called for each message that is dropped */
  constructor(broker: Broker, limits: Limits, counters: Counters, onDrop: (why: unknown) => void) {
    this.broker = broker;
    this.limits = limits;
    this.counters = counters;
    this.onDrop = onDrop;
  }

  /** Messages that wait or are on their way. */
  get waitingMessages(): number {
    return this.waiting.length + this.messagesUnderWay;
  }

  get waitingBytes(): number {
    return this.queuedBytes + this.bytesUnderWay;
  }

  /** Passes a message to the broker, or lets it wait; the oldest ones are dropped when too much waits. */
  send(topic: string, message: Uint8Array): void {
    if (this.isOpen && this.waiting.length === 0 && this.bytesUnderWay < WINDOW_BYTES) {
      this.pass({ topic, message });
      return;
    }
    this.waiting.push({ topic, message });
    this.queuedBytes += sizeOf(topic, message);
    const { maxBrokerBytes } = this.limits;
    while (this.waiting.length > 0 && this.queuedBytes + this.bytesUnderWay > maxBrokerBytes) {
      this.takeOldest();
      this.drop(`more than limits.maxBrokerBytes (${maxBrokerBytes}) were waiting`);
    }
  }

  /** Passes on what waits, while the broker can be reached. */
  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    this.flush();
  }

  /** Drops waiting messages. @returns when nothing is in progress */
  close(): Promise<void> {
    this.isOpen = false;
    while (this.takeOldest() !== undefined) this.drop("the server has closed");
    if (this.bytesUnderWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle = resolve;
    });
  }

  private flush(): void {
    while (this.isOpen && this.bytesUnderWay < WINDOW_BYTES) {
      const oldest = this.takeOldest();
      if (oldest === undefined) return;
      this.pass(oldest);
    }
  }

  private takeOldest(): Waiting | undefined {
    const oldest = this.waiting.shift();
    if (oldest !== undefined) this.queuedBytes -= sizeOf(oldest.topic, oldest.message);
    return oldest;
  }

  private pass({ topic, message }: Waiting): void {
    try {
      const underWay = this.broker.publish(topic, message);
      this.counters.brokerMessagesSent++;
      if (!isThenable(underWay)) return;
      const bytes = sizeOf(topic, message);
      this.bytesUnderWay += bytes;
      this.messagesUnderWay++;
      underWay.then(
        () => this.onSettled(bytes),
        (error: unknown) => {
          this.counters.brokerMessagesSent--;
          this.drop(error);
          this.onSettled(bytes);
        },
      );
    } catch (error) {
      this.drop(error);
    }
  }

  private onSettled(bytes: number): void {
    this.bytesUnderWay -= bytes;
    this.messagesUnderWay--;
    if (this.bytesUnderWay === 0) this.onIdle?.();
    if (this.waiting.length > 0) this.flush();
  }

  private drop(why: unknown): void {
    this.counters.brokerMessagesDropped++;
    this.onDrop(why);
  }
}

function sizeOf(topic: string, message: Uint8Array): number {
  return OVERHEAD_BYTES + 2 * topic.length + message.length;
}
