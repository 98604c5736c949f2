// What is measured, and the goals, as data.

/** @typedef {import("./peers.mjs").Feature} Feature */
/**
 * A ratio of Portico to a peer that is to be reached, or stayed below where less is better.
 * @typedef {object} Goal
 * @property {string} peer its name, or "best": the one with the best median that is not Portico's own
 * @property {number} ratio
 * @property {string} [subject] who has the goal, "portico" where it is absent
 */
/**
 * How a cell is measured: requests and answers in a closed loop; the same at half of the rate that was reached;
 * uploads; one message to many; memory of idle connections; the time to the first answer.
 * @typedef {"exchanges" | "half-load" | "upload" | "broadcast" | "idle" | "start"} Kind
 */
/**
 * @typedef {object} Cell
 * @property {string} name for --cells
 * @property {string} title
 * @property {Kind} kind
 * @property {Feature} needs
 * @property {string} unit
 * @property {boolean} [less] whether less is better
 * @property {number} connections
 * @property {number} depth requests or messages in flight on each connection
 * @property {import("./http-exchanges.mjs").HttpContent} [request] HTTP: what is asked for
 * @property {number} [size] WebSocket: bytes of a message
 * @property {boolean} [tls]
 * @property {boolean} [churn] a new connection for each request
 * @property {boolean} [byTime] whether goals compare what the server does per second of its processor time
 * @property {number} [warmth] times the usual warming up: what is done seldom is compiled late
 * @property {readonly Goal[]} goals
 */

const bestPeer = goals({ best: 0.9 });

/** @type {readonly Cell[]} */
export const cells = [
  http("get", "GET of 13 bytes, 64 connections", "plain", {
    goals: goals({ uws: 0.95, bun: 1.05, "node-http": 1.6 }),
  }),
  http("get-pipelined", "the same, 16 pipelined", "plain", {
    depth: 16,
    goals: goals({ uws: 1.2, "node-http": 10 }),
  }),
  http("get-routes", "GET of 200 routes with parameters, 12 header fields", "routes", {
    needs: "routes",
    goals: goals({ uws: 0.95, bun: 1.05, "node-http": 1.6 }),
  }),
  http("post-1k", "POST of 1 KiB that comes back", "post", { needs: "contents", goals: bestPeer }),
  http("get-64k", "GET of 64 KiB", "/64k", { needs: "blobs", warmth: 4, goals: bestPeer }),
  http("get-1m", "GET of 1 MiB, 8 connections", "/1m", {
    needs: "blobs",
    connections: 8,
    goals: bestPeer,
  }),
  {
    ...http("upload-256m", "PUT of 256 MiB, 1 connection", "plain", {
      needs: "upload",
      connections: 1,
      goals: bestPeer,
    }),
    kind: "upload",
    unit: "MiB/s",
  },
  http("churn", "a connection for each GET, 64 at a time", "churn", {
    needs: "plain",
    churn: true,
    warmth: 4,
    goals: bestPeer,
  }),
  http("get-tls", "GET over TLS", "plain", { needs: "http-tls", tls: true, goals: bestPeer }),
  echo("echo-20", "echo 20 B, 64 connections", 20, { goals: goals({ uws: 0.95, bun: 1.2 }) }),
  echo("echo-20-deep", "the same, 16 in flight", 20, { depth: 16, goals: goals({ uws: 0.95, bun: 1.2 }) }),
  echo("echo-1k", "echo 1 KiB", 1024, { goals: goals({ uws: 0.9 }) }),
  echo("echo-16k", "echo 16 KiB", 16 * 1024, { goals: goals({ uws: 0.8 }) }),
  echo("echo-1m", "echo 1 MiB, 8 connections", 1024 * 1024, { connections: 8, goals: goals({ uws: 0.8 }) }),
  echo("echo-20-tls", "echo 20 B over TLS", 20, { needs: "echo-tls", tls: true }),
  echo("echo-deflate-1k", "echo 1 KiB of JSON, compressed", 1024, {
    needs: "deflate",
    goals: goals({ uws: 0.9 }),
  }),
  broadcast("broadcast-1k", "64 B to 1,000 subscribers", 64, 1_000),
  broadcast("broadcast-10k", "64 B to 10,000 subscribers", 64, 10_000),
  broadcast("broadcast-deflate-1k", "1 KiB of JSON, compressed, to 1,000", 1024, 1_000, {
    needs: "topic-deflate",
  }),
  {
    ...echo("idle", "resident memory of an idle WebSocket, 10,000 of them", 0, { connections: 10_000 }),
    ...{ kind: "idle", unit: "B", less: true, goals: goals({ ws: 0.5 }) },
  },
  { ...http("start-http", "spawn to first answer", "plain"), kind: "start", unit: "ms", less: true },
  { ...echo("start-websocket", "spawn to first handshake", 20), kind: "start", unit: "ms", less: true },
  { ...http("half-load-get", "GET at half of the maximum rate, p99", "plain"), ...halfLoad() },
  { ...echo("half-load-echo", "echo 20 B at half of the maximum rate, p99", 20), ...halfLoad() },
];

/**
 * Events that are polled, beside the same that are delivered at once: 1.10 and 1.25 times the processor time. A server
 * that polls in a tight loop is always busy, and its rate says little where the load is the limit.
 */
export const deferredCells = cells
  .filter((cell) => ["get", "get-pipelined", "echo-20", "echo-20-deep"].includes(cell.name))
  .map((cell) => ({
    ...cell,
    byTime: true,
    goals: [
      { subject: "portico-polled", peer: "portico", ratio: 1 / 1.1 },
      { subject: "evo-http", peer: "portico", ratio: 1 / 1.25 },
      { subject: "evo-ws", peer: "portico", ratio: 1 / 1.25 },
    ],
  }));

/** @param {string} name @returns {Cell} */
export function cellNamed(name) {
  const cell = cells.find((candidate) => candidate.name === name);
  if (cell === undefined) throw new Error(`unknown cell ${name}`);
  return cell;
}

/** Whether its protocol is WebSocket. @param {Cell} cell */
export function isWebSocket(cell) {
  return cell.size !== undefined;
}

/** @param {Readonly<Record<string, number>>} ratios by peer @returns {Goal[]} */
function goals(ratios) {
  return Object.entries(ratios).map(([peer, ratio]) => ({ peer, ratio }));
}

/** While V8 compiles, its threads take turns with the server on one core. @returns {Pick<Cell, "kind" | "unit" | "less" | "warmth">} */
function halfLoad() {
  return { kind: "half-load", unit: "µs", less: true, warmth: 4 };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {import("./http-exchanges.mjs").HttpContent} request
 * @param {Partial<Cell>} [more]
 * @returns {Cell}
 */
function http(name, title, request, more) {
  const base = { name, title, request, connections: 64, depth: 1, goals: [] };
  return { ...base, kind: "exchanges", needs: "plain", unit: "requests/s", ...more };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {number} size
 * @param {Partial<Cell>} [more]
 * @returns {Cell}
 */
function echo(name, title, size, more) {
  const base = { name, title, size, connections: 64, depth: 1, goals: [] };
  return { ...base, kind: "exchanges", needs: "echo", unit: "messages/s", ...more };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {number} size
 * @param {number} subscribers
 * @param {Partial<Cell>} [more]
 * @returns {Cell}
 */
function broadcast(name, title, size, subscribers, more) {
  const base = { connections: subscribers, depth: 4, goals: goals({ uws: 1 }) };
  return {
    ...echo(name, title, size, base),
    kind: "broadcast",
    needs: "topic",
    unit: "delivered/s",
    ...more,
  };
}
