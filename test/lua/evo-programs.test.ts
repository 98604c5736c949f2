import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAnswer } from "../support/assert-answer.ts";
import { talk, testWithClients } from "./clients.ts";
import { runProgram, serveProgram } from "./harness.ts";

testWithClients("evo: an API with JSON creates, lists and deletes", async (t, ask) => {
  const { port } = await serveProgram(t, "evo/json-api", ["0"]);
  assert.equal((await ask(port, "/items")).text, "[]");
  const made = await ask(port, "/items", { method: "POST", body: '{"title":"Zoë"}' });
  assertAnswer(made, { status: 201, fields: { "content-type": "application/json" } });
  assert.deepEqual(JSON.parse(made.text), { title: "Zoë", id: 1 });
  const large = "x".repeat(200_000);
  await ask(port, "/items", { method: "POST", body: JSON.stringify({ title: large }) });
  const list = JSON.parse((await ask(port, "/items")).text);
  assert.equal(list[1].title, large);
  assert.equal((await ask(port, "/items", { method: "POST", body: "{" })).status, 400);
  assert.equal((await ask(port, "/items/1", { method: "DELETE" })).status, 200);
  assert.equal((await ask(port, "/items/1", { method: "DELETE" })).status, 404);
  assert.equal((await ask(port, "/elsewhere")).status, 404);
});

testWithClients("evo: a form is decoded", async (t, ask) => {
  const { port } = await serveProgram(t, "evo/form-post", ["0"]);
  assert.match((await ask(port, "/")).text, /<form/);
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const reply = await ask(port, "/", { method: "POST", body: "who=A+%26+B%C3%A9&x=1", headers });
  assert.equal(reply.text, "<p>Hello, A &amp; Bé!</p>");
  assert.equal((await ask(port, "/", { method: "POST", body: "x" })).status, 415);
});

testWithClients(
  "evo: files of a folder are served byte by byte, and nothing outside of it",
  async (t, ask) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const files = { "site/index.html": "<p>home</p>", "site/all.bin": bytes, "secret.txt": "secret" };
    const { port } = await serveProgram(t, "evo/static-site", ["0", "site"], files);
    const fields = { "content-type": "text/html; charset=utf-8" };
    assertAnswer(await ask(port, "/"), { text: "<p>home</p>", fields });
    assert.deepEqual((await ask(port, "/all.bin")).body, bytes);
    assert.equal((await ask(port, "/missing")).status, 404);
  },
);

test("evo: everybody in a chat sees what anybody says", async (t) => {
  const { program, port } = await serveProgram(t, "evo/websocket-chat", ["0"]);
  const first = await talk(t, port);
  assert.equal(await first.data(), "welcome, guest1");
  assert.equal(await first.data(), "1 here");
  const second = await talk(t, port);
  assert.equal(await second.data(), "welcome, guest2");
  assert.equal(await first.data(), "2 here");
  assert.equal(await second.data(), "2 here");
  first.socket.send("/name Zed");
  first.socket.send("héllo");
  assert.equal(await second.data(), "Zed: héllo");
  first.socket.close(4_001, "bye");
  await program.printed(/Zed has left: bye \(4001\)/);
});

test("evo: messages keep their kind and their bytes", async (t) => {
  const program = await runProgram(t, "evo/websocket-echo", ["0"]);
  const client = await talk(t, await program.port());
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  client.socket.send(bytes);
  assert.deepEqual(await client.data(), bytes);
  client.socket.send("abc\0d");
  assert.equal(await client.data(), "d\0cba");
  client.socket.send("echo mode");
  // From the next poll on.
  for (;;) {
    client.socket.send("xyz");
    if ((await client.data()) === "xyz") break;
  }
});

testWithClients("evo: a large response is streamed as fast as the client takes it", async (t, ask) => {
  const program = await runProgram(t, "evo/streamed-file", ["0"]);
  const { body } = await ask(await program.port(), "/file");
  assert.equal(body.length, 3_000_000);
  assert.ok(body.equals(Buffer.from("0123456789".repeat(300_000))));
});

