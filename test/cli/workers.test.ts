import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { put, temporaryFolder } from "../support/places.ts";
import { within } from "../support/waiting.ts";
import { portico, type Running, start } from "./portico.ts";

const program = (text: string): string =>
  `export const routes = { "/": () => "${text}", "/pid": () => String(process.pid), "/crash": () => process.exit(5) };`;

async function text(url: string, path: string): Promise<string> {
  return (await fetch(new URL(path, url))).text();
}

/** A program in two processes, which are ready. */
async function twoWorkers(t: TestContext): Promise<{ root: string; server: Running; url: string }> {
  const root = temporaryFolder(t, { "app.mjs": program("one") });
  const server = start(t, ["run", "app.mjs", "--port", "0", "--workers", "2", "--json"], root);
  const url = await server.url();
  await server.printed(/"event":"ready","worker":2/);
  return { root, server, url };
}

describe("portico run --workers", () => {
  it("serves a file in several processes, starts a crashed one again, and ends all with SIGTERM", async (t) => {
    const { server, url } = await twoWorkers(t);
    assert.equal(await text(url, "/"), "one");
    await assert.rejects(text(url, "/crash"));
    await server.printed(/"event":"crashed","worker":\d,"reason":"exit code 5","restartInMs":100/);
    assert.equal(await text(url, "/"), "one");
    const { code } = await server.stop("SIGTERM");
    assert.equal(code, 143);
  });

  it("SIGHUP runs the file as it is now, in new processes", async (t) => {
    const { root, server, url } = await twoWorkers(t);
    const former = await text(url, "/pid");
    put(root, "app.mjs", program("two"));
    server.child.kill("SIGHUP");
    await server.printed(/"event":"replaced","worker":2/);
    assert.equal(await text(url, "/"), "two");
    assert.notEqual(await text(url, "/pid"), former);
  });

  it("prints where it listens, once, and crashes on stderr", async (t) => {
    const root = temporaryFolder(t, { "app.mjs": program("one") });
    const server = start(t, ["run", "app.mjs", "--port", "0", "--workers", "1"], root);
    await assert.rejects(text(await server.url(), "/crash"));
    await server.printed(/portico: worker 1 ended with exit code 5. It restarts in 100 ms/);
    const { stdout } = await server.stop("SIGINT");
    const line = /^Running app\.mjs in workers at http:\/\/127\.0\.0\.1:\d+ \(press Ctrl-C to stop\)\n$/;
    assert.match(stdout, line);
  });

  it("a file that cannot be run ends the command with exit code 1", async (t) => {
    const root = temporaryFolder(t, { "app.mjs": "export const routes = {" });
    const running = portico(t, ["run", "app.mjs", "--port", "0", "--workers", "2"], { cwd: root });
    const { code, stderr } = await within(running, "the command to end", 20_000);
    assert.equal(code, 1);
    assert.match(stderr, /app\.mjs cannot be run/);
    assert.match(stderr, /portico: worker 1 ended with exit code 1 before it was ready/);
  });

  it("refuses a count that makes no sense", async (t) => {
    const { code, stderr } = await portico(t, ["run", "app.mjs", "--workers", "0"]);
    assert.equal(code, 2);
    assert.match(stderr, /--workers/);
  });
});
