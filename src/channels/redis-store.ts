import { createHash, randomInt } from "node:crypto";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Member, Position } from "../protocol/channels/messages.ts";
import { EMPTY_HISTORY_MS } from "./memory-store.ts";
import { APPEND, JOIN, KEEP, LEAVE, READ } from "./redis-scripts.ts";
import type { ChannelStore, History, HistoryOptions, Presence, StoredMessage } from "./store.ts";

/** A client of `@redis/client` or `redis`, from `createClient` or `createCluster`. */
interface NodeRedis {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of `ioredis`: `Redis` or `Cluster`. */
interface IoRedis {
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

export interface RedisStoreOptions {
  /** The beginning of all key names. Default "portico:". */
  prefix?: string;
}

const optionNames: OptionNames<RedisStoreOptions> = { prefix: true };

/** How much can wait for Redis, in bytes: clients of Redis keep all commands until it is back. */
const MAX_WAITING_BYTES = 67_108_864;
/** What a command costs apart from its texts, roughly. */
const COMMAND_BYTES = 500;

/** An epoch is larger than older ones. A random part distinguishes those of the same millisecond. */
const EPOCHS_PER_MS = 4_096;

/**
 * Keeps histories and presence in Redis 7, Valkey, or later versions: streams with a bounded length, and hashes with an
 * expiry. A restarted Redis, or a replica that has taken over, begins new histories, because it might have lost messages.
 * @param client a client of `@redis/client`, `redis` or `ioredis`; the store does not close it
 * @throws TypeError for an unknown option
 */
export function redisStore(client: NodeRedis | IoRedis, options: RedisStoreOptions = {}): ChannelStore {
  checkOptions("redisStore", options, optionNames);
  return new RedisStore(runner(client), options.prefix ?? "portico:");
}

type Run = (script: string, keys: string[], values: (string | number)[]) => Promise<unknown>;

function runner(client: NodeRedis | IoRedis): Run {
  const digests = new Map<string, string>();
  let waitingBytes = 0;
  const send: Run = async (script, keys, values) => {
    const texts = values.map(String);
    const digest = digests.get(script) ?? createHash("sha1").update(script).digest("hex");
    digests.set(script, digest);
    try {
      return "evalSha" in client
        ? await client.evalSha(digest, { keys, arguments: texts })
        : await client.evalsha(digest, keys.length, ...keys, ...texts);
    } catch (error) {
      // Redis has not seen the script since it was started.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return "evalSha" in client
        ? await client.eval(script, { keys, arguments: texts })
        : await client.eval(script, keys.length, ...keys, ...texts);
    }
  };
  return async (script, keys, values) => {
    const bytes = values.reduce<number>((sum, value) => sum + String(value).length, COMMAND_BYTES);
    if (waitingBytes > 0 && waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw new Error(`Redis does not answer: commands with ${waitingBytes} bytes wait for it`);
    }
    waitingBytes += bytes;
    try {
      return await send(script, keys, values);
    } finally {
      waitingBytes -= bytes;
    }
  };
}

class RedisStore implements ChannelStore {
  private readonly run: Run;
  private readonly prefix: string;

  constructor(run: Run, prefix: string) {
    this.run = run;
    this.prefix = prefix;
  }

  async append(channel: string, record: string, history: Required<HistoryOptions>): Promise<Position> {
    const { maxMessages, maxBytes, maxAgeMs } = history;
    const answer = await this.run(
      APPEND,
      [this.historyKey(channel)],
      [newEpoch(), record, maxMessages, maxBytes, maxAgeMs],
    );
    const [epoch, offset] = answer as [string, number];
    return { epoch, offset };
  }

  async read(
    channel: string,
    after: Position | undefined,
    { maxAgeMs }: Required<HistoryOptions>,
  ): Promise<History> {
    const answer = await this.run(
      READ,
      [this.historyKey(channel)],
      [newEpoch(), after?.epoch ?? "", after?.offset ?? 0, maxAgeMs, Math.min(maxAgeMs, EMPTY_HISTORY_MS)],
    );
    const [epoch, offset, ...rest] = answer as [string, number, ...string[]];
    const messages: StoredMessage[] = [];
    for (let i = 0; i < rest.length; i += 2)
      messages.push({ offset: Number(rest[i]), record: rest[i + 1] ?? "" });
    return { epoch, offset, messages };
  }

  async join(channel: string, presence: Presence, ttlMs: number): Promise<boolean> {
    const { client, user } = presence;
    return (
      (await this.run(JOIN, this.presenceKeys(channel), [client, user, memberText(presence), ttlMs])) === 1
    );
  }

  async leave(channel: string, { client, user }: Presence): Promise<boolean> {
    return (await this.run(LEAVE, this.presenceKeys(channel), [client, user])) === 1;
  }

  async keep(channel: string, presences: readonly Presence[], ttlMs: number): Promise<Member[]> {
    const values = presences.flatMap((presence) => [presence.client, presence.user, memberText(presence)]);
    const texts = await this.run(KEEP, this.presenceKeys(channel), [ttlMs, ...values]);
    const members = new Map<string, Member>();
    for (const text of texts as string[]) {
      const member = JSON.parse(text) as Member;
      members.set(member.user, member);
    }
    return [...members.values()];
  }

  private historyKey(channel: string): string {
    return `${this.prefix}history:${channel}`;
  }

  /** Both keys are in one slot of a cluster: the text between the braces decides. */
  private presenceKeys(channel: string): string[] {
    const tag = createHash("sha1").update(channel).digest("hex");
    return [`${this.prefix}presence:{${tag}}:${channel}`, `${this.prefix}users:{${tag}}:${channel}`];
  }
}

function memberText({ user, info }: Presence): string {
  return JSON.stringify({ user, info });
}

function newEpoch(): string {
  return String(Date.now() * EPOCHS_PER_MS + randomInt(EPOCHS_PER_MS));
}
