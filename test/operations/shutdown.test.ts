import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { health } from "../../src/operations/health.ts";
import { shutdownOnSignals } from "../../src/operations/shutdown.ts";
import { type Child, startChild } from "../abuse/child.ts";
import { harness } from "../support/harness.ts";
import type { Answer } from "../support/http-response.ts";
import { tcpClient } from "../support/raw-client.ts";
import { eventually, signal, within } from "../support/waiting.ts";

const CLIENTS = 16;
const PATIENCE_MS = 10_000;

interface Service {
  readonly child: Child;
  readonly url: string;
  readonly port: number;
  readonly dispatcher: Agent;
}

async function service(t: TestContext, readyDelayMs: number): Promise<Service> {
  const child = await startChild(new URL("./leaving-server.ts", import.meta.url), { plan: { readyDelayMs } });
  t.after(() => child.stop());
  const dispatcher = new Agent({ connections: CLIENTS });
  t.after(() => dispatcher.destroy());
  const port = await child.ask<number>("port");
  return { child, port, url: `http://127.0.0.1:${port}`, dispatcher };
}

async function statusOf({ url, dispatcher }: Service, path: string): Promise<number> {
  const { statusCode, body } = await request(url + path, { dispatcher });
  await body.dump();
  return statusCode;
}

describe("shutdownOnSignals, in a process of its own", () => {
  it("loses no request of those who leave when it is not ready any more", async (t) => {
    const made = await service(t, 1_000);
    let ready = true;
    let answered = 0;
    let afterwards = 0;
    // What a load balancer does: it asks now and then, and sends no more requests once the answer is not 200.
    const probe = async (): Promise<void> => {
      while ((await statusOf(made, "/readyz")) === 200) await sleep(20);
      ready = false;
    };
    const client = async (): Promise<void> => {
      let isLast = false;
      while (!isLast) {
        isLast = !ready;
        assert.equal(await statusOf(made, "/work"), 200);
        answered++;
        if (isLast) afterwards++;
      }
    };
    const load = Promise.all([probe(), ...Array.from({ length: CLIENTS }, client)]);
    await eventually(() => answered > 100, "load", PATIENCE_MS);
    process.kill(made.child.pid, "SIGTERM");
    await within(load, "the last requests", PATIENCE_MS);
    assert.equal(afterwards, CLIENTS, "those who had not noticed were answered");
    const [code] = (await within(made.child.exited, "the end", PATIENCE_MS)) as [number];
    assert.equal(code, 0);
  });

  for (const [when, readyDelayMs] of [
    ["while it waits for load balancers", 60_000],
    ["while it waits for requests", 0],
  ] as const) {
    it(`ends at once at a second signal ${when}`, async (t) => {
      const made = await service(t, readyDelayMs);
      const held = await tcpClient(made.port);
      t.after(() => held.destroy());
      held.get("/held");
      assert.equal(await statusOf(made, "/readyz"), 200);
      process.kill(made.child.pid, "SIGTERM");
      const left = async (): Promise<void> => {
        while ((await statusOf(made, "/readyz").catch(() => 503)) === 200);
      };
      await within(left(), "the first signal", PATIENCE_MS);
      assert.equal(held.closed, false);
      process.kill(made.child.pid, "SIGINT");
      assert.equal((await held.answer()).status, 503);
      await within(made.child.exited, "the end", PATIENCE_MS);
    });
  }
});

describe("shutdownOnSignals", () => {
  // A signal that means nothing else here; at SIGUSR2 some versions of Node write a report when they run tests.
  const signals = ["SIGWINCH"] as const;
  const before = process.listenerCount("SIGWINCH");

  it("is not ready and closes connections during the delay; a second signal ends that", async (t) => {
    const { server, connect } = harness(t);
    server.mount(health());
    server.get("/", (exchange) => exchange.end("fine"));
    const done = signal();
    shutdownOnSignals(server, { signals, readyDelayMs: 60_000, onDone: done.give });
    const ask = async (path: string): Promise<Answer> => {
      const peer = connect();
      const answer = await peer.get(path).answer();
      peer.destroy();
      return answer;
    };
    assert.equal((await ask("/")).header("connection"), undefined);
    const [early, held] = [connect(), signal<Exchange>()];
    server.get("/held", held.give);
    early.get("/held");
    const exchange = await held.wait("the request");
    process.emit("SIGWINCH");
    exchange.end();
    assert.equal((await early.answer()).header("connection"), "close");
    const answer = await ask("/");
    assert.equal(answer.text, "fine");
    assert.equal(answer.header("connection"), "close");
    assert.equal((await ask("/readyz")).status, 503);
    assert.equal((await ask("/livez")).status, 200);
    process.emit("SIGWINCH");
    await done.wait("the end");
    await assert.rejects(server.listen(), { code: "ERR_LISTENING" });
    assert.equal(process.listenerCount("SIGWINCH"), before);
  });

  it("lets the signals go when it is told to", (t) => {
    const { server } = harness(t);
    const remove = shutdownOnSignals(server, { signals });
    assert.equal(process.listenerCount("SIGWINCH"), before + 1);
    remove();
    assert.equal(process.listenerCount("SIGWINCH"), before);
  });
});
