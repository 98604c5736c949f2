// npm run bench -- brokers: topics over two processes beside socket.io and ws, and what a message costs the broker itself.

import { once } from "node:events";
import { readFileSync } from "node:fs";
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

/** @param {string} peer @param {string} dialect @param {number} seconds */
async function sample(peer, dialect, seconds) {
  const redis = await startRedis();
  const command = serverCommand(peer, [`${redis.port}`]);
  const servers = [await startServer(peer, command), await startServer(peer, command)];
  try {
    const ports = servers.map(({ port }) => port);
    const pids = servers.map(({ pid }) => pid);
    const before = await servers[0]?.memory();
    const idle = await Crowd.open(ports.slice(0, 1), dialect, IDLE_CLIENTS);
    const after = await servers[0]?.memory();
    idle.close();
    const crowd = await Crowd.open(ports, dialect, CLIENTS);
    const used = () => pids.reduce((sum, pid) => sum + processorTime(pid), 0);
    const broker = processorTime(redis.pid);
    const measured = await crowd.measure(WARM_MS, seconds * 1_000, used);
    const brokerMs = processorTime(redis.pid) - broker;
    crowd.close();
    return { ...measured, brokerMs, bytes: ((after?.rss ?? 0) - (before?.rss ?? 0)) / IDLE_CLIENTS };
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
  }
}

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

/** @param {number} rounds @param {number} seconds */
export async function measureBrokers(rounds, seconds) {
  console.log(
    `two processes, ${CLIENTS} clients, 64 bytes to all, ${rounds} x ${seconds} s; Redis on this machine`,
  );
  console.log("peer             deliveries/s (range)      p99 ms  CPU µs each  Redis ms  bytes per client");
  /** @type {Map<string, Awaited<ReturnType<typeof sample>>[]>} */
  const samples = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const [peer, dialect] of peers) {
      samples.set(peer, [...(samples.get(peer) ?? []), await sample(peer, dialect, seconds)]);
    }
  }
  for (const [peer, all] of samples) {
    const rates = all.map(({ rate }) => rate);
    const range = `(${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))})`;
    const [p99, cpu] = [
      median(all.map(({ p99 }) => p99)),
      Math.min(...all.map(({ microseconds }) => microseconds)),
    ];
    const [redis, bytes] = [
      median(all.map(({ brokerMs }) => brokerMs)),
      median(all.map(({ bytes }) => bytes)),
    ];
    console.log(
      `${peer.padEnd(16)} ${String(Math.round(median(rates))).padStart(7)} ${range.padEnd(20)} ${p99.toFixed(1).padStart(6)} ${cpu.toFixed(2).padStart(10)} ${String(redis).padStart(9)} ${String(Math.round(bytes)).padStart(12)}`,
    );
  }
  const others = samples.get("broker-socketio") ?? [];
  const ratios = (samples.get("broker-portico") ?? []).map(
    ({ rate }, round) => rate / (others[round]?.rate ?? Number.NaN),
  );
  console.log(
    `Portico's rate is ${median(ratios).toFixed(1)} times socket.io's, round by round (${ratios.map((ratio) => ratio.toFixed(1)).join(", ")})`,
  );
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
