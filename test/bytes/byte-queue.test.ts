import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/bytes/byte-queue.ts";

const runs = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 2_000);

const size = fc.oneof(fc.nat(10), fc.nat(2_000), fc.nat(200_000));
const kind = fc.constantFrom("append", "reference", "take", "pieces");
const steps = fc.array(fc.record({ kind, size, most: fc.integer({ min: 1, max: 5 }) }), { maxLength: 30 });

describe("a queue of bytes", () => {
  it("gives back what was put in, in order, and nothing that it changes afterwards", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new ByteQueue();
        const taken: { bytes: Buffer; copy: Buffer }[] = [];
        let expected = Buffer.alloc(0);
        let next = 0;
        for (const step of all) {
          if (step.kind === "append" || step.kind === "reference") {
            const bytes = Buffer.alloc(step.size, ++next);
            expected = Buffer.concat([expected, bytes]);
            if (step.kind === "reference") queue.appendReference(bytes);
            else {
              queue.append(bytes);
              bytes.fill(0);
            }
            continue;
          }
          const pieces =
            step.kind === "take" ? [queue.take(step.size)] : queue.takePieces(step.size, step.most);
          const got = Buffer.concat(pieces);
          if (step.kind === "take") assert.equal(got.length, Math.min(step.size, expected.length));
          else assert.ok(pieces.length <= step.most && got.length <= step.size);
          assert.ok(got.equals(expected.subarray(0, got.length)));
          expected = expected.subarray(got.length);
          for (const bytes of pieces) taken.push({ bytes, copy: Buffer.from(bytes) });
          assert.equal(queue.length, expected.length);
        }
        assert.ok(queue.take(Number.POSITIVE_INFINITY).equals(expected));
        for (const { bytes, copy } of taken) assert.ok(bytes.equals(copy));
      }),
      { numRuns: runs },
    );
  });

  it("holds little more than what waits in it, in whatever pieces it came", () => {
    const held = (queue: ByteQueue): number => {
      const memory = new Set<ArrayBufferLike>();
      for (const piece of queue.takePieces(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))
        memory.add(piece.buffer);
      let bytes = 0;
      for (const { byteLength } of memory) bytes += byteLength;
      return bytes;
    };
    for (const large of [0, 20_000]) {
      const queue = new ByteQueue();
      for (let i = 0; i < 3_000; i++) {
        queue.append(Buffer.alloc(3, i));
        if (large > 0) queue.appendReference(Buffer.allocUnsafeSlow(large));
      }
      const { length } = queue;
      const bytes = held(queue);
      assert.ok(bytes < 2 * length + 1_024, `${bytes} bytes for ${length}`);
    }
  });
});
