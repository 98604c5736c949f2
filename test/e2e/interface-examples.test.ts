import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import WebSocket from "ws";
import { type Program, startProgram } from "../support/program.ts";
import { within } from "../support/waiting.ts";
import { exchanged, nextMessage, opened } from "../support/ws-client.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Starts an example at any free port; it is stopped after the test. */
async function start(t: TestContext, name: string, ...args: string[]): Promise<Program> {
  const program = await startProgram("--import", "tsx", `examples/${name}.ts`, "0", ...args);
  t.after(() => program.stop("SIGKILL"));
  return program;
}

/** An example ends by itself, without an error, when it is asked to. */
async function ends(program: Program): Promise<void> {
  assert.equal(await within(program.stop("SIGTERM"), "the example to end"), 0);
}

async function webSocket(t: TestContext, url: string): Promise<WebSocket> {
  const socket = await opened(new WebSocket(url));
  t.after(() => socket.terminate());
  return socket;
}

/** A terminal: a connection that is read line by line. */
class Terminal {
  readonly socket: Socket;
  private readonly lines: AsyncIterableIterator<string>;

  constructor(t: TestContext, port: number) {
    this.socket = connect(port, "127.0.0.1");
    t.after(() => this.socket.destroy());
    const reader: Interface = createInterface({ input: this.socket });
    this.lines = reader[Symbol.asyncIterator]();
  }

  type(text: string): this {
    this.socket.write(text);
    return this;
  }

  async line(): Promise<string> {
    const { value } = await within(this.lines.next(), "a line");
    return value;
  }
}

describe("examples of portico/evo", () => {
  it("hello.ts: greets, and echoes", async (t) => {
    const program = await start(t, "evo/hello");
    const http = await program.line(/(http:\S+\/hello\/)/);
    assert.equal(await (await fetch(`${http}Ada`)).text(), "Hello, Ada\n");
    const socket = await webSocket(t, await program.line(/(ws:\S+)/));
    assert.deepEqual(await exchanged(socket, "text"), { data: "text", binary: false });
    assert.deepEqual(await exchanged(socket, Buffer.from([1, 2])), { data: "\x01\x02", binary: true });
    await ends(program);
  });

  it("game-loop.ts: a player moves", async (t) => {
    const program = await start(t, "evo/game-loop");
    const socket = await webSocket(t, await program.line(/(ws:\S+)/));
    socket.send("right");
    for (let x = 0; x < 3; ) {
      const state = JSON.parse((await nextMessage(socket)).data);
      x = state.positions[0];
    }
    await ends(program);
  });

  it("stream.ts: a response of 20 MB, byte for byte", async (t) => {
    const program = await start(t, "evo/stream");
    const response = await fetch(`${program.url}/numbers?bytes=20000000`);
    const content = Buffer.from(await response.arrayBuffer());
    const line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    assert.equal(content.compare(Buffer.alloc(20_000_000, line)), 0);
    await ends(program);
  });
});

describe("examples of portico/craftos", () => {
  it("hello.ts: greets until it is asked to stop", async (t) => {
    const program = await start(t, "craftos/hello");
    assert.equal(await (await fetch(`${program.url}/page?x=1`)).text(), "Hello from /page?x=1\n");
    assert.equal(await (await fetch(`${program.url}/stop`)).text(), "Hello from /stop\n");
    assert.equal(await within(program.exited, "the program to end"), 0);
  });

  it("hello.ts: server_stop ends it, too", async (t) => {
    await ends(await start(t, "craftos/hello"));
  });

  it("echo.ts: each client has its loop", async (t) => {
    const program = await start(t, "craftos/echo");
    const [one, two] = await Promise.all([webSocket(t, program.url), webSocket(t, program.url)]);
    assert.deepEqual(await exchanged(two, "two"), { data: "two", binary: false });
    assert.deepEqual(await exchanged(one, Buffer.from("one")), { data: "one", binary: true });
    one.close();
    await ends(program);
  });

  it("computer.ts: requests, messages and a clock in one loop", async (t) => {
    const program = await start(t, "craftos/computer");
    const socket = await webSocket(t, await program.line(/(ws:[^\s]+)/));
    socket.send("a line");
    socket.close();
    await once(socket, "close");
    assert.equal(await (await fetch(program.url)).text(), "1 lines:\na line\n");
    await ends(program);
  });
});

