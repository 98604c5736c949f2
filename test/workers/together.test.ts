import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleep, within } from "../support/waiting.ts";
import { type Running, runningWorkers } from "./running.ts";

async function receivedBy(running: Running, id: number): Promise<string[]> {
  const { text } = await running.askWorker(id, "/received");
  return (JSON.parse(text) as { received: string[] }).received;
}

/** Waits until a worker has received a message. */
async function receives(running: Running, id: number, message: string): Promise<void> {
  const wait = async (): Promise<void> => {
    while (!(await receivedBy(running, id)).includes(message)) await sleep(20);
  };
  await within(wait(), `"${message}" in worker ${id}`);
}

describe("workers together", () => {
  it("metrics of any worker are the sums of all", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    let requests = 0;
    const sum = async (id: number): Promise<number> => {
      const { text } = await running.askWorker(id, "/metrics");
      return Number(/^portico_requests_total (\d+)$/m.exec(text)?.[1]);
    };
    const [first, second] = [await sum(1), await sum(2)];
    assert.ok(second > first);
    for (; requests < 20; requests++) await running.ask("/");
    assert.ok((await sum(1)) >= second + 20);
    const { text } = await running.askWorker(2, "/metrics");
    const routes =
      /^portico_request_duration_seconds_count\{method="GET",route="\/",status="2xx"\} (\d+)$/m.exec(text);
    assert.ok(Number(routes?.[1]) >= 20, text);
  });

  it("readiness is that of all workers: a check that fails in one makes all answer 503", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    const ready = await running.askWorker(1, "/readyz");
    assert.equal(ready.status, 200);
    assert.deepEqual(JSON.parse(ready.text), {
      status: "ok",
      checks: { own: "ok" },
      workers: { serving: 2, silent: 0 },
    });
    await running.askWorker(2, "/sick");
    const failed = await running.askWorker(1, "/readyz");
    assert.equal(failed.status, 503);
    assert.deepEqual((JSON.parse(failed.text) as { checks: object }).checks, { own: "failed" });
    assert.equal((await running.askWorker(2, "/livez")).status, 200);
  });

  it("messages of a topic reach the workers that have subscribed, and not the one that published", async (t) => {
    const running = await runningWorkers(t, { workers: 3 });
    await running.printed("broker", 3);
    await running.askWorker(1, "/publish/all/one");
    await receives(running, 2, "all one");
    await receives(running, 3, "all one");
    await running.askWorker(1, "/publish/only%203/two");
    await receives(running, 3, "only 3 two");
    assert.deepEqual(await receivedBy(running, 1), []);
    assert.deepEqual(await receivedBy(running, 2), ["all one"]);
  });

  it("a worker that is started again subscribes again", async (t) => {
    const running = await runningWorkers(t, { workers: 2 });
    await assert.rejects(running.askWorker(2, "/crash"));
    await running.printed("ready", 3);
    await running.askWorker(1, "/publish/all/after");
    await receives(running, 2, "all after");
  });

  it("messages for a worker that does not read its channel are dropped and counted, and the others get theirs", async (t) => {
    const running = await runningWorkers(t, { workers: 3 });
    await running.askWorker(2, "/busy/6000");
    await running.printed("busy");
    await running.askWorker(1, "/flood");
    const [dropped] = await running.printed("dropped", 1, 20_000);
    assert.equal(dropped?.worker, 2);
    assert.ok(Number(dropped?.messages) > 0);
  });
});
