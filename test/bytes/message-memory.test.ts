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
    messageMemory.give(Buffer.from(buffer, 0, 10));
    const again = messageMemory.take(60 * KIB, 60 * KIB);
    assert.equal(again.buffer, buffer);
    assert.equal(again.length, 60 * KIB);
    assert.notEqual(messageMemory.take(60 * KIB, 60 * KIB).buffer, buffer);
  });

  it("is not wasted on messages of less than half its size", () => {
    const { buffer } = messageMemory.take(200 * KIB, 200 * KIB);
    messageMemory.give(Buffer.from(buffer));
    assert.notEqual(messageMemory.take(99 * KIB, 99 * KIB).buffer, buffer);
    assert.equal(messageMemory.take(100 * KIB, 100 * KIB).buffer, buffer);
  });

  it("is the smallest that is large enough", () => {
    const sizes = [400, 300, 500].map((size) => messageMemory.take(size * KIB, size * KIB));
    for (const bytes of sizes) messageMemory.give(bytes);
    assert.equal(messageMemory.take(290 * KIB, 290 * KIB).buffer, sizes[1]!.buffer);
    assert.equal(messageMemory.take(290 * KIB, 290 * KIB).buffer, sizes[0]!.buffer);
  });

  it("is made for what is needed, and taken for what may be where it is there", () => {
    const small = messageMemory.take(100 * KIB, MIB);
    assert.equal(small.length, 100 * KIB);
    const large = messageMemory.take(MIB, MIB);
    messageMemory.give(large);
    assert.equal(messageMemory.take(100 * KIB, MIB).buffer, large.buffer);
  });

  it("is never less than what is needed, also where that is more than what is known to come", () => {
    messageMemory.give(messageMemory.take(400 * KIB, 400 * KIB));
    assert.equal(messageMemory.take(300 * KIB, 210 * KIB).length, 300 * KIB);
  });

  it("is kept up to 16 MiB, in pieces of at most 4 MiB", () => {
    const pieces = Array.from({ length: 5 }, () => messageMemory.take(4 * MIB, 4 * MIB));
    const tooLarge = messageMemory.take(4 * MIB + 1, 4 * MIB + 1);
    for (const bytes of [tooLarge, ...pieces]) messageMemory.give(bytes);
    const known = new Set(pieces.map(({ buffer }) => buffer));
    const again = Array.from({ length: 5 }, () => messageMemory.take(4 * MIB, 4 * MIB));
    assert.equal(again.filter(({ buffer }) => known.has(buffer)).length, 4);
    assert.notEqual(messageMemory.take(4 * MIB + 1, 4 * MIB + 1).buffer, tooLarge.buffer);
  });

  it("is let go when it was not needed for half a second to a second, and not before", () => {
    const two = [messageMemory.take(MIB, MIB), messageMemory.take(MIB, MIB)];
    for (const bytes of two) messageMemory.give(bytes);
    const known = new Set(two.map(({ buffer }) => buffer));
    for (let i = 0; i < 5; i++) {
      mock.timers.tick(400);
      const used = messageMemory.take(MIB, MIB);
      assert.ok(known.has(used.buffer));
      messageMemory.give(used);
    }
    // One of them was enough for all that time.
    assert.ok(known.has(messageMemory.take(MIB, MIB).buffer));
    assert.ok(!known.has(messageMemory.take(MIB, MIB).buffer));
  });

  it("that is the program's own is left alone", () => {
    const own = Buffer.alloc(MIB);
    messageMemory.give(own);
    assert.notEqual(messageMemory.take(MIB, MIB).buffer, own.buffer);
    let looked = 0;
    messageMemory.lend(own, () => {
      looked++;
      assert.equal(messageMemory.hold(own), undefined);
    });
    assert.equal(looked, 1);
    assert.notEqual(messageMemory.take(MIB, MIB).buffer, own.buffer);
  });
});

describe("a message that is lent", () => {
  beforeEach(() => mock.timers.tick(60_000));

  it("is given back when it has been seen, also when that failed", () => {
    for (const fails of [false, true]) {
      const message = messageMemory.take(MIB, MIB);
      const look = (): void =>
        messageMemory.lend(message, () => {
          assert.notEqual(messageMemory.take(MIB, MIB).buffer, message.buffer);
          if (fails) throw new Error("seen");
        });
      if (fails) assert.throws(look, /seen/);
      else look();
      assert.equal(messageMemory.take(MIB, MIB).buffer, message.buffer);
    }
  });

  it("may be transferred to another thread, and is its own then", () => {
    const message = messageMemory.take(MIB, MIB);
    messageMemory.lend(message, () =>
      structuredClone(message.buffer, { transfer: [message.buffer as ArrayBuffer] }),
    );
    assert.equal(messageMemory.take(MIB, MIB).length, MIB);
  });

  it("stays as it is until all who hold it have ended", () => {
    const message = messageMemory.take(MIB, MIB);
    const loans: ({ end(): void } | undefined)[] = [];
    messageMemory.lend(message, () => {
      loans.push(messageMemory.hold(message.subarray(5, 10)), messageMemory.hold(message));
    });
    assert.equal(messageMemory.hold(message), undefined);
    for (const loan of loans) {
      assert.notEqual(messageMemory.take(MIB, MIB).buffer, message.buffer);
      loan?.end();
    }
    assert.equal(messageMemory.take(MIB, MIB).buffer, message.buffer);
  });

  it("can be held while another one is lent inside", () => {
    const outer = messageMemory.take(MIB, MIB);
    const inner = messageMemory.take(MIB, MIB);
    messageMemory.lend(outer, () => {
      messageMemory.lend(inner, () => {
        assert.ok(messageMemory.hold(outer) !== undefined);
        assert.ok(messageMemory.hold(inner) !== undefined);
      });
      assert.equal(messageMemory.hold(inner), undefined);
      assert.ok(messageMemory.hold(outer) !== undefined);
    });
    assert.equal(messageMemory.hold(outer), undefined);
  });
});
