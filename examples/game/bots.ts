// Simulated players, who check what the game promises while others misbehave; prints what they have seen.
//   npm run bots -- [--players 400] [--seconds 5] [--mute 40] [--flooders 8] [--vanishing 40] [--json]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect, type WebSocket } from "portico";
import type { LoopFigures } from "portico/loop";
import { decodeSnapshot, encodeInput } from "./public/protocol.js";
import { move, type Point, rules } from "./public/rules.js";

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
const PATIENCE_MS = 20_000;
const JOINING_AT_ONCE = 25;
/** Inputs of a flooder at once, and how often. */
const FLOOD_INPUTS = 200;
const FLOOD_MS = 50;

const faults: string[] = [];
function check(isRight: boolean, fault: string): void {
  if (!isRight && faults.length < 20) faults.push(fault);
}

/** A player who sends one input for each snapshot, or as the program says. */
class Bot {
  seat = "";
  you = 0;
  /** The last tick that has arrived. */
  tick = 0;
  /** Ticks that came while it did not play. */
  snapshots: number[] = [];
  /** From an input to the snapshot that has it applied, in milliseconds. */
  delaysMs: number[] = [];
  closedWith: number | undefined;
  isPlaying = true;
  private readonly arena: string;
  private socket: WebSocket<undefined> | undefined;
  private seq = 0;
  private ack = 0;
  private received = 0;
  private readonly sentAt: number[] = [];
  /** The last input that was answered, those after it, and where each should lead. */
  private inputs: { seq: number; dx: number; dy: number; position: Point }[] = [];
  private position: Point | undefined;
  /** How often the server had it elsewhere: inputs that wait for too long are without effect. */
  corrections = 0;

  constructor(arena: string) {
    this.arena = arena;
  }

  async join(url: string): Promise<void> {
    const { arena, seat } = this;
    this.seq = this.ack = this.tick = this.received = 0;
    this.closedWith = this.position = undefined;
    this.sentAt.length = 0;
    this.inputs = [];
    await connect(`${url}/play?${new URLSearchParams({ arena, seat })}`, {
      open: (socket) => {
        this.socket = socket;
      },
      message: (_socket, data, binary) => {
        if (binary) this.take(data);
        else ({ seat: this.seat, you: this.you } = JSON.parse(data.toString()));
      },
      close: (_socket, code) => {
        this.closedWith = code;
      },
    });
    await until(() => this.seat !== "" && this.you !== 0, "a seat");
  }

  /** Reads nothing more. */
  mute(): void {
    this.socket?.pause();
    this.snapshots = [];
  }

  wake(): void {
    this.socket?.resume();
  }

  vanish(): void {
    this.socket?.terminate();
  }

  send(dx: number, dy: number): void {
    this.socket?.send(encodeInput({ seq: ++this.seq, dx, dy }));
  }

  private take(data: Buffer): void {
    const tick = data.readUInt32LE(0);
    check(tick > this.tick, `${this.you} got tick ${tick} after ${this.tick}`);
    this.tick = tick;
    const ack = data.readUInt32LE(12);
    this.socket?.send(`~a${++this.received}`);
    check(ack >= this.ack && ack <= this.seq, `${this.you} was answered input ${ack} of ${this.seq}`);
    if (!this.isPlaying) {
      this.snapshots.push(tick);
      return;
    }
    const nowMs = performance.now();
    for (; this.ack < ack; this.ack++) this.delaysMs.push(nowMs - (this.sentAt.shift() ?? nowMs));
    // To decode all of them would take longer than the server takes to make them.
    if (this.position === undefined || tick % rules.ticksPerSecond === this.you % rules.ticksPerSecond)
      this.compare(data);
    this.inputs = this.inputs.filter(({ seq }) => seq >= ack);
    const turn = Math.floor(this.seq / 20) * 40 * this.you;
    const [dx, dy] = [
      Math.round(Math.cos(turn) * rules.fullPush),
      Math.round(Math.sin(turn) * rules.fullPush),
    ];
    this.send(dx, dy);
    this.sentAt.push(nowMs);
    if (this.position === undefined) return;
    this.position = move(this.position, dx, dy);
    this.inputs.push({ seq: this.seq, dx, dy, position: this.position });
  }

  private compare(data: Buffer): void {
    const { players, ack } = decodeSnapshot(data);
    const own = players.find(({ id }) => id === this.you);
    check(own !== undefined, `${this.you} is not in its snapshot`);
    if (own === undefined) return;
    const expected = this.inputs.find(({ seq }) => seq === ack)?.position ?? own;
    this.position ??= own;
    if (expected.x === own.x && expected.y === own.y) return;
    this.corrections++;
    let position: Point = own;
    for (const input of this.inputs) {
      if (input.seq > ack) position = move(position, input.dx, input.dy);
      input.position = position;
    }
    this.position = position;
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) {
      check(false, `still waiting for ${what}`);
      return;
    }
    await delay(10);
  }
}

/** What the server says of itself since it was last asked. */
interface Measured {
  readonly loop: LoopFigures;
  /** Of the processor. */
  readonly usedMs: number;
}

interface Running {
  readonly url: string;
  measure(): Promise<Measured>;
  stall(ms: number): Promise<void>;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

async function start(file: string): Promise<Running> {
  const program = fileURLToPath(new URL("server.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, "0", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const url = /http:\S+(?=\/)/.exec(line)?.[0] ?? "";
  let usedUs = 0;
  const measure = async (): Promise<Measured> => {
    const { loop, cpu } = (await (await fetch(`${url}/stats`)).json()) as {
      loop: LoopFigures;
      cpu: NodeJS.CpuUsage;
    };
    const before = usedUs;
    usedUs = cpu.user + cpu.system;
    return { loop, usedMs: (usedUs - before) / 1_000 };
  };
  return {
    url,
    measure,
    stall: async (ms) => {
      child.kill("SIGSTOP");
      await delay(ms);
      child.kill("SIGCONT");
    },
    stop: async () => {
      child.kill("SIGTERM");
      return (await exited)[0];
    },
  };
}

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
const phase = ({ loop, usedMs }: Measured, delays: number[] = []): object => ({
  ticks: loop.ticks,
  skippedTicks: loop.skippedTicks,
  latenessMs: loop.latenessMs,
  processorMsPerTick: usedMs / loop.ticks,
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
