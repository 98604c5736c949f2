import type { Server } from "../index.ts";

/** Topics that are looked at; more would take the server's time. */
const MAX_TOPICS = 10_000;
/** More than a page shows: those of other workers are added. */
const MAX_SENT = 1_000;
const MAX_ROWS = 100;
const MAX_NAME = 200;

/** The subscribers of a topic, as a page shows them. */
export interface Members {
  readonly rows: readonly string[];
  readonly total: number;
}

/** The topics with the most subscribers, and the number of all that were looked at. */
export function topicSizes(server: Server): {
  topics: { name: string; members: number }[];
  topicCount: number;
} {
  const topics: { name: string; members: number }[] = [];
  for (const [name, members] of server.topics) {
    if (topics.push({ name: name.slice(0, MAX_NAME), members }) === MAX_TOPICS) break;
  }
  const topicCount = topics.length;
  topics.sort((a, b) => b.members - a.members);
  return { topics: topics.slice(0, MAX_SENT), topicCount };
}

/** The connections that subscribe to a topic, as a page shows them. */
export function memberRows(
  server: Server,
  topic: string,
  describe: (socket: Server["webSockets"][number]) => string,
): Members {
  const rows: string[] = [];
  for (const socket of server.subscribedTo(topic)) {
    if (rows.push(describe(socket)) === MAX_ROWS) break;
  }
  return { rows, total: server.subscribers(topic) };
}

/** The subscribers in all workers. */
export function mergedMembers(all: readonly Members[]): Members {
  const rows = all.flatMap((members) => members.rows).slice(0, MAX_ROWS);
  return { rows, total: all.reduce((sum, { total }) => sum + total, 0) };
}
