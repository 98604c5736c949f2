import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { Target } from "./websocket-client.ts";
import { CASES, runCase, sections } from "./websocket-suite.ts";
import { type Running, startEngine, startEvo, startFacil } from "./websocket-targets.ts";

// Practices are held to as strictly as rules: these servers are ours.
async function holds(t: TestContext, section: string, targets: () => readonly Target[]): Promise<void> {
  const failed: string[] = [];
  let skipped = 0;
  for (const target of targets()) {
    for (const given of CASES.filter((one) => one.section === section)) {
      const { name, verdict, note } = await runCase(given, target);
      if (verdict === "failed") failed.push(`${target.name}: ${name}: ${note}`);
      if (verdict === "skipped") skipped++;
    }
  }
  if (skipped > 0) t.diagnostic(`${skipped} skipped: not for this server`);
  assert.deepEqual(failed, []);
}

describe("the WebSocket suite", () => {
  it("has no name twice in a section", () => {
    const names = CASES.map(({ section, name }) => `${section}: ${name}`);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  });

  for (const [name, start] of [
    ["the engine's own API", startEngine],
    ["portico/evo", startEvo],
    ["the example of portico/facil", startFacil],
  ] as const) {
    describe(name, () => {
      let running: Running;
      before(async () => {
        running = await start();
      });
      after(() => running.stop());
      for (const section of sections()) {
        it(section, (t) => holds(t, section, () => running.targets));
      }
    });
  }
});
