import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAnswer } from "../support/assert-answer.ts";
import { freePort } from "../support/places.ts";
import { patiently, talk, testWithClients } from "./clients.ts";
import { runProgram, serveProgram } from "./harness.ts";

const BYTES = Buffer.from(Array.from({ length: 4_096 }, (_, index) => index % 256));

testWithClients("craftos: http.listen serves until its callback returns true", async (t, ask) => {
  const port = await freePort();
  const program = await runProgram(t, "craftos/listen", [`${port}`]);
  assert.equal((await patiently(ask, port, "/a?b=c")).text, "Hello from /a?b=c5");
  await ask(port, "/stop");
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, ["stopped"]);
});

testWithClients("craftos: an API with JSON in a loop of events", async (t, ask) => {
  const { port } = await serveProgram(t, "craftos/json-api");
  assert.equal((await ask(port, "/items")).text, "[]");
  const made = await ask(port, "/items", { method: "POST", body: '{"title":"Zoë"}' });
  assert.equal(made.status, 201);
  assert.deepEqual(JSON.parse(made.text), { title: "Zoë", id: 1 });
  assert.deepEqual(JSON.parse((await ask(port, "/items")).text), [{ title: "Zoë", id: 1 }]);
  assert.equal((await ask(port, "/items", { method: "POST", body: "{" })).status, 400);
  assert.equal((await ask(port, "/x")).status, 404);
});

testWithClients(
  "craftos: a form is decoded, and header fields are found by the names that were sent",
  async (t, ask) => {
    const port = await freePort();
    await runProgram(t, "craftos/form-post", [`${port}`]);
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const reply = await patiently(ask, port, "/", { method: "POST", body: "who=A+%26+B", headers });
    assert.equal(reply.text, "Hello, A & B!\n");
    assert.equal((await ask(port, "/", { method: "POST", body: "who=x" })).status, 415);
  },
);

testWithClients(
  "craftos: files of a folder are served byte by byte, and nothing outside of it",
  async (t, ask) => {
    const port = await freePort();
    const files = { "site/index.html": "<p>home</p>", "site/all.bin": BYTES, "secret.txt": "secret" };
    await runProgram(t, "craftos/static-site", [`${port}`], files);
    const home = { text: "<p>home</p>", fields: { "content-type": "text/html" } };
    assertAnswer(await patiently(ask, port, "/"), home);
    assert.deepEqual((await ask(port, "/all.bin")).body, BYTES);
    assert.equal((await ask(port, "/none")).status, 404);
  },
);

test("craftos: a chat in one loop of events", async (t) => {
  const { program, port } = await serveProgram(t, "craftos/websocket-chat");
  const first = await talk(t, port);
  assert.equal(await first.data(), "someone is here");
  const second = await talk(t, port);
  assert.equal(await second.data(), "someone is here");
  assert.equal(await first.data(), "someone is here");
  second.socket.send("héllo");
  assert.equal(await first.data(), "> héllo");
  assert.equal(await second.data(), "> héllo");
  second.socket.close(4_001, "bye");
  await program.printed(/closed\tbye\t4001/);
  first.socket.send("/quit");
  await first.closed();
});

test("craftos: a coroutine for each client receives its messages only, in order", async (t) => {
  const { port } = await serveProgram(t, "craftos/websocket-echo", ["0"]);
  const [one, two] = [await talk(t, port), await talk(t, port)];
  for (let index = 0; index < 50; index++) {
    one.socket.send(`one ${index}`);
    two.socket.send(Buffer.from([0, index, 255]));
  }
  for (let index = 0; index < 50; index++) {
    assert.equal(await one.data(), `one ${index}`);
    assert.deepEqual(await two.data(), Buffer.from([0, index, 255]));
  }
  one.socket.send("bye");
  assert.equal(await one.data(), "bye");
  await one.closed();
  two.socket.send("still here");
  assert.equal(await two.data(), "still here");
});

