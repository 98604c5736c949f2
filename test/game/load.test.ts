import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LoopFigures } from "portico/loop";
import { MAX_WAITING_INPUTS } from "../../examples/game/game.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Report {
  tick: number;
  loop: LoopFigures;
  players: number;
  inputs: number;
  sent: number;
  lost: number;
  mostWaiting: number;
  toldToStop: number;
  serverExit: number;
  faults: string[];
}

it("200 players see the same world, lose no input and are told of the end", async (t) => {
  const args = ["--import", "tsx", "examples/game/load.ts", "--players", "200", "--seconds", "2", "--json"];
  const run = promisify(execFile)(process.execPath, args, { cwd: root, timeout: 50_000 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as Report;
  t.diagnostic(
    `ticks began late by ${JSON.stringify(report.loop.latenessMs)} ms, their steps took ${JSON.stringify(report.loop.stepMs)} ms`,
  );
  assert.deepEqual(report.faults, []);
  assert.equal(report.players, 200);
  assert.ok(report.loop.ticks > 0 && report.loop.ticks <= report.tick);
  assert.ok(report.sent > 200);
  assert.deepEqual([report.lost, report.inputs], [0, report.sent]);
  assert.ok(report.mostWaiting <= MAX_WAITING_INPUTS);
  assert.deepEqual([report.toldToStop, report.serverExit], [200, 0]);
});
