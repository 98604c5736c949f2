import assert from "node:assert/strict";
import { test } from "node:test";
import type { LuaOptions } from "../../src/lua/index.ts";
import { temporaryFolder } from "../support/places.ts";
import { ask, talk } from "./clients.ts";
import { type Running, run, runToEnd } from "./harness.ts";

const LIMITED = { maxSteps: 3_000_000, maxMemoryBytes: 32_000_000 };
const TOO_MANY = /too many steps without waiting/;
type Flavour = LuaOptions["flavour"];
const FLAVOURS: readonly Flavour[] = ["evo", "craftos"];

/** Runs code under limits until it ends. @returns what it printed, and the message of the error that ended it */
async function runLimited(
  t: Parameters<typeof run>[0],
  flavour: Flavour,
  code: string,
  maxSteps = 1_000_000_000,
): Promise<{ lines: string[]; error: string }> {
  const program = await run(t, flavour, code, { ...LIMITED, maxSteps });
  const error = await program.ended.then(
    () => "",
    (reason: unknown) => String(reason),
  );
  return { lines: program.lines, error };
}

const ENDLESS = "endless = setmetatable({}, { __close = function() while true do end end })";
/** Ways to go on for ever. */
const LOOPS: readonly string[] = [
  "while true do end",
  "repeat until false",
  "for i = 1, math.huge do end",
  "local function f() return f() end f()",
  "table.sort({ 1, 2, 3 }, function() while true do end end)",
  "string.gsub('abc', '.', function() while true do end end)",
  "return setmetatable({}, { __index = function() while true do end end }).x",
  "print(setmetatable({}, { __tostring = function() while true do end end }))",
  "return setmetatable({}, { __eq = function() while true do end end }) == setmetatable({}, { __eq = print })",
  "for _ in function() return 1 end do end",
  "coroutine.wrap(function() while true do end end)()",
  "coroutine.resume(coroutine.create(function() while true do end end)) while true do end",
  "load(function() return 'x = 1 ' end)",
  "local x <close> = setmetatable({}, { __close = function() while true do end end })",
  "coroutine.wrap(function() local x <close> = endless while true do end end)()",
  "local co = coroutine.create(function() local x <close> = endless while true do end end) coroutine.resume(co) coroutine.close(co) while true do end",
  "local x <close> = endless while true do end",
  "while true do collectgarbage() end",
  "local s = ('x'):rep(1e6) while true do s:upper() end",
  "table.move({}, 1, 2 ^ 53, 2)",
  "table.insert(setmetatable({}, { __len = function() return 2 ^ 53 end }), 1, 1)",
  "table.remove(setmetatable({}, { __len = function() return 2 ^ 53 end }), 1)",
  "table.sort(setmetatable({}, { __len = function() return 2 ^ 31 - 1 end, __index = type, __newindex = type }))",
  "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 1e5 do t[i] = nil end while true do next(t) end",
];

