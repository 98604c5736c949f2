import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newMemory, ownCopy } from "../../src/bytes/new-memory.ts";
import { moduleAlone } from "../support/module-alone.ts";

const MIB = 1_048_576;

const run = moduleAlone("bytes/new-memory.ts");

/** @returns by how many bytes the heap of glibc grows for a block of 20 MiB */
function growthAfter(first: string): number {
  const program = `
    import { readFileSync } from "node:fs";
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
  return run(program, "--single-threaded-gc");
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

  it("for the pieces of reads makes V8 collect what is young, not the whole heap", () => {
    const share = run(`
      import { PerformanceObserver, constants } from "node:perf_hooks";
      let [full, all] = [0, 0];
      const note = ({ detail }) => {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full++;
        all++;
      };
      new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ entryTypes: ["gc"] });
      let kept;
      for (let i = 0; i < 32_000; i++) {
        kept = pieceMemory(65_536);
        if (i % 1_024 === 0) await new Promise(setImmediate);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
      console.log((100 * full) / all);
    `);
    assert.ok(share < 20, `${share} % of the collections for 2 GiB are full ones`);
  });
});
