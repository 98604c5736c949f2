import assert from "node:assert/strict";
import { test } from "node:test";
import { COMPAT } from "../../src/lua/compat.ts";
import { LuaError } from "../../src/lua/errors.ts";
import { Machine, type MachineOptions } from "../../src/lua/machine.ts";

/** A machine with what it has printed. */
async function machineOf(options: MachineOptions = {}): Promise<{
  machine: Machine;
  printed: string[];
  run(code: string | Buffer): void;
}> {
  const machine = await Machine.create(options);
  const printed: string[] = [];
  machine.define("host", {
    print(frame) {
      printed.push(frame.text(1));
      return 0;
    },
    echo(frame) {
      frame.pushBytes(frame.bytes(1));
      return 1;
    },
    fail() {
      throw new RangeError("as asked");
    },
  });
  machine.beginProgram();
  const run = (code: string | Buffer): void => {
    const reference = machine.load(Buffer.from(code), "@test.lua");
    const thread = machine.prepare(reference);
    const stop = machine.resume(thread, 0);
    if (stop.hasEnded) machine.recycle(thread);
    machine.release(reference);
  };
  run(COMPAT);
  return { machine, printed, run };
}

test("bytes stay bytes in both directions, whatever their size", async () => {
  const { printed, run } = await machineOf();
  run(`
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    local text = table.concat(all)
    print(host.echo(text) == text)
    local large = text:rep(1000)
    print(host.echo(large) == large)
    print(text)
  `);
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
  assert.deepEqual(printed, ["true", "true", all]);
});

test("a call that waits suspends its thread, across pcall", async () => {
  const { machine, printed } = await machineOf();
  const code = `local ok, value = pcall(function() return coroutine.yield("wait") + 1 end) print(ok) print(value)`;
  const reference = machine.load(Buffer.from(code), "@test.lua");
  const thread = machine.prepare(reference);
  assert.deepEqual(machine.resume(thread, 0), { hasEnded: false, values: 1 });
  assert.equal(machine.frame.text(-1), "wait");
  machine.frame.count = 0;
  machine.frame.pushNumber(41);
  assert.equal(machine.resume(thread, 1).hasEnded, true);
  assert.deepEqual(printed, ["true", "42"]);
});

test("errors have the place in the program and a traceback", async () => {
  const { run, printed } = await machineOf();
  run("print(select(2, pcall(host.fail)))");
  assert.match(printed[0] ?? "", /as asked$/);
  assert.throws(() => run("local function f()\n  host.fail()\nend\nf()"), {
    name: "LuaError",
    message: "test.lua:2: as asked",
    traceback: /test\.lua:4: in main chunk/,
  });
  assert.throws(() => run("x ="), { name: "LuaError", message: /test\.lua:1: unexpected symbol/ });
});

test("memory is limited, and the program can go on after the error", async () => {
  const { run, printed } = await machineOf({ maxMemoryBytes: 8_000_000 });
  run(`
    print(pcall(function() local s = "x" while true do s = s .. s end end) and "" or "refused")
    print(select(2, pcall(string.rep, "x", 1e8)))
    print(#("x"):rep(1000))
  `);
  assert.deepEqual(printed, ["refused", "not enough memory", "1000"]);
});

test("a program that does not wait is interrupted, also in its coroutines", async () => {
  const { run, printed, machine } = await machineOf({ maxSteps: 100_000 });
  run("print(select(2, pcall(function() while true do end end)))");
  run("print(select(2, coroutine.resume(coroutine.create(function() while true do end end))))");
  assert.deepEqual(printed, ["too many steps without waiting", "too many steps without waiting"]);
  assert.equal(machine.isDead, false);
  assert.throws(() => run("while true do pcall(function() while true do end end) end"), LuaError);
  assert.equal(machine.isDead, true);
  assert.throws(() => run("print(1)"), LuaError);
});

test("endless recursion is an error", async () => {
  const { run, printed } = await machineOf({ maxMemoryBytes: 64_000_000 });
  run("local function f() return 1 + f() end print(pcall(f) and 1 or 'ended')");
  run("local function g() return (('a'):gsub('a', g)) end print(pcall(g) and 1 or 'ended')");
  assert.deepEqual(printed, ["ended", "ended"]);
});

test("a million calls leave nothing behind", async () => {
  const { machine, run } = await machineOf({ maxMemoryBytes: 4_000_000 });
  run("function handle(text) return { text = text }, function() end end");
  const handle = machine.load(Buffer.from("return handle(...)"), "@test.lua");
  for (let count = 0; count < 1_000_000; count++) {
    const thread = machine.prepare(handle);
    machine.frame.pushText("a request");
    machine.resume(thread, 1);
    const kept = machine.frame.keep(-1);
    machine.recycle(thread);
    machine.release(kept);
  }
  // The limit of memory would have ended it.
  run("collectgarbage() assert(collectgarbage('count') < 1000)");
});
