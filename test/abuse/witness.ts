import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TEXT } from "../../src/websocket/opcodes.ts";
import { handshake, masked } from "../engine/web-socket-client.ts";
import { answer, planOf } from "./child.ts";

// A client that behaves well, in a process of its own: it asks over a connection that it keeps, over a WebSocket and
// over new connections, and notes how long each answer takes.

export interface WitnessPlan {
  readonly port: number;
  /** Whether it opens new connections, too. */
  readonly newcomers: boolean;
}

export interface Testimony {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** What was not as it should be. */
  readonly failures: readonly string[];
}

let pauseMs = 1;
const NEWCOMER_EVERY = 10;
const GET = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
const PONG = "\r\n\r\npong";
const ECHO = "12345678";

const plan = planOf<WitnessPlan>();
let times: number[] = [];
let failures: string[] = [];
/** When the question was asked that has no answer yet. */
let askedAt: number | undefined;

/** A connection that gets one answer at a time. */
class Line {
  private readonly socket: Socket;
  private text = "";
  private look: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay();
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.text += text;
      this.look();
    });
    socket.on("error", () => {});
    socket.on("close", () => this.look());
  }

  static async open(): Promise<Line> {
    const socket = connect(plan.port, "127.0.0.1");
    await once(socket, "connect");
    return new Line(socket);
  }

  async ask(question: string | Uint8Array, end: string): Promise<void> {
    this.text = "";
    this.socket.write(question);
    await new Promise<void>((resolve, reject) => {
      this.look = () => {
        if (this.text.endsWith(end)) resolve();
        else if (this.socket.closed || this.socket.readableEnded) reject(new Error(`closed: ${this.text}`));
      };
    });
  }

  hangUp(): void {
    this.socket.resetAndDestroy();
  }
}

async function timed(what: string, ask: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  askedAt = begun;
  try {
    await ask();
    times.push(performance.now() - begun);
  } catch (error) {
    failures.push(`${what}: ${String(error)}`);
    await sleep(10);
  }
  askedAt = undefined;
}

async function newcomer(): Promise<void> {
  const line = await Line.open();
  try {
    await line.ask(GET, PONG);
  } finally {
    line.hangUp();
  }
}

const kept = await Line.open();
const webSocket = await Line.open();
await webSocket.ask(handshake("/echo"), "\r\n\r\n");

async function watch(): Promise<never> {
  for (let i = 0; ; i++) {
    await timed("on a connection that is kept", () => kept.ask(GET, PONG));
    await timed("on a WebSocket", () => webSocket.ask(masked(TEXT, ECHO), ECHO));
    if (plan.newcomers && i % NEWCOMER_EVERY === 0) await timed("on a new connection", newcomer);
    await sleep(pauseMs);
  }
}
void watch();

answer({
  pace(ms: number) {
    pauseMs = ms;
  },
  begin() {
    times = [];
    failures = [];
  },
  end(): Testimony {
    if (askedAt !== undefined) times.push(performance.now() - askedAt);
    const sorted = times.sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY;
    const testimony = {
      count: sorted.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: sorted.at(-1) ?? Number.POSITIVE_INFINITY,
      failures: failures.slice(0, 10),
    };
    times = [];
    failures = [];
    return testimony;
  },
});
