import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Phase {
  ticks: number;
  skippedTicks: number;
  latenessMs: unknown;
}

interface Report {
  calm: Phase;
  hostile: Phase;
  stalled: Phase;
  oldSnapshots: number;
  vanishedAndBack: [vanished: number, back: number];
  toldToStop: number;
  restartedAndBack: [seats: number, back: number];
  exitCode: number;
  faults: string[];
}

it("players among others who are mute, flood or vanish see a world that keeps its promises", async (t) => {
  const options = ["--players", "60", "--seconds", "1", "--mute", "8", "--flooders", "4", "--vanishing", "8"];
  const args = ["--import", "tsx", "examples/game/bots.ts", ...options, "--json"];
  const run = promisify(execFile)(process.execPath, args, { cwd: root, timeout: 50_000 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as Report;
  t.diagnostic(
    `ticks began late by ${JSON.stringify([report.calm.latenessMs, report.hostile.latenessMs])} ms`,
  );
  assert.deepEqual(report.faults, []);
  assert.ok(report.calm.ticks > 0 && report.hostile.ticks > 0);
  assert.ok(report.stalled.ticks + report.stalled.skippedTicks >= 8, "the stall of 300 ms was not noticed");
  assert.ok(report.oldSnapshots <= 4);
  assert.deepEqual(report.vanishedAndBack, [8, 8]);
  assert.equal(report.toldToStop, 60);
  assert.deepEqual(report.restartedAndBack, [76, 76]);
  assert.equal(report.exitCode, 0);
});
