import assert from "node:assert/strict";
import { Agent } from "node:http";
import { describe, it } from "node:test";
import { sleep } from "../support/waiting.ts";
import { type Running, runningWorkers, started } from "./running.ts";

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** Sends requests on new connections and on kept ones, until it is stopped. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  private isStopped = false;
  private readonly clients: Promise<void>[] = [];

  constructor(running: Running, clients: number) {
    for (let i = 0; i < clients; i++) {
      const agent = i % 2 === 0 ? false : new Agent({ keepAlive: true, maxSockets: 1 });
      this.clients.push(this.run(running, agent));
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.clients);
  }

  private async run(running: Running, agent: Agent | false): Promise<void> {
    while (!this.isStopped) {
      try {
        const { status } = await running.ask("/", agent);
        if (status === 200) this.answered++;
        else this.failures.push(String(status));
      } catch (error) {
        this.failures.push(codeOf(error));
      }
      await sleep(2);
    }
    if (agent !== false) agent.destroy();
  }
}

describe("runWorkers: processes", () => {
  it("workers share one port, and know their numbers", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    const ready = await running.printed("ready", 2);
    assert.deepEqual(ready.map(({ worker }) => worker).sort(), [1, 2]);
    assert.equal(new Set(ready.map(({ port }) => port)).size, 1);
    for (const id of [1, 2]) {
      const { text } = await running.askWorker(id, "/");
      assert.equal((JSON.parse(text) as { pid: number }).pid, ready.find(({ worker }) => worker === id)?.pid);
    }
  });

  it("SIGTERM ends all workers, and requests under way are answered", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    const slow = running.ask("/slow");
    await running.printed("slow");
    running.signal("SIGTERM");
    assert.equal((await slow).status, 200);
    assert.equal(await running.exit(), 0);
    assert.equal((await running.printed("stopped", 2)).length, 2);
    assert.equal((await running.printed("ended")).length, 1);
  });

  it("a worker that crashes is started again with the same number", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    await assert.rejects(running.askWorker(2, "/crash"));
    const [crash] = await running.printed("crashed");
    assert.deepEqual([crash?.worker, crash?.reason, crash?.restartInMs], [2, "exit code 7", 100]);
    assert.equal((await running.printed("ready", 3)).at(-1)?.worker, 2);
    assert.equal((await running.askWorker(2, "/")).status, 200);
  });

  it("the pauses of a worker that crashes at once grow, and the primary gives up with a message and exit code 1", async (t) => {
    const running = started(t, { workers: 1, maxCrashes: 4 }, { CRASH: "1" });
    assert.equal(await running.exit(30_000), 1);
    assert.deepEqual(
      running.lines.filter(({ type }) => type === "crashed").map(({ restartInMs }) => restartInMs),
      [100, 400, 1_600],
    );
    assert.match(running.stderr, /worker 1 has crashed 4 times in a row, the last time with exit code 7/);
  });

  it("a program that cannot start ends the primary at once", async (t) => {
    const running = started(t, { workers: 2 }, { PROGRAM: "broken.ts" });
    assert.equal(await running.exit(), 1);
    assert.match(running.stderr, /this program cannot start/);
    assert.match(running.stderr, /worker 1 ended with exit code 1 before it was ready/);
  });

  it("SIGHUP replaces all workers under load, and no connection is refused or reset", async (t) => {
    const running = await runningWorkers(t, { workers: 2, drainMs: 500 });
    const before = new Set((await running.printed("ready", 2)).map(({ pid }) => pid));
    const load = new Load(running, 16);
    running.signal("SIGHUP");
    await running.printed("replaced", 2, 30_000);
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.answered > 100, `${load.answered} answers`);
    for (const id of [1, 2]) {
      const { text } = await running.askWorker(id, "/");
      assert.ok(!before.has((JSON.parse(text) as { pid: number }).pid));
    }
    const order = running.lines
      .filter(({ type }) => type === "ready" || type === "stopped")
      .map(({ type }) => type);
    assert.deepEqual(order, ["ready", "ready", "ready", "stopped", "ready", "stopped"]);
  });

  it("a killed worker loses no connection that waits to be accepted", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    // The first is busy until it is killed, however slow this machine is.
    await running.askWorker(1, "/busy/60000");
    await running.askWorker(2, "/busy/1500");
    const busy = await running.printed("busy", 2);
    // Nobody accepts now: these wait in the queue of the socket.
    const answers = Array.from({ length: 40 }, () => running.ask("/"));
    await sleep(300);
    process.kill(Number(busy[0]?.pid), "SIGKILL");
    for (const { status, text } of await Promise.all(answers)) {
      assert.equal(status, 200);
      assert.notEqual((JSON.parse(text) as { pid: number }).pid, busy[0]?.pid);
    }
  });

  it("a worker that is killed under load takes at most the requests of its own connections along", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    const load = new Load(running, 16);
    for (let kills = 1; kills <= 3; kills++) {
      const ready = await running.printed("ready", kills + 1);
      await sleep(200);
      process.kill(Number(ready.at(-1)?.pid), "SIGKILL");
      await running.printed("ready", kills + 2);
    }
    await load.stop();
    assert.ok(!load.failures.includes("ECONNREFUSED"), String(load.failures));
    assert.ok(load.failures.length <= 3 * 16, String(load.failures));
    assert.ok(load.answered > 100);
  });

  it("refuses options that make no sense", async (t) => {
    for (const [options, message] of [
      [{ workers: 0 }, /workers cannot be 0/],
      [{ worker: 2 }, /Did you mean "workers"/],
      [{ graceMs: -1 }, /graceMs cannot be -1/],
    ] as const) {
      const running = started(t, options);
      assert.equal(await running.exit(), 1);
      assert.match(running.stderr, message);
    }
  });
});
