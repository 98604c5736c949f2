import assert from "node:assert/strict";
import { test } from "node:test";
import { run, runToEnd } from "./harness.ts";

/** Random patterns on several texts. Prints what each function of `string` makes of them. */
const PROGRAM = `
local seed = 12345
local function random(n) seed = (seed * 16807) % 2147483647 return seed % n + 1 end
local items = { "a", "b", ".", "%a", "%d", "%s", "%w", "%p", "%A", "[ab]", "[^a]", "[a-c]", "[%d_]", "[]]", "[^]]", "[a-]",
  "%.", "%%", "(a)", "(b*)", "()", "%1", "%2", "%f[%w]", "%f[%W]", "%bab", "%b()", "^", "$", ")", "[", "%", "%z", " ",
  "-", "x", "1", "%g", "%x", "%l", "%u", "%c" }
local suffixes = { "", "", "", "*", "+", "-", "?" }
local texts = { "", "a", "aab", "abcabc", "a1 b2_c3", "(a(b)c)", "xx--yy", "hello world", "a\\0b", "]^$%", "AbC 12.5", "aabbab" }
local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]) end
  return (table.concat(t, ","):gsub("^false,[^ ]*:%d+: ", "false,"))
end
for _ = 1, 5000 do
  local p = random(5) == 1 and "^" or ""
  for _ = 1, random(4) do p = p .. items[random(#items)] .. suffixes[random(#suffixes)] end
  if random(5) == 1 then p = p .. "$" end
  local s, from = texts[random(#texts)], random(6) - 3
  local function all()
    local found = {}
    for a, b in s:gmatch(p) do
      found[#found + 1] = tostring(a) .. ":" .. tostring(b)
      if #found > 20 then break end
    end
    return table.concat(found, "|")
  end
  print(p, s, from, show(pcall(string.find, s, p, from)), show(pcall(string.match, s, p, from)), show(pcall(all)),
    show(pcall(string.gsub, s, p, "<%0>")), show(pcall(string.gsub, s, p, "<%1>", 2)),
    show(pcall(string.gsub, s, p, { a = "X", ab = 1, [1] = false })),
    show(pcall(string.gsub, s, p, function(...) return select("#", ...) end)))
end`;

test("patterns match alike with limited steps and without", async (t) => {
  const [plain, limited] = [await run(t, "evo", PROGRAM), await run(t, "evo", PROGRAM, { maxSteps: 1e12 })];
  await Promise.all([plain.ended, limited.ended]);
  assert.ok(plain.lines.length >= 5_000);
  assert.deepEqual(limited.lines, plain.lines);
});

test("with limited steps, a pattern that would be matched for years is an error", async (t) => {
  const code = `
    print(pcall(string.find, ("a"):rep(60), ("a?"):rep(60) .. ("a"):rep(61)))
    print(pcall(string.gsub, ("a"):rep(60), (".-"):rep(30) .. "b", ""))
    print(#(""):rep(1e15))`;
  const program = await runToEnd(t, "craftos", code, { maxSteps: 1e9 });
  assert.deepEqual(program.lines, ["false\tpattern too complex", "false\tpattern too complex", "0"]);
});
