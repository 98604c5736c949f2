import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { throwing } from "../support/failing.ts";

// Both look at these when they are loaded.
process.env["PORTICO_FILL_LENT"] = "1";
mock.timers.enable({ apis: ["setTimeout"] });
const { messageMemory } = await import("../../src/bytes/message-memory.ts");
const { isBorrowed, retain, copyIfBorrowed, withLease } = await import("../../src/bytes/lease.ts");
const { readMemory } = await import("../../src/bytes/read-memory.ts");

const MIB = 1_048_576;

/** Whether all bytes have the value that marks the end of a lease. */
const isFilled = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0xdb);

describe("the lease of a message", () => {
  beforeEach(() => mock.timers.tick(60_000));

  it("is given back when it has been seen, also when that failed", () => {
    for (const fails of [false, true]) {
      const message = messageMemory.take(MIB, MIB);
      const look = (): void =>
        withLease(message, "recycle", () => {
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
    withLease(message, "recycle", () =>
      structuredClone(message.buffer, { transfer: [message.buffer as ArrayBuffer] }),
    );
    assert.equal(messageMemory.take(MIB, MIB).length, MIB);
  });

  it("stays as it is until all who hold it have ended", () => {
    const message = messageMemory.take(MIB, MIB);
    const leases: ({ release(): void } | undefined)[] = [];
    withLease(message, "recycle", () => {
      leases.push(retain(message.subarray(5, 10)), retain(message));
    });
    assert.equal(retain(message), undefined);
    for (const lease of leases) {
      assert.notEqual(messageMemory.take(MIB, MIB).buffer, message.buffer);
      lease?.release();
    }
    assert.equal(messageMemory.take(MIB, MIB).buffer, message.buffer);
  });

  it("can be held while another one is lent inside", () => {
    const outer = messageMemory.take(MIB, MIB);
    const inner = messageMemory.take(MIB, MIB);
    withLease(outer, "recycle", () => {
      withLease(inner, "recycle", () => {
        assert.ok(retain(outer) !== undefined);
        assert.ok(retain(inner) !== undefined);
      });
      assert.equal(retain(inner), undefined);
      assert.ok(retain(outer) !== undefined);
    });
    assert.equal(retain(outer), undefined);
  });
});

describe("what is lent", () => {
  it("is known by its memory, whichever view of it is asked for", () => {
    const message = messageMemory.take(MIB, MIB);
    const { bytes } = readMemory;
    for (const view of [bytes.subarray(7, 9), new Uint8Array(bytes.buffer, 4_096, 10), message.subarray(1)]) {
      assert.equal(isBorrowed(view), true);
      const copy = copyIfBorrowed(view);
      assert.notEqual(copy.buffer, view.buffer);
      assert.deepEqual(Buffer.from(copy), Buffer.from(view));
    }
    const own = Buffer.alloc(100);
    assert.equal(isBorrowed(own), false);
    assert.equal(copyIfBorrowed(own), own);
  });

  it("includes a message that is free, or that another connection has now", () => {
    const message = messageMemory.take(MIB, MIB);
    withLease(message, "recycle", () => {});
    assert.equal(isBorrowed(message), true);
    assert.equal(retain(message), undefined);
  });

  it("includes what the program will get afterwards, which cannot be retained", () => {
    const own = Buffer.alloc(MIB, 1);
    withLease(own, "hand over", () => {
      assert.equal(isBorrowed(own), true);
      assert.equal(retain(own), undefined);
    });
    assert.equal(isBorrowed(own), false);
    assert.ok(own.every((byte) => byte === 1));
  });

  it("does not include a message that was left to the program", () => {
    const message = messageMemory.take(MIB, MIB);
    messageMemory.disown(message);
    assert.equal(isBorrowed(message), false);
    messageMemory.recycle(message);
    assert.notEqual(messageMemory.take(MIB, MIB).buffer, message.buffer);
  });
});

describe("PORTICO_FILL_LENT", () => {
  it("fills what was lent when the call returns, or throws", () => {
    for (const fate of ["overwrite", "recycle"] as const) {
      const bytes = Buffer.alloc(1_000, 1);
      withLease(bytes, fate, () => assert.ok(bytes.every((byte) => byte === 1)));
      assert.ok(isFilled(bytes));
      bytes.fill(1);
      assert.throws(() => withLease(bytes, fate, throwing(new Error("handler"))));
      assert.ok(isFilled(bytes));
    }
  });

  it("fills a message when the last who reads from it has done so", () => {
    const message = messageMemory.take(MIB, MIB).fill(1);
    let lease: { release(): void } | undefined;
    withLease(message, "recycle", () => {
      lease = retain(message);
    });
    assert.ok(message.every((byte) => byte === 1));
    lease?.release();
    assert.ok(isFilled(message));
  });
});
