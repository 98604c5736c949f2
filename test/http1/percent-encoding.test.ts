import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { percentDecoded, queryParameters } from "../../src/protocol/http/percent-encoding.ts";

const numRuns = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 5000);

/** Octets of characters of every length, of what is none (overlong, half a surrogate pair, too large), and broken escapes. */
const pieces =
  "%00 %41 %7F %80 %a9 %bf %c0 %c1 %C3%A9 %c3 %df %e0 %9f %A0 %e2%82%ac %e2%82 %ed %ed%a0%80 %f0 %f0%9f%98%80 %f4 %8f %90 %f5 %ff % %4 %zz %26 %3d %2B a z & = + ;";
const text = fc
  .array(fc.constantFrom(...pieces.split(" ")), { maxLength: 12 })
  .map((parts) => parts.join(""));

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

describe("percent-encoding (RFC 3986 §2.1)", () => {
  it("is decoded as decodeURIComponent does it, which throws for the rest", () => {
    fc.assert(
      fc.property(text, (value) => assert.equal(percentDecoded(value), decoded(value))),
      { numRuns },
    );
  });

  it("is read in queries as URLSearchParams does it (URL Standard §5.1)", () => {
    const check = (value: string): void =>
      assert.deepEqual([...queryParameters(value)], [...new URLSearchParams(value)]);
    fc.assert(fc.property(text, check), { numRuns });
    check("%ff=%e2%82&".repeat(10_000));
  });

  it("leaves other characters alone", () => {
    assert.equal(percentDecoded("é💩%20ÿ"), "é💩 ÿ");
    assert.deepEqual([...queryParameters("é=💩%20ÿ")], [["é", "💩 ÿ"]]);
  });
});
