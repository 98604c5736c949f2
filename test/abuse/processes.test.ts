import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { runService, who } from "../facil/run-program.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";
import { startChild } from "./child.ts";

const REQUESTERS = 16;
const WEB_SOCKETS = 12;
const LOAD_MS = 300;
const PATIENCE_MS = 15_000;

/** A connection under load, and the process that serves it. */
interface Loaded {
  readonly what: string;
  readonly pid: number;
  answers: number;
  failure: unknown;
}

type Connect = () => Promise<RawClient>;

/** Asks one thing after the other, until it fails or is told to stop. */
function load(what: string, pid: number, stop: AbortSignal, ask: (i: number) => Promise<void>): Loaded {
  const loaded: Loaded = { what, pid, answers: 0, failure: undefined };
  const go = async (): Promise<void> => {
    for (; !stop.aborted; loaded.answers++) await ask(loaded.answers);
  };
  go().catch((error: unknown) => {
    loaded.failure = error;
  });
  return loaded;
}

async function requester(connect: Connect, stop: AbortSignal): Promise<Loaded> {
  const client = await connect();
  const ask = async (): Promise<number> => who((await client.get("/").answer("GET", PATIENCE_MS)).text).pid;
  const pid = await ask();
  return load("requests", pid, stop, async () => assert.equal(await ask(), pid));
}

async function webSocket(connect: Connect, stop: AbortSignal): Promise<Loaded> {
  const client: WebSocketClient = await open(await connect(), "/");
  const text = async (): Promise<string> => {
    const event = await client.next(PATIENCE_MS);
    return event.type === "message" ? event.text : assert.fail(event.type);
  };
  const { pid } = who(await text());
  return load("messages", pid, stop, async (i) => {
    client.send(`message ${i}`);
    assert.equal(await text(), `message ${i}`);
  });
}

/** Kills one of the processes under load. */
async function survives(t: TestContext, connect: Connect): Promise<void> {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const all = await Promise.all([
    ...Array.from({ length: REQUESTERS }, () => requester(connect, stop.signal)),
    ...Array.from({ length: WEB_SOCKETS }, () => webSocket(connect, stop.signal)),
  ]);
  while (new Set(all.map(({ pid }) => pid)).size < 2) all.push(await requester(connect, stop.signal));
  const victim = all[0]?.pid as number;
  await sleep(LOAD_MS);
  process.kill(victim, "SIGKILL");
  const lost = all.filter(({ pid }) => pid === victim);
  const others = all.filter(({ pid }) => pid !== victim);
  await eventually(
    () => lost.every(({ failure }) => failure !== undefined),
    "its connections to end",
    PATIENCE_MS,
  );
  const answers = others.map((loaded) => loaded.answers);
  await sleep(LOAD_MS);
  for (const [i, loaded] of others.entries()) {
    assert.equal(loaded.failure, undefined, `${loaded.what} of another process: ${String(loaded.failure)}`);
    assert.ok(loaded.answers > (answers[i] as number), `${loaded.what} of another process go on`);
  }
  // A new process takes its place.
  const pids = new Set<number>();
  const end = performance.now() + PATIENCE_MS;
  while (![...pids].some((pid) => all.every((loaded) => loaded.pid !== pid))) {
    assert.ok(performance.now() < end, "no new process serves");
    const client = await connect();
    pids.add(who((await client.get("/").answer("GET", PATIENCE_MS)).text).pid);
    await sleep(10);
  }
}

describe("a process that is killed under load loses its own connections alone", () => {
  it("a worker of node:cluster", async (t) => {
    const child = await startChild(new URL("cluster.ts", import.meta.url));
    t.after(() => child.stop());
    const port = await child.ask<number>("port");
    const clients: RawClient[] = [];
    t.after(() => {
      for (const client of clients) client.destroy();
    });
    await survives(t, async () => {
      const client = await tcpClient(port);
      clients.push(client);
      return client;
    });
  });

  it("a process of portico/facil", async (t) => {
    const program = await runService(t, { processes: 2 }, 2);
    await survives(t, () => program.connect());
  });
});