testWithClients("craftos: two servers in parallel", async (t, ask) => {
  const [one, two] = [await freePort(), await freePort()];
  const program = await runProgram(t, "craftos/two-servers", [`${one}`, `${two}`]);
  assert.equal((await patiently(ask, one, "/")).text, "first 1");
  assert.equal((await patiently(ask, two, "/")).text, "second 2");
  assert.equal((await ask(two, "/stop")).text, "second 3");
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, ["ended\t2"]);
});

testWithClients("craftos: a kernel resumes its processes with the events that they want", async (t, ask) => {
  const { program, port } = await serveProgram(t, "craftos/kernel");
  assert.equal((await ask(port, "/")).text, "clock counter web");
  await ask(port, "/crash");
  await program.printed(/child has crashed: .*as asked/);
  assert.equal((await ask(port, "/")).text, "clock counter web");
  await ask(port, "/stop");
  assert.equal(await program.ended, 0);
  assert.match(program.text, /halted\ttrue/);
});

testWithClients("craftos: a callback that sleeps loses no request", async (t, ask) => {
  const port = await freePort();
  const program = await runProgram(t, "craftos/timers", [`${port}`]);
  await patiently(ask, port, "/");
  const all = await Promise.all(["/slow", "/1", "/2", "/3"].map((path) => ask(port, path)));
  const texts = all.map(({ text }) => text);
  assert.deepEqual(texts, ["done /slow", "done /1", "done /2", "done /3"]);
  assert.ok(Number((await ask(port, "/ticks")).text) > 0);
  await ask(port, "/stop");
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, ["stopped\ttrue"]);
});

test("craftos: a program talks to its own servers", async (t) => {
  const program = await runProgram(t, "craftos/clients");
  assert.equal(await program.ended, 0);
  assert.deepEqual(program.lines, [
    "get\t200\t!\tGET",
    "post\tdata!",
    "missing\tnil\tNot Found\t404\tNot Found",
    "checked\tfalse\tInvalid protocol 'ftp'",
    "http_success\tput!\tPUT",
    "socket\thi false\ttrue",
    "socket\tnil",
  ]);
});

testWithClients("craftos: any bytes are uploaded, kept in a file and downloaded", async (t, ask) => {
  const port = await freePort();
  const program = await runProgram(t, "craftos/bytes", [`${port}`]);
  assert.equal((await patiently(ask, port, "/", { method: "PUT", body: BYTES })).text, "4096");
  const got = await ask(port, "/stop");
  assert.deepEqual(got.body, BYTES);
  assert.equal(got.headers["x-first"], "0");
  assert.equal(await program.ended, 0);
});

testWithClients(
  "craftos: server_stop ends http.listen, and terminate everything that waits",
  async (t, ask) => {
    const port = await freePort();
    const program = await runProgram(t, "craftos/shutdown", [`${port}`]);
    assert.equal((await patiently(ask, port, "/")).text, "stopping");
    await program.printed(/raw\tterminate/);
    await patiently(ask, port, "/");
    assert.equal(await program.ended, 0);
    assert.match(program.text, /server stopped\n/);
    assert.match(program.text, /false\tTerminated\n/);
    assert.match(program.text, /false\t.*attempt to use a closed file\ndone\n/);
  },
);

test("craftos: modules, settings, files and libraries", async (t) => {
  const files = {
    "lib/greet.lua": 'return { hello = function(name) return "hello " .. name end }',
    "chunk.lua": "set_by_chunk = secret + 1 return secret",
  };
  const program = await runProgram(t, "craftos/modules", [], files);
  assert.equal(await program.ended, 0);
  const lines = program.lines.map((line) => line.replaceAll(`${program.folder}/`, ""));
  assert.deepEqual(lines, [
    "hello you\ttrue",
    "42\t43\tnil",
    "80",
    "true\t8080",
    "one;2;three;",
    "true\tb.txt\ta\tb",
    "false\tprogram.lua:19: Unsupported mode",
    "y\ta+b%26c",
    "nil\tfalse\tfalse\t51\t19",
    "program.lua:22: bad argument #1 (string expected, got number)",
    "48\t18432\t0\tCraftOS 1.8",
    "true\t5\t2147483648\t3",
  ]);
});
