import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it, type TestContext } from "node:test";
import { inProcess } from "./in-process.ts";

/** The words that bash offers when Tab is pressed after these. */
async function offered(t: TestContext, ...words: string[]): Promise<string[]> {
  const { stdout: script } = await inProcess(t, ["completion", "bash"]);
  const line = words.map((word) => `"${word}"`).join(" ");
  const ask = `${script}\nCOMP_WORDS=(portico ${line}); COMP_CWORD=${words.length}; _portico; echo "\${COMPREPLY[*]}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", ask], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout.split(/\s+/).filter((word) => word !== "");
}

describe("portico completion", () => {
  it("completes commands in bash", async (t) => {
    assert.deepEqual(await offered(t, "se"), ["serve"]);
    assert.deepEqual(await offered(t, "--v"), ["--version"]);
    assert.equal((await offered(t, "")).includes("bench"), true);
  });

  it("completes the options and values of a command in bash", async (t) => {
    assert.deepEqual(await offered(t, "bench", "--ra"), ["--rate"]);
    assert.deepEqual(await offered(t, "serve", "public", "--o"), ["--open"]);
    assert.deepEqual(await offered(t, "completion", ""), ["bash", "zsh", "fish", "--help"]);
    assert.deepEqual(await offered(t, "echo", "--open"), []);
  });

  for (const shell of ["zsh", "fish"]) {
    it(`prints a script for ${shell} with all commands`, async (t) => {
      const { code, stdout } = await inProcess(t, ["completion", shell]);
      assert.equal(code, undefined);
      for (const word of ["serve", "run", "echo", "bench", "inspect", "about", "rate"])
        assert.match(stdout, new RegExp(word));
    });
  }
});
