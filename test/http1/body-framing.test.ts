import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasContent } from "../../src/protocol/http/content.ts";
import { sentFraming, UNDECLARED } from "../../src/protocol/http1/body-framing.ts";

const statuses = Array.from({ length: 500 }, (_, index) => index + 100);

describe("content of a response (RFC 9110 §6.4.1)", () => {
  it("is absent in responses to HEAD", () => {
    assert.deepEqual(
      statuses.filter((status) => hasContent("HEAD", status)),
      [],
    );
  });

  it("is absent with 1xx, 204, 205 and 304 only", () => {
    const without = statuses.filter((status) => !hasContent("GET", status));
    assert.deepEqual(without, [...statuses.slice(0, 100), 204, 205, 304]);
  });
});

describe("framing of a sent response (RFC 9112 §6)", () => {
  const cases: [method: string, status: number, minorVersion: number, length: number, framing: string][] = [
    ["GET", 200, 1, 5, "length"],
    ["GET", 200, 1, 0, "length"],
    ["GET", 200, 0, 5, "length"],
    ["GET", 200, 1, UNDECLARED, "chunked"],
    ["GET", 200, 0, UNDECLARED, "close"],
    ["HEAD", 200, 1, 5, "none"],
    ["GET", 304, 1, 5, "none"],
    ["POST", 205, 0, UNDECLARED, "none"],
  ];
  for (const [method, status, minorVersion, length, framing] of cases) {
    it(`of ${status} to ${method} in HTTP/1.${minorVersion} with a length of ${length}: ${framing}`, () => {
      assert.equal(sentFraming(hasContent(method, status), minorVersion, length), framing);
    });
  }
});
