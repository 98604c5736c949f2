import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as netConnect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { Server } from "../../src/server/server.ts";
import { harness } from "../support/harness.ts";
import { temporaryFolder } from "../support/places.ts";

const MAX_BYTES = process.platform === "linux" ? 107 : 103;

/** A path of so many bytes. */
function pathOf(dir: string, bytes: number): string {
  return join(dir, "é".repeat(2).padEnd(bytes - Buffer.byteLength(dir) - 1 - 2, "s"));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

async function answers(path: string): Promise<boolean> {
  const client = netConnect(path);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const [data]: Buffer[] = await once(client, "data");
  client.destroy();
  return data?.toString().startsWith("HTTP/1.1 404") ?? false;
}

/** The file of a server that was killed. */
async function stale(path: string): Promise<void> {
  const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(existsSync(path));
}

describe("the path of a Unix socket", { skip: process.platform === "win32" }, () => {
  test("can be as long as the system allows", async (t) => {
    const { server } = harness(t);
    const path = pathOf(temporaryFolder(t), MAX_BYTES);
    assert.equal(Buffer.byteLength(path), MAX_BYTES);
    assert.equal((await server.listen({ path })).url, path);
    assert.ok(existsSync(path));
    assert.ok(await answers(path));
  });

  test("is refused when it is longer, and nothing is made", async (t) => {
    const { server } = harness(t);
    const path = pathOf(temporaryFolder(t), MAX_BYTES + 1);
    const message = new RegExp(`at most ${MAX_BYTES} bytes, .* has ${MAX_BYTES + 1}`);
    await assert.rejects(server.listen({ path }), { name: "RangeError", message });
    assert.throws(() => server.listenNow({ path }), { name: "RangeError", message });
    await assert.rejects(connect("ws://h/", {}, { path }), { name: "RangeError", message });
    await assert.rejects(server.listen({ path: "a\0b" }), RangeError);
    assert.equal(existsSync(path), false);
  });
});

describe("a file that is there already", { skip: process.platform === "win32" }, () => {
  test("of a dead server is replaced", async (t) => {
    const { server } = harness(t);
    const path = join(temporaryFolder(t), "s");
    await stale(path);
    await server.listen({ path, mode: 0o600 });
    assert.ok(await answers(path));
    assert.equal(modeOf(path), 0o600);
  });

  test("of a server that lives is EADDRINUSE, and stays", async (t) => {
    const { server } = harness(t);
    const path = join(temporaryFolder(t), "s");
    await server.listen({ path });
    await using second = new Server();
    await assert.rejects(second.listen({ path }), { code: "EADDRINUSE" });
    assert.ok(await answers(path));
  });

  test("that is not a socket is EADDRINUSE, and stays", async (t) => {
    const { server } = harness(t);
    const dir = temporaryFolder(t);
    const path = join(dir, "file");
    writeFileSync(path, "mine");
    await assert.rejects(server.listen({ path }), { code: "EADDRINUSE" });
    await stale(join(dir, "s"));
    symlinkSync(join(dir, "s"), join(dir, "link"));
    await assert.rejects(server.listen({ path: join(dir, "link") }), { code: "EADDRINUSE" });
    assert.ok(existsSync(path));
  });

  test("stays with listenNow", async (t) => {
    const { server } = harness(t);
    const path = join(temporaryFolder(t), "s");
    await stale(path);
    assert.throws(() => server.listenNow({ path }), { code: "EADDRINUSE" });
  });
});

describe("mode", { skip: process.platform === "win32" }, () => {
  test("is that of the file, and the mask of the process stays", async (t) => {
    const { server } = harness(t);
    const dir = temporaryFolder(t);
    const mask = process.umask();
    await server.listen({ path: join(dir, "a"), mode: 0o660 });
    server.listenNow({ path: join(dir, "b"), mode: 0o606 });
    await server.listen({ path: join(dir, "c") });
    const modes = ["a", "b", "c"].map((name) => modeOf(join(dir, name)));
    assert.deepEqual(modes, [0o660, 0o606, 0o777 & ~mask]);
    await assert.rejects(server.listen({ path: join(dir, "none", "d"), mode: 0o600 }));
    assert.equal(process.umask(), mask);
  });

  test("is refused where it means nothing", async (t) => {
    const { server } = harness(t);
    const path = join(temporaryFolder(t), "s");
    await assert.rejects(server.listen({ port: 0, mode: 0o600 }), {
      name: "TypeError",
      message: /needs a path/,
    });
    await assert.rejects(server.listen({ path: "\0portico-test", mode: 0o600 }), TypeError);
    for (const mode of [-1, 0o1000, 1.5, "660" as unknown as number]) {
      await assert.rejects(server.listen({ path, mode }), RangeError);
      assert.throws(() => server.listenNow({ path, mode }), RangeError);
    }
  });
});
