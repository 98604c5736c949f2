// Text of a client that is kept for the next request must not keep the whole head, which can hold its credentials.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { REQUEST, RequestReader } from "../../src/protocol/http1/request-reader.ts";
import { heldBytes } from "../support/held-bytes.ts";

const SECRET_BYTES = 4_000_000;
const limits = { ...defaultHttpLimits, maxHeadBytes: 2 * SECRET_BYTES };

function read(lines: string): void {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`, "latin1");
  const reader = new RequestReader(limits);
  reader.receive(bytes, 0, bytes.length);
  assert.equal(reader.next(), REQUEST);
}

describe("nothing keeps the head of a request that is over", () => {
  for (const [name, lines] of [
    ["Host", "Host: a-long-name.example\r\n"],
    ["Connection", "Host: h\r\nConnection: keep-alive, Upgrade\r\n"],
  ] as const) {
    it(`for its ${name}`, () => {
      read("Host: another-long-name.example\r\nConnection: close, keep-alive\r\n");
      const before = heldBytes();
      read(`${lines}Authorization: ${"s".repeat(SECRET_BYTES)}\r\n`);
      assert.ok(heldBytes() - before < SECRET_BYTES / 2);
    });
  }
});