describe("examples of portico/daslang", () => {
  it("telnet.ts: the script is changed while a client types, and the client notices nothing", async (t) => {
    // A copy, because the script is changed.
    const folder = mkdtempSync(join(examples, "telnet-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const script = join(folder, "telnet-script.ts");
    for (const name of ["telnet.ts", "telnet-script.ts"]) {
      copyFileSync(join(examples, "daslang", name), join(folder, name));
    }
    const program = await startProgram("--import", "tsx", join(folder, "telnet.ts"), "0");
    t.after(() => program.stop("SIGKILL"));
    const terminal = new Terminal(t, Number(program.url.split(":")[2]));
    assert.match(await terminal.line(), /^Welcome/);
    assert.equal(await terminal.type("hello\r\n").line(), "1: you said hello");
    assert.equal(await terminal.type("version\nhalf a ").line(), "version 1");
    writeFileSync(script, readFileSync(script, "utf8").replace("you said", "I heard"));
    await within(program.line(/(script reloaded)/), "the reload");
    assert.equal(await terminal.type("line\n").line(), "2: I heard half a line");
    assert.equal(await terminal.type("version\n").line(), "version 2");
    const connections = program.lines.filter((line) => line.startsWith("connection"));
    assert.deepEqual(connections, ["connection accepted"]);
    await ends(program);
  });

  it("line-echo.ts: serves and calls in one loop", async (t) => {
    const program = await start(t, "daslang/line-echo");
    assert.equal(await within(program.line(/Tried in \d+ ms: (.*)/), "the trial"), "is anybody there?");
    const terminal = new Terminal(t, Number(program.url.split(":")[2]));
    assert.equal(await terminal.type("me, too\n").line(), "me, too");
    await ends(program);
  });

  it("poll-status.ts: asks an HTTP server", async (t) => {
    const server = await start(t, "evo/hello");
    const url = await server.line(/(http:\S+\/hello\/)/);
    const args = ["--import", "tsx", join(examples, "daslang/poll-status.ts"), `${url}you`, "2"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    assert.match(stdout, /^1: status 200, 11 bytes, \d+ ms\n2: status 200, 11 bytes, \d+ ms\n$/);
  });
});

describe("examples of portico/facil", () => {
  it("hello.ts: the document's example, with threads", async (t) => {
    const program = await start(t, "facil/hello", "2");
    assert.equal(await (await fetch(program.url)).text(), "Hello World!");
    const socket = await webSocket(t, program.url.replace("http", "ws"));
    assert.deepEqual(await exchanged(socket, "text"), { data: "text", binary: false });
    await ends(program);
  });

  it("broadcast.ts: what one says reaches the others", async (t) => {
    const program = await start(t, "facil/broadcast");
    const url = program.url.replace("http", "ws");
    const [one, two] = await Promise.all([webSocket(t, url), webSocket(t, url)]);
    const heard = new Promise<void>((resolve) => {
      two.on("message", (data) => {
        if (String(data).includes("hello, others")) resolve();
      });
    });
    one.send("hello, others");
    await within(heard, "the message");
    await ends(program);
  });

  it("workers.ts: processes and threads answer on one port", async (t) => {
    const program = await start(t, "facil/workers", "2", "2");
    const seen = new Set<string>();
    // The first one listens before the others have started: how many requests that takes depends on the machine.
    const patience = AbortSignal.timeout(30_000);
    while (seen.size < 2 && !patience.aborted) {
      const { pid, thread } = (await (await fetch(program.url)).json()) as { pid: number; thread: number };
      seen.add(`${pid} ${thread}`);
    }
    assert.ok(seen.size >= 2, `${[...seen]}`);
    await ends(program);
  });
});

describe("the chat with a status page, in all models", () => {
  for (const name of ["portico", "evo", "craftos", "daslang", "facil"]) {
    it(`${name}.ts`, async (t) => {
      const program = await start(t, `chat/${name}`);
      const chat = await program.line(/Chat at (ws:\S+)/);
      const status = await program.line(/Status at (http:\S+)/);
      const people = await Promise.all([webSocket(t, chat), webSocket(t, chat)]);
      const heard = people.map((person) => nextMessage(person));
      people[0]!.send("Hello, everybody: ä€");
      for (const message of await Promise.all(heard)) {
        assert.equal(message.binary, false);
        assert.equal(Buffer.from(message.data, "latin1").toString("utf8"), "Hello, everybody: ä€");
      }
      assert.equal(await (await fetch(status)).text(), "2 online, 1 messages\n");
      people[1]!.close();
      await once(people[1]!, "close");
      while (!(await (await fetch(status)).text()).startsWith("1 online")) {
        // The server learns of it a moment later.
      }
      await ends(program);
    });
  }
});
