import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { activatedSockets } from "../../src/operations/activated-sockets.ts";
import { listen } from "../../src/transport/listen.ts";
import { temporaryFolder } from "../support/places.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { sleep, within } from "../support/waiting.ts";

const PATIENCE_MS = 10_000;
const root = fileURLToPath(new URL("../../", import.meta.url));
const program = fileURLToPath(new URL("./activated-server.ts", import.meta.url));
const node = [process.execPath, "--import", "tsx", program];

const pid = String(process.pid);
const rows: readonly [
  name: string,
  env: Record<string, string>,
  wanted: readonly (readonly [number, string])[],
][] = [
  ["nothing without the variables", {}, []],
  ["nothing for another process", { LISTEN_PID: "1", LISTEN_FDS: "1" }, []],
  ["nothing without a process", { LISTEN_FDS: "1" }, []],
  ["nothing for what is no number", { LISTEN_PID: pid, LISTEN_FDS: "x" }, []],
  ["nothing for a negative number", { LISTEN_PID: pid, LISTEN_FDS: "-1" }, []],
  ["none", { LISTEN_PID: pid, LISTEN_FDS: "0" }, []],
  ["one without a name", { LISTEN_PID: pid, LISTEN_FDS: "1" }, [[3, "unknown"]]],
  [
    "two with names",
    { LISTEN_PID: pid, LISTEN_FDS: "2", LISTEN_FDNAMES: "web:admin" },
    [
      [3, "web"],
      [4, "admin"],
    ],
  ],
  [
    "two with one name",
    { LISTEN_PID: pid, LISTEN_FDS: "2", LISTEN_FDNAMES: "web" },
    [
      [3, "web"],
      [4, "unknown"],
    ],
  ],
];

describe("activatedSockets", () => {
  for (const [name, env, wanted] of rows) {
    it(`finds ${name}`, () => {
      const variables = { ...env };
      assert.deepEqual(
        activatedSockets(variables).map((socket) => [socket.fd, socket.name]),
        wanted,
      );
      if (env["LISTEN_PID"] === pid) assert.deepEqual(variables, {}, "and removes the variables");
    });
  }

  it("serves at a descriptor that the process has inherited", async (t) => {
    // Opened here and accepted there: nobody accepts here.
    const listener = await listen(
      { host: "127.0.0.1" },
      { accept: () => {}, acquireSlot: () => undefined, error: () => {} },
      true,
      1_000,
    );
    t.after(() => listener.close());
    const { port } = listener;
    const child = spawn(
      "/bin/sh",
      ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"', "sh", ...node],
      {
        cwd: root,
        stdio: ["ignore", "ignore", "inherit", listener.fd],
      },
    );
    ends(t, child);
    listener.close();
    // The connection waits in the backlog until the program has started.
    const client = await tcpClient(port);
    t.after(() => client.destroy());
    const answer = await client.get("/").answer("GET", PATIENCE_MS);
    assert.deepEqual(JSON.parse(answer.text), { sockets: [{ fd: 3, name: "web" }], left: [], again: [] });
  });

  it("serves what systemd-socket-activate gives it", async (t) => {
    if (!hasSocketActivate())
      return t.skip("systemd-socket-activate is not installed: Debian's package systemd has it");
    const path = join(temporaryFolder(t), "socket");
    const child = spawn("systemd-socket-activate", ["-l", path, "--fdname=web", ...node], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    ends(t, child);
    const client = await within(connected(path), "the socket to accept", PATIENCE_MS);
    t.after(() => client.destroy());
    const answer = await client.get("/").answer("GET", PATIENCE_MS);
    assert.deepEqual(JSON.parse(answer.text), { sockets: [{ fd: 3, name: "web" }], left: [], again: [] });
  });
});

// The file of the socket exists before it listens, so a connection can be refused at first.
async function connected(path: string): Promise<RawClient> {
  for (;;) {
    try {
      return await tcpClient({ path });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ECONNREFUSED") throw error;
      await sleep(2);
    }
  }
}

function ends(t: TestContext, child: ChildProcess): void {
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await within(exited, "the program to end", PATIENCE_MS);
  });
}

function hasSocketActivate(): boolean {
  try {
    execFileSync("systemd-socket-activate", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
