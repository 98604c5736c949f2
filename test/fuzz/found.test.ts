import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MessageReader, NEED_BYTES, PING } from "../../src/protocol/websocket/message-reader.ts";

// What fuzzing has found, each in its smallest form.
describe("found by fuzzing", () => {
  test("WebSocket: next() without more bytes, inside a control frame", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const frame = Buffer.from([0x89, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
    reader.receive(frame, 0, 6);
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.next(), NEED_BYTES);
    reader.receive(frame, 6, 8);
    assert.equal(reader.next(), PING);
    assert.equal(reader.data.toString(), "hi");
  });
});
