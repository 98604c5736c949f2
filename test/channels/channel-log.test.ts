import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ChannelLog } from "../../src/channels/channel-log.ts";
import type { History, StoredMessage } from "../../src/channels/store.ts";

const limits = { maxMessages: 5, maxBytes: 1_000, maxAgeMs: 1_000 };

function messages(from: number, to: number): StoredMessage[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({
    offset: from + i,
    record: `{"data":${from + i}}`,
  }));
}

function history(epoch: string, from: number, to: number): History {
  return { epoch, offset: to, messages: messages(from, to) };
}

function offsets(list: readonly StoredMessage[] | undefined): number[] | undefined {
  return list?.map(({ offset }) => offset);
}

describe("a process's copy of a history", () => {
  it("delivers what comes next, and nothing twice", () => {
    const log = new ChannelLog(limits);
    assert.deepEqual(log.merge(history("e", 1, 2)), { resetTo: undefined, messages: [] });
    const [third, fourth] = messages(3, 4) as [StoredMessage, StoredMessage];
    assert.deepEqual(offsets(log.receive("e", third)), [3]);
    assert.deepEqual(offsets(log.receive("e", third)), []);
    assert.deepEqual(offsets(log.receive("e", fourth)), [4]);
    assert.deepEqual(offsets(log.since({ epoch: "e", offset: 2 })), [3, 4]);
  });

  it("holds messages back that come before their turn", () => {
    const log = new ChannelLog(limits);
    log.merge(history("e", 1, 0));
    const [first, second, third] = messages(1, 3) as [StoredMessage, StoredMessage, StoredMessage];
    assert.deepEqual(offsets(log.receive("e", third)), []);
    assert.equal(log.isBehind, true);
    assert.deepEqual(offsets(log.receive("e", second)), []);
    assert.deepEqual(offsets(log.receive("e", first)), [1, 2, 3]);
    assert.equal(log.isBehind, false);
  });

  it("fills a gap from the store", () => {
    const log = new ChannelLog(limits);
    log.merge(history("e", 1, 1));
    log.receive("e", { offset: 4, record: "{}" });
    const merged = log.merge(history("e", 2, 3));
    assert.deepEqual(offsets(merged.messages), [2, 3, 4]);
    assert.equal(merged.resetTo, undefined);
  });

  it("keeps what comes while the store is asked for the first time", () => {
    const log = new ChannelLog(limits);
    log.receive("e", { offset: 3, record: "{}" });
    const merged = log.merge(history("e", 1, 2));
    assert.deepEqual(offsets(merged.messages), [3]);
    assert.deepEqual(log.position, { epoch: "e", offset: 3 });
  });

  it("says so when messages are lost for good, and when the history is another one", () => {
    const log = new ChannelLog(limits);
    log.merge(history("e", 1, 2));
    assert.deepEqual(log.merge(history("e", 9, 12)).resetTo, { epoch: "e", offset: 12 });
    log.receive("f", { offset: 1, record: "{}" });
    assert.equal(log.isBehind, true);
    assert.deepEqual(log.merge(history("f", 1, 1)).resetTo, { epoch: "f", offset: 1 });
    assert.equal(log.isBehind, false);
    assert.equal(log.since({ epoch: "e", offset: 12 }), undefined);
  });

  it("recovers only what it has whole", () => {
    const log = new ChannelLog(limits);
    log.merge(history("e", 1, 8));
    assert.deepEqual(offsets(log.since({ epoch: "e", offset: 3 })), [4, 5, 6, 7, 8]);
    assert.equal(log.since({ epoch: "e", offset: 2 }), undefined);
    assert.equal(log.since({ epoch: "e", offset: 9 }), undefined);
    assert.deepEqual(log.since({ epoch: "e", offset: 8 }), []);
  });

  it("is bounded in bytes, but keeps the newest message", () => {
    const log = new ChannelLog({ ...limits, maxBytes: 10 });
    log.merge(history("e", 1, 0));
    log.receive("e", { offset: 1, record: "x".repeat(8) });
    log.receive("e", { offset: 2, record: "x".repeat(8) });
    assert.deepEqual(offsets(log.last(9)), [2]);
    log.receive("e", { offset: 3, record: "x".repeat(80) });
    assert.deepEqual(offsets(log.last(9)), [3]);
  });

  it("delivers each message once and in order, or says so, whatever is lost, late or twice", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("publish" as const),
        fate: fc.constantFrom("now", "late", "lost", "twice"),
      }),
      fc.record({ kind: fc.constant("late" as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant("read" as const) }),
      fc.record({ kind: fc.constant("renew" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let epoch = 0;
        let stored: StoredMessage[] = [];
        let last = 0;
        const late: [string, StoredMessage][] = [];
        const log = new ChannelLog(limits);
        const seen: string[] = [];
        let place: { epoch: string; offset: number } | undefined;
        const take = (list: readonly StoredMessage[]): void => {
          for (const { offset, record } of list) {
            assert.ok(place !== undefined && offset === place.offset + 1, "a gap, or twice");
            assert.equal(record, `${place.epoch}:${offset}`);
            place = { epoch: place.epoch, offset };
            seen.push(record);
          }
        };
        const read = (): void => {
          const after = log.position?.epoch === `e${epoch}` ? log.position.offset : 0;
          const kept = stored.filter(({ offset }) => offset > after);
          const isFirst = log.position === undefined;
          const before = { epoch: `e${epoch}`, offset: last };
          const { resetTo, messages: next } = log.merge({ epoch: `e${epoch}`, offset: last, messages: kept });
          if (isFirst) place = before;
          if (resetTo !== undefined) place = resetTo;
          take(next);
        };
        const receive = (from: string, message: StoredMessage): void => take(log.receive(from, message));
        for (const one of steps) {
          if (one.kind === "publish") {
            const message = { offset: ++last, record: `e${epoch}:${last}` };
            stored = [...stored, message].slice(-limits.maxMessages);
            if (one.fate === "now" || one.fate === "twice") receive(`e${epoch}`, message);
            if (one.fate === "late" || one.fate === "twice") late.push([`e${epoch}`, message]);
          } else if (one.kind === "late") {
            const [found] = late.splice(one.which % Math.max(1, late.length), 1);
            if (found !== undefined) receive(...found);
          } else if (one.kind === "read") read();
          else {
            epoch++;
            last = 0;
            stored = [];
          }
        }
        for (const one of late) receive(...one);
        read();
        assert.deepEqual(log.position, { epoch: `e${epoch}`, offset: last });
        assert.equal(log.isBehind, false);
        assert.deepEqual(place, log.position);
      }),
      { numRuns: 3_000 },
    );
  });
});
