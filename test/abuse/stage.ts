import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Limits } from "../../src/limits/limits.ts";
import { sleep } from "../support/waiting.ts";
import { type Child, startChild } from "./child.ts";
import { connectPeer, connectTlsPeer, type Peer, type PeerOptions, webSocketHead } from "./peer.ts";
import type { ServerPlan, ServerReport } from "./server.ts";
import type { Testimony, WitnessPlan } from "./witness.ts";

const MIB = 1 << 20;
/** What others may notice: three times the time that is usual, and at least this, which the machine alone may cost. */
const P99_FACTOR = 3;
const P99_FLOOR_MS = 30;
/** Memory that may be left over after an abuse and a collection: caches of the engine, and compiled code. */
const KEPT_BYTES = 2 * MIB;
const TIMES = 4;
const LEAST_ANSWERS = 20;
const CALM_MS = 600;
/** The least time for which others are watched, and that memory has to be let go. */
const WATCH_MS = 300;
const LET_GO_MS = 2_000;
const UNTIL_PATIENCE_MS = 3_000;
/** What a server may take to read what was sent before, and how much it reads between two looks as long as it does. */
const READ_MS = 5_000;
const READING_BYTES = 32_768;

/** Short times, so that slow attacks are short, and small sizes, so that they are seen to hold. */
export const limits: Partial<Limits> = {
  headTimeoutMs: 300,
  bodyTimeoutMs: 300,
  keepAliveTimeoutMs: 300,
  writeTimeoutMs: 300,
  closeTimeoutMs: 150,
  webSocketIdleTimeoutMs: 300,
  pongTimeoutMs: 100,
  maxBodyBytes: MIB,
  maxMessageBytes: MIB,
  maxBackpressureBytes: 4 * MIB,
};

export interface Bounds {
  /** Memory of the process that the abuse may cost at its worst, in MiB. */
  readonly peakMiB: number;
  /** The server is rid of all its connections so long after the abuse has ended, in milliseconds. */
  readonly endMs: number;
  /** What the server counts, by the code of the error, and how often at least. */
  readonly errors?: Record<string, number>;
  /** Overrides what others may notice, with a reason in the table. */
  readonly p99Ms?: number;
}

/** One way to ill-treat a server. */
export interface Abuse {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
  readonly bounds: Bounds;
}

/** A server that runs, a witness, and the connections of who ill-treats it. */
export class Stage {
  readonly server: Child;
  readonly port: number;
  readonly securePort: number;
  readonly peers: Peer[] = [];
  private readonly witness: Child;

  private constructor(server: Child, witness: Child, ports: { plain: number; secure: number }) {
    this.server = server;
    this.witness = witness;
    this.port = ports.plain;
    this.securePort = ports.secure;
  }

  static async open(plan: ServerPlan, options: StageOptions = {}): Promise<Stage> {
    const server = await startChild(new URL("server.ts", import.meta.url), { plan, ...options });
    const ports = await server.ask<{ plain: number; secure: number }>("ports");
    const { newcomers = true } = options;
    const witnessPlan: WitnessPlan = { port: ports.plain, newcomers };
    const witness = await startChild(new URL("witness.ts", import.meta.url), { plan: witnessPlan });
    return new Stage(server, witness, ports);
  }

  async connect(options?: PeerOptions): Promise<Peer> {
    return this.keep(await connectPeer(this.port, options));
  }

  async connectTls(options?: Parameters<typeof connectTlsPeer>[1]): Promise<Peer> {
    return this.keep(await connectTlsPeer(this.securePort, options));
  }

  /** A WebSocket that is open. */
  async open(target: string, extensions = ""): Promise<Peer> {
    const peer = await this.connect();
    return peer.send(webSocketHead(target, extensions)).untilText("\r\n\r\n");
  }

  /** Does the same over so many connections at once. */
  async crowd(
    count: number,
    act: (peer: Peer, index: number) => unknown,
    options?: PeerOptions,
  ): Promise<Peer[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const peer = await this.connect(options);
        await act(peer, index);
        return peer;
      }),
    );
  }

  glance(): Promise<ServerReport> {
    return this.server.ask("glance");
  }

  report(): Promise<ServerReport> {
    return this.server.ask("report");
  }

  /** The report when memory has come down to this, or has had its time for it. */
  async rested(heldBytes: number): Promise<ServerReport> {
    const end = performance.now() + LET_GO_MS;
    for (;;) {
      const report = await this.report();
      if (report.heldBytes <= heldBytes || performance.now() > end) return report;
      await sleep(20);
    }
  }

  async watch(): Promise<void> {
    await this.witness.ask("begin");
  }

  /** How long the witness waits between its questions. */
  async pace(ms: number): Promise<void> {
    await this.witness.ask("pace", ms);
  }

  testimony(): Promise<Testimony> {
    return this.witness.ask("end");
  }

  /** The usual answer times. */
  async calm(): Promise<Testimony> {
    await sleep(CALM_MS / 2);
    await this.watch();
    await sleep(CALM_MS);
    return this.testimony();
  }

  /** Waits until the server has come to something. */
  async until(condition: (report: ServerReport) => boolean, what: string): Promise<void> {
    const begun = performance.now();
    while (!condition(await this.glance())) {
      assert.ok(performance.now() - begun < UNTIL_PATIENCE_MS, `still waiting for ${what}`);
      await sleep(10);
    }
  }

  /** Waits until the handlers of so many requests are at work. */
  serving(count: number): Promise<void> {
    return this.until(({ exchanges }) => exchanges >= count, `${count} to be at work`);
  }

  /**
   * Waits until the server has no more connections than this. The time begins when it has read what lay in the
   * system's buffers by then: how long that takes is up to the machine.
   * @returns how long it took, in milliseconds
   */
  async rid(connections: number, ms: number): Promise<number> {
    let begun = performance.now();
    const end = begun + READ_MS;
    for (let received = 0; ; ) {
      const { openConnections, bytesReceived } = (await this.glance()).counters;
      if (bytesReceived - received > READING_BYTES && performance.now() < end) begun = performance.now();
      received = bytesReceived;
      const took = performance.now() - begun;
      if (openConnections <= connections) return took;
      assert.ok(took < ms, `${openConnections} connections are left after ${ms} ms, and not ${connections}`);
      await sleep(10);
    }
  }

  hangUp(): void {
    for (const peer of this.peers.splice(0)) peer.reset();
  }

  async close(): Promise<void> {
    this.hangUp();
    await Promise.all([this.server.stop(), this.witness.stop()]);
  }

  private keep(peer: Peer): Peer {
    this.peers.push(peer);
    return peer;
  }
}

