import assert from "node:assert/strict";
import { describe, it } from "node:test";
import WebSocket from "ws";
import { put, temporaryFolder } from "../support/places.ts";
import { nextMessage } from "../support/ws-client.ts";
import { keepAlive } from "./keep-alive.ts";
import { portico, start } from "./portico.ts";

const EVO = `
local server = require("HttpServer")()
server:AddRoute("/", "GET")
function server:HTTP_REQUEST_FINISHED(_, payload) self:SendResponse(payload.clientID, require("text")) end
print("listening on " .. server:StartListening(0), ...)
`;
const CRAFTOS = `
local port = http.addListener(0)
print("listening on " .. port, ...)
while true do
  local _, _, req, res = os.pullEvent("http_request")
  res.write("craftos")
  res.close()
end
`;

async function textAt(port: string, path = "/"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

describe("portico lua", { concurrency: 2 }, () => {
  it("runs a program for Evo or for CraftOS, which it finds out, with its arguments", async (t) => {
    const root = temporaryFolder(t, { "evo.lua": EVO, "text.lua": 'return "evo"', "craftos.lua": CRAFTOS });
    for (const flavour of ["evo", "craftos"]) {
      const program = start(t, ["lua", `${flavour}.lua`, "--host", "127.0.0.1", "--", "one", "--two"], root);
      const port = await program.printed(/listening on (\d+)\tone\t--two/);
      assert.equal(await textAt(port), flavour);
      assert.equal((await program.stop()).stderr, "");
    }
  });

  it("shows the traceback of an error, and fails", async (t) => {
    const root = temporaryFolder(t, {
      "bad.lua": 'local function f() error("oh") end\nf()',
      "syntax.lua": "x =",
    });
    const { code, stderr } = await portico(t, ["lua", "bad.lua", "--evo"], { cwd: root });
    assert.equal(code, 1);
    assert.match(stderr, /^portico: bad\.lua:1: oh\nstack traceback:\n[\s\S]*bad\.lua:2: in main chunk/);
    const syntax = await portico(t, ["lua", "syntax.lua", "--craftos"], { cwd: root });
    assert.equal(syntax.code, 1);
    assert.match(syntax.stderr, /syntax\.lua:1: unexpected symbol/);
  });

  it("ends with the error of a callback, or reports it and goes on", async (t) => {
    const code =
      'C_Timer.After(1, function() error("oh") end) C_Timer.After(50, function() print("went on") end)';
    const root = temporaryFolder(t, { "timer.lua": code });
    const ended = await portico(t, ["lua", "timer.lua"], { cwd: root });
    assert.deepEqual([ended.code, ended.stdout], [1, ""]);
    assert.match(ended.stderr, /timer\.lua:1: oh/);
    const kept = await portico(t, ["lua", "timer.lua", "--keep-going"], { cwd: root });
    assert.deepEqual([kept.code, kept.stdout], [0, "went on\n"]);
    assert.match(kept.stderr, /timer\.lua:1: oh/);
  });

  it("limits memory and steps, and gives the exit code of the program", async (t) => {
    const root = temporaryFolder(t, {
      "memory.lua": 'local s = "x" while true do s = s .. s end',
      "steps.lua": "while true do end",
      "exit.lua": "os.exit(7)",
    });
    const memory = await portico(t, ["lua", "memory.lua", "--evo", "--memory", "16"], { cwd: root });
    assert.deepEqual([memory.code, /not enough memory/.test(memory.stderr)], [1, true]);
    const steps = await portico(t, ["lua", "steps.lua", "--evo", "--max-steps", "100000"], { cwd: root });
    assert.deepEqual([steps.code, /too many steps without waiting/.test(steps.stderr)], [1, true]);
    assert.equal((await portico(t, ["lua", "exit.lua", "--craftos"], { cwd: root })).code, 7);
  });

  it("ends a program that nothing can wake any more", async (t) => {
    const root = temporaryFolder(t, { "wait.lua": 'os.pullEvent("never")' });
    const { code, stderr } = await portico(t, ["lua", "wait.lua"], { cwd: root });
    assert.equal(code, 1);
    assert.match(stderr, /wait\.lua waits, but nothing can wake it/);
  });

  it("says what is wrong with the command line", async (t) => {
    const root = temporaryFolder(t, { "plain.lua": "print(1)" });
    const plain = await portico(t, ["lua", "plain.lua"], { cwd: root });
    assert.deepEqual([plain.code, /Add --evo or --craftos/.test(plain.stderr)], [2, true]);
    const missing = await portico(t, ["lua", "missing.lua"], { cwd: root });
    assert.deepEqual([missing.code, /The file missing\.lua does not exist/.test(missing.stderr)], [2, true]);
    assert.equal((await portico(t, ["lua", "plain.lua", "--evo", "--craftos"], { cwd: root })).code, 2);
  });

  it("runs the next version of a program for Evo on the connections of the last", async (t) => {
    const chat = (text: string, route: string): string => `
      local http, sockets = require("HttpServer")(), require("WebSocketServer")()
      http:AddRoute("${route}", "GET")
      function http:HTTP_REQUEST_FINISHED(_, payload) self:SendResponse(payload.clientID, "${text}") end
      function sockets:WEBSOCKET_CONNECTION_ESTABLISHED(_, payload)
        self:SendTextMessageToClient("${text}", payload.clientID)
      end
      print("${text} listening on " .. http:StartListening(0) .. " " .. sockets:StartListening(0))`;
    const root = temporaryFolder(t, { "chat.lua": chat("one", "/old") });
    const program = start(t, ["lua", "chat.lua", "--watch", "--host", "127.0.0.1"], root);
    const ports = await program.printed(/one listening on (.*)\n/);
    const [http = "", sockets = ""] = ports.split(" ");
    const ask = keepAlive(t);
    const got = async (path: string): Promise<[number, string]> => {
      const { status, text } = await ask(`http://127.0.0.1:${http}${path}`);
      return [status, text];
    };
    assert.deepEqual(await got("/old"), [200, "one"]);
    const socket = new WebSocket(`ws://127.0.0.1:${sockets}/`);
    t.after(() => socket.terminate());
    assert.equal((await nextMessage(socket)).data, "one");
    put(root, "chat.lua", "x =");
    await program.printed(/chat\.lua keeps running unchanged/);
    assert.deepEqual(await got("/old"), [200, "one"]);
    const greeted = nextMessage(socket);
    put(root, "chat.lua", chat("two", "/new"));
    assert.equal(await program.printed(/two listening on (.*)\n/), ports);
    assert.equal((await greeted).data, "two");
    assert.deepEqual(await got("/new"), [200, "two"]);
    assert.deepEqual(await got("/old"), [404, ""]);
  });

  it("runs a program for CraftOS again when a module of it changes", async (t) => {
    const code = `local port = http.addListener(0) print("listening on " .. port .. " " .. require("text")) ${CRAFTOS}`;
    const root = temporaryFolder(t, { "craftos.lua": code, "text.lua": 'return "one"' });
    const program = start(t, ["lua", "craftos.lua", "--watch", "--host", "127.0.0.1"], root);
    await program.printed(/listening on \d+ one/);
    // The watch learns of modules at intervals.
    const deadline = Date.now() + 10_000;
    for (let version = 0; !/listening on \d+ two/.test(program.stdout); version++) {
      assert.ok(Date.now() < deadline);
      put(root, "text.lua", `return "two" -- ${version}`);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  });
});
