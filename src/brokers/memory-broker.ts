import type { Broker, BrokerReceiver } from "../server/broker.ts";

/**
 * Shares topics between the servers of one process, for tests and for programs with several servers. Messages arrive in
 * a later microtask.
 * @returns a function that creates a broker. Call it once for each server: all of its brokers share their topics
 */
export function memoryBroker(): () => Broker {
  const members = new Map<string, Set<BrokerReceiver>>();
  return () => new MemoryBroker(members);
}

class MemoryBroker implements Broker {
  readonly name: string = "memory";
  private readonly members: Map<string, Set<BrokerReceiver>>;
  private readonly topics = new Set<string>();
  private receiver: BrokerReceiver | undefined;

  constructor(members: Map<string, Set<BrokerReceiver>>) {
    this.members = members;
  }

  start(receiver: BrokerReceiver): void {
    this.receiver = receiver;
    receiver.onState("connected");
  }

  publish(topic: string, message: Uint8Array): void {
    queueMicrotask(() => {
      for (const receiver of this.members.get(topic) ?? []) receiver.onMessage(topic, message);
    });
  }

  subscribe(topic: string): void {
    if (this.receiver === undefined) return;
    this.topics.add(topic);
    const members = this.members.get(topic);
    if (members === undefined) this.members.set(topic, new Set([this.receiver]));
    else members.add(this.receiver);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
    const members = this.members.get(topic);
    if (this.receiver === undefined || !members?.delete(this.receiver)) return;
    if (members.size === 0) this.members.delete(topic);
  }

  close(): void {
    for (const topic of this.topics) this.unsubscribe(topic);
  }
}
