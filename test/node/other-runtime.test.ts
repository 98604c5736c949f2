import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("other-runtime.ts", import.meta.url));

describe("in a runtime that is not like Node, importing the package throws nothing and servers work", () => {
  for (const way of ["refusing", "plain", "late"]) {
    it(`its sockets and zlib are ${way}`, async () => {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ["--import", "tsx", program, way],
        { timeout: 30_000 },
      );
      assert.equal(stderr, "");
      const { text, message, runtime } = JSON.parse(stdout);
      assert.deepEqual([text, message], ["hello", "ping"]);
      const { reads, writes, deflate, webAssembly, fastBuffers, tlsParent } = runtime;
      assert.deepEqual(
        { reads, writes, deflate, webAssembly, fastBuffers, tlsParent },
        {
          reads: way === "late" ? "shared-buffer" : "stream",
          writes: "stream",
          deflate: false,
          webAssembly: false,
          fastBuffers: false,
          tlsParent: false,
        },
      );
    });
  }
});