export interface StageOptions {
  /** Whether the witness opens new connections, too; default true. */
  readonly newcomers?: boolean;
  readonly descriptors?: number;
  readonly nodeOptions?: readonly string[];
}

/** What the witness keeps: a connection and a WebSocket. */
export const WITNESS_CONNECTIONS = 2;

/** Ill-treats one server in all the ways of a table, and holds it to their bounds. */
export function testAbuses(
  title: string,
  abuses: readonly Abuse[],
  plan: ServerPlan = { limits },
  skip: string | false = false,
): void {
  describe(title, { skip }, () => {
    let stage: Stage;
    let calm: Testimony;
    before(async () => {
      stage = await Stage.open(plan);
      calm = await stage.calm();
      assert.deepEqual(calm.failures, []);
    });
    after(() => stage.close());
    for (const { name, run, bounds } of abuses) {
      it(name, async (t) => {
        t.after(() => stage.hangUp());
        await held(stage, calm, bounds, run);
      });
    }
  });
}

/** Others waited too long: the server's doing, or that of the machine. */
class Slow extends Error {}

/**
 * Runs an abuse and holds the server to its bounds. What others notice must be within them once; what is usual is measured again
 * before each further time, because the machine can have become slower.
 */
export async function held(stage: Stage, calm: Testimony, bounds: Bounds, run: Abuse["run"]): Promise<void> {
  let usual = calm;
  for (let time = 1; ; time++) {
    try {
      return await heldOnce(stage, usual, bounds, run);
    } catch (error) {
      if (!(error instanceof Slow) || time === TIMES) throw error;
      const now = await stage.calm();
      if (now.p99Ms > usual.p99Ms) usual = now;
    }
  }
}

async function heldOnce(stage: Stage, calm: Testimony, bounds: Bounds, run: Abuse["run"]): Promise<void> {
  const start = await stage.report();
  await stage.server.ask("forgetPeak");
  await stage.watch();
  await Promise.all([run(stage), sleep(WATCH_MS)]);
  const endMs = await stage.rid(WITNESS_CONNECTIONS, bounds.endMs);
  const testimony = await stage.testimony();
  const worst = await stage.glance();
  stage.hangUp();
  const end = await stage.rested(start.heldBytes + KEPT_BYTES);

  const peakMiB = (worst.peakBytes - start.rssBytes) / MIB;
  const keptMiB = (end.heldBytes - start.heldBytes) / MIB;
  const figures = `peak ${peakMiB.toFixed(1)} MiB, kept ${keptMiB.toFixed(2)} MiB, ended after ${endMs.toFixed(0)} ms, others p99 ${testimony.p99Ms.toFixed(1)} ms (calm ${calm.p99Ms.toFixed(1)}), ${testimony.count} answers`;
  if (process.env["ABUSE_FIGURES"]) console.log(figures, errorsSince(start, worst));
  assert.deepEqual(testimony.failures, [], figures);
  assert.ok(peakMiB <= bounds.peakMiB, `peak above ${bounds.peakMiB} MiB: ${figures}`);
  assert.ok(end.heldBytes - start.heldBytes <= KEPT_BYTES, `memory is left over: ${figures}`);
  if (testimony.count < LEAST_ANSWERS) throw new Slow(`others got few answers: ${figures}`);
  const p99Ms = bounds.p99Ms ?? Math.max(P99_FACTOR * calm.p99Ms, P99_FLOOR_MS);
  assert.ok(end.counters.pendingBytes < 65_536, `${end.counters.pendingBytes} bytes still wait`);
  const errors = errorsSince(start, worst);
  for (const [code, count] of Object.entries(bounds.errors ?? {})) {
    assert.ok((errors[code] ?? 0) >= count, `${code} ${count} times: ${JSON.stringify(errors)}`);
  }
  if (testimony.p99Ms > p99Ms) throw new Slow(`others wait more than ${p99Ms.toFixed(1)} ms: ${figures}`);
}

function errorsSince(start: ServerReport, end: ServerReport): Record<string, number> {
  const grown = Object.entries(end.counters.errors).map(([code, count]): [string, number] => [
    code,
    count - (start.counters.errors[code] ?? 0),
  ]);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}
