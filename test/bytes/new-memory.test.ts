import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { transformSync } from "esbuild";
import { newMemory, ownCopy } from "../../src/bytes/new-memory.ts";

const MIB = 1_048_576;

/** The module as JavaScript: a loader of TypeScript frees large blocks itself. */
const source = readFileSync(new URL("../../src/bytes/new-memory.ts", import.meta.url), "utf8");
const { code } = transformSync(source, { loader: "ts" });

/** @returns by how many bytes the heap of glibc grows for a block of 20 MiB, in a process of its own */
function growthAfter(first: string): number {
  const program = `
    import { readFileSync } from "node:fs";
    ${code}
    const heapBytes = () => {
      const [, from, to] = /^(\\w+)-(\\w+) .*\\[heap\\]$/m.exec(readFileSync("/proc/self/maps", "latin1"));
      return parseInt(to, 16) - parseInt(from, 16);
    };
    ${first};
    gc();
    gc(); // ends what the first one left for later
    const before = heapBytes();
    const block = Buffer.allocUnsafeSlow(20 * ${MIB});
    console.log(heapBytes() - before, block.length);
  `;
  // Otherwise another thread frees memory, some time later.
  const args = ["--expose-gc", "--single-threaded-gc", "--input-type=module", "--eval", program];
  return Number.parseInt(execFileSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 }), 10);
}

function hasGlibc(): boolean {
  const report: unknown = process.report?.getReport();
  return JSON.stringify(report).includes("glibcVersionRuntime");
}

describe("new memory", () => {
  it("is a Buffer of its own with the size that was asked for", () => {
    for (const size of [0, 1, 4_096, 100_000, 40 * MIB]) {
      const bytes = newMemory(size);
      assert.ok(Buffer.isBuffer(bytes));
      assert.equal(bytes.length, size);
      assert.equal(bytes.buffer.byteLength, size);
    }
  });

  it("holds copies that do not change with the original", () => {
    for (const size of [3, 40_000]) {
      const original = Buffer.alloc(size, 1);
      const copy = ownCopy(original);
      original.fill(2);
      assert.ok(copy.equals(Buffer.alloc(size, 1)));
    }
  });

  it("of a large message makes glibc keep freed memory", { skip: !hasGlibc() && "there is no glibc" }, () => {
    assert.ok(growthAfter("newMemory(32_767)") < MIB, "blocks are returned to the system");
    assert.ok(growthAfter("newMemory(32_768)") > 16 * MIB, "blocks are kept");
  });
});
