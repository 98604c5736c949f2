import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { createClient, createCluster } from "@redis/client";
import { Cluster } from "ioredis";
import { redisBroker } from "../../src/brokers/index.ts";
import { type BrokerServer, redis, startRedis } from "../support/broker-server.ts";
import { codeOf } from "../support/harness.ts";
import { absent } from "../support/tools.ts";
import { eventually } from "../support/waiting.ts";
import { nodeWith, reaches } from "./nodes.ts";

const skip = absent(redis, "redis-server");

describe("redisBroker", { skip }, () => {
  let served: BrokerServer;

  before(async () => {
    served = await startRedis();
  });
  after(() => served.remove());

  async function clientOf(t: TestContext, user = "") {
    const client = createClient({ url: `redis://${user}127.0.0.1:${served.port}` });
    client.on("error", () => {});
    await client.connect();
    t.after(() => client.destroy());
    return client;
  }

  it("subscribes once for each server, not for each client", async (t) => {
    const client = await clientOf(t);
    const nodes = [nodeWith(t, redisBroker(client)), nodeWith(t, redisBroker(client))];
    const sockets = await Promise.all(
      nodes.flatMap((node) => Array.from({ length: 30 }, () => node.join("crowd"))),
    );
    assert.equal(sockets.length, 60);
    const subscribers = async () => (await client.pubSubNumSub(["portico:crowd"]))["portico:crowd"];
    while ((await subscribers()) !== 2);
    for (const node of nodes) await node.server.close({ graceMs: 0 });
    while ((await subscribers()) !== 0);
    assert.equal(await client.ping(), "PONG", "the program's client stays open");
  });

  it("tries again what Redis refuses, and says so", async (t) => {
    const admin = await clientOf(t);
    // It may use the topic of the servers themselves only.
    const rights = ["on", ">secret", "+@all", "resetchannels", "&portico:?nodes"];
    await admin.sendCommand(["ACL", "SETUSER", "shy", ...rights]);
    const shy = await clientOf(t, "shy:secret@");
    const node = nodeWith(t, redisBroker(shy));
    await eventually(() => node.server.brokerState === "connected", "the broker");
    const client = await node.join("private");
    await eventually(() => node.server.brokerState === "disconnected", "the refusal");
    assert.equal(codeOf(node.reports[0]?.error), "ERR_BROKER");
    assert.match(String(node.reports[0]?.error), /NOPERM/);
    await admin.sendCommand(["ACL", "SETUSER", "shy", "allchannels"]);
    await eventually(() => node.server.brokerState === "connected", "the next attempt");
    const other = nodeWith(t, redisBroker(admin));
    await reaches(other.server, "private", client);
  });

  it("refuses unknown options and impossible numbers of channels", async (t) => {
    const client = await clientOf(t);
    const unknown = { shard: true } as Parameters<typeof redisBroker>[1];
    assert.throws(() => redisBroker(client, unknown), /Did you mean "sharded"/);
    for (const channels of [0, 1.5, 16_385, Number.NaN]) {
      assert.throws(() => redisBroker(client, { channels }), RangeError);
    }
  });
});

describe("redisBroker on a cluster", { skip }, () => {
  let served: BrokerServer;

  before(async () => {
    served = await startRedis("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
    const client = createClient({ url: `redis://127.0.0.1:${served.port}` });
    await client.connect();
    await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    while (!String(await client.sendCommand(["CLUSTER", "INFO"])).includes("cluster_state:ok"));
    client.destroy();
  });
  after(() => served.remove());

  it("uses sharded pub/sub, with both clients", async (t) => {
    const url = `redis://127.0.0.1:${served.port}`;
    const one = createCluster({ rootNodes: [{ url }] });
    one.on("error", () => {});
    await one.connect();
    t.after(() => one.destroy());
    const other = new Cluster([{ host: "127.0.0.1", port: served.port }], { shardedSubscribers: true });
    t.after(() => other.disconnect());
    const nodes = [nodeWith(t, redisBroker(one)), nodeWith(t, redisBroker(other))] as const;
    for (const { server } of nodes) await eventually(() => server.brokerState === "connected", "the cluster");
    for (const topic of ["a", "b", "c", "d"]) {
      const [first, second] = [await nodes[0].join(topic), await nodes[1].join(topic)];
      await reaches(nodes[0].server, topic, second);
      await reaches(nodes[1].server, topic, first);
    }
    const plain = createClient({ url });
    await plain.connect();
    t.after(() => plain.destroy());
    const sharded = await plain.sendCommand(["PUBSUB", "SHARDCHANNELS"]);
    assert.deepEqual([...(sharded as unknown as string[])].sort(), [
      "portico:\0nodes",
      "portico:a",
      "portico:b",
      "portico:c",
      "portico:d",
    ]);
  });
});
