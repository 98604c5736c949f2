import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isText, Utf8Validator } from "../../src/protocol/websocket/utf8.ts";
import { hex } from "../support/bytes.ts";
import { cut, cutsArbitrary, RUNS, singleBytes } from "./feed.ts";

/** Position of the first byte that `bytes` may not have there, or its length. Slow and plain. */
function badAt(bytes: Uint8Array): number {
  const canContinue = (prefix: Uint8Array): boolean =>
    ["", "80", "8080", "808080", "bf", "bfbf", "bfbfbf", "90", "9080", "908080", "a0", "a080"].some((tail) =>
      isUtf8(Buffer.concat([prefix, hex(tail)])),
    );
  for (let length = 1; length <= bytes.length; length += 1) {
    if (!canContinue(bytes.subarray(0, length))) return length - 1;
  }
  return bytes.length;
}

/** Where the validator fails, fed in pieces: end of the piece that was refused. */
function refusedAt(pieces: readonly Uint8Array[]): number | null {
  const validator = new Utf8Validator();
  let at = 0;
  for (const piece of pieces) {
    at += piece.length;
    if (!validator.push(piece, 0, piece.length)) return at;
  }
  return null;
}

const BAD: Array<[name: string, bytes: string, at: number]> = [
  ["a continuation alone", "80", 0],
  ["overlong in two bytes", "c0 80", 0],
  ["overlong in two bytes", "c1 bf", 0],
  ["overlong in three bytes", "e0 9f bf", 1],
  ["overlong in four bytes", "f0 8f bf bf", 1],
  ["the first surrogate", "ed a0 80", 1],
  ["the last surrogate", "ed bf bf", 1],
  ["beyond U+10FFFF", "f4 90 80 80", 1],
  ["a lead of five bytes", "f8 88 80 80 80", 0],
  ["fe", "fe", 0],
  ["ff", "ff", 0],
  ["ASCII instead of a continuation", "e2 82 41", 2],
  ["a lead instead of a continuation", "f0 9f 98 c3", 3],
];
const GOOD = ["", "a", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];

describe("Utf8Validator", () => {
  // Before and behind the size from which isUtf8 is called.
  for (const before of [0, 1, 23, 24, 25, 26, 27, 28, 100]) {
    it(`every bad form after ${before} bytes, at every cut`, () => {
      for (const [name, text, at] of BAD) {
        const bytes = Buffer.concat([Buffer.alloc(before, "x"), hex(text), Buffer.alloc(40, "y")]);
        for (let first = 0; first <= bytes.length; first += 1) {
          const refused = refusedAt([bytes.subarray(0, first), bytes.subarray(first)]);
          const bad = before + at;
          assert.equal(refused, bad < first ? first : bytes.length, `${name} cut at ${first}`);
        }
        const byByte = refusedAt(singleBytes(bytes));
        assert.equal(byByte, before + at + 1, name);
      }
    });
    it(`every good form after ${before} bytes, at every two cuts`, () => {
      for (const text of GOOD) {
        const bytes = Buffer.from("x".repeat(before) + text + text);
        for (let first = 0; first <= bytes.length; first += 1) {
          for (let second = first; second <= bytes.length; second += 1) {
            const validator = new Utf8Validator();
            assert.ok(validator.push(bytes, 0, first));
            assert.ok(validator.push(bytes, first, second));
            assert.ok(validator.push(bytes, second, bytes.length));
            assert.ok(validator.finish());
          }
        }
      }
    });
  }
  it("finish is false inside a character, reset forgets it", () => {
    const validator = new Utf8Validator();
    for (const text of ["c3", "e2", "e282", "f0", "f09f", "f09f98", "e0", "ed", "f4"]) {
      const bytes = hex(text);
      assert.ok(validator.push(bytes, 0, bytes.length));
      assert.equal(validator.finish(), false);
      validator.reset();
      assert.ok(validator.push(hex("41 c2 80"), 0, 3));
      assert.ok(validator.finish());
    }
  });

  // Bytes that are nearly text, so that the rare cases come up.
  const nearlyText = fc
    .array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map((text) => Buffer.from(text)),
        },
        { weight: 1, arbitrary: fc.constantFrom(...BAD.map(([, text]) => hex(text))) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2 }) },
      ),
      { maxLength: 8 },
    )
    .map((parts) => Buffer.concat(parts));

  it("agrees with isUtf8 for any pieces", () => {
    fc.assert(
      fc.property(nearlyText, cutsArbitrary(60), (bytes, cuts) => {
        const validator = new Utf8Validator();
        const valid = cut(bytes, cuts).every((piece) => validator.push(piece, 0, piece.length));
        assert.equal(valid && validator.finish(), isUtf8(bytes));
        assert.equal(isText(bytes), isUtf8(bytes));
      }),
      { numRuns: RUNS },
    );
  });
  it("fails at exactly the first bad byte", () => {
    fc.assert(
      fc.property(nearlyText, (bytes) => {
        const at = badAt(bytes);
        const refused = refusedAt(singleBytes(bytes));
        assert.equal(refused, at === bytes.length ? null : at + 1);
      }),
      { numRuns: Math.min(RUNS, 20_000) },
    );
  });
});
