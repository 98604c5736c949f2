import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { type ChannelStore, memoryStore, redisStore } from "../../src/channels/index.ts";
import type { StoredMessage } from "../../src/channels/store.ts";
import { type BrokerServer, redis, startRedis } from "../support/broker-server.ts";
import { numbers } from "../support/bytes.ts";
import { eventually } from "../support/waiting.ts";

const history = { maxMessages: 3, maxBytes: 1_000, maxAgeMs: 60_000 };
let names = 0;
const missing = redis === undefined && "redis-server is not installed";

interface Kind {
  readonly name: string;
  make(): Promise<{ store: ChannelStore; close(): void }>;
}

let server: BrokerServer;

const offsetsOf = (messages: readonly StoredMessage[]): number[] => messages.map(({ offset }) => offset);

const kinds: Kind[] = [
  { name: "in memory", make: async () => ({ store: memoryStore(), close() {} }) },
  {
    name: "in Redis, by @redis/client",
    async make() {
      const client = createClient({ socket: { host: "127.0.0.1", port: server.port } });
      client.on("error", () => {});
      await client.connect();
      return { store: redisStore(client), close: () => client.destroy() };
    },
  },
  {
    name: "in Redis, by ioredis",
    async make() {
      const client = new Redis(server.port, "127.0.0.1");
      client.on("error", () => {});
      return { store: redisStore(client), close: () => client.disconnect() };
    },
  },
];

