// npm run bench -- workers: what a request costs in one process, and in several that share a port.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { serverCommand } from "./peers.mjs";
import { run, startServer } from "./processes.mjs";
import { preparePrograms } from "./programs.mjs";
import { greeting, HASHED_BYTES, HOST, PUBLISHED } from "./workload.mjs";

const PEER = "portico-workers";
const WARM_SECONDS = 2;
const TOPIC_ROUNDS = 3;
const GRACE_MS = 40_000;

/** @typedef {{ workers: number, connections: number, path: "/" | "/hash" }} Setup `workers` is 0 for one process without workers */
/** @typedef {{ rate: number, each: number, most: number, perSleep: number }} Sample */
/** @typedef {Setup & { server: import("./processes.mjs").RunningServer, pids: number[], samples: Sample[] }} Measured */

/** @type {readonly Setup[]} */
const setups = [
  { workers: 0, connections: 32, path: "/" },
  { workers: 0, connections: 64, path: "/" },
  { workers: 1, connections: 64, path: "/" },
  { workers: 2, connections: 64, path: "/" },
  { workers: 2, connections: 128, path: "/" },
  { workers: 0, connections: 64, path: "/hash" },
  { workers: 2, connections: 64, path: "/hash" },
];

/** How long the threads of a process have run, in µs. @param {number} pid */
function processorTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => {
    const [nanoseconds = ""] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ");
    return Number(nanoseconds) / 1_000;
  });
  return times.reduce((sum, time) => sum + time, 0);
}

/** How often a process has waited for something to do. @param {number} pid */
function sleeps(pid) {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1]);
}

/** @param {number} pid @returns {number[]} */
function childrenOf(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return text.split(" ").filter(Boolean).map(Number);
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Opens one WebSocket in each of two workers. @param {number} port */
async function subscribeInBoth(port) {
  /** @type {Map<string, WebSocket>} */
  const sockets = new Map();
  while (sockets.size < 2) {
    const socket = new WebSocket(`ws://${HOST}:${port}/subscribe`);
    const [id] = await once(socket, "message");
    if (sockets.has(String(id))) socket.terminate();
    else sockets.set(String(id), socket);
  }
  return [...sockets.values()];
}

/** What a message of a topic costs the primary and both workers together. */
async function measureTopics() {
  process.env["WORKERS"] = "2";
  const server = await startServer(PEER, serverCommand(PEER, ["http"]), { cpu: undefined });
  try {
    const sockets = await subscribeInBoth(server.port);
    const pids = [server.pid, ...childrenOf(server.pid)];
    let received = 0;
    for (const socket of sockets) socket.on("message", () => received++);
    const publish = async (/** @type {number} */ each) => {
      received = 0;
      const before = sum(pids.map(processorTime));
      await (await fetch(`http://${HOST}:${server.port}/publish/${each}`)).text();
      while (received < 2 * PUBLISHED) await new Promise((resolve) => setTimeout(resolve, 10));
      return (sum(pids.map(processorTime)) - before) / PUBLISHED;
    };
    await publish(10);
    console.log(
      "messages of 64 bytes to one client in each of two workers; CPU of all three processes for each",
    );
    for (const each of [1, 10, 100]) {
      const costs = [];
      for (let round = 0; round < TOPIC_ROUNDS; round++) costs.push(await publish(each));
      console.log(`${String(each).padStart(3)} in a turn: ${Math.min(...costs).toFixed(1)} µs`);
    }
    for (const socket of sockets) socket.terminate();
  } finally {
    await server.stop();
  }
}

/**
 * Alternates between the setups in short slices, so that what else the machine does hits all of them alike.
 * @param {number} rounds slices of each setup
 * @param {number} seconds of a slice
 */
export async function measureWorkers(rounds, seconds) {
  const programs = await preparePrograms({ tls: false });
  const hash = createHash("sha256").update(Buffer.alloc(HASHED_BYTES)).digest("hex");
  const files = (/** @type {string} */ path, /** @type {string} */ content) => [
    "-q",
    programs.writeCycle(`requests${path.slice(1)}`, [
      Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`),
    ]),
    "-a",
    programs.writeCycle(`answers${path.slice(1)}`, [Buffer.from(content)]),
  ];
  const cycles = { "/": files("/", greeting), "/hash": files("/hash", hash) };
  /** @type {Measured[]} */
  const servers = [];
  try {
    for (const setup of setups) {
      process.env["WORKERS"] = String(setup.workers);
      const server = await startServer(PEER, serverCommand(PEER, ["http"]), { cpu: undefined });
      const pids = setup.workers === 0 ? [server.pid] : childrenOf(server.pid);
      servers.push({ ...setup, server, pids, samples: [] });
    }
    /** @param {Measured} of @param {number} time @returns {Promise<number>} requests per second */
    const load = async ({ server, connections, path }, time) => {
      const target = ["-p", `${server.port}`, "-P", `${server.pid}`, ...cycles[path]];
      const args = [...target, "-c", `${connections}`, "-i", "1", "-w", "0", "-d", `${time}`];
      const output = await run(programs.paths.exchanges, args, { timeoutMs: GRACE_MS });
      return Number(/\brate=([\d.]+)/.exec(output)?.[1]);
    };
    for (const each of servers) await load(each, WARM_SECONDS);
    for (let round = 0; round < rounds; round++) {
      for (const each of servers) {
        const { pids } = each;
        const before = pids.map(processorTime);
        const slept = sum(pids.map(sleeps));
        const rate = await load(each, seconds);
        const count = rate * seconds;
        const used = pids.map((pid, index) => processorTime(pid) - (before[index] ?? 0));
        each.samples.push({
          rate,
          each: sum(used) / count,
          most: Math.max(...used) / sum(used),
          perSleep: count / (sum(pids.map(sleeps)) - slept),
        });
      }
    }
    console.log(`${rounds} x ${seconds} s of each; servers and load on any CPU`);
    console.log(
      "path   processes  connections  CPU µs each: least, median   requests/s  for each sleep  work of the busiest",
    );
    for (const { workers, connections, path, samples } of servers) {
      const costs = samples.map(({ each }) => each);
      const name = workers === 0 ? "1, alone" : `${workers}`;
      const batch = median(samples.map(({ perSleep }) => perSleep)).toFixed(1);
      const share = `${Math.round(median(samples.map(({ most }) => most)) * 100)} %`;
      const rate = Math.round(median(samples.map((sample) => sample.rate)));
      console.log(
        `${path.padEnd(6)} ${name.padEnd(9)} ${String(connections).padStart(12)} ${Math.min(...costs)
          .toFixed(2)
          .padStart(
            19,
          )} ${median(costs).toFixed(2).padStart(7)} ${String(rate).padStart(12)} ${batch.padStart(15)} ${share.padStart(20)}`,
      );
    }
    const [one, two] = servers.filter(({ path }) => path === "/hash").map(({ samples }) => samples);
    const ratios = one?.map(({ rate }, index) => (two?.[index]?.rate ?? Number.NaN) / rate) ?? [];
    console.log(`/hash: two workers have ${median(ratios).toFixed(2)} times the rate of one process`);
  } finally {
    for (const { server } of servers) await server.stop();
  }
  await measureTopics();
}