for (const flavour of FLAVOURS) {
  test(`${flavour}: nothing goes on for ever where steps are limited`, async (t) => {
    for (const loop of LOOPS) {
      const code = `${ENDLESS} print(pcall(function() ${loop} end))`;
      const { lines, error } = await runLimited(t, flavour, code, 300_000);
      assert.match(`${lines.join()} ${error}`, TOO_MANY, loop);
    }
  });

  test(`${flavour}: a program cannot have finalizers, which nothing could interrupt`, async (t) => {
    const code = `local meta = { __gc = function() while true do end end, __index = { x = 1 } }
       local t = setmetatable({}, meta)
       print(t.x, type(meta.__gc))
       t = nil
       collectgarbage()
       print(pcall(setmetatable, setmetatable({}, { __metatable = 1 }), meta))
       print(type(meta.__gc), warn)`;
    const { lines, error } = await runLimited(t, flavour, code);
    assert.equal(error, "");
    const printed = lines.map((line) => line.replace(/test\.lua:\d+: /, ""));
    assert.deepEqual(printed, ["1\tfunction", "false\tcannot change a protected metatable", "function\tnil"]);
  });

  test(`${flavour}: memory ends with an error, and the program goes on`, async (t) => {
    const code = `print(pcall(string.rep, "x", 1e9))
       print(pcall(function() local s = "x" while true do s = s .. s end end))
       print(pcall(function() local t = {} while true do t[#t + 1] = ("x"):rep(1e5) .. #t end end))
       print(pcall(function() return table.concat({ ("x"):rep(2e7), ("y"):rep(2e7) }) end))
       print("still here")`;
    const { lines, error } = await runLimited(t, flavour, code);
    assert.equal(error, "");
    assert.deepEqual(lines, [...new Array(4).fill("false\tnot enough memory"), "still here"]);
  });

  test(`${flavour}: deep recursion of any kind is an error`, async (t) => {
    const code = `local function f(n) return 1 + f(n + 1) end
       print(pcall(f, 1))
       local function inner(n)
         local ok, message = coroutine.resume(coroutine.create(function() return inner(n + 1) end))
         if not ok then error(message, 0) end
         return message
       end
       print(pcall(inner, 1))
       local function gsub() return ("a"):gsub("a", gsub) end
       print(pcall(gsub))
       local t = setmetatable({}, { __index = function(t, k) return t[k .. 1] end })
       print(pcall(function() return t.x end))
       print(load(("("):rep(1e5)) == nil, load("return " .. ("{"):rep(1e5)) == nil)
       local mixed
       function mixed(n)
         return select(2, pcall(coroutine.wrap(function() return select(2, pcall(mixed, n + 1)) end)))
       end
       print(mixed(1) ~= nil)
       print("still here")`;
    const { lines, error } = await runLimited(t, flavour, code);
    assert.equal(error, "");
    const [recursion, coroutines, callback, index, syntax, mixed, last] = lines;
    assert.match(recursion ?? "", /^false\t.*(stack overflow|not enough memory)/);
    assert.match(coroutines ?? "", /^false\t.*C stack overflow/);
    assert.match(callback ?? "", /^false\t.*stack overflow/);
    assert.match(index ?? "", /^false\t.*stack overflow/);
    assert.deepEqual([syntax, mixed, last], ["true\ttrue", "true", "still here"]);
  });

  test(`${flavour}: errors can be any value`, async (t) => {
    const code = `local object = { code = 42 }
       print(select(2, pcall(error, object)) == object, pcall(error), pcall(error, nil))
       print(coroutine.resume(coroutine.create(function() error(object) end)))
       local ok, value = pcall(coroutine.wrap(function() error(object) end))
       print(ok, value == object)
       print(xpcall(function() error(object) end, function(e) return e.code end))
       error(object)`;
    const { lines, error } = await runLimited(t, flavour, code);
    assert.match(error, /error object is a table value/);
    assert.match(lines[1] ?? "", /^false\ttable: /);
    assert.deepEqual([lines[0], ...lines.slice(2)], ["true\tfalse\tfalse\tnil", "false\ttrue", "false\t42"]);
  });

  test(`${flavour}: a program that breaks its globals breaks only itself`, async (t) => {
    const code = `local out, names, globals = print, {}, _G
       local strings = getmetatable("")
       for name in pairs(_G) do names[#names + 1] = name end
       for _, name in ipairs(names) do globals[name] = nil end
       out("still here")
       strings.__index = function() return function() return "replaced" end end
       out(("x"):upper())`;
    await runLimited(t, flavour, code);
    const other = await runToEnd(t, flavour, `print(("x"):upper())`);
    assert.deepEqual(other.lines, ["X"]);
  });
}

test("evo: an endless callback of any kind is an error, and others go on", async (t) => {
  const errors: unknown[] = [];
  const code = `local server, sockets, uv = require("HttpServer")(), require("WebSocketServer")(), require("uv")
     server:AddRoute("/*", "GET")
     function server:HTTP_REQUEST_FINISHED(_, payload)
       local url = self:GetRequestURL(payload.clientID)
       if url == "/loop" then while true do end end
       if url == "/table" then error({ "a table" }) end
       self:SendResponse(payload.clientID, "fine")
     end
     function sockets:WEBSOCKET_MESSAGE_RECEIVED(_, payload)
       if payload.message == "loop" then while true do end end
       self:SendTextMessageToClient("fine", payload.clientID)
     end
     C_Timer.After(1, function() while true do end end)
     local timer = uv.new_timer()
     timer:start(1, 0, function() timer:close(function() while true do end end) end)
     print("sockets on " .. sockets:StartListening(0))
     print("listening on " .. server:StartListening(0))`;
  const program = await run(t, "evo", code, { ...LIMITED, onError: (error) => errors.push(error) });
  const port = await program.port();
  const talker = await talk(t, Number(await program.printed(/sockets on (\d+)/)));
  talker.socket.send("loop");
  talker.socket.send("fine");
  assert.equal(await talker.data(), "fine");
  // Nobody answers these two: their clients hang up.
  const [loop, table] = [ask(port, "/loop"), ask(port, "/table")];
  const unanswered = Promise.allSettled([loop, table]);
  for (let tries = 0; errors.length < 5 && tries < 200; tries++) {
    assert.equal((await ask(port, "/")).text, "fine");
  }
  assert.equal(errors.filter((error) => TOO_MANY.test(String(error))).length, 4);
  assert.equal(errors.filter((error) => /error object is a table/.test(String(error))).length, 1);
  await program.lua.close();
  await unanswered;
});

test("craftos: an endless callback, and errors in coroutines", async (t) => {
  const code = `local port = http.addListener(0)
     print("listening on " .. port)
     while true do
       local _, _, request, response = os.pullEvent("http_request")
       local ok, message = pcall(function()
         if request.getURL() == "/loop" then while true do end end
         if request.getURL() == "/wait" then sleep(0.01) error({ text = "after a wait" }) end
         local co = coroutine.wrap(function() pcall(sleep, 0.01) error("inside", 0) end)
         local filter = co()
         repeat filter = co(os.pullEvent(filter)) until false
       end)
       response.write(type(message) == "table" and message.text or tostring(message))
       response.close()
     end`;
  const program = await run(t, "craftos", code, LIMITED);
  const port = await program.port();
  assert.match((await ask(port, "/loop")).text, TOO_MANY);
  assert.equal((await ask(port, "/wait")).text, "after a wait");
  assert.equal((await ask(port, "/")).text, "inside");
});

