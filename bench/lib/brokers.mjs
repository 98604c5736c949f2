// npm run bench -- brokers: topics over two processes beside socket.io and ws, and what a message costs the broker itself.

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { connect } from "@nats-io/transport-node";
import { createClient } from "@redis/client";
import { natsBroker, redisBroker } from "../../dist/brokers/index.js";
import { Crowd } from "./broker-load.mjs";
import { serverCommand } from "./peers.mjs";
import { startBroker, startServer } from "./processes.mjs";

const CLIENTS = 200;
const IDLE_CLIENTS = 2_000;
const WARM_MS = 1_000;
const BATCH = 200;
const BATCHES = 400;
const TICK_MS = 10;
const SETTLE_MS = 300;

/** @type {readonly (readonly [peer: string, dialect: string])[]} */
const peers = [
  ["broker-portico", "plain"],
  ["broker-ws", "plain"],
  ["broker-socketio", "socket.io"],
];

/** @type {readonly (readonly [servers: number, topics: number])[]} */
const growth = [
  ...[1, 2, 4, 8].map((servers) => /** @type {const} */ ([servers, 10])),
  ...[100, 1_000, 10_000].map((topics) => /** @type {const} */ ([2, topics])),
];

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} pid @returns {number} milliseconds */
function processorTime(pid) {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** How long the threads of a process have run, more exactly. @param {number} pid @returns {number} milliseconds */
function threadTime(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ");
    return sum + Number(nanoseconds) / 1e6;
  }, 0);
}

/** @param {number} pid @returns {number} bytes */
function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4_096;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return address.port;
}

async function startRedis() {
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  return startBroker("redis-server", options, port);
}

