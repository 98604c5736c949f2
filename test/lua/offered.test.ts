import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../support/places.ts";
import { type run, runToEnd } from "./harness.ts";

/** Prints the names that a table lacks. */
const LACKS = `local function lacks(t, names)
  local absent = {}
  for name in names:gmatch("%S+") do if t[name] == nil then absent[#absent + 1] = name end end
  return table.concat(absent, " ")
end\n`;

type Cases = readonly (readonly [code: string, printed: string])[];

/** One a line: a Lua expression, or the statements of a function, and behind an arrow what they print. */
function casesOf(table: string): Cases {
  const rows = table.split("\n").map((line) => line.trim());
  return rows
    .filter((row) => row !== "" && !row.startsWith("--"))
    .map((row) => {
      const [code = "", printed = ""] = row.split(/ => ?/);
      return [code, printed.replaceAll("\\n", "\n")];
    });
}

async function check(
  t: Parameters<typeof run>[0],
  flavour: "evo" | "craftos",
  cases: Cases,
  before = "",
): Promise<void> {
  const body = cases.map(([code], index) => {
    const returned = /\breturn\b/.test(code) ? code : `return ${code}`;
    return `local r = table.pack(pcall(function() ${returned} end))
for i = 1, r.n do r[i] = tostring(r[i]) end
print("<${index}>" .. table.concat(r, " ", r[1] == "true" and 2 or 1, r.n))`;
  });
  const code = `${LACKS}${before}${body.map((text) => `do ${text} end`).join("\n")}\nif uv then uv.stop() end`;
  const program = await runToEnd(t, flavour, code);
  const printed = program.text.split(/<\d+>/).slice(1);
  assert.deepEqual(
    printed.map((text, index) => [cases[index]?.[0], text.replace(/\n$/, "").replace(/test\.lua:\d+: /, "")]),
    cases,
  );
}

test("evo: what the runtime documents is there", async (t) => {
  const before = `uv, json, uuid = require("uv"), require("json"), require("uuid")\n`;
  const cases = casesOf(`
    lacks(uv, "run stop new_timer new_tcp new_signal hrtime now cwd sleep loop_alive update_time timer_start timer_stop timer_again timer_set_repeat timer_get_repeat timer_get_due_in tcp_connect tcp_nodelay tcp_keepalive tcp_getpeername tcp_getsockname signal_start signal_stop read_start read_stop write try_write shutdown close is_closing is_active ref unref has_ref os_getpid os_uname gettimeofday") =>
    lacks(C_Timer, "After NewTicker Stop Pause Resume ResumeAfter Defer GetRemainingTime GetElapsedTime") =>
    lacks(C_FileSystem, "AppendFile Delete Exists IsDirectory IsFile MakeDirectory MakeDirectoryTree ReadDirectory ReadDirectoryTree ReadFile WriteFile") =>
    lacks(json, "parse stringify pretty prettier encode decode load dump array object null version") =>
    lacks(path, "basename dirname extname isAbsolute join normalize relative resolve") =>
    lacks(string, "explode filesize capitalize diff buffer") =>
    lacks(table, "contains count copy scopy reverse invert new clear") =>
    lacks(_G, "printf dump format extend describe it before after assertEquals assertEqualNumbers assertTrue assertFalse assertNil assertThrows assertDoesNotThrow assertFailure buffer path bit arg") =>
    lacks(uuid, "createBasicUUID createMersenneTwistedUUID createSystemUUID createNameBasedUUID isCanonical") =>
    local t = uv.new_timer() uv.unref(t) return t:has_ref(), uv.timer_start(t, 5, 0, print), t:close() => false 0
    uv.hrtime() > 0, uv.cwd() ~= nil, uv.now() >= 0 => true true true
    uuid.createNameBasedUUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") => 2ed6657d-e927-568b-95e1-2665a8aea6a2
    local b = buffer.new() b:put("abc", 1) return #b, b:get(2), b:get() => 4 ab c1
    path.join("a", "..", "b"), path.extname("x.lua") => b .lua
    string.filesize(5120), string.capitalize("abc"), table.count({ 1, x = 2 }) => 5 KB Abc 2
    json.stringify({ a = { 1, json.null } }), json.parse('{"b":"ü"}').b => {"a":[1,null]} ü
    select(2, pcall(assertEquals, { 1 }, { 2 })) => ASSERTION FAILURE: { 1 } should be { 2 }
    return arg[0] => test.lua
    -- A fraction is cut off wherever a position is meant.
    ("hello"):find("l", 2.7) => 3 3
    ("hello"):match("l+", 1.5) => ll
    local t = { 1, 2, 3 } table.insert(t, 2.5, 9) return table.concat(t, ",", 1.5, 4.9), table.remove(t, 1.9) => 1,9,2,3 1
    return unpack({ 1, 2, 3 }, 1, 2.5) => 1 2`);
  await check(t, "evo", cases, before);
});

