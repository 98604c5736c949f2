// npm run bench -- game: one world on Portico and on Colyseus; processor time, memory, and how evenly snapshots come.
import { fileURLToPath } from "node:url";
import { HZ } from "./game-world.mjs";
import { serverCommand } from "./peers.mjs";
import { run, startServer } from "./processes.mjs";

const WARM_MS = 2_000;
const LOAD_TIMEOUT_MS = 120_000;
const peers = ["game-portico", "game-colyseus"];

/** @typedef {{ snapshots: number, bytes: number, tookMs: number, cpuMs: number, rss: number }} Work */
/** @typedef {Work & { p50: number, p99: number, max: number }} Sample */

/** @param {string} peer @param {number} players @param {number} seconds @returns {Promise<Sample>} */
async function sample(peer, players, seconds) {
  const server = await startServer(peer, serverCommand(peer, []));
  try {
    const script = fileURLToPath(new URL("game-load.mjs", import.meta.url));
    const args = [script, peer, server.port, server.pid, players, WARM_MS, seconds * 1_000].map(String);
    return JSON.parse(await run(process.execPath, args, { timeoutMs: LOAD_TIMEOUT_MS, load: true }));
  } finally {
    await server.stop();
  }
}

/** @param {Sample} of microseconds of processor time for each snapshot */
const cost = ({ cpuMs, snapshots }) => (cpuMs * 1_000) / snapshots;

/** @param {number} rounds @param {number} seconds @param {readonly number[]} crowds */
export async function measureGame(rounds, seconds, crowds) {
  console.log(`one world, ${HZ} ticks a second, arenas of 50, ${rounds} x ${seconds} s`);
  console.log(
    "players  peer           snapshots/s  bytes each  CPU %  CPU µs/snapshot  MiB   gap ms p50    p99    max",
  );
  for (const players of crowds) {
    /** @type {Map<string, Sample[]>} */
    const all = new Map(peers.map((peer) => [peer, []]));
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) all.get(peer)?.push(await sample(peer, players, seconds));
    }
    for (const [peer, samples] of all) {
      // What others do at the same time only adds to it.
      const [best] = samples.sort((a, b) => cost(a) - cost(b));
      if (best === undefined) continue;
      const columns = [
        String(players).padStart(7),
        peer.replace("game-", "").padEnd(14),
        ((best.snapshots * 1_000) / best.tookMs).toFixed(0).padStart(11),
        (best.bytes / best.snapshots).toFixed(0).padStart(11),
        ((best.cpuMs * 100) / best.tookMs).toFixed(0).padStart(6),
        cost(best).toFixed(2).padStart(16),
        (best.rss / 2 ** 20).toFixed(0).padStart(4),
        best.p50.toFixed(1).padStart(12),
        best.p99.toFixed(1).padStart(6),
        best.max.toFixed(1).padStart(6),
      ];
      console.log(columns.join("  "));
    }
  }
}
