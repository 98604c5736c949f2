// What is measured: the cells, the peers and the modes, as data.

/**
 * One kind of load and the ratio that Portico is to reach against the base peer.
 * @typedef {object} Cell
 * @property {string} name for --cells
 * @property {string} title
 * @property {"http" | "websocket"} protocol
 * @property {string} base the peer with ratio 1
 * @property {number} goal the ratio that a subject is to reach
 * @property {readonly string[]} subjects the peers that have the goal
 * @property {number} connections
 * @property {number} depth requests or messages in flight on each connection
 * @property {number} size bytes of one WebSocket message; 0 for HTTP
 */

/** @type {readonly Cell[]} */
export const cells = [
  http("get", "GET, 64 connections", 1, 1.5),
  http("get-pipelined", "GET, 64 connections, 16 pipelined", 16, 8),
  echo("echo-20", "echo 20 B, 64 connections", 64, 1, 20, 1.3),
  echo("echo-20-deep", "echo 20 B, 64 connections, 16 in flight", 64, 16, 20, 10),
  echo("echo-1k", "echo 1 KiB, 64 connections", 64, 1, 1024, 1),
  echo("echo-16k", "echo 16 KiB, 64 connections", 64, 1, 16 * 1024, 1),
  echo("echo-1m", "echo 1 MiB, 8 connections", 8, 1, 1024 * 1024, 1),
];

/** Events that are polled in a tight loop, beside the same that are delivered at once. */
const deferredCells = cells
  .filter((cell) => ["get", "get-pipelined", "echo-20", "echo-20-deep"].includes(cell.name))
  .map((cell) => ({
    ...cell,
    base: "portico",
    goal: 0.85,
    subjects: ["portico-polled", "evo-http", "evo-ws"],
  }));

/** Which protocols the program `servers/<name>.mjs` serves. @type {Readonly<Record<string, readonly string[]>>} */
export const peers = {
  "node-http": ["http"],
  ws: ["websocket"],
  portico: ["http", "websocket"],
  "portico-polled": ["http", "websocket"],
  "evo-http": ["http"],
  "evo-ws": ["websocket"],
};

/**
 * @typedef {object} Mode
 * @property {readonly Cell[]} cells
 * @property {readonly string[]} peers
 * @property {number} rounds
 * @property {number} warmSeconds load before the measured time, whole seconds
 * @property {number} seconds measured time, whole seconds (wrk knows no others)
 */

const smokeCells = ["get", "get-pipelined", "echo-20", "echo-20-deep", "echo-1m"];

const beside = ["node-http", "ws", "portico"];

/** @type {Readonly<Record<string, Mode>>} */
export const modes = {
  smoke: {
    peers: beside,
    cells: cells.filter((cell) => smokeCells.includes(cell.name)),
    rounds: 1,
    warmSeconds: 0,
    seconds: 1,
  },
  quick: { cells, peers: beside, rounds: 3, warmSeconds: 1, seconds: 1 },
  full: { cells, peers: beside, rounds: 7, warmSeconds: 1, seconds: 3 },
  deferred: {
    cells: deferredCells,
    peers: ["portico", "portico-polled", "evo-http", "evo-ws"],
    rounds: 7,
    warmSeconds: 1,
    seconds: 2,
  },
};

/**
 * @param {string} name
 * @param {string} title
 * @param {number} depth
 * @param {number} goal
 * @returns {Cell}
 */
function http(name, title, depth, goal) {
  const subjects = ["portico"];
  return {
    name,
    title,
    protocol: "http",
    base: "node-http",
    goal,
    subjects,
    connections: 64,
    depth,
    size: 0,
  };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {number} connections
 * @param {number} depth
 * @param {number} size
 * @param {number} goal
 * @returns {Cell}
 */
function echo(name, title, connections, depth, size, goal) {
  const subjects = ["portico"];
  return { name, title, protocol: "websocket", base: "ws", goal, subjects, connections, depth, size };
}
