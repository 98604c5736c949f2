import { ChurnMap, ChurnSet } from "../bytes/churn-map.ts";
import { SharedFrames } from "./shared-frames.ts";
import type { SendOptions, SendResult } from "./web-socket-handlers.ts";

/** Shares topics with other processes. */
export interface TopicLink {
  /** A topic has its first subscriber here. */
  onFirst(topic: string): void;
  /** Called when a topic has lost its last subscriber here. */
  onLast(topic: string): void;
  /** Sends a message to the subscribers elsewhere. The data is copied before this returns. */
  publish(topic: string, data: string | Uint8Array, options: SendOptions): void;
}

/** The subscribers of each topic, in the order of subscription. */
export class Topics<Subscriber> {
  /** The link to other processes; undefined while topics are limited to this process. */
  link: TopicLink | undefined;
  private readonly members = new ChurnMap<string, ChurnSet<Subscriber>>();

  add(topic: string, subscriber: Subscriber): void {
    let members = this.members.get(topic);
    if (members === undefined) {
      members = new ChurnSet();
      this.members.set(topic, members);
      this.link?.onFirst(topic);
    }
    members.add(subscriber);
  }

  /** Removes a subscriber, and an empty topic with it. */
  remove(topic: string, subscriber: Subscriber): void {
    const members = this.members.get(topic);
    if (!members?.delete(subscriber) || members.size > 0) return;
    this.members.delete(topic);
    this.link?.onLast(topic);
  }

  /** Returns the names of topics with their numbers of subscribers, one by one. */
  *sizes(): IterableIterator<readonly [topic: string, subscribers: number]> {
    for (const [topic, { size }] of this.members) yield [topic, size];
  }

  /** Returns the subscribers of a topic. Do not change the set. */
  of(topic: string): ChurnSet<Subscriber> | undefined {
    return this.members.get(topic);
  }
}

/** A socket that can send a message shared with others. */
export interface Receiver {
  /** The WebSocket that the program sees; undefined for a listener. */
  readonly socket?: unknown;
  sendShared(frames: SharedFrames): SendResult;
}

/**
 * Sends to the subscribers of a topic, here and elsewhere. It is framed once, and compressed once.
 * @returns how many accepted it here
 */
export function publish<Subscriber extends Receiver>(
  topics: Topics<Subscriber>,
  topic: string,
  data: string | Uint8Array,
  options: SendOptions,
  except?: Subscriber,
): number {
  const taken = deliver(topics, topic, data, options, except);
  topics.link?.publish(topic, data, options);
  return taken;
}

/** Sends to the subscribers of a topic in this process. @returns how many accepted it */
export function deliver<Subscriber extends Receiver>(
  topics: Topics<Subscriber>,
  topic: string,
  data: string | Uint8Array,
  options: SendOptions,
  except?: Subscriber,
): number {
  const subscribers = topics.of(topic);
  if (subscribers === undefined) return 0;
  const frames = new SharedFrames(data, options);
  let taken = 0;
  for (const subscriber of subscribers) {
    if (subscriber === except) continue;
    const result = subscriber.sendShared(frames);
    if (result === "sent" || result === "queued") taken++;
  }
  return taken;
}

/**
 * Calls a listener for each message of a topic, in whatever process it is published, at once and outside of polls.
 * @param listener must not throw
 * @returns what ends it
 */
export function onTopic(
  topics: Topics<Receiver>,
  topic: string,
  listener: (data: string | Uint8Array) => void,
): () => void {
  const receiver: Receiver = {
    sendShared({ data }) {
      listener(data);
      return "sent";
    },
  };
  topics.add(topic, receiver);
  return () => topics.remove(topic, receiver);
}
