import { callHandler } from "../delivery/call-handler.ts";
import type { Broker, BrokerReceiver } from "../server/broker.ts";
import type { Batch } from "./batch.ts";
import { channelBytes, MAX_CHANNEL_BYTES, type ToPrimary } from "./protocol.ts";

/** The topics of one server, which all workers share through the primary. */
export class ChannelBroker implements Broker {
  readonly name: string = "workers of this machine";
  /** The number of its server in the order in which this worker made them: the same in each worker. */
  private readonly server: number;
  private readonly toPrimary: Batch<ToPrimary>;
  private receiver: BrokerReceiver | undefined;
  private pendingBytes = 0;

  constructor(server: number, toPrimary: Batch<ToPrimary>) {
    this.server = server;
    this.toPrimary = toPrimary;
  }

  start(receiver: BrokerReceiver): void {
    this.receiver = receiver;
    queueMicrotask(() => this.receiver?.onState("connected"));
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    const bytes = channelBytes(topic, message);
    if (this.pendingBytes + bytes > MAX_CHANNEL_BYTES) {
      throw new Error(`the channel to the primary is full: ${this.pendingBytes} bytes wait in it`);
    }
    this.pendingBytes += bytes;
    return new Promise<void>((resolve) => {
      this.toPrimary.add({ kind: "publish", server: this.server, topic, message }, () => {
        this.pendingBytes -= bytes;
        resolve();
      });
    });
  }

  subscribe(topic: string): void {
    this.toPrimary.add({ kind: "subscribe", server: this.server, topic });
  }

  unsubscribe(topic: string): void {
    this.toPrimary.add({ kind: "unsubscribe", server: this.server, topic });
  }

  close(): void {
    this.receiver = undefined;
  }

  /** Receives what another worker has published. */
  onMessage(topic: string, message: Uint8Array): void {
    callHandler(() => this.receiver?.onMessage(topic, message), console.error);
  }
}
