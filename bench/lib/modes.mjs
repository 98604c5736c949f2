// How much is measured.
import { cellNamed, cells, deferredCells } from "./cells.mjs";
import { CEILING, limits } from "./peers.mjs";

/**
 * @typedef {object} Mode
 * @property {readonly import("./cells.mjs").Cell[]} cells
 * @property {readonly string[]} peers
 * @property {number} rounds
 * @property {number} warmSeconds load before the measured time
 * @property {number} seconds measured time
 */

const fastest = ["node-http", "ws", "uws", "bun", "portico"];
const telling = "get get-pipelined get-routes post-1k echo-20 echo-20-deep echo-16k broadcast-1k";

/** @type {Readonly<Record<string, Mode>>} */
export const modes = {
  full: { cells, peers: [...limits, ...fastest], rounds: 3, warmSeconds: 0.5, seconds: 1 },
  quick: {
    cells: telling.split(" ").map(cellNamed),
    peers: fastest,
    rounds: 3,
    warmSeconds: 0.4,
    seconds: 0.6,
  },
  deferred: {
    cells: deferredCells,
    peers: ["portico", "portico-polled", "evo-http", "evo-ws"],
    rounds: 7,
    warmSeconds: 1,
    seconds: 2,
  },
  /** The frameworks and Portico's other interfaces, on what most of them can do. */
  others: {
    cells: ["get", "get-routes", "post-1k", "echo-20", "echo-1k"].map((name) => ({
      ...cellNamed(name),
      goals: [],
    })),
    peers: ["fastify", "hono", "evo-http", "evo-ws", "craftos", "facil", "portico-polled", "portico"],
    rounds: 3,
    warmSeconds: 0.5,
    seconds: 1,
  },
  /** The same application of Hono on Portico and on Hono's adapter for Node. */
  hono: {
    cells: ["get", "get-routes", "post-1k", "get-64k"].map((name) => ({
      ...cellNamed(name),
      goals: [{ subject: "portico-hono", peer: "hono", ratio: 1.3 }],
    })),
    peers: ["hono", "portico-hono", "portico-hono-plain"],
    rounds: 3,
    warmSeconds: 1,
    seconds: 1,
  },
  /** The same load over more and more connections. */
  connections: {
    cells: ["get", "echo-20"].flatMap((name) =>
      [64, 1_000, 10_000].map((connections) => {
        const cell = cellNamed(name);
        const title = cell.title.replace(/\b64\b/, String(connections));
        return { ...cell, name: `${name}-x${connections}`, title, connections, goals: [] };
      }),
    ),
    peers: fastest,
    rounds: 3,
    warmSeconds: 1,
    seconds: 2,
  },
  /** Programs in Lua beside the same in TypeScript. A server that is polled by a timer is not always busy. */
  lua: {
    cells: [
      {
        ...cellNamed("get"),
        name: "get-x256",
        title: "GET of 13 bytes, 256 connections, goals by processor time",
        connections: 256,
        byTime: true,
        goals: [
          { subject: "lua-evo", peer: "evo-timer", ratio: 0.6 },
          { subject: "lua-craftos", peer: "craftos-pull", ratio: 0.4 },
        ],
      },
    ],
    peers: ["evo-timer", "lua-evo", "craftos-pull", "lua-craftos"],
    rounds: 5,
    warmSeconds: 1,
    seconds: 2,
  },
  ceiling: { cells, peers: [CEILING], rounds: 3, warmSeconds: 0.5, seconds: 1 },
};
