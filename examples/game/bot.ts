// One simulated player, who checks what the game promises.
import { setTimeout as delay } from "node:timers/promises";
import { connect, type WebSocket } from "portico";
import { decodeSnapshot, encodeInput } from "./public/protocol.js";
import { move, type Point, rules } from "./public/rules.js";

const PATIENCE_MS = 20_000;

/** What was not as the game promises, and what did not happen in time. */
export const faults: string[] = [];

export function check(isRight: boolean, fault: string): void {
  if (!isRight && faults.length < 20) faults.push(fault);
}

/** A player who sends one input for each snapshot, or as the program says. */
export class Bot {
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
    const open = (socket: WebSocket<undefined>): void => {
      this.socket = socket;
    };
    const message = (_socket: WebSocket<undefined>, data: Buffer, binary: boolean): void => {
      if (binary) this.take(data);
      else ({ seat: this.seat, you: this.you } = JSON.parse(data.toString()));
    };
    const close = (_socket: WebSocket<undefined>, code: number): void => {
      this.closedWith = code;
    };
    // Lent messages are not copied: the bots must not need more of the processor than the server.
    await connect(
      `${url}/play?${new URLSearchParams({ arena, seat })}`,
      { open, message, close },
      { lent: true },
    );
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

export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) {
      check(false, `still waiting for ${what}`);
      return;
    }
    await delay(10);
  }
}