test("craftos: what the computer documents is there", async (t) => {
  const before = `local e, s, p = require("cc.expect"), require("cc.strings"), require("cc.pretty")\n`;
  const cases = casesOf(String.raw`
    lacks(http, "get post request checkURL checkURLAsync websocket websocketAsync listen addListener removeListener websocketServer") =>
    lacks(os, "pullEvent pullEventRaw queueEvent startTimer cancelTimer setAlarm cancelAlarm clock time day epoch date getComputerID computerID getComputerLabel computerLabel setComputerLabel version shutdown reboot run loadAPI unloadAPI sleep") =>
    lacks(fs, "list exists isDir isReadOnly getName getDir getDrive getSize getFreeSpace getCapacity makeDir move copy delete combine open find complete attributes isDriveRoot") =>
    lacks(io, "open close read write lines input output type stdin stdout stderr") =>
    lacks(textutils, "serialize serialise unserialize unserialise serializeJSON serialiseJSON unserializeJSON unserialiseJSON urlEncode formatTime slowWrite slowPrint pagedPrint tabulate pagedTabulate complete empty_json_array json_null") =>
    lacks(parallel, "waitForAny waitForAll") =>
    lacks(term, "write blit clear clearLine getCursorPos setCursorPos setCursorBlink getCursorBlink getSize scroll isColor isColour setTextColor getTextColor setBackgroundColor getBackgroundColor redirect current native setPaletteColor getPaletteColor nativePaletteColor nativePaletteColour") =>
    lacks(settings, "define undefine set get getDetails unset clear getNames load save") =>
    lacks(peripheral, "getNames isPresent getType hasType getMethods call wrap find getName") =>
    lacks(redstone, "getSides setOutput getOutput getInput setAnalogOutput getAnalogOutput getAnalogInput setBundledOutput getBundledOutput getBundledInput testBundledInput") =>
    lacks(rednet, "open close isOpen send broadcast receive host unhost lookup") =>
    lacks(shell, "run execute exit dir setDir path setPath resolve resolveProgram aliases setAlias clearAlias programs getRunningProgram complete") =>
    lacks(_G, "require package loadfile dofile loadstring load unpack setfenv getfenv sleep write print printError read rs colors colours keys disk gps bit bit32 utf8 _HOST") =>
    textutils.serialize({ 1, { 2 } }, { compact = true }), textutils.serializeJSON({ a = { 1 } }) => {1,{2,},} {"a":[1]}
    local t = {} return textutils.serialize({ t, t }) => false Cannot serialize table with repeated entries
    textutils.unserialize("{ x = 5 }").x, textutils.unserialize("os.shutdown()") => 5 nil
    textutils.formatTime(13.5), textutils.formatTime(13.5, true) => 1:30 PM 13:30
    return e.expect(1, 5, "string") => false bad argument #1 (string expected, got number)
    return e.field({}, "b", "number") => false field 'b' missing or wrong (number expected, got no value)
    local id = os.startTimer(0.01) local _, got = os.pullEvent("timer") return got == id => true
    local id = os.setAlarm((os.time() + 0.01) % 24) local _, got = os.pullEvent("alarm") return got == id => true
    os.queueEvent("mine", 1, nil, { 2 }, nil) local r = table.pack(os.pullEvent("mine")) return r.n, r[2], r[3], r[4][1] => 5 1 nil 2
    fs.makeDir("d") local h = fs.open("d/a", "w") h.write("one\ntwo") h.write(5) h.close() h = fs.open("d/a", "r") return h.readLine(), h.readLine(true), h.readLine() => one two5 nil
    fs.copy("d", "d/x") return 1 => false /d: Can't copy a directory inside itself
    return fs.list("d/a") => false /d/a: Not a directory
    return fs.open("none", "r") => nil /none: No such file
    local f = io.open("n", "w") f:write("12 -3.5 x\nabc\n") f:close() f = io.open("n") return f:read("n", "*n", "l", "L") => 12 -3.5  x abc\n
    return io.lines("none") => false /none: No such file
    return http.get(5) => false bad argument #1 (string or table expected, got number)
    return http.get("none") => nil URL malformed nil
    local h = fs.open("l", "w") h.write("return v, ...") h.close() return loadfile("l", { v = 7 })(1) => 7 1
    parallel.waitForAny(function() error("oops", 0) end) return 1 => false oops
    table.concat(s.wrap("one two  three", 7), "|"), s.ensure_width("abc", 2), p.render({ 1 }):gsub("%s", "") => one two|three ab {1,} 4
    bit.blshift(1, 4), bit.brshift(-16, 2), bit.blogic_rshift(256, 4), bit.bnot(0) => 16 4294967292 16 4294967295
    peripheral.wrap("top"), peripheral.find("x"), rednet.receive(0.01), redstone.getInput("top") => nil nil nil false
    colors.toBlit(colors.red), colors.fromBlit("e"), colors.test(3, 1) => e 16384 true
    shell.setAlias("say", "talk") local h = fs.open("talk.lua", "w") h.write("said = table.concat({ ... }, '+') _G.said = said") h.close() return shell.run("say a b"), said => true a+b
    settings.define("a", { default = 1, type = "number" }) return settings.get("a"), (pcall(settings.set, "a", "x")) => 1 false
    return setfenv(function() return q end, { q = 1 })() => 1`);
  await check(t, "craftos", cases, before);
});

test("craftos: a ROM brings the APIs that are absent here", async (t) => {
  const rom = temporaryFolder(t, {
    "apis/vector.lua":
      "function new(x) return { x = x, double = doubled(x) } end function doubled(x) return x * 2 end",
    "apis/keys.lua": "enter = 257",
    "apis/term.lua": "error('is there already')",
    "programs/hello.lua": "print('hello from the ROM', ...)",
  });
  const code = `print(vector.new(4).double, keys.enter, absent, term.getSize()) print(shell.run("hello", "x"))`;
  const program = await runToEnd(t, "craftos", code, { rom });
  assert.deepEqual(program.lines, ["8\t257\tnil\t51\t19", "hello from the ROM\tx", "true"]);
});
