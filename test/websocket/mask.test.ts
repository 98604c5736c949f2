import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readMemory } from "../../src/bytes/read-memory.ts";
import { applyMask, randomMaskKey } from "../../src/protocol/websocket/mask.ts";
import { RUNS } from "./feed.ts";

/** RFC 6455 §5.3: transformed-octet-i = original-octet-i XOR masking-key-octet-(i MOD 4). */
function plainMask(bytes: Uint8Array, start: number, end: number, key: number, offset: number): void {
  const octets = [key >>> 24, (key >>> 16) & 255, (key >>> 8) & 255, key & 255];
  for (let i = start; i < end; i += 1) bytes[i]! ^= octets[(i - start + offset) % 4]!;
}

describe("applyMask, RFC 6455 §5.3", () => {
  const memories: [what: string, buffer: ArrayBufferLike][] = [
    ["any memory", new ArrayBuffer(256)],
    ["the memory that sockets are read into", readMemory.bytes.buffer],
  ];
  it("has WebAssembly for the memory that sockets are read into", () => {
    assert.equal(typeof readMemory.maskBlocks, "function");
    assert.equal(readMemory.bytes.length, 65_536);
  });
  for (const [what, buffer] of memories)
    it(`is right for every alignment, offset and small length, in ${what}`, () => {
      for (const base of [0, 1, 2, 3, 5, buffer.byteLength - 200]) {
        for (let start = 0; start < 4; start += 1) {
          for (let offset = 0; offset < 5; offset += 1) {
            for (let length = 0; length < 140; length += 1) {
              const bytes = new Uint8Array(buffer, base, 200).map((_, i) => i * 7);
              const view = new Uint8Array(buffer, base, 200);
              view.set(bytes);
              const expected = bytes.slice();
              plainMask(expected, start, start + length, 0xa1b2c3d4, offset);
              applyMask(view, start, start + length, 0xa1b2c3d4, offset);
              assert.deepEqual(view, expected);
            }
          }
        }
      }
    });
  it("is right for any bytes, key and place", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat({ max: 0xffffffff }),
        fc.nat({ max: 9 }),
        fc.nat({ max: 12 }),
        fc.nat(),
        (bytes, key, base, start, offset) => {
          const buffer = Buffer.alloc(bytes.length + base);
          const view = buffer.subarray(base);
          view.set(bytes);
          const from = Math.min(start, bytes.length);
          const expected = Uint8Array.from(bytes);
          plainMask(expected, from, bytes.length, key, offset);
          applyMask(view, from, bytes.length, key, offset);
          assert.ok(view.equals(expected));
        },
      ),
      { numRuns: RUNS },
    );
  });
  it("is right for a whole read", () => {
    const { bytes } = readMemory;
    const expected = new Uint8Array(bytes).map((_, i) => i * 7);
    bytes.set(expected);
    plainMask(expected, 3, bytes.length, 0xa1b2c3d4, 1);
    applyMask(bytes, 3, bytes.length, 0xa1b2c3d4, 1);
    assert.ok(bytes.equals(expected));
  });
  it("does not touch what is outside, also beyond the kept view", () => {
    for (const size of [1000, 300_000]) {
      const bytes = Buffer.alloc(size, 1);
      applyMask(bytes, 3, size - 3, 0xffffffff, 0);
      assert.deepEqual([...bytes.subarray(0, 4)], [1, 1, 1, 254]);
      assert.deepEqual([...bytes.subarray(size - 4)], [254, 1, 1, 1]);
    }
  });
});

describe("randomMaskKey", () => {
  it("gives different uint32 keys", () => {
    const keys = new Set(Array.from({ length: 5000 }, randomMaskKey));
    assert.ok(keys.size > 4990);
    for (const key of keys) assert.ok(Number.isInteger(key) && key >= 0 && key <= 0xffffffff);
  });
});
