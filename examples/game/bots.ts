// Simulated players, who check what the game promises while others misbehave; prints what they have seen.
//   npm run bots -- [--players 400] [--seconds 5] [--mute 40] [--flooders 8] [--vanishing 40] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Bot, check, faults, until } from "./bot.ts";
import { type Measured, start } from "./bot-server.ts";
import { rules } from "./public/rules.js";

const { values } = parseArgs({
  options: {
    players: { type: "string", default: "400" },
    seconds: { type: "string", default: "5" },
    mute: { type: "string", default: "40" },
    flooders: { type: "string", default: "8" },
    vanishing: { type: "string", default: "40" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);

const PLAYERS_PER_ARENA = 50;
/** `maxUnacked` of the server. */
const WINDOW = 4;
const STALL_MS = 300;
const JOINING_AT_ONCE = 25;
/** Inputs of a flooder at once, and how often. */
const FLOOD_INPUTS = 200;
const FLOOD_MS = 50;

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

/** @returns the median delay of each player since it was last asked */
function takeDelays(of: readonly Bot[]): number[] {
  return of.map((bot) => median(bot.delaysMs.splice(0)));
}

const bots = (count: string): Bot[] =>
  Array.from({ length: Number(count) }, (_, i) => new Bot(`${Math.floor(i / PLAYERS_PER_ARENA)}`));

/** Tries again on a machine that is too busy to answer in time. */
function joinPatiently(bot: Bot, tries = 5): Promise<void> {
  return bot.join(server.url).catch((error: unknown) => {
    if (tries === 1) throw error;
    return joinPatiently(bot, tries - 1);
  });
}

/** A few at a time: so many handshakes at once would wait for each other. */
async function joinAll(some: readonly Bot[]): Promise<void> {
  for (let i = 0; i < some.length; i += JOINING_AT_ONCE)
    await Promise.all(some.slice(i, i + JOINING_AT_ONCE).map((bot) => joinPatiently(bot)));
}

const folder = mkdtempSync(join(tmpdir(), "portico-bots-"));
const file = join(folder, "seats.json");
let server = await start(file);

// Only good players.
const players = bots(values.players);
await joinAll(players);
await until(() => players.every(({ delaysMs }) => delaysMs.length > 5), "answers");
await server.measure();
takeDelays(players);
await delay(seconds * 1_000);
const calm = await server.measure();
const calmDelays = takeDelays(players);

// The same among others who do not read, who flood, and who vanish.
const [mute, flooders, vanishing] = [bots(values.mute), bots(values.flooders), bots(values.vanishing)];
await joinAll([...mute, ...flooders, ...vanishing]);
for (const bot of [...flooders, ...mute]) bot.isPlaying = false;
for (const bot of mute) bot.mute();
await server.measure();
takeDelays(players);
const flood = setInterval(() => {
  for (const bot of flooders) for (let i = 0; i < FLOOD_INPUTS; i++) bot.send(rules.fullPush, 0);
}, FLOOD_MS);
await delay((seconds * 1_000) / 2);
for (const bot of vanishing) bot.vanish();
await delay((seconds * 1_000) / 2);
const hostile = await server.measure();
const hostileDelays = takeDelays(players);
clearInterval(flood);

// Bots that read again get what was in flight, and then the newest.
const tickAtWaking = Math.max(...players.map(({ tick }) => tick));
for (const bot of mute) bot.wake();
await until(() => mute.every(({ tick }) => tick >= tickAtWaking), "the newest snapshot");
const old = mute.map(({ snapshots }) => snapshots.filter((tick) => tick < tickAtWaking - 1).length);
check(Math.max(0, ...old) <= WINDOW, `${Math.max(...old)} old snapshots came`);

const seatsOf = (some: readonly Bot[]): number[] => some.map(({ you }) => you);
let before = seatsOf(vanishing);
await joinAll(vanishing);
const back = seatsOf(vanishing).filter((you, i) => you === before[i]).length;

await server.measure();
await server.stall(STALL_MS);
const tickAtStall = Math.max(...players.map(({ tick }) => tick));
await until(() => players.every(({ tick }) => tick > tickAtStall + 5), "ticks after the stall");
const stalled = await server.measure();

const all = [...players, ...mute, ...vanishing];
before = seatsOf(all);
const exitCode = await server.stop();
await until(() => all.every(({ closedWith }) => closedWith !== undefined), "the end");
const toldToStop = players.filter(({ closedWith }) => closedWith === 1001).length;
server = await start(file);
await joinAll(all);
const restored = seatsOf(all).filter((you, i) => you === before[i]).length;
await server.stop();
rmSync(folder, { recursive: true });

const doubled = hostileDelays.filter((ms, i) => ms > 2 * (calmDelays[i] ?? 0)).length;
const phase = ({ loop, usedMs, botsMs }: Measured, delays: number[] = []): object => ({
  ticks: loop.ticks,
  skippedTicks: loop.skippedTicks,
  latenessMs: loop.latenessMs,
  processorMsPerTick: usedMs / loop.ticks,
  botsProcessorMsPerTick: botsMs / loop.ticks,
  workMs: { poll: loop.pollMs.p50, step: loop.stepMs.p50, flush: loop.flushMs.p50 },
  ...(delays.length > 0 && { inputDelayMs: { median: median(delays), worst: Math.max(...delays) } }),
});
const report = {
  players: players.length,
  calm: phase(calm, calmDelays),
  hostile: phase(hostile, hostileDelays),
  delayDoubled: doubled,
  corrections: players.reduce((sum, { corrections }) => sum + corrections, 0),
  stalled: phase(stalled),
  oldSnapshots: Math.max(0, ...old),
  vanishedAndBack: [vanishing.length, back],
  toldToStop,
  restartedAndBack: [all.length, restored],
  exitCode,
  faults,
};
console.log(values.json ? JSON.stringify(report) : report);
process.exitCode = faults.length === 0 ? 0 : 1;
