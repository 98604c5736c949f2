import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/places.ts";
import { runToEnd } from "./harness.ts";

test("a program finds nothing of Node, of the C library or of the host", async (t) => {
  for (const flavour of ["evo", "craftos"] as const) {
    const code = `print(host, process, globalThis, io.popen, os.execute, package.loadlib, debug.getregistry, debug.sethook,
         debug.getupvalue, debug.setmetatable)
       print(load(string.dump(function() end)) == nil)`;
    const program = await runToEnd(t, flavour, code);
    assert.deepEqual(program.lines, [Array(10).fill("nil").join("\t"), "true"]);
  }
});

test("files outside of the folder cannot be reached, also not by links", async (t) => {
  const outside = temporaryFolder(t, { "secret.txt": "secret" });
  const folder = temporaryFolder(t, { "own.txt": "own" });
  symlinkSync(outside, join(folder, "link"));
  symlinkSync(join(outside, "new.txt"), join(folder, "dangling"));
  const evoCode = `print(C_FileSystem.ReadFile("own.txt"), (C_FileSystem.ReadFile("link/secret.txt")))
     print((C_FileSystem.ReadFile("${outside}/secret.txt")), (C_FileSystem.ReadFile("../" .. ("x"):rep(3))))
     print((C_FileSystem.WriteFile("dangling", "x")), (io.open("link/secret.txt")), pcall(require, "link.secret") )`;
  const evo = await runToEnd(t, "evo", evoCode, { folder });
  assert.equal(evo.lines[0], "own\tnil");
  assert.equal(evo.lines[1], "nil\tnil");
  assert.match(evo.lines[2] ?? "", /^false\tnil\tfalse/);
  const craftosCode = `print(fs.exists("own.txt"), fs.exists("link/secret.txt"), fs.exists("../../../../../etc/passwd"), fs.exists("${outside}"))
     print(fs.open("link/secret.txt", "r"))
     print(pcall(fs.open, "dangling", "w"))
     print(pcall(fs.delete, "/"))`;
  const craftos = await runToEnd(t, "craftos", craftosCode, { folder });
  assert.equal(craftos.lines[0], "true\tfalse\tfalse\tfalse");
  assert.match(craftos.lines[1] ?? "", /^nil/);
  assert.match(craftos.lines[2] ?? "", /Access denied/);
  assert.match(craftos.lines[3] ?? "", /^false.*Access denied/);
});

test("the ROM is read-only, and a program can require modules from it", async (t) => {
  const rom = temporaryFolder(t, { "modules/main/cc/extra.lua": "return { answer = 42 }" });
  const code = `print(require("cc.extra").answer, fs.isReadOnly("rom/x"), table.concat(fs.list("/"), ","))
     print(pcall(fs.makeDir, "rom/x"))`;
  const program = await runToEnd(t, "craftos", code, { rom });
  assert.equal(program.lines[0], "42\ttrue\trom");
  assert.match(program.lines[1] ?? "", /^false.*Access denied/);
});
