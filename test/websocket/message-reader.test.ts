import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageMemory } from "../../src/bytes/message-memory.ts";
import type { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import {
  CLOSE,
  FAILED,
  FRAGMENT,
  MESSAGE,
  MessageReader,
  NEED_BYTES,
  PING,
} from "../../src/protocol/websocket/message-reader.ts";
import {
  BINARY,
  CLOSE_FRAME,
  CONTINUATION,
  PING_FRAME,
  PONG_FRAME,
  TEXT,
} from "../../src/protocol/websocket/opcodes.ts";
import { hex } from "../support/bytes.ts";
import { frame, RSV1, serverFrame } from "../support/frames.ts";
import { read } from "./feed.ts";

const CLIENT = { role: "client" } as const;

describe("RFC 6455 §5.7, the examples", () => {
  it("a single-frame unmasked text message", () => {
    assert.deepEqual(read(hex("81 05 48 65 6c 6c 6f"), CLIENT), ["text Hello"]);
  });
  it("a single-frame masked text message", () => {
    assert.deepEqual(read(hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")), ["text Hello"]);
  });
  it("a fragmented unmasked text message", () => {
    assert.deepEqual(read(hex("01 03 48 65 6c 80 02 6c 6f"), CLIENT), ["text Hello"]);
  });
  it("unmasked ping request and masked ping response", () => {
    assert.deepEqual(read(hex("89 05 48 65 6c 6c 6f"), CLIENT), ["ping Hello"]);
    assert.deepEqual(read(hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")), ["pong Hello"]);
  });
  it("256 bytes binary message in a single unmasked frame", () => {
    const data = Buffer.alloc(256, 7);
    assert.deepEqual(read(Buffer.concat([hex("82 7e 01 00"), data]), CLIENT), [
      `binary ${data.toString("latin1")}`,
    ]);
  });
  it("64 KiB binary message in a single unmasked frame", () => {
    const data = Buffer.alloc(65536, 7);
    const bytes = Buffer.concat([hex("82 7f 00 00 00 00 00 01 00 00"), data]);
    assert.deepEqual(read(bytes, CLIENT), [`binary ${data.toString("latin1")}`]);
  });
});

describe("§5.1 masking", () => {
  it("a server refuses frames without a mask", () => {
    assert.deepEqual(read(serverFrame(TEXT, "x")), ["failed WS_MASK_REQUIRED 1002"]);
  });
  it("a client refuses frames with a mask", () => {
    assert.deepEqual(read(frame(TEXT, "x"), CLIENT), ["failed WS_MASK_FORBIDDEN 1002"]);
  });
});

describe("§5.2 frame header", () => {
  for (const bits of [0x10, 0x20, 0x30, 0x40, 0x70]) {
    it(`refuses the reserved bits ${bits.toString(16)} without an extension`, () => {
      assert.deepEqual(read(frame(TEXT, "x", { rsv: bits >> 4 })), ["failed WS_RESERVED_BITS 1002"]);
    });
  }
  for (const bits of [0x10, 0x20]) {
    it(`refuses the reserved bit ${bits.toString(16)} with permessage-deflate`, () => {
      const setting = { deflate: "shared" } as const;
      assert.deepEqual(read(frame(TEXT, "x", { rsv: bits >> 4 }), setting), ["failed WS_RESERVED_BITS 1002"]);
    });
  }
  it("RFC 7692 §6.1: refuses RSV1 on a continuation and on control frames", () => {
    const setting = { deflate: "shared" } as const;
    const start = frame(TEXT, "", { fin: false });
    for (const bytes of [
      Buffer.concat([start, frame(CONTINUATION, "", { rsv: RSV1 })]),
      frame(PING_FRAME, "", { rsv: RSV1 }),
      frame(CLOSE_FRAME, "", { rsv: RSV1 }),
    ]) {
      assert.deepEqual(read(bytes, setting), ["failed WS_RESERVED_BITS 1002"]);
    }
  });
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    it(`refuses the reserved opcode ${opcode}`, () => {
      assert.deepEqual(read(frame(opcode, "x")), ["failed WS_RESERVED_OPCODE 1002"]);
    });
  }
  it("demands the shortest form of the length", () => {
    const mask = "00 00 00 00";
    assert.deepEqual(read(hex(`82 fe 00 7d ${mask}`)), ["failed WS_LENGTH_NOT_MINIMAL 1002"]);
    assert.deepEqual(read(hex(`82 ff 00 00 00 00 00 00 ff ff ${mask}`)), [
      "failed WS_LENGTH_NOT_MINIMAL 1002",
    ]);
    assert.deepEqual(read(hex(`82 ff 00 00 00 00 00 00 00 00 ${mask}`)), [
      "failed WS_LENGTH_NOT_MINIMAL 1002",
    ]);
  });
  it("refuses a length with the top bit, and one beyond 2^53", () => {
    assert.deepEqual(read(hex("82 ff 80 00 00 00 00 00 00 00")), ["failed WS_LENGTH_INVALID 1002"]);
    assert.deepEqual(read(hex("82 ff ff ff ff ff ff ff ff ff")), ["failed WS_LENGTH_INVALID 1002"]);
    const setting = { maxMessageBytes: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(read(hex("82 ff 00 20 00 00 00 00 00 00"), setting), [
      "failed WS_MESSAGE_TOO_LARGE 1009",
    ]);
    assert.deepEqual(read(hex("82 ff 7f ff ff ff ff ff ff ff"), setting), [
      "failed WS_MESSAGE_TOO_LARGE 1009",
    ]);
  });
  for (const length of [0, 1, 125, 126, 127, 65535, 65536, 70000]) {
    it(`reads ${length} bytes, masked and not`, () => {
      const data = Buffer.alloc(length, "portico ");
      const expected = [`binary ${data.toString("latin1")}`];
      assert.deepEqual(read(frame(BINARY, data)), expected);
      assert.deepEqual(read(serverFrame(BINARY, data), CLIENT), expected);
    });
  }
});

describe("§5.4 fragmentation", () => {
  it("refuses a continuation without a message", () => {
    assert.deepEqual(read(frame(CONTINUATION, "x")), ["failed WS_UNEXPECTED_CONTINUATION 1002"]);
    const after = Buffer.concat([
      frame(TEXT, "a", { fin: false }),
      frame(CONTINUATION, "b"),
      frame(CONTINUATION, "c"),
    ]);
    assert.deepEqual(read(after), ["text ab", "failed WS_UNEXPECTED_CONTINUATION 1002"]);
  });
  it("refuses a new message began inside a fragmented one", () => {
    const bytes = Buffer.concat([frame(TEXT, "a", { fin: false }), frame(TEXT, "b")]);
    assert.deepEqual(read(bytes), ["failed WS_EXPECTED_CONTINUATION 1002"]);
  });
  it("control frames may stand between fragments", () => {
    const bytes = Buffer.concat([
      frame(BINARY, "a", { fin: false }),
      frame(PING_FRAME, "p"),
      frame(CONTINUATION, "b", { fin: false }),
      frame(PONG_FRAME, ""),
      frame(CONTINUATION, "c"),
      frame(TEXT, "d"),
    ]);
    assert.deepEqual(read(bytes), ["ping p", "pong ", "binary abc", "text d"]);
  });
  it("fragments may be empty", () => {
    const empty = frame(CONTINUATION, "", { fin: false });
    const bytes = Buffer.concat([frame(TEXT, "", { fin: false }), empty, empty, frame(CONTINUATION, "")]);
    assert.deepEqual(read(bytes), ["text "]);
    assert.deepEqual(read(Buffer.concat([frame(TEXT, ""), frame(BINARY, "")])), ["text ", "binary "]);
  });
  it("a flood of empty fragments takes no memory", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const flood = Buffer.concat([
      frame(TEXT, "ab", { fin: false }),
      ...Array(1000).fill(frame(CONTINUATION, "", { fin: false })),
    ]);
    reader.receive(flood, 0, flood.length);
    for (let frames = 0; frames <= 1000; frames++) assert.equal(reader.next(), FRAGMENT);
    assert.equal(reader.next(), NEED_BYTES);
    assert.ok(reader.heldBytes <= 100);
  });
  it("100000 fragments of one byte take linear time: the buffer grows a few times only", () => {
    const count = 100_000;
    const piece = frame(CONTINUATION, "x", { fin: false });
    const bytes = Buffer.concat([
      frame(TEXT, "", { fin: false }),
      ...Array(count).fill(piece),
      frame(CONTINUATION, ""),
    ]);
    // Kept memory must not be taken piece by piece either.
    for (const kept of [count, count].map((size) => messageMemory.take(size, size)))
      messageMemory.recycle(kept);
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: count } });
    reader.receive(bytes, 0, bytes.length);
    const { take } = messageMemory;
    const allocate = Buffer.allocUnsafeSlow;
    let allocations = 0;
    messageMemory.take = (least, whole) => {
      allocations += 1;
      return Reflect.apply(take, messageMemory, [least, whole]);
    };
    Buffer.allocUnsafeSlow = (size: number): ReturnType<typeof allocate> => {
      allocations += 1;
      return allocate(size);
    };
    try {
      for (let frames = 0; frames <= count; frames++) assert.equal(reader.next(), FRAGMENT);
      assert.equal(reader.next(), MESSAGE);
    } finally {
      Buffer.allocUnsafeSlow = allocate;
      messageMemory.take = take;
    }
    assert.equal(reader.data.length, count);
    assert.ok(allocations < 20, `${allocations} allocations`);
  });
});

describe("§5.5 control frames", () => {
  it("refuses fragmented ones", () => {
    for (const opcode of [CLOSE_FRAME, PING_FRAME, PONG_FRAME]) {
      assert.deepEqual(read(frame(opcode, "", { fin: false })), ["failed WS_FRAGMENTED_CONTROL 1002"]);
    }
  });
  it("takes 125 bytes and refuses 126", () => {
    const most = "x".repeat(125);
    assert.deepEqual(read(frame(PING_FRAME, most)), [`ping ${most}`]);
    assert.deepEqual(read(frame(PING_FRAME, `${most}x`)), ["failed WS_CONTROL_TOO_LONG 1002"]);
    assert.deepEqual(read(frame(CLOSE_FRAME, Buffer.alloc(65536))), ["failed WS_CONTROL_TOO_LONG 1002"]);
  });
  it("§5.5.1: close without a code, with a code, with a reason", () => {
    assert.deepEqual(read(frame(CLOSE_FRAME, "")), ["close 1005 "]);
    assert.deepEqual(read(frame(CLOSE_FRAME, hex("03e8"))), ["close 1000 "]);
    assert.deepEqual(read(frame(CLOSE_FRAME, Buffer.concat([hex("0fa0"), Buffer.from("gr\u00fcn")]))), [
      "close 4000 gr\u00fcn",
    ]);
  });
  it("refuses a close payload of one byte", () => {
    assert.deepEqual(read(frame(CLOSE_FRAME, "x")), ["failed WS_INVALID_CLOSE_PAYLOAD 1002"]);
  });
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    it(`§7.4: refuses the close code ${code}`, () => {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      assert.deepEqual(read(frame(CLOSE_FRAME, payload)), ["failed WS_INVALID_CLOSE_CODE 1002"]);
    });
  }
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
    it(`§7.4: takes the close code ${code}`, () => {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      assert.deepEqual(read(frame(CLOSE_FRAME, payload)), [`close ${code} `]);
    });
  }
  it("refuses a reason that is not UTF-8", () => {
    assert.deepEqual(read(frame(CLOSE_FRAME, hex("03e8 ff"))), ["failed WS_INVALID_UTF8 1007"]);
  });
  it("§1.4: ignores everything after the close frame", () => {
    const bytes = Buffer.concat([frame(CLOSE_FRAME, ""), frame(TEXT, "late"), hex("ffffffff")]);
    assert.deepEqual(read(bytes), ["close 1005 "]);
  });
  it("close may come inside a fragmented message, which is dropped", () => {
    const bytes = Buffer.concat([frame(TEXT, "a", { fin: false }), frame(CLOSE_FRAME, "")]);
    assert.deepEqual(read(bytes), ["close 1005 "]);
  });
});

