import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { certificate } from "../support/certificates.ts";
import type { RawClient } from "../support/raw-client.ts";
import { eventually } from "../support/waiting.ts";
import { leave } from "./helpers.ts";
import { runService, type ServiceProgram, type Who, who } from "./run-program.ts";

const different = (answers: readonly Who[], of: "pid" | "thread" | "mark"): number =>
  new Set(answers.map((answer) => answer[of])).size;

interface Kept {
  readonly client: RawClient;
  readonly who: Who;
}

/** At least 60 answers, of two processes or threads. */
const answersOfTwo = (program: ServiceProgram, of: "pid" | "thread" | "mark"): Promise<Who[]> =>
  program.askUntil((got) => got.length >= 60 && different(got, of) >= 2, `answers of two by ${of}`);

/** Two connections that are kept by two different processes or threads. */
async function apart(program: ServiceProgram): Promise<[Kept, Kept]> {
  const keep = async (): Promise<Kept> => {
    const client = await program.connect();
    return { client, who: who((await client.get("/").answer("GET", 5_000)).text) };
  };
  const first = await keep();
  for (let i = 0; i < 400; i++) {
    const other = await keep();
    if (other.who.mark !== first.who.mark) return [first, other];
  }
  throw new Error("all connections came to one");
}

/** Signals the first process, and waits until all have ended. */
async function ends(program: ServiceProgram, name: NodeJS.Signals, ms = 10_000): Promise<void> {
  program.signal(name);
  assert.equal(await program.exit(ms), 0);
  await program.gone();
}

/** Does so with a client that never answers the close. */
async function endsInTime(program: ServiceProgram, name: NodeJS.Signals): Promise<void> {
  const { client } = await program.open();
  client.answersClose = false;
  await ends(program, name, 8_000);
  assert.equal(program.notes("close").length, 1);
}

/** Asks one to compute for 1.5 seconds and another one for an answer meanwhile. */
async function runsInParallel(program: ServiceProgram): Promise<void> {
  const [one, two] = await apart(program);
  await one.client.get("/busy").answer("GET", 5_000);
  await eventually(() => program.notes("busy").length === 1, "the computing", 5_000);
  assert.equal((await two.client.get("/").answer("GET", 5_000)).status, 200);
  assert.equal(program.notes("idle").length, 0, "the answer waited for the other one");
  assert.equal((await one.client.get("/").answer("GET", 5_000)).status, 200);
  assert.equal(program.notes("idle").length, 1);
}

/** Opens WebSockets to at least two, signals the program and checks that every one is taken leave of. */
async function stopsAll(program: ServiceProgram, stop: () => void, of: "pid" | "mark"): Promise<void> {
  const members: Awaited<ReturnType<ServiceProgram["open"]>>[] = [];
  const served = (): number =>
    different(
      members.map((member) => member.who),
      of,
    );
  while (members.length < 8 || (members.length < 200 && served() < 2)) members.push(await program.open());
  stop();
  await Promise.all(
    members.map(async ({ client }) => {
      assert.equal((await client.next(8_000)).type, "message");
      assert.equal(await leave(client, 8_000), 1001);
    }),
  );
  assert.equal(await program.exit(10_000), 0);
  assert.equal(program.notes("shutdown").length, members.length, "on_shutdown for each");
  assert.equal(program.notes("close").length, members.length, "on_close for each");
  await program.gone();
}

