import assert from "node:assert/strict";
import { test } from "node:test";
import { runToEnd } from "./harness.ts";

/** Lua 5.1, by what it prints. */
const CASES: readonly [code: string, printed: string][] = [
  ["10 / 2", "5"],
  ["10 / 2 .. ''", "5"],
  ["7 / 2", "3.5"],
  ["2 ^ 31", "2147483648"],
  ["1e100", "1e+100"],
  ["unpack({ 1, 2, 3 })", "1\t2\t3"],
  ["loadstring('return 1 + 1')()", "2"],
  ["table.maxn({ 1, 2, nil, 4 })", "4"],
  ["table.getn({ 1, 2 })", "2"],
  ["math.pow(2, 3)", "8"],
  ["math.mod(7, 4)", "3"],
  ["math.ldexp(0.5, 4)", "8"],
  ["math.frexp(8)", "0.5\t4"],
  ["math.log10(1000)", "3"],
  ["('hello'):sub(1, 2.5)", "he"],
  ["('ab'):rep(2.9)", "abab"],
  ["('%d %5.1f %s %x%%'):format(3.7, 2.25, 'x', 255)", "3   2.2 x ff%"],
  ["('%d'):format('12')", "12"],
  ["string.char(72.9, 105)", "Hi"],
  ["bit.bnot(0)", "-1"],
  ["bit.lshift(1, 31)", "-2147483648"],
  ["bit.tohex(255)", "000000ff"],
  ["bit.bxor(1, 2, 4)", "7"],
  ["bit.arshift(-8, 1)", "-4"],
  ["bit.rol(0x12345678, 8)", "878082066"],
  ["bit32.bnot(0)", "4294967295"],
  ["bit32.arshift(0x80000000, 4)", "4160749568"],
  ["bit32.extract(0xF0, 4, 4)", "15"],
  ["getfenv(1) == _G", "true"],
  ["setfenv(function() return x end, { x = 42 })()", "42"],
];

test("what Lua 5.1 has and Lua 5.4 has not", async (t) => {
  const code = CASES.map(([expression]) => `print(${expression})`).join("\n");
  const program = await runToEnd(t, "evo", code);
  const expected = CASES.map(([, printed]) => printed);
  assert.deepEqual(program.lines, expected);
});

test("setfenv changes the environment of one function only", async (t) => {
  const code = `x = "global"
     local function first() return x end
     local function second() return x end
     setfenv(first, { x = "own" })
     print(first(), second(), getfenv(first).x)
     local env = setmetatable({}, { __index = _G })
     setfenv(1, env)
     y = 5
     print(env.y, rawget(_G, "y"))`;
  const program = await runToEnd(t, "evo", code);
  assert.deepEqual(program.lines, ["own\tglobal\town", "5\tnil"]);
});