describe("§8.1 text is UTF-8", () => {
  it("fails at the first bad byte, in a frame that is not complete", () => {
    const bytes = frame(TEXT, Buffer.concat([Buffer.from("good "), hex("ff"), Buffer.alloc(100)]));
    const head = bytes.length - 100;
    assert.deepEqual(read(bytes.subarray(0, head - 1)), []);
    assert.deepEqual(read(bytes.subarray(0, head)), ["failed WS_INVALID_UTF8 1007"]);
    assert.deepEqual(read(bytes), ["failed WS_INVALID_UTF8 1007"]);
  });
  it("a character may be cut by fragments, with a ping inside", () => {
    const euro = Buffer.from("\u20ac");
    const bytes = Buffer.concat([
      frame(TEXT, euro.subarray(0, 1), { fin: false }),
      frame(PING_FRAME, ""),
      frame(CONTINUATION, euro.subarray(1, 2), { fin: false }),
      frame(CONTINUATION, euro.subarray(2)),
    ]);
    assert.deepEqual(read(bytes), ["ping ", `text ${euro.toString("latin1")}`]);
  });
  it("a character may not be cut by the end of the message", () => {
    assert.deepEqual(read(frame(TEXT, hex("e282"))), ["failed WS_INVALID_UTF8 1007"]);
    const bytes = Buffer.concat([frame(TEXT, hex("e2"), { fin: false }), frame(CONTINUATION, hex("82"))]);
    assert.deepEqual(read(bytes), ["failed WS_INVALID_UTF8 1007"]);
  });
  it("each message is validated on its own", () => {
    const bytes = Buffer.concat([
      frame(TEXT, "a", { fin: false }),
      frame(CONTINUATION, "b"),
      frame(TEXT, hex("80")),
    ]);
    assert.deepEqual(read(bytes), ["text ab", "failed WS_INVALID_UTF8 1007"]);
  });
  it("binary data is not validated", () => {
    assert.deepEqual(read(frame(BINARY, hex("ff"))), ["binary \u00ff"]);
  });
});

