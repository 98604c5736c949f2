// Players for the servers of `npm run bench -- game`, in a process of their own: each sends an input 30 times a second and
// notes when its snapshots come.
//   node lib/game-load.mjs PEER PORT PID PLAYERS WARM_MS MEASURE_MS
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { HZ } from "./game-world.mjs";

/** Colyseus's codes: a player has joined, and a message of bytes; the name of the message follows. */
const JOIN_ROOM = 10;
const ROOM_DATA_BYTES = 17;
const JOINING_AT_ONCE = 20;
const TICK_MS = 10;

const [peer = "", port = "", pid = "", players = "400", warm = "2000", measure = "5000"] =
  process.argv.slice(2);

/** @returns {Promise<string>} where a player connects to */
async function address() {
  if (peer !== "game-colyseus") return `ws://127.0.0.1:${port}/play`;
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  const answer = await fetch(`http://127.0.0.1:${port}/matchmake/joinOrCreate/game`, options);
  const { processId, roomId, sessionId } =
    /** @type {{ processId: string, roomId: string, sessionId: string }} */ (await answer.json());
  return `ws://127.0.0.1:${port}/${processId}/${roomId}?sessionId=${sessionId}`;
}

const inputHead = peer === "game-colyseus" ? [ROOM_DATA_BYTES, 0xa1, 0x69] : [];
const snapshotCode = peer === "game-colyseus" ? ROOM_DATA_BYTES : undefined;

let isMeasuring = false;
let snapshots = 0;
let bytes = 0;
/** Milliseconds between two snapshots of a player. @type {number[]} */
const gaps = [];

async function play() {
  const socket = new WebSocket(await address(), { perMessageDeflate: false });
  let lastMs = 0;
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (/** @type {Buffer} */ data) => {
      if (snapshotCode !== undefined && data[0] !== snapshotCode) {
        if (data[0] === JOIN_ROOM) socket.send(Buffer.from([JOIN_ROOM]));
        return;
      }
      const now = performance.now();
      if (isMeasuring) {
        snapshots++;
        bytes += data.length;
        gaps.push(now - lastMs);
      }
      lastMs = now;
      resolve(undefined);
    });
  });
  return socket;
}

/** The server's, in milliseconds. */
function processorTime() {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** @type {WebSocket[]} */
const sockets = [];
while (sockets.length < Number(players)) {
  const some = Math.min(JOINING_AT_ONCE, Number(players) - sockets.length);
  sockets.push(...(await Promise.all(Array.from({ length: some }, play))));
}
let turn = 0;
setInterval(() => {
  const angle = turn++ / 20;
  const [dx, dy] = [Math.round(Math.cos(angle) * 127), Math.round(Math.sin(angle) * 127)];
  const input = Buffer.from([...inputHead, dx & 255, dy & 255]);
  for (const socket of sockets) socket.send(input);
}, 1_000 / HZ);
await sleep(Number(warm));
const [beganMs, usedMs] = [performance.now(), processorTime()];
isMeasuring = true;
await sleep(Number(measure));
isMeasuring = false;
const [tookMs, cpuMs] = [performance.now() - beganMs, processorTime() - usedMs];
const rss = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4_096;
gaps.sort((a, b) => a - b);
/** @param {number} share */
const at = (share) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? Number.NaN;
console.log(
  JSON.stringify({ snapshots, bytes, tookMs, cpuMs, rss, p50: at(0.5), p99: at(0.99), max: at(1) }),
);
process.exit();