describe('start_http_server(on_request, public folder (a string), udata or null, { port = "3000", address?, threads = 1, processes = 1, public_folder?, timeout?, on_init?, on_finish?, … })', () => {
  it("processes > 1: that many processes share the port, and share nothing else", async (t) => {
    const program = await runService(t, { processes: 3 }, 3);
    const inits = program.notes("init");
    assert.equal(new Set(inits.map(({ pid }) => pid)).size, 3);
    assert.equal(new Set(inits.map(({ detail }) => detail)).size, 1, "one port");
    const answers = await answersOfTwo(program, "pid");
    assert.equal(different(answers, "mark"), different(answers, "pid"));
    await ends(program, "SIGTERM");
  });

  for (const [kind, name] of [
    ["processes", "SIGTERM"],
    ["threads", "SIGINT"],
  ] as const) {
    it(`${kind} > 1: they run in parallel`, async (t) => {
      await runsInParallel(await runService(t, { [kind]: 2 }, 2));
    });

    it(`${kind} > 1: all end within a bounded time with a client that never answers the close`, async (t) => {
      await endsInTime(await runService(t, { [kind]: 2, grace: 1 }, 2), name);
    });
  }

  it("processes > 1: the call does not return in the first process before all have stopped", async (t) => {
    const program = await runService(t, { processes: 2 }, 2);
    const inFirst = (event: string) => program.notes(event).filter(({ pid }) => pid === program.pid);
    assert.equal(inFirst("resolved").length, 0);
    program.signal("SIGINT");
    assert.equal(await program.exit(10_000), 0);
    const resolved = inFirst("resolved");
    assert.equal(resolved.length, 1);
    assert.equal(program.notes().at(-1)?.pid, program.pid);
    const finished = program.notes("finish").filter(({ pid }) => pid !== program.pid);
    assert.ok(finished.length >= 1);
    for (const { time } of finished) assert.ok(time <= (resolved[0]?.time ?? 0));
  });

  it("processes > 1: a crashed one is started again", async (t) => {
    const program = await runService(t, { processes: 3 }, 3);
    const before = new Set(program.notes("init").map(({ pid }) => pid));
    const [victim] = (await program.askUntil((got) => got.length > 0, "an answer")).map(({ pid }) => pid);
    assert.notEqual(victim, program.pid);
    process.kill(victim as number, "SIGKILL");
    await eventually(() => program.notes("init").length === 4, "one more to serve", 15_000);
    const added = program.notes("init").find(({ pid }) => !before.has(pid));
    assert.equal(added?.detail, String(program.port));
    const answers = await program.askUntil(
      (got) => got.some(({ pid }) => pid === added?.pid),
      "an answer of the new process",
    );
    assert.ok(answers.every(({ pid }) => pid !== victim));
    await ends(program, "SIGTERM");
  });

  it("processes > 1: one that throws is started again", async (t) => {
    const program = await runService(t, { processes: 2 }, 2, { QUIET: "1" });
    const client = await program.connect();
    const { pid } = who((await client.get("/throw").answer("GET", 5_000)).text);
    await eventually(() => program.notes("init").length === 3, "one more to serve", 15_000);
    assert.ok(program.notes("init").slice(2)[0]?.pid !== pid);
  });

  it("processes > 1: one that crashes at once is started again with a delay that grows", async (t) => {
    const program = await runService(t, { processes: 2 }, 2, { CRASH: "2", QUIET: "1" });
    const starts = (): number[] =>
      program
        .notes("start")
        .filter(({ pid }) => pid !== program.pid)
        .map(({ time }) => time)
        .sort((one, other) => one - other);
    // Each of two is started five times; before the last time it waits for more than six seconds.
    await eventually(() => starts().length >= 10, "ten starts", 60_000);
    const [before = 0, last = 0] = starts().slice(7, 9);
    assert.ok(last - before > 3_000, `${starts().map((time) => time - (starts()[0] ?? 0))}`);
    await ends(program, "SIGTERM");
  });

  it("processes > 1: SIGTERM to the first ends all, each client having been taken leave of", async (t) => {
    const program = await runService(t, { processes: 3 }, 3);
    await stopsAll(program, () => program.signal("SIGTERM"), "pid");
  });

  it("processes > 1: Ctrl+C in a terminal, SIGINT to all at once, ends all in the same way", async (t) => {
    const program = await runService(t, { processes: 2 }, 2);
    await stopsAll(program, () => program.signalAll("SIGINT"), "pid");
  });

  it("processes > 1: SIGTERM ends those that are still starting, too", async (t) => {
    const program = await runService(t, { processes: 3 }, 1);
    await eventually(() => program.notes("start").length >= 3, "another process to start", 15_000);
    await ends(program, "SIGTERM", 6_000);
  });

  it("threads > 1: worker threads of one process share the port, and share nothing else", async (t) => {
    const program = await runService(t, { threads: 3 }, 3);
    const inits = program.notes("init");
    assert.equal(new Set(inits.map(({ thread }) => thread)).size, 3);
    assert.equal(new Set(inits.map(({ detail }) => detail)).size, 1, "one port");
    const answers = await answersOfTwo(program, "thread");
    assert.deepEqual([...new Set(answers.map(({ pid }) => pid))], [program.pid]);
    assert.equal(different(answers, "mark"), different(answers, "thread"));
    await stopsAll(program, () => program.signal("SIGTERM"), "mark");
  });

  it("threads > 1: connections in their TLS handshake count for limits, in each", async (t) => {
    const settings = { threads: 2, tls: certificate("localhost"), limits: { maxConnections: 1 } };
    const program = await runService(t, settings, 2);
    let closed = 0;
    for (let i = 0; i < 20; i++) {
      const socket = connect(program.port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket
        .on("error", () => {})
        .on("close", () => closed++)
        .resume();
    }
    await eventually(() => closed >= 18, "the others to be turned away", 5_000);
  });

  it("threads > 1: a crashed one ends its process", async (t) => {
    const program = await runService(t, { threads: 3 }, 3, { QUIET: "1" });
    const client = await program.connect();
    await client.get("/throw").answer("GET", 5_000);
    const code = await program.exit(10_000);
    assert.ok(code !== 0, `it ended with ${code}`);
    await program.gone();
  });

  it("processes 2 and threads 2: all four share the port, and SIGTERM ends them all", async (t) => {
    const program = await runService(t, { processes: 2, threads: 2 }, 4);
    const inits = program.notes("init");
    assert.equal(new Set(inits.map(({ pid }) => pid)).size, 2);
    assert.equal(new Set(inits.map(({ pid, thread }) => `${pid} ${thread}`)).size, 4);
    assert.equal(new Set(inits.map(({ detail }) => detail)).size, 1, "one port");
    await answersOfTwo(program, "mark");
    await stopsAll(program, () => program.signal("SIGTERM"), "mark");
  });

  it("threads > 1: SIGTERM ends those that are still starting, too", async (t) => {
    const program = await runService(t, { threads: 3 }, 1);
    await ends(program, "SIGTERM", 6_000);
  });

  it("processes 2 and threads 2: a thread that crashes ends its process, which is started again", async (t) => {
    const program = await runService(t, { processes: 2, threads: 2 }, 4, { QUIET: "1" });
    const client = await program.connect();
    const { pid } = who((await client.get("/throw").answer("GET", 5_000)).text);
    await eventually(() => program.notes("init").length === 6, "two more to serve", 20_000);
    const added = program.notes("init").slice(4);
    assert.ok(added.every((note) => note.pid !== pid));
    assert.equal(new Set(added.map((note) => note.pid)).size, 1);
    await ends(program, "SIGTERM");
  });
});