describe("stores", { skip: process.env["CI"] === undefined && missing }, () => {
  before(async () => {
    if (missing) throw new Error(missing);
    server = await startRedis();
  });
  after(() => server?.remove());

  for (const { name, make } of kinds) {
    describe(name, () => {
      let store: ChannelStore;
      let close: () => void;
      before(async () => {
        ({ store, close } = await make());
      });
      after(() => close());

      it("count the messages of a history from 1, and keep the last", async () => {
        const channel = `a room with spaces {and braces} ${names++}`;
        const begin = await store.read(channel, undefined, history);
        assert.deepEqual(begin, { epoch: begin.epoch, offset: 0, messages: [] });
        for (let i = 1; i <= 4; i++) {
          const position = await store.append(channel, `{"data":"grüße ${i}"}`, history);
          assert.deepEqual(position, { epoch: begin.epoch, offset: i });
        }
        const record = (i: number) => ({ offset: i, record: `{"data":"grüße ${i}"}` });
        const all = await store.read(channel, undefined, history);
        assert.deepEqual(all, { epoch: begin.epoch, offset: 4, messages: [2, 3, 4].map(record) });
        const some = await store.read(channel, { epoch: begin.epoch, offset: 3 }, history);
        assert.deepEqual(some.messages, [record(4)]);
        assert.deepEqual(
          (await store.read(channel, { epoch: begin.epoch, offset: 4 }, history)).messages,
          [],
        );
        assert.deepEqual(
          (await store.read(channel, { epoch: "1", offset: 3 }, history)).messages,
          all.messages,
        );
      });

      it("bound the bytes of a history", async () => {
        const channel = `bytes ${names++}`;
        for (let i = 1; i <= 3; i++) await store.append(channel, "x".repeat(450), history);
        const { messages } = await store.read(channel, undefined, history);
        assert.deepEqual(offsetsOf(messages), [2, 3]);
        await store.append(channel, "x".repeat(5_000), history);
        const after = await store.read(channel, undefined, history);
        assert.deepEqual(offsetsOf(after.messages), [4]);
      });

      it("begin another history when one has expired", async () => {
        const channel = `age ${names++}`;
        const short = { ...history, maxAgeMs: 20 };
        const { epoch } = await store.append(channel, "1", short);
        let next = await store.append(channel, "2", history);
        assert.deepEqual(next, { epoch, offset: 2 });
        await store.append(channel, "3", short);
        await sleep(40);
        next = await store.append(channel, "4", history);
        assert.equal(next.offset, 1);
        assert.notEqual(next.epoch, epoch);
      });

      it("give each message an offset, whoever appends at the same time", async () => {
        const channel = `race ${names++}`;
        const positions = await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            store.append(channel, `${i}`, { ...history, maxMessages: 100 }),
          ),
        );
        assert.equal(new Set(positions.map(({ epoch }) => epoch)).size, 1);
        const offsets = positions.map(({ offset }) => offset).sort((a, b) => a - b);
        assert.deepEqual(offsets, numbers(51).slice(1));
      });

      it("know who came first and left last", async () => {
        const channel = `presence ${names++}`;
        const [one, two] = [
          { client: "1", user: "anna 7 ü", info: { a: [1, "}"] } },
          { client: "2", user: "anna 7 ü", info: { a: [1, "}"] } },
        ];
        assert.equal(await store.join(channel, one, 60_000), true);
        assert.equal(await store.join(channel, two, 60_000), false);
        assert.equal(await store.join(channel, one, 60_000), false);
        assert.deepEqual(await store.keep(channel, [], 60_000), [{ user: one.user, info: one.info }]);
        assert.equal(await store.leave(channel, one), false);
        assert.equal(await store.leave(channel, one), false);
        assert.equal(await store.leave(channel, two), true);
        assert.deepEqual(await store.keep(channel, [], 60_000), []);
        assert.equal(await store.join(channel, { client: "3", user: "ben" }, 60_000), true);
        assert.deepEqual(await store.keep(channel, [], 60_000), [{ user: "ben" }]);
      });

      it("keep users whose names have zero bytes", async () => {
        const channel = `zero ${names++}`;
        const user = "a\0b";
        assert.equal(await store.join(channel, { client: "1", user }, 1), true);
        assert.deepEqual(await store.keep(channel, [{ client: "1", user }], 1), [{ user }]);
        await sleep(10);
        assert.deepEqual(await store.keep(channel, [], 60_000), []);
        assert.equal(await store.join(channel, { client: "2", user }, 60_000), true);
      });

      it("forget connections that nobody keeps", async () => {
        const channel = `expiry ${names++}`;
        await store.join(channel, { client: "1", user: "gone" }, 15);
        await store.join(channel, { client: "2", user: "kept" }, 15);
        await store.keep(channel, [{ client: "2", user: "kept" }], 60_000);
        await sleep(30);
        assert.deepEqual(await store.keep(channel, [], 60_000), [{ user: "kept" }]);
        assert.equal(await store.join(channel, { client: "3", user: "gone" }, 60_000), true);
      });
    });
  }

  it("do not collect commands without an end while Redis does not answer", async () => {
    let release = (): void => {};
    const hanging = new Promise<void>((resolve) => (release = resolve));
    const answer = () => hanging.then(() => ["1", 1]);
    const store = redisStore({ eval: answer, evalSha: answer });
    const record = "x".repeat(8_000_000);
    const sent = Array.from({ length: 8 }, () => store.append("room", record, history));
    await assert.rejects(
      store.append("room", record, history),
      /Redis does not answer: commands with 640\d+ bytes/,
    );
    release();
    await Promise.all(sent);
    assert.equal((await store.append("room", record, history)).offset, 1);
  });

  it("in memory are bounded, whatever number of channels clients make up", async () => {
    const store = memoryStore({ maxBytes: 100_000 });
    const record = "x".repeat(900);
    const first = await store.append("room 1", record, history);
    for (let i = 2; i <= 20; i++) {
      await store.append(`room ${i}`, record, history);
      // What is used stays.
      assert.deepEqual((await store.read("room 1", undefined, history)).epoch, first.epoch);
    }
    for (let i = 21; i <= 200; i++) await store.append(`room ${i}`, record, history);
    assert.notEqual((await store.read("room 1", undefined, history)).epoch, first.epoch);
    assert.equal((await store.read("room 200", undefined, history)).messages.length, 1);
    const one = memoryStore({ maxBytes: 1 });
    assert.equal((await one.append("room", record, history)).offset, 1);
    assert.equal((await one.append("room", record, history)).offset, 2);
    assert.throws(() => memoryStore({ maxBytes: Number.NaN }), RangeError);
  });

  it("begin another history in a Redis that was started again, although it kept the old one", async (t) => {
    const saving = await startRedis("--appendonly", "yes", "--appendfsync", "always");
    t.after(() => saving.remove());
    const client = createClient({
      socket: { host: "127.0.0.1", port: saving.port, reconnectStrategy: 10 },
    });
    client.on("error", () => {});
    await client.connect();
    t.after(() => client.destroy());
    const store = redisStore(client);
    const before = await store.append("restart", "1", history);
    await saving.stop();
    await saving.start();
    await eventually(() => client.isReady, "Redis");
    assert.equal(await client.xLen("portico:history:restart"), 1);
    const after = await store.read("restart", before, history);
    assert.notEqual(after.epoch, before.epoch);
    assert.deepEqual(after.messages, []);
  });
});
