import { createHash } from "node:crypto";

/** A topic in front of a message, where several share a channel: two bytes of length, and UTF-8. */
const LENGTH_BYTES = 2;
const MAX_TOPIC_BYTES = 65_535;

/**
 * Which channel of a broker carries a topic: one for each topic, or, with a number, so many that all share. It counts the
 * topics of each channel, so that a channel is subscribed to once.
 */
export class TopicChannels {
  private readonly prefix: string;
  private readonly count: number | undefined;
  private readonly topics = new Map<string, Set<string>>();

  /** @throws RangeError for a number of channels that is not a whole number from 1 to 16,384 */
  constructor(prefix: string, count: number | undefined) {
    if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 16_384)) {
      throw new RangeError(`channels cannot be ${count}: a whole number from 1 to 16384 is needed`);
    }
    this.prefix = prefix;
    this.count = count;
  }

  channelOf(topic: string): string {
    if (this.count === undefined) return this.prefix + topic;
    const hash = createHash("sha1").update(topic).digest().readUInt32BE(0);
    return `${this.prefix}${hash % this.count}`;
  }

  /** @returns the channel to subscribe to, if it is not subscribed to yet */
  add(topic: string): string | undefined {
    const channel = this.channelOf(topic);
    const topics = this.topics.get(channel);
    if (topics !== undefined) {
      topics.add(topic);
      return undefined;
    }
    this.topics.set(channel, new Set([topic]));
    return channel;
  }

  /** @returns the channel to unsubscribe from, if no topic of it is left */
  remove(topic: string): string | undefined {
    const channel = this.channelOf(topic);
    const topics = this.topics.get(channel);
    if (!topics?.delete(topic) || topics.size > 0) return undefined;
    this.topics.delete(channel);
    return channel;
  }

  /** Whether a channel has topics. */
  has(channel: string): boolean {
    return this.topics.has(channel);
  }

  /**
   * Returns what to publish to the channel of a topic.
   * @throws RangeError for a topic of more than 65,535 bytes, where channels are shared
   */
  pack(topic: string, message: Uint8Array): Buffer {
    if (this.count === undefined) return asBuffer(message);
    const length = Buffer.byteLength(topic);
    if (length > MAX_TOPIC_BYTES) throw new RangeError(`the topic has ${length} bytes, and may have 65535`);
    const packed = Buffer.allocUnsafe(LENGTH_BYTES + length + message.length);
    packed.writeUInt16BE(length);
    packed.write(topic, LENGTH_BYTES);
    packed.set(message, LENGTH_BYTES + length);
    return packed;
  }

  /** Returns the topic and message of what came from a channel; undefined when nothing here has that topic. */
  unpack(channel: string, packed: Buffer): { topic: string; message: Buffer } | undefined {
    const topics = this.topics.get(channel);
    if (topics === undefined) return undefined;
    if (this.count === undefined) return { topic: channel.slice(this.prefix.length), message: packed };
    if (packed.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + packed.readUInt16BE();
    const topic = packed.toString("utf8", LENGTH_BYTES, end);
    return topics.has(topic) ? { topic, message: packed.subarray(end) } : undefined;
  }
}

/** The same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
