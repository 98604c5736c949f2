import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleep } from "../support/waiting.ts";
import { limits, Stage, WITNESS_CONNECTIONS } from "./stage.ts";

const DESCRIPTORS = 60;
const FLOOD = 200;
const WATCH_MS = 1_000;
const GET = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";

describe("no descriptors left", { skip: process.platform === "win32" && "Windows has no ulimit" }, () => {
  it("does not stop, does not spin, serves who is there, and takes new connections when there is room", async (t) => {
    const plan = { limits: { ...limits, headTimeoutMs: 60_000, keepAliveTimeoutMs: 60_000 } };
    const stage = await Stage.open(plan, { descriptors: DESCRIPTORS, newcomers: false });
    t.after(() => stage.close());
    const calm = await stage.calm();

    const peers = await stage.crowd(FLOOD, () => {});
    await sleep(100);
    const full = await stage.glance();
    assert.ok(full.counters.openConnections < DESCRIPTORS, "it has run out");
    assert.ok(
      peers.filter((peer) => peer.isOver).length > 0 || full.counters.errors["EMFILE"],
      "some got none",
    );

    await stage.watch();
    await sleep(WATCH_MS);
    const during = await stage.testimony();
    assert.deepEqual(during.failures, []);
    const bound = Math.max(3 * calm.p99Ms, 30);
    assert.ok(during.p99Ms < bound, `p99 ${during.p99Ms.toFixed(1)} ms, calm ${calm.p99Ms.toFixed(1)} ms`);

    await stage.pace(100);
    const before = await stage.glance();
    await sleep(WATCH_MS);
    const cpuMs = (await stage.glance()).cpuMs - before.cpuMs;
    assert.ok(cpuMs < WATCH_MS * 0.2, `it spins: ${cpuMs.toFixed(0)} ms of processor time in ${WATCH_MS} ms`);
    await stage.pace(1);

    // Again and again, with those that hold the descriptors going and coming.
    for (let i = 0; i < 3; i++) {
      stage.hangUp();
      await stage.rid(WITNESS_CONNECTIONS, 2_000);
      assert.equal((await (await stage.connect()).send(GET).untilText("pong")).status, 200);
      await stage.crowd(FLOOD, () => {});
    }
    stage.hangUp();
    await stage.rid(WITNESS_CONNECTIONS, 2_000);
  });
});
