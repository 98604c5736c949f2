// What an idle WebSocket costs: the server's memory with many of them, less that with none.
import { openWebSocket } from "./answers.mjs";

const BATCH = 200;

/**
 * @param {import("./processes.mjs").RunningServer} server
 * @param {import("./cells.mjs").Cell} cell
 * @returns {Promise<import("./measure.mjs").Sample>}
 */
export async function measureIdle(server, cell) {
  const before = await server.memory();
  /** @type {import("./raw-client.mjs").RawClient[]} */
  const clients = [];
  while (clients.length < cell.connections) {
    const length = Math.min(BATCH, cell.connections - clients.length);
    clients.push(...(await Promise.all(Array.from({ length }, () => openWebSocket(server.port, cell)))));
  }
  // They are idle for longer than the client's limit for an answer.
  for (const { socket } of clients) socket.setTimeout(0);
  const after = await server.memory();
  const each = (/** @type {"rss" | "heap"} */ key) =>
    Math.round((after[key] - before[key]) / cell.connections);
  for (const client of clients) client.close();
  return { value: each("rss"), heap: each("heap") };
}
