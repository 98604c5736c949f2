import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Websocket } from "../../src/facil/index.ts";
import { eventually, signal, sleep, within } from "../support/waiting.ts";
import type { WebSocketClient } from "../support/web-socket-client.ts";
import { type Sockets, serveSockets, type Ws } from "./helpers.ts";

async function room(service: Sockets, count: number): Promise<{ client: WebSocketClient; ws: Ws }[]> {
  const members: { client: WebSocketClient; ws: Ws }[] = [];
  for (let i = 0; i < count; i++) members.push(await service.pair());
  return members;
}

/** Runs the task. @returns what on_finish was given, once it has come: no task may follow it */
async function each<Arg>(
  originator: Ws | null,
  task: (ws: Ws, arg: Arg | undefined) => void,
  arg?: Arg,
): Promise<unknown[][]> {
  const finished: unknown[][] = [];
  const done = signal();
  Websocket.each(
    originator,
    (ws, given) => {
      assert.equal(finished.length, 0);
      task(ws, given);
    },
    arg,
    (...given) => {
      finished.push(given);
      done.give();
    },
  );
  await done.wait("on_finish");
  return finished;
}

describe("Websocket.each(originator or null, task(ws, arg), arg, on_finish(originator, arg))", () => {
  it("runs the task on every other connection, with arg, and on_finish once at the end", async (t) => {
    const members = await room(await serveSockets(t), 4);
    const [first, ...others] = members.map(({ ws }) => ws);
    const arg = { some: "argument" };
    const seen: Ws[] = [];
    const task = (ws: Ws, given: unknown): void => {
      assert.equal(given, arg);
      seen.push(ws);
    };
    const finished = await each(first as Ws, task, arg);
    await sleep(20);
    assert.deepEqual(new Set(seen), new Set(others));
    assert.equal(seen.length, 3);
    assert.equal(finished.length, 1);
    assert.equal(finished[0]?.[0], first);
    assert.equal(finished[0]?.[1], arg);
  });

  it("runs the task on all of them with null", async (t) => {
    const members = await room(await serveSockets(t), 3);
    const seen: Ws[] = [];
    const finished = await each(null, (ws) => void seen.push(ws), null);
    assert.deepEqual(finished, [[null, null]]);
    assert.equal(seen.length, 3);
    assert.deepEqual(new Set(seen), new Set(members.map(({ ws }) => ws)));
  });

  it("calls on_finish once where there is no connection", async () => {
    let tasks = 0;
    const finished = await each(null, () => void tasks++);
    await sleep(20);
    assert.equal(finished.length, 1);
    assert.equal(tasks, 0);
  });

  it("on_finish may be left out", async (t) => {
    const members = await room(await serveSockets(t), 2);
    Websocket.each(members[0]?.ws ?? null, (ws) => void Websocket.write(ws, "hi", 2, 1), null);
    assert.equal(await members[1]?.client.text(), "hi");
  });

  it("broadcasts: what the task writes arrives at the others only", async (t) => {
    const service = await serveSockets(t, {
      on_message(origin, data, size, is_text) {
        const copy = Buffer.from(data.subarray(0, size));
        Websocket.each(origin, (ws) => void Websocket.write(ws, copy, size, is_text), null);
      },
    });
    const [a, b, c] = await room(service, 3);
    a?.client.send("from a");
    assert.equal(await b?.client.text(), "from a");
    assert.equal(await c?.client.text(), "from a");
    b?.client.send("from b");
    assert.equal(await a?.client.text(), "from b");
  });

  it("reaches the connections of all servers of this process", async (t) => {
    const one = await serveSockets(t);
    const two = await serveSockets(t);
    const members = [await one.pair(), await two.pair()].map(({ ws }) => ws);
    const seen = new Set<Ws>();
    await each(null, (ws) => void seen.add(ws));
    assert.deepEqual(seen, new Set(members));
  });

  it("leaves out connections that have closed before", async (t) => {
    const service = await serveSockets(t);
    const members = await room(service, 3);
    members[0]?.client.raw.destroy();
    await eventually(() => service.closed.length === 1, "on_close");
    const seen: Ws[] = [];
    await each(null, (ws) => void seen.push(ws));
    assert.deepEqual(new Set(seen), new Set(members.slice(1).map(({ ws }) => ws)));
  });

  it("connections that the task closes are handled safely", async (t) => {
    const service = await serveSockets(t);
    const members = await room(service, 8);
    const seen: Ws[] = [];
    const finished = await each(null, (ws) => {
      seen.push(ws);
      for (const other of members) Websocket.close(other.ws);
      assert.equal(Websocket.write(ws, "x", 1, 1), -1);
    });
    assert.ok(seen.length >= 1);
    assert.equal(new Set(seen).size, seen.length);
    for (const { client } of members) assert.equal((await client.closeFrame()).code, 1000);
    await eventually(() => service.closed.length === 8, "on_close for each");
    assert.equal(finished.length, 1);
  });

  it("an originator that closes while it runs is still given to on_finish", async (t) => {
    const service = await serveSockets(t);
    const members = await room(service, 3);
    const originator = members[0]?.ws as Ws;
    let tasks = 0;
    const finishing = each(originator, () => {
      tasks++;
      Websocket.close(originator);
    });
    members[0]?.client.raw.destroy();
    assert.equal((await finishing)[0]?.[0], originator);
    assert.equal(tasks, 2);
  });

  it("several may run at once, and one inside of another", async (t) => {
    const members = await room(await serveSockets(t), 4);
    const finished: string[] = [];
    let inner = 0;
    for (const name of ["a", "b"]) {
      Websocket.each(
        null,
        (ws) =>
          Websocket.each(
            ws,
            () => void inner++,
            null,
            () => void finished.push(`inside ${name}`),
          ),
        null,
        () => void finished.push(name),
      );
    }
    await eventually(() => finished.length === 2 + 2 * members.length, "every on_finish");
    assert.equal(inner, 2 * 4 * 3);
    assert.equal(finished.filter((name) => name === "a").length, 1);
    assert.equal(finished.filter((name) => name === "b").length, 1);
  });

  it("connections that open and close while it runs are handled safely", async (t) => {
    const service = await serveSockets(t);
    const stable = await room(service, 20);
    const originator = stable[0]?.ws as Ws;
    let going = true;
    let opened = 0;
    const churn = async (): Promise<void> => {
      while (going) {
        const client = await service.open();
        opened++;
        if (opened % 3 === 0) client.close(1000);
        await new Promise((resolve) => setImmediate(resolve));
        client.raw.destroy();
      }
    };
    const churning = [churn(), churn(), churn()];
    const counts: unknown[][][] = [];
    for (let run = 0; run < 60; run++) {
      const seen: Ws[] = [];
      counts.push(
        await each(originator, (ws) => {
          seen.push(ws);
          Websocket.write(ws, "round", 5, 1);
        }),
      );
      assert.equal(new Set(seen).size, seen.length, "a connection had the task twice");
      assert.ok(!seen.includes(originator), "the originator had the task");
      for (const { ws } of stable.slice(1)) assert.ok(seen.includes(ws), "a connection was left out");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => opened > 30, "some churn", 5_000);
    going = false;
    await within(Promise.all(churning), "the churn to end");
    assert.ok(counts.every((finished) => finished.length === 1));
    for (let run = 0; run < 60; run++) assert.equal(await stable[1]?.client.text(), "round");
    await eventually(() => Websocket.count() === 20, "the others to be gone");
  });
});
