import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { start_http_server, Websocket } from "../../src/facil/index.ts";
import { codeOf } from "../support/harness.ts";
import { tcpClient } from "../support/raw-client.ts";
import { signal, sleep, within } from "../support/waiting.ts";
import { answer, heldRequest, leave, serve, serveOne, servePair, serveSockets, type Ws } from "./helpers.ts";
import { runService } from "./run-program.ts";

describe("shutdown", () => {
  it("on_shutdown for each, close 1001, flush, on_close, then stop", async (t) => {
    const log: string[] = [];
    const { pair, server, stopped } = await serveSockets(
      t,
      {
        on_shutdown(ws) {
          log.push(`shutdown ${Websocket.get_udata(ws)}`);
          assert.equal(Websocket.write(ws, "last words", 10, 1), 0);
        },
        on_close: (ws) => void log.push(`close ${Websocket.get_udata(ws)}`),
      },
      { on_finish: () => void log.push("finish") },
    );
    const members = [await pair(), await pair(), await pair()];
    members.forEach(({ ws }, i) => void Websocket.set_udata(ws, i));
    server.stop();
    await Promise.all(
      members.map(async ({ client }) => {
        assert.equal(await client.text(), "last words");
        assert.equal(await leave(client), 1001);
      }),
    );
    await within(
      stopped.then(() => log.push("resolved")),
      "the server to stop",
    );
    for (let i = 0; i < 3; i++) {
      assert.equal(log.filter((line) => line === `shutdown ${i}`).length, 1);
      assert.equal(log.filter((line) => line === `close ${i}`).length, 1);
      assert.ok(log.indexOf(`shutdown ${i}`) < log.indexOf(`close ${i}`));
    }
    assert.deepEqual(log.slice(6), ["finish", "resolved"]);
  });

  it("a large write in on_shutdown arrives before the close", async (t) => {
    const size = 3_000_000;
    const on_shutdown = (ws: Ws): void => void Websocket.write(ws, Buffer.alloc(size, "z"), size, 0);
    const { client, server, stopped } = await servePair(t, { on_shutdown }, { grace: 5 });
    server.stop();
    assert.ok((await client.message(4_000)).data.equals(Buffer.alloc(size, "z")));
    assert.equal(await leave(client), 1001);
    await within(stopped, "the server to stop", 3_000);
  });

  it("is over soon where all clients answer", async (t) => {
    const { client, server, stopped } = await servePair(t, {}, { grace: 30 });
    server.stop();
    assert.equal(await leave(client), 1001);
    await within(stopped, "the server to stop");
  });

  it("is over within a bounded time with a client that never answers the close", async (t) => {
    const { client, ws, closed, stop } = await servePair(t, {}, { grace: 1 });
    client.answersClose = false;
    await stop(3_000);
    assert.deepEqual(closed, [ws]);
  });

  it("is over within a bounded time with a client that reads nothing", async (t) => {
    const { client, ws, closed, stop } = await servePair(t, {}, { grace: 1 });
    client.raw.pause();
    const piece = Buffer.alloc(1 << 20);
    for (let i = 0; i < 12; i++) Websocket.write(ws, piece, piece.length, 0);
    await stop(3_000);
    assert.deepEqual(closed, [ws]);
  });

  it("is over within a bounded time with a request that nobody answers", async (t) => {
    const { stop } = await heldRequest(t, undefined, { grace: 1 });
    await stop(3_000);
  });

  it("is bounded by 5 seconds unless told otherwise", async (t) => {
    const { stop } = await heldRequest(t, undefined, { grace: undefined as unknown as number });
    const from = Date.now();
    await stop(8_000);
    assert.ok(Date.now() - from > 3_500, `${Date.now() - from} ms`);
  });

  it("lets a response that is under way end", async (t) => {
    const asked = signal();
    const { connect, server, stopped } = await serve(
      t,
      async (request) => {
        asked.give();
        await sleep(100);
        answer(request, "finished");
      },
      { grace: 5 },
    );
    const client = (await connect()).get("/");
    await asked.wait("the request");
    server.stop();
    assert.equal((await client.answer()).text, "finished");
    await client.over();
    client.end();
    await within(stopped, "the server to stop");
  });

  it("accepts nothing more and closes idle connections", async (t) => {
    const { client, server, port, stopped } = await serveOne(t, (request) => answer(request, ""));
    await client.get("/").answer();
    server.stop();
    await client.over();
    client.end();
    await within(stopped, "the server to stop");
    await assert.rejects(tcpClient(port), (error) => codeOf(error) === "ECONNREFUSED");
  });

  it("takes the signals while the server runs, and leaves none of its listeners behind", async (t) => {
    const names = ["SIGINT", "SIGTERM"] as const;
    const counts = (): number[] => names.map((name) => process.listenerCount(name));
    const before = counts();
    const { stop } = await serve(t, () => {}, { signals: true });
    const during = before.map((count) => count + 1);
    assert.deepEqual(counts(), during);
    await stop();
    assert.deepEqual(counts(), before);
    await serve(t, () => {}, { signals: false });
    assert.deepEqual(counts(), before);
  });

  it("a server that cannot start leaves none of its listeners behind", async (t) => {
    const { port } = await serve(t, () => {});
    const before = process.listenerCount("SIGTERM");
    await assert.rejects(start_http_server(() => {}, null, { port: String(port), address: "127.0.0.1" }));
    assert.equal(process.listenerCount("SIGTERM"), before);
  });

  for (const name of ["SIGINT", "SIGTERM"] as const) {
    it(`by ${name}: on_shutdown for each, close 1001, flush, on_close, then stop with exit code 0`, async (t) => {
      const program = await runService(t, {});
      const members = [await program.open(), await program.open()];
      program.signal(name);
      for (const { client } of members) {
        assert.equal(await client.text(), "shutting down");
        assert.equal(await leave(client), 1001);
      }
      assert.equal(await program.exit(5_000), 0);
      const events = program.notes().map(({ event }) => event);
      assert.equal(events.filter((event) => event === "shutdown").length, 2);
      assert.equal(events.filter((event) => event === "close").length, 2);
      assert.deepEqual(events.slice(-3), ["close", "finish", "resolved"]);
      await program.gone();
    });

    it(`by ${name} within a bounded time with a client that never answers the close`, async (t) => {
      const program = await runService(t, { grace: 1 });
      const { client } = await program.open();
      client.answersClose = false;
      program.signal(name);
      assert.equal(await program.exit(6_000), 0);
      assert.equal(program.notes("close").length, 1);
      assert.equal(program.notes("shutdown").length, 1);
    });
  }

  it("leaves signals to the program where signals is false", async (t) => {
    const program = await runService(t, { signals: false });
    program.signal("SIGTERM");
    assert.equal(await program.exit(5_000), "SIGTERM");
    assert.deepEqual(program.notes("finish"), []);
  });
});