async function startNats() {
  const port = await freePort();
  return startBroker("nats-server", ["-a", "127.0.0.1", "-p", `${port}`], port);
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Starts two servers of a peer with a Redis, and the clients. @param {string} peer @param {string} dialect */
async function startPeer(peer, dialect) {
  const redis = await startRedis();
  const command = serverCommand(peer, [`${redis.port}`]);
  const servers = [await startServer(peer, command), await startServer(peer, command)];
  const ports = servers.map(({ port }) => port);
  const before = await servers[0]?.memory();
  const idle = await Crowd.open(ports.slice(0, 1), dialect, IDLE_CLIENTS);
  const after = await servers[0]?.memory();
  idle.close();
  const crowd = await Crowd.open(ports, dialect, CLIENTS);
  const used = () => servers.reduce((sum, { pid }) => sum + threadTime(pid), 0);
  const brokerUsed = () => threadTime(redis.pid);
  const stop = async () => {
    crowd.close();
    for (const server of servers) await server.stop();
    await redis.stop();
  };
  return {
    peer,
    crowd,
    used,
    brokerUsed,
    stop,
    bytes: ((after?.rss ?? 0) - (before?.rss ?? 0)) / IDLE_CLIENTS,
  };
}

/** @typedef {Awaited<ReturnType<typeof startPeer>>} Peer */
/** @typedef {Awaited<ReturnType<Crowd["measure"]>> & { broker: number }} Slice `broker`: processor time of Redis for a delivery, in µs */

/** @typedef {Awaited<ReturnType<typeof startRedis>>} BrokerProcess */
/** @typedef {{ broker: import("../../dist/index.js").Broker, end: () => unknown }} Member */

/** @type {Readonly<Record<string, { start: () => Promise<BrokerProcess>, join: (port: number) => Promise<Member> }>>} */
const kinds = {
  Redis: {
    start: startRedis,
    async join(port) {
      const client = createClient({ url: `redis://127.0.0.1:${port}` });
      client.on("error", console.error);
      await client.connect();
      return { broker: redisBroker(client), end: () => client.destroy() };
    },
  },
  NATS: {
    start: startNats,
    async join(port) {
      const connection = await connect({ servers: `127.0.0.1:${port}` });
      return { broker: natsBroker(connection), end: () => connection.close() };
    },
  },
};

/**
 * What a broker's process and one of Node spend for messages to some servers, without clients.
 * @param {string} kind
 * @param {number} nodes
 * @param {number} topics
 */
async function costOf(kind, nodes, topics) {
  const { start, join } = kinds[kind] ?? {};
  if (start === undefined || join === undefined) throw new Error(`unknown broker ${kind}`);
  const server = await start();
  const members = await Promise.all(Array.from({ length: nodes + 1 }, () => join(server.port)));
  let received = 0;
  for (const { broker } of members) broker.start({ onMessage: () => received++, onState: () => {} });
  const publisher = members[0]?.broker;
  const message = Buffer.alloc(82);
  await sleep(SETTLE_MS);
  const before = residentBytes(server.pid);
  for (const { broker } of members.slice(1)) {
    for (let topic = 0; topic < topics; topic++) broker.subscribe(`topic ${topic}`);
  }
  while (received < nodes) {
    received = 0;
    publisher?.publish(`topic ${topics - 1}`, message);
    await sleep(SETTLE_MS);
  }
  const bytes = (residentBytes(server.pid) - before) / (nodes * topics);
  received = 0;
  const began = performance.now();
  const [used, own] = [processorTime(server.pid), processorTime(process.pid)];
  for (let batch = 0; batch < BATCHES; batch++) {
    const sent = Array.from({ length: BATCH }, (_, index) =>
      publisher?.publish(`topic ${(batch * BATCH + index) % topics}`, message),
    );
    await Promise.all(sent);
  }
  const messages = BATCH * BATCHES;
  while (received < messages * nodes) await sleep(1);
  const result = {
    broker: ((processorTime(server.pid) - used) * 1_000) / messages,
    node: ((processorTime(process.pid) - own) * 1_000) / (messages * nodes),
    rate: messages / ((performance.now() - began) / 1_000),
    bytes,
  };
  for (const { broker, end } of members) {
    await broker.close();
    await end();
  }
  await server.stop();
  return result;
}

/**
 * Alternates between the peers in slices, so that what else the machine does hits all of them alike.
 * @param {number} rounds slices of each peer
 * @param {number} seconds of a slice
 */
async function measurePeers(rounds, seconds) {
  /** @type {Peer[]} */
  const running = [];
  /** @type {Map<string, Slice[]>} */
  const samples = new Map();
  try {
    for (const [peer, dialect] of peers) running.push(await startPeer(peer, dialect));
    for (const { crowd, used } of running) await crowd.measure(WARM_MS, used);
    for (let round = 0; round < rounds; round++) {
      for (const { peer, crowd, used, brokerUsed } of running) {
        const before = brokerUsed();
        const slice = await crowd.measure(seconds * 1_000, used);
        const broker = ((brokerUsed() - before) * 1_000) / slice.deliveries;
        samples.set(peer, [...(samples.get(peer) ?? []), { ...slice, broker }]);
      }
    }
  } finally {
    for (const { stop } of running) await stop();
  }
  console.log(
    `two processes, ${CLIENTS} clients, 64 bytes to all, ${rounds} x ${seconds} s in turns; Redis on this machine`,
  );
  console.log(
    "peer             deliveries/s: most, median  p99 ms: least, median  CPU µs each: least, median  Redis µs each  bytes per client",
  );
  for (const { peer, bytes } of running) {
    const all = samples.get(peer) ?? [];
    const [rates, p99, costs] = [
      all.map(({ rate }) => rate),
      all.map((slice) => slice.p99),
      all.map(({ microseconds }) => microseconds),
    ];
    const cells = [
      String(Math.round(Math.max(...rates))).padStart(19),
      String(Math.round(median(rates))).padStart(8),
      Math.min(...p99)
        .toFixed(1)
        .padStart(14),
      median(p99).toFixed(1).padStart(8),
      Math.min(...costs)
        .toFixed(2)
        .padStart(19),
      median(costs).toFixed(2).padStart(8),
      median(all.map(({ broker }) => broker))
        .toFixed(2)
        .padStart(14),
      String(Math.round(bytes)).padStart(17),
    ];
    console.log(`${peer.padEnd(16)}${cells.join("")}`);
  }
  const others = samples.get("broker-socketio") ?? [];
  const ratios = (samples.get("broker-portico") ?? []).map(
    ({ rate }, round) => rate / (others[round]?.rate ?? Number.NaN),
  );
  console.log(`Portico's rate is ${median(ratios).toFixed(1)} times socket.io's: the median of all turns`);
}

/** @param {number} rounds @param {number} seconds */
export async function measureBrokers(rounds, seconds) {
  await measurePeers(rounds, seconds);
  console.log(`
messages of 64 bytes to servers without clients; processor time in µs
broker  servers  topics  broker, each message  Node, each received  messages/s  bytes of the broker per subscription`);
  for (const kind of Object.keys(kinds)) {
    for (const [nodes, topics] of growth) {
      const { broker, node, rate, bytes } = await costOf(kind, nodes, topics);
      const figures = [broker.toFixed(2), node.toFixed(2), Math.round(rate), Math.round(bytes)];
      const widths = [21, 20, 11, 12];
      const cells = figures.map((figure, index) => String(figure).padStart(widths[index] ?? 0));
      console.log(
        `${kind.padEnd(6)} ${String(nodes).padStart(8)} ${String(topics).padStart(7)} ${cells.join(" ")}`,
      );
    }
  }
}
