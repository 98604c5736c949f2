import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { contentRange, multipartRanges, parseRange } from "../../src/protocol/http/range.ts";
import { listOf } from "../support/bytes.ts";

const MAX = 5;
type Row = [value: string, size: number, expected: string];

/** Ranges of ten bytes that all mean the same. */
function of10(expected: string, ...lines: string[]): Row[] {
  return listOf(...lines).map((value): Row => [value, 10, expected]);
}

/** [Range, size, "first-last" of each, or what else is to be done]. */
const cases: Row[] = [
  ["bytes=0-499", 10_000, "0-499"],
  ["bytes=500-999", 10_000, "500-999"],
  ["bytes=-500", 10_000, "9500-9999"],
  ["bytes=9500-", 10_000, "9500-9999"],
  ["bytes=0-0,-1", 10_000, "0-0 9999-9999"],
  ["bytes= 0-999, 4500-5499, -1000", 10_000, "0-999 4500-5499 9000-9999"],
  ["BYTES=0-0", 10, "0-0"],
  ["bytes=0-9", 10, "0-9"],
  ["bytes=0-10", 10, "0-9"],
  ["bytes=0-99999999999999999999999", 10, "0-9"],
  ["bytes=-10", 10, "0-9"],
  ["bytes=-11", 10, "0-9"],
  ["bytes=-99999999999999999999999", 10, "0-9"],
  ["bytes=9-", 10, "9-9"],
  ["bytes=010-011", 20, "10-11"],
  ["bytes=,,0-1,,", 10, "0-1"],
  ["bytes=0-1\t,\t3-4", 10, "0-1 3-4"],
  // The order of the client is kept (§15.3.7.2).
  ["bytes=8-9,0-1", 10, "8-9 0-1"],
  // What overlaps or touches becomes one.
  ["bytes=0-4,2-6", 10, "0-6"],
  ["bytes=0-4,5-6", 10, "0-6"],
  ["bytes=0-4,6-7", 10, "0-4 6-7"],
  ["bytes=0-1,8-9,1-8", 10, "0-9"],
  ["bytes=0-,0-,0-,0-,0-", 10, "0-9"],
  ["bytes=4-5,0-1,2-3", 10, "0-5"],
  // One that can be satisfied is enough.
  ["bytes=20-30,0-0", 10, "0-0"],
  ["bytes=0-0,-0", 10, "0-0"],
  ...of10("unsatisfiable", "bytes=10-¦bytes=10-20¦bytes=99999999999999999999999-¦bytes=-0¦bytes=-0,10-"),
  // Ignored: malformed, invalid, another unit, nothing to take a part of, too many (§14.2).
  ...of10(
    "whole",
    "bytes=5-4¦bytes=0-1,5-4¦bytes=99999999999999999999999-1¦bytes=¦bytes=,¦bytes=-¦bytes=--1¦bytes=a-b",
    "bytes=0x0-0x1¦bytes=+1-2¦bytes=0 -1¦bytes=0-1;2-3¦bytes=0-1-2¦bytes =0-1¦bytes¦¦0-1¦items=0-1",
    "bytes=0-0,2-2,4-4,6-6,8-8,9-9",
  ),
  // A hundred members, empty ones among them, are too many.
  [`bytes=0-1${",".repeat(99)}`, 10, "whole"],
  ["bytes=1e1-", 100, "whole"],
  ["bytes=0-1", 0, "whole"],
  ["bytes=-1", 0, "whole"],
  ["bytes=0-0,2-2,4-4,6-6,8-8", 10, "0-0 2-2 4-4 6-6 8-8"],
];

describe("Range, RFC 9110 §14.1.2 and §14.2", () => {
  for (const [value, size, expected] of cases) {
    it(`${JSON.stringify(value)} of ${size} bytes: ${expected}`, () => {
      const ranges = parseRange(value, size, MAX);
      const text = typeof ranges === "string" ? ranges : ranges.map((r) => `${r.first}-${r.last}`).join(" ");
      assert.equal(text, expected);
    });
  }

  it("gives ranges that lie inside, have a byte each and never touch, and have the bytes that were asked for", () => {
    const number = fc.integer({ min: 0, max: 40 });
    const spec = fc.oneof(
      fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      number.map((a) => `${a}-`),
      number.map((a) => `-${a}`),
    );
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: MAX }),
        fc.integer({ min: 1, max: 30 }),
        (specs, size) => {
          const wanted = new Set<number>();
          for (const text of specs) {
            const [first = "", last = ""] = text.split("-");
            for (let i = 0; i < size; i++) {
              const isIn =
                first === ""
                  ? i >= size - Number(last)
                  : i >= Number(first) && (last === "" || i <= Number(last));
              if (isIn) wanted.add(i);
            }
          }
          const ranges = parseRange(`bytes=${specs.join(", ")}`, size, MAX);
          if (ranges === "unsatisfiable") return wanted.size === 0;
          if (ranges === "whole") return false;
          const got: number[] = [];
          for (const { first, last } of ranges) for (let i = first; i <= last; i++) got.push(i);
          assert.equal(new Set(got).size, got.length, "a byte came twice");
          assert.deepEqual(new Set(got), wanted);
          assert.ok(
            ranges.every((a) => ranges.every((b) => a === b || a.last + 1 < b.first || b.last + 1 < a.first)),
          );
          return true;
        },
      ),
    );
  });

  it("takes any text without throwing", () => {
    const text = fc.string({ unit: fc.constantFrom(..."bytes=0123456789-, \t;x") });
    fc.assert(
      fc.property(text, fc.nat(100), (value, size) => {
        const ranges = parseRange(value, size, MAX);
        if (typeof ranges === "string") return;
        assert.ok(ranges.length > 0 && ranges.length <= MAX);
        for (const { first, last } of ranges) assert.ok(0 <= first && first <= last && last < size);
      }),
    );
  });
});

describe("Content-Range and multipart/byteranges, RFC 9110 §14.4 and §14.6", () => {
  it("tells the range and the size, or the size alone for 416", () => {
    assert.equal(contentRange({ first: 0, last: 4 }, 10), "bytes 0-4/10");
    assert.equal(contentRange(undefined, 10), "bytes */10");
  });

  it("puts heads before the parts and a boundary behind the last, and knows the length", () => {
    const content = "0123456789";
    const ranges = [
      { first: 8, last: 9 },
      { first: 0, last: 2 },
    ];
    const { heads, tail, length } = multipartRanges(ranges, 10, "text/plain", "B");
    const whole = ranges.map((r, i) => heads[i] + content.slice(r.first, r.last + 1)).join("") + tail;
    assert.equal(
      whole,
      "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89" +
        "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/10\r\n\r\n012\r\n--B--\r\n",
    );
    assert.equal(length, whole.length);
  });
});
