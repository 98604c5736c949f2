// The package as it is published, on Bun and Deno, and on this Node for comparison.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { binaryOf, isRuntimeName } from "../../scripts/runtimes/runtimes.ts";
import { installedProject, ownPackages, type Project } from "../docs/installed.ts";
import { programsOf } from "../docs/programs.ts";
import { freePort } from "../support/places.ts";
import { sleep, within } from "../support/waiting.ts";
import { nextMessage, opened } from "../support/ws-client.ts";

const START_MS = 30_000;
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const firstPrograms = programsOf("README.md", read("../../README.md"));
/** What the programs of README answer, in their order. */
const answers: readonly [path: string, answer: RegExp][] = [
  ["/hello/Ada", /^Hello, Ada\n$/],
  ["/steps", /^\d+ steps\n$/],
];

/** Outside of the repository, with the package installed. */
let project: Project;

before(async () => {
  project = await installedProject([...ownPackages, "ws"]);
  for (const file of ["program.mjs", "channels.mjs", "socket-of-node-20.mjs"])
    project.write(file, read(file));
});
after(() => project?.remove());

class Running {
  readonly lines: AsyncIterator<string>;
  readonly ended: Promise<unknown>;
  complaint = "";
  private readonly child;

  constructor(t: TestContext, binary: string, args: readonly string[]) {
    const child = spawn(binary, args, { cwd: project.folder, stdio: "pipe" });
    this.child = child;
    this.ended = once(child, "close").then(([code, signal]) => signal ?? code);
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.on("data", (text: Buffer) => {
      this.complaint += text;
    });
    t.after(async () => {
      child.kill("SIGKILL");
      await this.ended;
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  endInput(): void {
    this.child.stdin.end();
  }

  async line(): Promise<string> {
    const { value } = await within(this.lines.next(), `a line: ${this.complaint}`, START_MS);
    return value ?? "";
  }
}

/** Asks until the program listens. */
async function ask(url: string, program: Running): Promise<string> {
  const end = Date.now() + START_MS;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) return response.text();
    if (Date.now() > end || !program.isRunning)
      throw new Error(`nothing listens there: ${program.complaint}`);
    await sleep(50);
  }
}

/** The arguments before the file. */
const flags: Readonly<Record<string, readonly string[]>> = { deno: ["run", "--allow-all"] };

for (const name of ["node", "bun", "deno"]) {
  const binary = isRuntimeName(name) ? binaryOf(name) : process.execPath;
  const isAbsent = binary === undefined && !process.env["CI"];
  const skip = isAbsent && `SKIPPED: ${name} is not here. Fetch it: npm run runtimes -- ${name}`;

  describe(`the package on ${name}`, { skip }, () => {
    const start = (t: TestContext, file: string): Running => {
      assert.ok(binary !== undefined, `${name} is not here: npm run runtimes -- ${name}`);
      return new Running(t, binary, [...(flags[name] ?? []), join(project.folder, file)]);
    };

    for (const [index, { place, text }] of firstPrograms.entries()) {
      const [path, answer] = answers[index] ?? ["/", /./];
      // Node 20 does not run TypeScript; test/docs runs what is compiled of these.
      const isOwn = name === "node" && "test/docs runs it";
      it(`runs ${place} as it is, but for its port`, { skip: isOwn }, async (t) => {
        const port = await freePort();
        const file = `${name}-${index}.ts`;
        project.write(file, text.replace(/port: \d+/, `port: ${port}`));
        const program = start(t, file);
        assert.match(await ask(`http://127.0.0.1:${port}${path}`, program), answer);
        assert.equal(program.complaint, "");
      });
    }

    it("serves HTTP and WebSocket, and closes in order", async (t) => {
      const program = start(t, "program.mjs");
      const { port, runtime } = JSON.parse(await program.line());
      assert.equal(runtime.name, name);
      const url = `http://127.0.0.1:${port}`;
      assert.equal(await (await fetch(`${url}/hello/Ada`)).text(), "Hello, Ada");
      const large = "x".repeat(300_000);
      const post = { method: "POST", body: large };
      assert.equal(await (await fetch(`${url}/echo`, post)).text(), large);
      assert.equal(
        await (await fetch(`${url}/fetch`, { ...post, body: "answered" })).text(),
        "answered by fetch",
      );

      const socket = await within(opened(new WebSocket(`ws://127.0.0.1:${port}/echo`)), "the handshake");
      for (const message of ["short", large]) {
        const echo = nextMessage(socket);
        socket.send(message);
        assert.deepEqual(await within(echo, "the echo"), { data: message, binary: false });
      }

      const slow = fetch(`${url}/slow`);
      assert.equal(await program.line(), "slow");
      const closed = within(once(socket, "close"), "the close of the WebSocket");
      program.endInput();
      assert.equal(await (await slow).text(), "done");
      assert.equal((await closed)[0], 1001);
      assert.equal(await program.line(), "closed");
      assert.equal(await within(program.ended, "the end of the program"), 0);
      assert.equal(program.complaint, "");
      await assert.rejects(fetch(`${url}/hello/Ada`));
    });

    it("serves channels to its own client, which comes back", async (t) => {
      const program = start(t, "channels.mjs");
      assert.equal(await program.line(), "false one two true Ada");
      assert.equal(await within(program.ended, "the end of the program"), 0);
      assert.equal(program.complaint, "");
    });
  });
}
