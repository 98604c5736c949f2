import { frame, TEXT } from "../support/frames.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { sleep } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";
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

/** Asks and waits for the end of the one answer. */
async function ask(client: RawClient, question: string | Uint8Array, end: string): Promise<void> {
  client.forget().send(question);
  await client.until(() => client.text.endsWith(end) || client.isOver, end);
  if (!client.text.endsWith(end)) throw new Error(`closed: ${client.text}`);
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
  const client = await tcpClient(plan.port);
  try {
    await ask(client, GET, PONG);
  } finally {
    client.reset();
  }
}

const kept = await tcpClient(plan.port);
const webSocket = await tcpClient(plan.port);
await ask(webSocket, handshake("/echo"), "\r\n\r\n");

async function watch(): Promise<never> {
  for (let i = 0; ; i++) {
    await timed("on a connection that is kept", () => ask(kept, GET, PONG));
    await timed("on a WebSocket", () => ask(webSocket, frame(TEXT, ECHO), ECHO));
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
