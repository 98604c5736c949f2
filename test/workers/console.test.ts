import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { Viewer } from "../console/viewer.ts";
import { sleep, within } from "../support/waiting.ts";
import { type Running, started } from "./running.ts";

/** Starts two workers with a console. */
async function twoWorkers(t: TestContext): Promise<Running> {
  const running = started(t, {}, {}, "console-primary.ts");
  await running.printed("ready", 2, 30_000);
  return running;
}

/** Opens WebSockets until each of two workers has one. */
async function inBothWorkers(t: TestContext, running: Running, viewer: Viewer): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (;;) {
    for (let opened = 0; opened < 6; opened++) {
      const socket = new WebSocket(`ws://127.0.0.1:${running.port}/lobby`);
      t.after(() => socket.terminate());
      await within(once(socket, "open"), "the handshake");
      sockets.push(socket);
    }
    const { topics } = await viewer.next("tables", ({ topics }) => topics[0]?.members === sockets.length);
    if (topics[0]?.workers.length === 2) return sockets;
  }
}

async function pageOf(t: TestContext, running: Running): Promise<{ viewer: Viewer; worker: number }> {
  const viewer = new Viewer(t, `http://127.0.0.1:${running.port}/console/live`);
  const { worker } = await viewer.next("hello");
  return { viewer, worker };
}

describe("the console of workers", () => {
  it("shows figures, routes, topics and the broker of all workers, and of the one that is chosen", async (t) => {
    const running = await twoWorkers(t);
    const { viewer } = await pageOf(t, running);
    const first = await viewer.next("tables", ({ workers }) => workers.length === 2);
    assert.deepEqual(
      first.workers.map(({ worker }) => worker),
      [1, 2],
    );
    assert.equal(first.silent, 0);
    const sockets = await inBothWorkers(t, running, viewer);
    const { topics, brokers } = await viewer.next("tables");
    assert.equal(topics[0]?.name, "lobby");
    assert.deepEqual(
      brokers.map(({ worker, name, state }) => [worker, name, state]),
      [1, 2].map((worker) => [worker, "workers of this machine", "connected"]),
    );
    const { nodes } = await viewer.next("tables", (tables) => tables.nodes.length === 2);
    assert.deepEqual(nodes.map(({ worker }) => worker).sort(), [1, 2]);
    await viewer.next("sample", ({ sample }) => sample.webSockets === sockets.length);
    for (const id of [1, 2]) await running.askWorker(id, "/item/1");
    const both = await viewer.next("tables", ({ routes }) =>
      routes.some(({ route, count }) => route === "GET /item/:id" && count === 2),
    );
    const total = both.workers.reduce((sum, { webSockets }) => sum + webSockets, 0);
    assert.equal(total, sockets.length);
    viewer.send({ type: "worker", text: "2" });
    const own = both.topics[0]?.workers.find(([worker]) => worker === 2)?.[1] ?? 0;
    const one = await viewer.next("tables", (tables) => tables.topics[0]?.members === own);
    assert.deepEqual(one.topics[0]?.workers, [[2, own]]);
    assert.equal(one.routes.find(({ route }) => route === "GET /item/:id")?.count, 1);
    assert.equal(one.workers.length, 2);
    await viewer.next("sample", ({ sample }) => sample.webSockets === own);
  });

  it("shows errors, events and connections of all workers, and closes a connection of any", async (t) => {
    const running = await twoWorkers(t);
    const { viewer } = await pageOf(t, running);
    await viewer.next("tables", ({ workers }) => workers.length === 2);
    const sockets = await inBothWorkers(t, running, viewer);
    for (const id of [1, 2]) {
      await running.askWorker(id, "/fails");
      const { rows } = await viewer.next("errors");
      assert.deepEqual([rows[0]?.worker, rows[0]?.text], [id, `Error: worker ${id} fails`]);
    }
    const seen = new Set<number>();
    for (const id of [1, 2]) await running.askWorker(id, "/");
    await viewer.next("events", ({ rows }) => {
      for (const { worker } of rows) seen.add(worker);
      return seen.size === 2;
    });
    viewer.send({ type: "filter", text: "/lobby" });
    const found = await viewer.next("connections", ({ matching }) => matching === sockets.length);
    assert.deepEqual([...new Set(found.rows.map(({ worker }) => worker))].sort(), [1, 2]);
    const closed = Promise.all(sockets.map((socket) => within(once(socket, "close"), "the close")));
    for (const { id } of found.rows) viewer.send({ type: "close", id });
    assert.deepEqual(
      (await closed).map(([code]) => code),
      sockets.map(() => 1001),
    );
    viewer.send({ type: "close", id: "nothing" });
    await viewer.next("refused");
  });

  it("is one chat, and begins with the errors and figures of all workers", async (t) => {
    const running = await twoWorkers(t);
    for (const id of [1, 2]) await running.askWorker(id, "/fails");
    const pages = [await pageOf(t, running)];
    while (new Set(pages.map(({ worker }) => worker)).size < 2) pages.push(await pageOf(t, running));
    pages[0]?.viewer.send({ type: "chat", text: "hello" });
    const last = pages.at(-1)?.viewer;
    assert.equal((await last?.next("chat"))?.line.text, "hello");
    await last?.next("sample");
    const late = new Viewer(t, `http://127.0.0.1:${running.port}/console/live`);
    assert.deepEqual((await late.next("hello")).errors.map(({ worker }) => worker).sort(), [1, 2]);
    const { history } = await late.next("history");
    assert.ok(history.at.length > 0);
  });

  it("is measured in no worker while no page is open", async (t) => {
    const running = await twoWorkers(t);
    const watched = async (): Promise<string[]> => [
      (await running.askWorker(1, "/watched")).text,
      (await running.askWorker(2, "/watched")).text,
    ];
    assert.deepEqual(await watched(), ["false", "false"]);
    const { viewer } = await pageOf(t, running);
    await viewer.next("tables", ({ workers }) => workers.length === 2);
    assert.deepEqual(await watched(), ["true", "true"]);
    await viewer.close();
    const rest = async (): Promise<void> => {
      while ((await watched()).includes("true")) await sleep(100);
    };
    await within(rest(), "all workers to rest");
  });
});
