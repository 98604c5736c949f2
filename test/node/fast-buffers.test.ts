import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bufferView, latin1Text, partOf } from "../../src/node/fast-buffers.ts";

const all = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));

describe("Buffers without a lookup", () => {
  it("lie in the same memory, and are Buffers", () => {
    const memory = new ArrayBuffer(16);
    const view = bufferView(memory, 3, 5);
    assert.ok(Buffer.isBuffer(view));
    assert.deepEqual([view.byteOffset, view.length], [3, 5]);
    view.fill(7);
    assert.deepEqual([...new Uint8Array(memory)], [0, 0, 0, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("are parts of others, also of those that lie inside of their memory", () => {
    const inner = all.subarray(100, 200);
    for (const [start, end] of [
      [0, 0],
      [0, 100],
      [7, 9],
      [100, 100],
    ] as const) {
      assert.deepEqual(partOf(inner, start, end), inner.subarray(start, end));
      assert.deepEqual(partOf(all, start, end), all.subarray(start, end));
    }
  });

  it("become latin1 text", () => {
    for (const [start, end] of [
      [0, 256],
      [0, 0],
      [128, 255],
      [65, 66],
    ] as const)
      assert.equal(latin1Text(all, start, end), all.toString("latin1", start, end));
  });
});
