import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "../../src/node/runtime.ts";
import { runtimeLines, runtimeTitle } from "../../src/node/runtime-lines.ts";
import { Server } from "../../src/server/server.ts";

const { node: version } = process.versions;
const [major = 0, minor = 0] = version.split(".").map(Number);
const isNewForm = major > 24 || (major === 24 && minor >= 22);
const isWindows = process.platform === "win32";

describe("what this version of Node gives", () => {
  it("is all that it should: a way that was lost fails here", () => {
    assert.deepEqual(runtime(), {
      name: "node",
      version,
      nodeVersion: version,
      platform: `${process.platform} ${process.arch}`,
      reads: "shared-buffer",
      writes: isNewForm ? "handle" : "handle-with-request",
      accepts: "handles",
      asyncContext: true,
      bindNow: true,
      listeningDescriptor: !isWindows,
      // Node ignores the option before, and systems differ.
      reusePort: process.platform === "linux" && (major > 22 || (major === 22 && minor >= 12)),
      deflate: true,
      webAssembly: true,
      fastBuffers: true,
      // Newer versions keep the state of Request and Response in private fields.
      requestState: major < 24,
      responseSource: major < 24,
      tlsParent: true,
    });
  });

  it("is found once, and cannot be changed", () => {
    assert.equal(runtime(), runtime());
    assert.ok(Object.isFrozen(runtime()));
  });

  it("is told by a server, which uses only streams with directIo: false", () => {
    assert.equal(new Server().runtime, runtime());
    assert.deepEqual(new Server({ directIo: false }).runtime, {
      ...runtime(),
      reads: "stream",
      writes: "stream",
      accepts: "sockets",
    });
  });
});

describe("the runtime in words", () => {
  it("names another runtime with the version of Node that it is like", () => {
    const deno = {
      ...runtime(),
      name: "deno",
      version: "2.9.6",
      nodeVersion: "26.3.0",
      platform: "linux x64",
    };
    assert.equal(runtimeTitle(deno), "Deno 2.9.6 (as Node 26.3.0), linux x64");
    assert.match(runtimeTitle(runtime()), /^Node \d+\.\d+\.\d+, \w+ \w+$/);
  });

  it("has a line for each part, and marks what is slower or not there", () => {
    const best = {
      reads: "shared-buffer",
      writes: "handle",
      requestState: true,
      responseSource: true,
    } as const;
    const all = runtimeLines({ ...runtime(), ...best, reusePort: true, listeningDescriptor: true });
    const worse = all.filter(({ isBest }) => !isBest);
    assert.deepEqual(worse, []);
    assert.equal(new Set(all.map(({ text }) => text)).size, all.length);
    const none = { bindNow: false, listeningDescriptor: false, reusePort: false, deflate: false } as const;
    const lost = {
      webAssembly: false,
      fastBuffers: false,
      requestState: false,
      responseSource: false,
      tlsParent: false,
    } as const;
    const least = runtimeLines({
      ...runtime(),
      ...none,
      ...lost,
      reads: "stream",
      writes: "stream",
      accepts: "sockets",
    });
    assert.deepEqual(
      least.filter(({ isBest }) => isBest).map(({ name }) => name),
      [],
    );
  });
});
