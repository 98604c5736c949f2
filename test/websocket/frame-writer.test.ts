import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isValidCloseCode } from "../../src/protocol/websocket/close-codes.ts";
import { encodeClosePayload } from "../../src/protocol/websocket/close-payload.ts";
import { encodeFrame, frameHeaderSize, writeFrameHeader } from "../../src/protocol/websocket/frame.ts";
import { BINARY, PING_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import { hex } from "../support/bytes.ts";
import { RUNS, read } from "./feed.ts";

const KEY = 0x37fa213d;

describe("encodeFrame", () => {
  it("RFC 6455 §5.7: the examples", () => {
    assert.deepEqual(encodeFrame(TEXT, "Hello"), hex("81 05 48 65 6c 6c 6f"));
    assert.deepEqual(encodeFrame(TEXT, "Hello", { maskKey: KEY }), hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
    assert.deepEqual(encodeFrame(PING_FRAME, Buffer.from("Hello")), hex("89 05 48 65 6c 6c 6f"));
    assert.deepEqual(encodeFrame(BINARY, Buffer.alloc(256)).subarray(0, 4), hex("82 7e 01 00"));
    const large = encodeFrame(BINARY, Buffer.alloc(65536));
    assert.deepEqual(large.subarray(0, 10), hex("82 7f 00 00 00 00 00 01 00 00"));
  });
  it("sets RSV1 for compressed payloads", () => {
    assert.deepEqual(encodeFrame(TEXT, hex("00"), { compressed: true }), hex("c1 01 00"));
  });
  it("counts text in bytes", () => {
    const text = "\u20ac".repeat(50);
    assert.deepEqual(read(encodeFrame(TEXT, text), { role: "client" }), [
      `text ${Buffer.from(text).toString("latin1")}`,
    ]);
  });
  it("does not change the payload when it masks", () => {
    const payload = Buffer.alloc(200, "a");
    encodeFrame(BINARY, payload, { maskKey: KEY });
    assert.deepEqual(payload, Buffer.alloc(200, "a"));
  });
});

describe("writeFrameHeader", () => {
  it("writes the shortest length and says where it ends", () => {
    for (const length of [0, 125, 126, 65535, 65536, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      for (const maskKey of [undefined, 0xfedcba98]) {
        const target = Buffer.alloc(20, 0xee);
        const end = writeFrameHeader(target, 3, BINARY, length, 0x80, maskKey);
        const size = frameHeaderSize(length, maskKey !== undefined);
        assert.equal(end - 3, size);
        assert.equal(target[end], 0xee);
        assert.equal(target[3], 0x82);
        if (maskKey !== undefined) assert.equal(target.readUInt32BE(end - 4), maskKey);
        const low = target[4]! & 0x7f;
        const told =
          low < 126 ? low : low === 126 ? target.readUInt16BE(5) : Number(target.readBigUInt64BE(5));
        assert.equal(told, length);
      }
    }
  });
});

describe("encodeClosePayload, RFC 6455 §5.5.1", () => {
  it("code and reason", () => {
    assert.deepEqual(encodeClosePayload(1000, "bye"), hex("03e8 627965"));
    assert.deepEqual(encodeClosePayload(4999), hex("1387"));
    assert.deepEqual(encodeClosePayload(undefined, "not sent"), Buffer.alloc(0));
  });
  it("refuses a code that may not be sent", () => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN, -1]) {
      assert.throws(() => encodeClosePayload(code, ""), RangeError);
    }
  });
  it("cuts the reason at a character, to at most 123 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 140 }), (reason) => {
        const payload = encodeClosePayload(1000, reason);
        const kept = payload.subarray(2);
        assert.ok(kept.length <= 123);
        assert.ok(isUtf8(kept));
        const all = Buffer.from(reason);
        assert.ok(all.subarray(0, kept.length).equals(kept));
        assert.ok(all.length <= 123 ? kept.length === all.length : kept.length >= 120);
      }),
      { numRuns: Math.min(RUNS, 20_000) },
    );
  });
});

describe("isValidCloseCode, RFC 6455 §7.4", () => {
  it("1000-1003, 1007-1014, 3000-4999", () => {
    const valid = Array.from({ length: 6000 }, (_, code) => code).filter(isValidCloseCode);
    const range = (from: number, to: number): number[] =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i);
    assert.deepEqual(valid, [...range(1000, 1003), ...range(1007, 1014), ...range(3000, 4999)]);
  });
});
