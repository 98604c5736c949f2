import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLua } from "../../src/lua/index.ts";
import { run } from "./harness.ts";

for (const flavour of ["evo", "craftos"] as const) {
  test(`${flavour}: a Node program offers functions, also such that the Lua program waits for`, async (t) => {
    const code = `local world = require("world")
       print(world.add(1, 2), world.describe({ name = "Zoë", tags = { "a", "b" } }))
       print(world.list()[2], world.none())
       print(world.later("x"), pcall(world.refuse))
       print(pcall(world.add, "\\255", 1))
       print(pcall(world.wrong))`;
    const program = await run(t, flavour, code, {
      prepare: (lua) =>
        lua.module("world", {
          add: (a: number, b: number) => a + b,
          describe: ({ name, tags }: { name: string; tags: string[] }) => `${name}: ${tags.join()}`,
          list: () => [1, "two", { three: 3 }],
          none: () => {},
          later: async (value: string) => {
            await sleep(5);
            return `${value} later`;
          },
          refuse: () => Promise.reject(new Error("refused")),
          wrong: () => new Map(),
        }),
    });
    await program.ended;
    assert.equal(program.lines[0], "3\tZoë: a,b");
    assert.equal(program.lines[1], "two\tnil");
    assert.match(program.lines[2] ?? "", /^x later\tfalse\t.*refused$/);
    assert.match(program.lines[3] ?? "", /^false\t.*UTF-8 expected/);
    assert.match(program.lines[4] ?? "", /^false\t.*an object of a class/);
  });

  test(`${flavour}: a Node program calls functions of the Lua program, in a loop of its own`, async (t) => {
    const code = `function tick(step) return step * 2, step end function bad() error("no", 0) end ${flavour === "evo" ? "require('uv').new_timer():start(60000, 0, print)" : "os.pullEvent('never')"}`;
    const program = await run(t, flavour, code);
    for (let step = 1; step <= 3; step++) assert.equal(await program.lua.call("tick", step), step * 2);
    await assert.rejects(program.lua.call("bad"), { name: "LuaError", message: "no" });
    await assert.rejects(program.lua.call("missing"), /no global function missing/);
    await program.lua.close();
    assert.equal(await program.ended, 0);
  });

  test(`${flavour}: an error that nobody catches ends the program with its traceback`, async (t) => {
    const program = await run(t, flavour, "local function f() error('oh') end\nf()");
    const expected = { name: "LuaError", message: "test.lua:1: oh", traceback: /test\.lua:2/ };
    await assert.rejects(program.ended, expected);
  });

  test(`${flavour}: os.exit gives the exit code and runs nothing more`, async (t) => {
    const program = await run(t, flavour, "print('before') os.exit(3) print('after')");
    assert.equal(await program.ended, 3);
    assert.deepEqual(program.lines, ["before"]);
  });
}

test("evo: an error in a callback ends the program, or is reported", async (t) => {
  const code = `C_Timer.After(1, function() error("in a timer") end)
    C_Timer.After(20, function() print("went on") end)`;
  await assert.rejects((await run(t, "evo", code)).ended, /in a timer/);
  const errors: unknown[] = [];
  const program = await run(t, "evo", code, { onError: (error) => errors.push(error) });
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, ["went on"]);
  assert.match(String(errors[0]), /test\.lua:1: in a timer/);
});

test("a function of Lua that JavaScript holds can be called later", async (t) => {
  let saved: ((...parameters: unknown[]) => Promise<unknown>) | undefined;
  const program = await run(t, "evo", `require("world").onTick(function(n) return n + 1 end)`, {
    prepare: (lua) =>
      lua.module("world", {
        onTick: (tick: typeof saved) => {
          saved = tick;
        },
      }),
  });
  await program.ended;
  assert.equal(await saved?.(41), 42);
});

test("options are checked", async () => {
  await assert.rejects(createLua({ flavour: "lua" as "evo" }), /Use "evo" or "craftos"/);
  await assert.rejects(createLua({ flavour: "evo", maxMemoryBytes: 0 }), RangeError);
  const misspelled = { flavour: "evo", maxStep: 5 } as const;
  await assert.rejects(createLua(misspelled), /Did you mean "maxSteps"/);
});