describe("§10.4 the message limit", () => {
  const setting = { maxMessageBytes: 10 };
  it("holds for one frame, as soon as its header announces more", () => {
    assert.deepEqual(read(frame(BINARY, "0123456789"), setting), ["binary 0123456789"]);
    const bytes = frame(BINARY, "0123456789x");
    assert.deepEqual(read(bytes.subarray(0, 5), setting), []);
    assert.deepEqual(read(bytes.subarray(0, 6), setting), ["failed WS_MESSAGE_TOO_LARGE 1009"]);
  });
  it("holds over all fragments", () => {
    const fits = Buffer.concat([frame(BINARY, "01234", { fin: false }), frame(CONTINUATION, "56789")]);
    assert.deepEqual(read(fits, setting), ["binary 0123456789"]);
    const more = Buffer.concat([
      frame(BINARY, "01234", { fin: false }),
      frame(CONTINUATION, "56789x").subarray(0, 6),
    ]);
    assert.deepEqual(read(more, setting), ["failed WS_MESSAGE_TOO_LARGE 1009"]);
  });
  it("does not hold for control frames", () => {
    assert.deepEqual(read(frame(PING_FRAME, "more than ten bytes"), setting), ["ping more than ten bytes"]);
  });
  it("is read when a message starts", () => {
    const limits = { maxMessageBytes: 3 };
    const reader = new MessageReader({ role: "client", limits });
    const first = Buffer.concat([frame(BINARY, "ab", { fin: false, mask: null })]);
    reader.receive(first, 0, first.length);
    assert.equal(reader.next(), FRAGMENT);
    assert.equal(reader.next(), NEED_BYTES);
    limits.maxMessageBytes = 1;
    const rest = Buffer.concat([serverFrame(CONTINUATION, "c"), serverFrame(BINARY, "de")]);
    reader.receive(rest, 0, rest.length);
    assert.equal(reader.next(), MESSAGE);
    assert.equal(reader.next(), FAILED);
    assert.equal(reader.error?.code, "WS_MESSAGE_TOO_LARGE");
  });
  it("memory follows what was received, not what was announced", () => {
    const limits = { maxMessageBytes: 1 << 30 };
    const reader = new MessageReader({ role: "client", limits });
    const head = hex("82 7f 00 00 00 00 20 00 00 00");
    reader.receive(head, 0, head.length);
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.heldBytes, 0);
    const piece = Buffer.alloc(1000);
    for (let received = 1000; received < 2_000_000; received += 1000) {
      reader.receive(piece, 0, piece.length);
      assert.equal(reader.next(), NEED_BYTES);
      assert.ok(reader.heldBytes <= 4 * received + 65536, `${reader.heldBytes} held of ${received}`);
    }
  });
});

