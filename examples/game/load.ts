// Simulated players, each of whom checks what it is told; prints how even the server's ticks were.
//   node --import tsx examples/game/load.ts [--players 200] [--seconds 10] [--json]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect, type WebSocket } from "portico";
import { decodeSnapshot, encodeInput } from "./public/protocol.js";
import { move, type Point, rules } from "./public/rules.js";

const PATIENCE_MS = 10_000;
const TURN_EVERY_INPUTS = 20;

const { values } = parseArgs({
  options: {
    players: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const count = Number(values.players);

/** What was found wrong. */
const faults: string[] = [];
/** The bytes of the snapshot of each tick, as the first player got them. */
const snapshots = new Map<number, Buffer>();
let received = 0;

function fault(text: string): void {
  if (faults.length < 20) faults.push(text);
}

/** One player, who sends one input for each snapshot: as many as there are ticks, however fast the machine is. */
class Bot {
  sent = 0;
  ack = 0;
  told: string[] = [];
  closedWith: number | undefined;
  readonly names = new Map<number, string>();
  readonly #random: () => number;
  /** Where it should be after each input that has not been answered. */
  readonly #expected = new Map<number, Point>();
  #you = 0;
  #tick = 0;
  #position: Point | undefined;
  #push: [dx: number, dy: number] = [0, 0];
  playing = true;

  constructor(index: number) {
    let seed = index + 1;
    this.#random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
  }

  async join(url: string): Promise<WebSocket<undefined>> {
    return connect(url, {
      message: (socket, data, binary) => {
        if (binary) this.#takeSnapshot(socket, data);
        else this.#takeNews(JSON.parse(data.toString()));
      },
      close: (_socket, code) => {
        this.closedWith = code;
      },
    });
  }

  #takeNews(news: { type: string; you: number; id: number; name: string; names: [number, string][] }): void {
    this.told.push(news.type);
    if (news.type === "welcome") {
      this.#you = news.you;
      this.names.clear();
      for (const [id, name] of news.names) this.names.set(id, name);
    } else if (news.type === "join") this.names.set(news.id, news.name);
    else if (news.type === "leave") this.names.delete(news.id);
  }

  #takeSnapshot(socket: WebSocket<undefined>, data: Buffer): void {
    received++;
    const { tick, players } = decodeSnapshot(data);
    if (tick <= this.#tick) fault(`player ${this.#you} got tick ${tick} after ${this.#tick}`);
    this.#tick = tick;
    const first = snapshots.get(tick);
    if (first === undefined) snapshots.set(tick, Buffer.from(data));
    else if (!first.equals(data)) fault(`tick ${tick} is not the same for all`);
    snapshots.delete(tick - 1_000);
    for (const { id } of players) if (!this.names.has(id)) fault(`player ${id} has no name in tick ${tick}`);
    const own = players.find(({ id }) => id === this.#you);
    if (own === undefined) {
      fault(`player ${this.#you} is not in tick ${tick}`);
      return;
    }
    if (own.ack < this.ack || own.ack > this.sent) fault(`player ${own.id} was answered input ${own.ack}`);
    const expected = this.#expected.get(own.ack) ?? own;
    if (expected.x !== own.x || expected.y !== own.y) fault(`player ${own.id} is not where it should be`);
    for (let seq = this.ack; seq < own.ack; seq++) this.#expected.delete(seq);
    this.ack = own.ack;
    this.#position ??= own;
    if (this.playing) this.#play(socket, this.#position);
  }

  #play(socket: WebSocket<undefined>, from: Point): void {
    if (this.sent % TURN_EVERY_INPUTS === 0) {
      const any = (): number => Math.round((this.#random() * 2 - 1) * rules.fullPush);
      this.#push = [any(), any()];
    }
    const [dx, dy] = this.#push;
    this.sent++;
    socket.send(encodeInput({ seq: this.sent, dx, dy }));
    this.#position = move(from, dx, dy);
    this.#expected.set(this.sent, this.#position);
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) {
      fault(`still waiting for ${what}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What the server says of itself; its times are those since it was last asked. */
async function askStats(): Promise<Record<string, unknown>> {
  return (await (await fetch(`${httpUrl}stats`)).json()) as Record<string, unknown>;
}

const program = fileURLToPath(new URL("server.ts", import.meta.url));
const child = spawn(process.execPath, [...process.execArgv, program, "0"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const exited = once(child, "exit");
process.once("SIGTERM", () => {
  child.kill();
  process.exit(1);
});
const [line] = (await once(createInterface(child.stdout), "line")) as [string];
const httpUrl = /http:\S+/.exec(line)?.[0] ?? "";

const bots = Array.from({ length: count }, (_, index) => new Bot(index));
await Promise.all(bots.map((bot, index) => bot.join(`${httpUrl}play?name=bot-${index}`)));
await until(() => bots.every(({ sent }) => sent > 0), "the first snapshot");
await askStats();
await new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1_000));
for (const bot of bots) bot.playing = false;
await until(() => bots.every(({ sent, ack }) => ack === sent), "the last inputs to be applied");
const stats = await askStats();
child.kill("SIGTERM");
const [code] = (await exited) as [number | null];
await until(() => bots.every(({ closedWith }) => closedWith !== undefined), "the end");

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
const sent = sum(bots.map((bot) => bot.sent));
const report = {
  ...stats,
  sent,
  lost: sent - sum(bots.map((bot) => bot.ack)),
  received,
  toldToStop: bots.filter(({ told, closedWith }) => told.at(-1) === "stop" && closedWith === 1001).length,
  serverExit: code,
  faults,
};
console.log(values.json ? JSON.stringify(report) : report);
process.exitCode = faults.length === 0 ? 0 : 1;
