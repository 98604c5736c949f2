import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasToken } from "../../src/protocol/http/token.ts";
import { NEED_BYTES, REQUEST, RequestReader } from "../../src/protocol/http1/request-reader.ts";
import { limitsWith } from "../support/feed.ts";
import { get } from "../support/http-case.ts";
import { processorMs } from "../support/processor-time.ts";

const upgrading = get("Connection: upgrade", "Upgrade: websocket");
describe("hasToken", () => {
  test("RFC 9110 §5.6.3: only SP and HTAB are white space", () => {
    assert.ok(hasToken("a, \t close \t ,b", "close"));
    for (const list of ["a,close\xa0", "a,\vclose", "a,c lose"]) assert.ok(!hasToken(list, "close"), list);
  });

  test("RFC 9110 §5.6.1: takes time in proportion to the list", () => {
    for (const unit of [" ", "\t", ",", " ,", "a"]) {
      const start = processorMs();
      for (let i = 0; i < 10; i++) hasToken(`a,x${unit.repeat(262_144 / unit.length)}x`, "close");
      assert.ok(processorMs() - start < 3_000, JSON.stringify(unit));
    }
  });
});

describe("takeRest", () => {
  for (const rest of ["", "\x81", "\x81\x85\0\0\0\0hello\r\n\r\n", get()]) {
    test(`RFC 9110 §7.8: ${rest.length} bytes behind the head`, () => {
      const reader = new RequestReader(limitsWith());
      const lent = Buffer.from(`\0\0\0${upgrading}${rest}\xff\xff`, "latin1");
      reader.receive(lent, 3, lent.length - 2);
      assert.equal(reader.next(), REQUEST);
      assert.equal(reader.head!.upgrade, true);
      assert.equal(reader.takeUpgradeHead().toString("latin1"), rest);
    });
  }

  test("RFC 9110 §7.8: the head in pieces, bytes behind it in the last one", () => {
    const reader = new RequestReader(limitsWith());
    const input = Buffer.from(`${upgrading}\x81\x80`, "latin1");
    const lent = Buffer.alloc(8);
    for (let at = 0; at < input.length; at += 8) {
      const length = input.copy(lent, 0, at, Math.min(at + 8, input.length));
      reader.receive(lent, 0, length);
      if (at + 8 < upgrading.length) assert.equal(reader.next(), NEED_BYTES);
      if (at + 8 < input.length) reader.release();
    }
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.takeUpgradeHead().toString("latin1"), "\x81\x80");
  });

  test("RFC 9110 §7.8: bytes kept by release()", () => {
    const reader = new RequestReader(limitsWith());
    const lent = Buffer.from(`${upgrading}rest`, "latin1");
    reader.receive(lent, 0, lent.length);
    assert.equal(reader.next(), REQUEST);
    reader.release();
    lent.fill(0);
    assert.equal(reader.takeUpgradeHead().toString("latin1"), "rest");
  });
});