describe("who owns the data", () => {
  it("a whole frame is a view of the bytes lent, unmasked in place", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const bytes = Buffer.concat([frame(TEXT, "one"), frame(PING_FRAME, "two")]);
    reader.receive(bytes, 0, bytes.length);
    assert.equal(reader.next(), MESSAGE);
    assert.ok(reader.isBorrowed);
    assert.equal(reader.data.buffer, bytes.buffer);
    assert.equal(reader.next(), PING);
    assert.ok(reader.isBorrowed);
    assert.equal(reader.next(), NEED_BYTES);
  });
  it("what came in pieces is a buffer of its own", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const bytes = frame(TEXT, "one");
    reader.receive(bytes, 0, 7);
    assert.equal(reader.next(), NEED_BYTES);
    reader.receive(bytes, 7, bytes.length);
    assert.equal(reader.next(), MESSAGE);
    assert.equal(reader.isBorrowed, false);
    assert.equal(reader.data.toString(), "one");
  });
  it("release() keeps what was not read yet, receive() adds to it", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const bytes = Buffer.concat([frame(TEXT, "one"), frame(TEXT, "two"), frame(TEXT, "three")]);
    const lent = Buffer.from(bytes);
    const cutAt = bytes.length - 4;
    reader.receive(lent, 0, cutAt);
    assert.equal(reader.next(), MESSAGE);
    reader.release();
    lent.fill(0);
    reader.receive(bytes, cutAt, bytes.length);
    assert.equal(reader.next(), MESSAGE);
    assert.equal(reader.data.toString(), "two");
    assert.equal(reader.next(), MESSAGE);
    assert.equal(reader.data.toString(), "three");
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.heldBytes, 0);
  });
  it("nothing is held after a close frame or a failure", () => {
    for (const [end, signal] of [
      [frame(CLOSE_FRAME, ""), CLOSE],
      [hex("ff"), FAILED],
    ] as const) {
      const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 1 << 20 } });
      const bytes = Buffer.concat([
        frame(BINARY, Buffer.alloc(9000), { fin: false }),
        end,
        Buffer.alloc(100),
      ]);
      reader.receive(bytes, 0, bytes.length);
      assert.equal(reader.next(), FRAGMENT);
      assert.equal(reader.next(), signal);
      assert.equal(reader.heldBytes, 0);
      reader.receive(bytes, 0, bytes.length);
      reader.receive(bytes, 0, bytes.length);
      assert.equal(reader.heldBytes, 0);
    }
  });
});