test("handles can be used after their end", async (t) => {
  const evoCode = `local uv, server = require("uv"), require("HttpServer")()
     local timer, tcp = uv.new_timer(), uv.new_tcp()
     timer:close() timer:close() tcp:close()
     print(timer:is_closing(), timer:get_due_in(), timer:is_active(), pcall(tcp.write, tcp, "x"))
     print(server:SendResponse("none", "x"), server:WriteHeader("none", "a", "b"), server:GetRequestURL("none"))
     print(pcall(server.SendResponse, {}, "x", "y"))
     print(pcall(server.StartListening, server, 0 / 0))
     print(pcall(server.StartListening, server, -1))
     server:StopListening()
     timer = uv.new_timer()
     for _, ms in ipairs({ 0 / 0, -1, 1e300, math.huge }) do timer:start(ms, ms, print) timer:stop() end
     print(pcall(uv.new_signal().start, uv.new_signal(), print, "constructor"))
     timer:close()
     uv.stop()`;
  const evo = await runLimited(t, "evo", evoCode);
  assert.match(evo.error, /^$/);
  assert.match(evo.lines[0] ?? "", /^true\t0\tfalse\t/);
  assert.match(evo.lines[2] ?? "", /^false\t/);
  assert.match(evo.lines[3] ?? "", /^false\t.*NaN is not a port/);
  assert.match(evo.lines[4] ?? "", /^false\t.*-1 is not a port/);
  assert.match(evo.lines[5] ?? "", /^false\t.*the signal constructor is not available/);
  const craftosCode = `local port = http.addListener(0)
     http.request("http://127.0.0.1:" .. port .. "/\\0é")
     local _, _, request, response = os.pullEvent("http_request")
     response.close() request.close()
     for _, call in ipairs({ response.close, response.write, response.setStatusCode, request.read, request.close }) do
       print(pcall(call, 200))
     end
     print(request.getURL(), request.getMethod())
     print(pcall(os.startTimer, 0 / 0), pcall(os.startTimer, math.huge))
     os.queueEvent("http_request", 1)
     os.queueEvent("portico_done", 5, true)
     print(os.pullEvent("http_request"))
     print(os.pullEvent("portico_done"))`;
  const craftos = await runLimited(t, "craftos", craftosCode);
  assert.equal(craftos.error, "");
  const closed = craftos.lines.slice(0, 5);
  const isClosed = closed.every((line) => /^false\t.*attempt to use a closed file/.test(line));
  assert.ok(isClosed, closed.join("\n"));
  assert.match(craftos.lines[5] ?? "", /^\/.*\tGET$/);
  assert.deepEqual(craftos.lines.slice(7), ["http_request\t1", "portico_done\t5\ttrue"]);
});

test("NUL and bytes that are not UTF-8 pass in both directions", async (t) => {
  const bytes = Buffer.from([0, 255, 254, 0xc3, 0x28, 0, 10, 13, 0x80]);
  const evoCode = `local server = require("HttpServer")()
     server:AddRoute("/", "POST")
     function server:HTTP_REQUEST_FINISHED(_, payload)
       self:SendResponse(payload.clientID, payload.message .. #payload.message)
     end
     print("listening on " .. server:StartListening(0))`;
  const evo = await run(t, "evo", evoCode);
  const craftosCode = `print("listening on " .. http.addListener(0))
     while true do
       local _, _, request, response = os.pullEvent("http_request")
       local text = request.readAll()
       response.write(text)
       response.write(#text)
       response.close()
     end`;
  const craftos = await run(t, "craftos", craftosCode);
  for (const program of [evo, craftos] satisfies Running[]) {
    const { body } = await ask(await program.port(), "/", { method: "POST", body: bytes });
    assert.deepEqual(body, Buffer.concat([bytes, Buffer.from("9")]));
  }
});

test("craftos: errors of files name the path as the program knows it", async (t) => {
  const folder = temporaryFolder(t, { "a/b.txt": "b" });
  const code = `print(pcall(fs.copy, "a", "a/c")) print(pcall(fs.makeDir, ("x"):rep(5000))) print(pcall(fs.makeDir, "a/b.txt/c"))
     print(pcall(fs.list, "a\\0b")) print(pcall(require, "../a")) print(pcall(dofile, "/etc/passwd"))`;
  const program = await runToEnd(t, "craftos", code, { folder });
  const isRefused = program.lines.every((line) => /^(false|true\tnil)\t|^\s/.test(line));
  assert.ok(isRefused, program.text);
  assert.ok(!program.text.includes(folder), program.text);
});
