import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { acceptableCodings, qualityOf } from "../../src/protocol/http/quality.ts";

/** [field, name, weight]. */
const weights: [field: string, name: string, weight: number | undefined][] = [
  ["gzip", "gzip", 1],
  ["GZIP;Q=0.5", "gzip", 0.5],
  ["br, gzip ; q=0.25", "gzip", 0.25],
  ["gzip;q=0", "gzip", 0],
  ["gzip;q=0.000", "gzip", 0],
  ["gzip;q=1.000", "gzip", 1],
  ["text/html;level=1;q=0.4", "text/html", 0.4],
  ["*/*", "text/html", undefined],
  ["br", "gzip", undefined],
  ["", "gzip", undefined],
  // What is malformed is not acceptable.
  ["gzip;q=", "gzip", 0],
  ["gzip;q=2", "gzip", 0],
  ["gzip;q=-1", "gzip", 0],
  ["gzip;q=0.1234", "gzip", 0],
];

describe("quality values, RFC 9110 §12.4.2", () => {
  for (const [field, name, weight] of weights) {
    it(`${name} in ${JSON.stringify(field)}: ${weight}`, () => assert.equal(qualityOf(field, name), weight));
  }
});

/** [Accept-Encoding, the codings of br, zstd and gzip that may be used]. */
const codings: [field: string | undefined, expected: string][] = [
  [undefined, ""],
  ["", ""],
  ["gzip, deflate, br, zstd", "br zstd gzip"],
  ["gzip;q=1.0, br;q=0.8", "gzip br"],
  ["*", "br zstd gzip"],
  ["*;q=0.1, gzip", "gzip br zstd"],
  ["gzip, *;q=0", "gzip"],
  ["br;q=0, *", "zstd gzip"],
  ["identity", ""],
  ["identity;q=0.5, gzip;q=0.4, br;q=0.6", "br"],
  ["identity;q=0, gzip;q=0.1", "gzip"],
  [`${"x,".repeat(99)}gzip`, "gzip"],
  // Of members beyond the hundredth nothing counts.
  [`${"x,".repeat(100)}gzip`, ""],
  ["deflate", ""],
];

describe("Accept-Encoding, RFC 9110 §12.5.3", () => {
  for (const [field, expected] of codings) {
    it(`${JSON.stringify(field)}: ${expected || "none"}`, () => {
      assert.equal(acceptableCodings(field, ["br", "zstd", "gzip"]).join(" "), expected);
    });
  }
});
