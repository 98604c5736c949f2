import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MAX_WAITING_INPUTS } from "../../examples/game/game.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Report {
  ticks: number;
  polls: number;
  skipped: number;
  expected: number;
  players: number;
  inputs: number;
  sent: number;
  lost: number;
  mostWaiting: number;
  toldToStop: number;
  serverExit: number;
  faults: string[];
  lateMs: object;
  workMs: object;
}

it("200 players see the same world, lose no input and are told of the end", async (t) => {
  const args = ["--import", "tsx", "examples/game/load.ts", "--players", "200", "--seconds", "2", "--json"];
  const run = promisify(execFile)(process.execPath, args, { cwd: root, timeout: 50_000 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as Report;
  t.diagnostic(
    `ticks began late by ${JSON.stringify(report.lateMs)} ms and took ${JSON.stringify(report.workMs)} ms`,
  );
  assert.deepEqual(report.faults, []);
  assert.equal(report.players, 200);
  assert.equal(report.polls, report.ticks);
  assert.ok(report.ticks > 0 && report.ticks + report.skipped <= report.expected);
  assert.ok(report.sent > 200);
  assert.deepEqual([report.lost, report.inputs], [0, report.sent]);
  assert.ok(report.mostWaiting <= MAX_WAITING_INPUTS);
  assert.deepEqual([report.toldToStop, report.serverExit], [200, 0]);
});
