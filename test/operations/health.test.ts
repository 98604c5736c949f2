import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { health } from "../../src/operations/health.ts";
import { harness } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";

describe("health", () => {
  it("answers that the server is alive and ready", async (t) => {
    const { server, connect } = harness(t);
    server.mount(health());
    for (const path of ["/livez", "/readyz"]) {
      const answer = await connect().get(path).answer();
      assert.equal(answer.status, 200);
      assert.equal(JSON.parse(answer.text).status, "ok");
      assert.equal(answer.header("content-type"), "application/json");
      assert.equal(answer.header("cache-control"), "no-store");
    }
  });

  const failing: readonly [name: string, check: (signal: AbortSignal) => unknown, error: RegExp][] = [
    [
      "throws",
      () => {
        throw new Error("no route to host");
      },
      /no route to host/,
    ],
    ["rejects", () => Promise.reject(new Error("no route to host")), /no route to host/],
    ["answers false", () => false, /returned false/],
    ["answers false later", () => Promise.resolve(false), /returned false/],
    ["takes too long", () => new Promise(() => {}), /longer than 20 ms/],
    [
      "is told that it takes too long",
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      /longer than 20 ms/,
    ],
  ];
  for (const [name, check, error] of failing) {
    it(`answers 503 when a check ${name}, and keeps the reason to itself`, async (t) => {
      const { server, connect } = harness(t);
      const failures: [string, unknown][] = [];
      const checks = { database: check, cache: () => "connected", nothing: () => undefined };
      server.mount(health({ checks, timeoutMs: 20, onFailure: (...failure) => failures.push(failure) }));
      const answer = await connect().get("/readyz").answer();
      assert.equal(answer.status, 503);
      assert.deepEqual(JSON.parse(answer.text), {
        status: "failed",
        checks: { database: "failed", cache: "ok", nothing: "ok" },
      });
      assert.equal(failures.length, 1);
      assert.equal(failures[0]?.[0], "database");
      assert.match(String(failures[0]?.[1]), error);
      assert.equal((await connect().get("/livez").answer()).status, 200, "it is alive all the same");
    });
  }

  for (const [how, onFailure] of [
    [
      "throws",
      () => {
        throw new Error("no pager");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no pager"))],
  ] as const) {
    it(`answers 503 also when onFailure ${how}, which goes to the console`, async (t) => {
      const { server, connect } = harness(t);
      const said = t.mock.method(console, "error", () => {});
      server.mount(health({ checks: { database: () => false }, onFailure }));
      assert.equal((await connect().get("/readyz").answer()).status, 503);
      await turns();
      assert.deepEqual(
        said.mock.calls.map(({ arguments: [error] }) => String(error)),
        ["Error: no pager"],
      );
    });
  }

  it("runs a check once for all who ask meanwhile, and anew afterwards", async (t) => {
    const { server, connect } = harness(t);
    const checked = signal();
    let runs = 0;
    server.mount(
      health({
        checks: {
          slow() {
            runs++;
            return checked.promise;
          },
        },
      }),
    );
    const peers = [connect().get("/readyz"), connect().get("/readyz")];
    while (server.counters.requests < 2) await new Promise(setImmediate);
    assert.equal(runs, 1);
    checked.give();
    for (const peer of peers) assert.equal((await peer.answer()).status, 200);
    await connect().get("/readyz").answer();
    assert.equal(runs, 2);
  });

  for (const [how, settle] of [
    ["succeeds", () => undefined],
    ["fails", () => Promise.reject(new Error("too late"))],
  ] as const) {
    it(`does not start a check again that hangs, until it ${how} after all`, async (t) => {
      const { server, connect } = harness(t);
      const checked = signal();
      const failures: unknown[] = [];
      let runs = 0;
      const checks = {
        hangs: () => (++runs === 1 ? checked.promise.then(settle) : undefined),
        fine: () => true,
      };
      server.mount(
        health({ checks, timeoutMs: 20, onFailure: (_name, error) => failures.push(String(error)) }),
      );
      for (let asked = 0; asked < 5; asked++) {
        const answer = await connect().get("/readyz").answer();
        assert.equal(answer.status, 503);
        assert.deepEqual(JSON.parse(answer.text).checks, { hangs: "failed", fine: "ok" });
      }
      assert.equal(runs, 1);
      assert.deepEqual(failures, ["Error: the check took longer than 20 ms"], "reported once");
      checked.give();
      await turns();
      assert.equal((await connect().get("/readyz").answer()).status, 200);
      assert.equal(runs, 2);
    });
  }

  it("is not ready from the moment that the server closes", async (t) => {
    const { server, connect } = harness(t);
    const checked = signal();
    server.mount(health({ checks: { slow: () => checked.promise } }));
    const peer = connect().get("/readyz");
    while (server.counters.requests < 1) await new Promise(setImmediate);
    const closed = server.close();
    checked.give();
    const answer = await peer.answer();
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.text), { status: "closing" });
    peer.destroy();
    await closed;
  });

  it("tells of another server", async (t) => {
    const { server } = harness(t);
    const { server: admin, connect } = harness(t);
    admin.mount(health({ server }));
    assert.equal((await connect().get("/readyz").answer()).status, 200);
    await server.close();
    assert.equal((await connect().get("/readyz").answer()).status, 503);
    assert.equal((await connect().get("/livez").answer()).status, 200);
  });

  it("takes other paths, and none", async (t) => {
    const { server, connect } = harness(t);
    server.mount(health({ live: "/alive", ready: false }));
    assert.equal((await connect().get("/alive").answer()).status, 200);
    for (const path of ["/livez", "/readyz"]) assert.equal((await connect().get(path).answer()).status, 404);
  });
});