testWithClients("evo: a shutdown answers what is pending, and uv.run returns", async (t, ask) => {
  const { program, port } = await serveProgram(t, "evo/graceful-shutdown", ["0"]);
  const pending = ask(port, "/wait");
  assert.equal((await ask(port, "/stop", { method: "POST" })).text, "stopping");
  assertAnswer(await pending, { status: 503, text: "Service Unavailable: Server shutting down" });
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines.slice(1), ["stopped: Going Away", "done"]);
});

test("evo: a replaced OnEvent sees all events in order, next to a TCP client of the program", async (t) => {
  const program = await runProgram(t, "evo/event-queue");
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, [
    "SERVER_STARTED_LISTENING SERVER",
    "HTTP_REQUEST_STARTED a request",
    "HTTP_REQUEST_FINISHED a request",
    "SERVER_STOPPED_LISTENING SERVER",
  ]);
});

testWithClients("evo: timers run next to a server, and coroutines wait for them", async (t, ask) => {
  const { port } = await serveProgram(t, "evo/timers", ["0"]);
  assert.equal((await ask(port, "/later")).text, "later");
  assert.ok(Number((await ask(port, "/ticks")).text) > 0);
  const stopped = (await ask(port, "/stop")).text;
  assert.equal(stopped, `stopped at ${(await ask(port, "/ticks")).text}`);
});

testWithClients("evo: several servers listen in one program", async (t, ask) => {
  const program = await runProgram(t, "evo/several-listeners");
  const line = await program.printed(/listening on (.*)\n/);
  const [one = 0, two = 0, sockets = 0] = line.split(", ").map(Number);
  const watcher = await talk(t, sockets);
  assert.equal((await ask(one, "/")).text, "public");
  assert.equal(await watcher.data(), "public 1");
  assert.equal((await ask(two, "/")).text, "admin");
  assert.equal(await watcher.data(), "admin 1");
});

test("evo: a loop of its own polls the server and ends the program", async (t) => {
  const program = await runProgram(t, "evo/game-loop", ["0"]);
  const player = await talk(t, await program.port());
  player.socket.send("right");
  assert.equal(await player.data(), "1,0");
  player.socket.send("down");
  assert.equal(await player.data(), "1,1");
  player.socket.send("quit");
  assert.equal(await program.ended, 0);
  assert.match(program.text, /over after some steps: true/);
});

testWithClients("evo: routes, their errors, header fields and chunks", async (t, ask) => {
  const { program, port } = await serveProgram(t, "evo/routes", ["0"]);
  const [repeated = "", invalid = "", typed = "", count] = program.lines;
  assert.match(repeated, /^false\t.*already registered/);
  assert.match(invalid, /^false\t.*invalid method/);
  assert.match(typed, /^false\t.*the route must be a string/);
  assert.equal(count, "3\t/users/:id");
  const mine = await ask(port, "/users/me?a=b", { headers: { "X-Mine": "yes" } });
  const fields = { "x-endpoint": "/users/me", "x-query": "a=b" };
  assertAnswer(mine, { status: 202, text: "GET /users/me yes", fields });
  assert.equal((await ask(port, "/users/7")).headers["x-endpoint"], "/users/:id");
  assert.equal((await ask(port, "/all/x", { method: "PATCH", body: "x" })).text, "PATCH /all/x -");
  const chunked = { text: "one two three", fields: { "transfer-encoding": "chunked" } };
  assertAnswer(await ask(port, "/chunks", { method: "DELETE" }), chunked);
});

test("evo: tests in the form of the runtime pass", async (t) => {
  const program = await runProgram(t, "evo/specification");
  assert.equal(await program.ended, 0);
  assert.match(program.text, /all is well/);
  assert.doesNotMatch(program.text, /✗/);
});