describe("discardMessages", () => {
  /** The signals that follow, however the bytes are cut; no message is ever among them. */
  function signalsAfter(begin: Buffer, bytes: Buffer, size: number): number[] {
    const inflate = {
      inflate(): never {
        throw new Error("inflated");
      },
    };
    const reader = new MessageReader({
      role: "server",
      limits: { maxMessageBytes: 1_000 },
      inflate: inflate as unknown as MessageInflater,
    });
    reader.receive(begin, 0, begin.length);
    while (reader.next() !== NEED_BYTES);
    reader.discardMessages();
    const signals: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const piece = Buffer.from(bytes.subarray(at, at + size));
      reader.receive(piece, 0, piece.length);
      for (let signal = reader.next(); signal !== NEED_BYTES; signal = reader.next()) {
        if (signal !== FRAGMENT) signals.push(signal);
        if (signal === FAILED) return signals;
      }
      assert.ok(reader.heldBytes <= 125, `${reader.heldBytes} bytes are held`);
    }
    return signals;
  }

  const skipped = Buffer.concat([
    frame(CONTINUATION, "the rest of what had begun"),
    frame(BINARY, "compressed", { rsv: RSV1 }),
    frame(TEXT, Buffer.from([0xff])),
    frame(TEXT, "a", { fin: false }),
    frame(PING_FRAME, "ping"),
    frame(CONTINUATION, Buffer.alloc(5_000)),
  ]);

  for (const size of [1, 7, 100_000]) {
    it(`skips messages up to the close frame, ${size} bytes at a time`, () => {
      const bytes = Buffer.concat([skipped, frame(CLOSE_FRAME, Buffer.from([0x03, 0xe8]))]);
      assert.deepEqual(signalsAfter(frame(BINARY, "begun", { fin: false }), bytes, size), [PING, CLOSE]);
      const partly = frame(BINARY, "x".repeat(900), { fin: false });
      assert.deepEqual(
        signalsAfter(partly.subarray(0, 500), Buffer.concat([partly.subarray(500), bytes]), size),
        [PING, CLOSE],
      );
    });

    it(`still refuses what breaks the rules of frames, ${size} bytes at a time`, () => {
      const broken = Buffer.concat([skipped, serverFrame(TEXT, "no mask")]);
      assert.deepEqual(signalsAfter(frame(BINARY, "begun", { fin: false }), broken, size), [PING, FAILED]);
    });
  }
});
