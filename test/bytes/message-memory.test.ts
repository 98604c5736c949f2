import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";

// What it keeps is let go by a timer that it takes when it is loaded.
mock.timers.enable({ apis: ["setTimeout"] });
const { messageMemory } = await import("../../src/bytes/message-memory.ts");

const KIB = 1_024;
const MIB = 1_048_576;

describe("memory for large messages", () => {
  // Long enough for everything to have been let go.
  beforeEach(() => mock.timers.tick(60_000));

  it("is used again when it has been given back, whatever part of it", () => {
    const { buffer } = messageMemory.take(100 * KIB, 100 * KIB);
    messageMemory.recycle(Buffer.from(buffer, 0, 10));
    const again = messageMemory.take(60 * KIB, 60 * KIB);
    assert.equal(again.buffer, buffer);
    assert.equal(again.length, 60 * KIB);
    assert.notEqual(messageMemory.take(60 * KIB, 60 * KIB).buffer, buffer);
  });

  it("is not wasted on messages of less than half its size", () => {
    const { buffer } = messageMemory.take(200 * KIB, 200 * KIB);
    messageMemory.recycle(Buffer.from(buffer));
    assert.notEqual(messageMemory.take(99 * KIB, 99 * KIB).buffer, buffer);
    assert.equal(messageMemory.take(100 * KIB, 100 * KIB).buffer, buffer);
  });

  it("is the smallest that is large enough", () => {
    const sizes = [400, 300, 500].map((size) => messageMemory.take(size * KIB, size * KIB));
    for (const bytes of sizes) messageMemory.recycle(bytes);
    assert.equal(messageMemory.take(290 * KIB, 290 * KIB).buffer, sizes[1]!.buffer);
    assert.equal(messageMemory.take(290 * KIB, 290 * KIB).buffer, sizes[0]!.buffer);
  });

  it("is made for what is needed, and taken for what may be where it is there", () => {
    assert.equal(messageMemory.take(100 * KIB, MIB).length, 100 * KIB);
    const large = messageMemory.take(MIB, MIB);
    messageMemory.recycle(large);
    assert.equal(messageMemory.take(100 * KIB, MIB).buffer, large.buffer);
  });

  it("is never less than what is needed, also where that is more than what is known to come", () => {
    messageMemory.recycle(messageMemory.take(400 * KIB, 400 * KIB));
    assert.equal(messageMemory.take(300 * KIB, 210 * KIB).length, 300 * KIB);
  });

  it("is kept up to 16 MiB, in pieces of at most 4 MiB", () => {
    const pieces = Array.from({ length: 5 }, () => messageMemory.take(4 * MIB, 4 * MIB));
    const tooLarge = messageMemory.take(4 * MIB + 1, 4 * MIB + 1);
    for (const bytes of [tooLarge, ...pieces]) messageMemory.recycle(bytes);
    const known = new Set(pieces.map(({ buffer }) => buffer));
    const again = Array.from({ length: 5 }, () => messageMemory.take(4 * MIB, 4 * MIB));
    assert.equal(again.filter(({ buffer }) => known.has(buffer)).length, 4);
    assert.notEqual(messageMemory.take(4 * MIB + 1, 4 * MIB + 1).buffer, tooLarge.buffer);
  });

  it("is let go when it was not needed for half a second to a second, and not before", () => {
    const two = [messageMemory.take(MIB, MIB), messageMemory.take(MIB, MIB)];
    for (const bytes of two) messageMemory.recycle(bytes);
    const known = new Set(two.map(({ buffer }) => buffer));
    for (let i = 0; i < 5; i++) {
      mock.timers.tick(400);
      const used = messageMemory.take(MIB, MIB);
      assert.ok(known.has(used.buffer));
      messageMemory.recycle(used);
    }
    // One of them was enough for all that time.
    assert.ok(known.has(messageMemory.take(MIB, MIB).buffer));
    assert.ok(!known.has(messageMemory.take(MIB, MIB).buffer));
  });

  it("that is the program's own is left alone", () => {
    const own = Buffer.alloc(MIB);
    messageMemory.recycle(own);
    assert.notEqual(messageMemory.take(MIB, MIB).buffer, own.buffer);
  });
});
