import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { takenPort } from "../support/places.ts";
import { startProgram } from "../support/program.ts";

/** Runs what npm start runs after the build, until it ends by itself. */
function run(...args: string[]): { status: number | null; text: string } {
  const { status, stderr } = spawnSync(process.execPath, ["dist/console/main.js", ...args], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, text: stderr };
}

describe("npm start", () => {
  it("listens at the port of --port, of PORT, or of its first argument", async () => {
    for (const args of [["--port", "0"], ["-p0"], ["0"]]) {
      const program = await startProgram("dist/console/main.js", ...args);
      assert.match(program.url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(await program.stop("SIGTERM"), 0);
    }
  });

  it("names the port that is in use, and what to do", async (t) => {
    const { port } = await takenPort(t);
    const { status, text } = run("--port", String(port));
    assert.equal(status, 1);
    const message = new RegExp(`^Port ${port} is already in use\\. Choose another with npm start -- --port`);
    assert.match(text, message);
  });

  it("says what is wrong with its arguments", () => {
    for (const [args, message] of [
      [["--prot", "1"], /^Unknown option '--prot'\. Start it with: npm start -- --port 9002/],
      [["--port", "70000"], /^"70000" is not a port: use a number from 0 to 65535/],
      [["many"], /^"many" is not a port/],
    ] as const) {
      const { status, text } = run(...args);
      assert.equal(status, 2);
      assert.match(text, message);
    }
  });
});
