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
import { itReads, type Row } from "./feed.ts";

const CLIENT = { role: "client" } as const;
const DEFLATE = { deflate: "shared" } as const;
const NO_END = { fin: false } as const;
const NOT_UTF8 = "failed WS_INVALID_UTF8 1007";

describe("RFC 6455 §5.7, the examples", () => {
  const long = (length: number): Buffer => Buffer.alloc(length, 7);
  const binary = (length: number): string => `binary ${long(length).toString("latin1")}`;
  itReads("a single-frame unmasked text message", [hex("81 05 48 65 6c 6c 6f"), "text Hello", CLIENT]);
  itReads("a single-frame masked text message", [hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), "text Hello"]);
  itReads("a fragmented unmasked text message", [hex("01 03 48 65 6c 80 02 6c 6f"), "text Hello", CLIENT]);
  itReads(
    "unmasked ping request and masked ping response",
    [hex("89 05 48 65 6c 6c 6f"), "ping Hello", CLIENT],
    [hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), "pong Hello"],
  );
  const short = Buffer.concat([hex("82 7e 01 00"), long(256)]);
  itReads("256 bytes binary message in a single unmasked frame", [short, binary(256), CLIENT]);
  const large = Buffer.concat([hex("82 7f 00 00 00 00 00 01 00 00"), long(65536)]);
  itReads("64 KiB binary message in a single unmasked frame", [large, binary(65536), CLIENT]);
});

describe("§5.1 masking", () => {
  itReads("a server refuses frames without a mask", [serverFrame(TEXT, "x"), "failed WS_MASK_REQUIRED 1002"]);
  itReads("a client refuses frames with a mask", [frame(TEXT, "x"), "failed WS_MASK_FORBIDDEN 1002", CLIENT]);
});

describe("§5.2 frame header", () => {
  const reserved = "failed WS_RESERVED_BITS 1002";
  for (const bits of [0x10, 0x20, 0x30, 0x40, 0x70]) {
    const name = `refuses the reserved bits ${bits.toString(16)} without an extension`;
    itReads(name, [frame(TEXT, "x", { rsv: bits >> 4 }), reserved]);
  }
  for (const bits of [0x10, 0x20]) {
    const name = `refuses the reserved bit ${bits.toString(16)} with permessage-deflate`;
    itReads(name, [frame(TEXT, "x", { rsv: bits >> 4 }), reserved, DEFLATE]);
  }
  itReads(
    "RFC 7692 §6.1: refuses RSV1 on a continuation and on control frames",
    [Buffer.concat([frame(TEXT, "", NO_END), frame(CONTINUATION, "", { rsv: RSV1 })]), reserved, DEFLATE],
    [frame(PING_FRAME, "", { rsv: RSV1 }), reserved, DEFLATE],
    [frame(CLOSE_FRAME, "", { rsv: RSV1 }), reserved, DEFLATE],
  );
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    itReads(`refuses the reserved opcode ${opcode}`, [frame(opcode, "x"), "failed WS_RESERVED_OPCODE 1002"]);
  }
  itReads(
    "demands the shortest form of the length",
    ...["fe 00 7d", "ff 00 00 00 00 00 00 ff ff", "ff 00 00 00 00 00 00 00 00"].map(
      (length): Row => [hex(`82 ${length} 00 00 00 00`), "failed WS_LENGTH_NOT_MINIMAL 1002"],
    ),
  );
  const unbounded = { maxMessageBytes: Number.MAX_SAFE_INTEGER };
  itReads(
    "refuses a length with the top bit, and one beyond 2^53",
    [hex("82 ff 80 00 00 00 00 00 00 00"), "failed WS_LENGTH_INVALID 1002"],
    [hex("82 ff ff ff ff ff ff ff ff ff"), "failed WS_LENGTH_INVALID 1002"],
    [hex("82 ff 00 20 00 00 00 00 00 00"), "failed WS_MESSAGE_TOO_LARGE 1009", unbounded],
    [hex("82 ff 7f ff ff ff ff ff ff ff"), "failed WS_MESSAGE_TOO_LARGE 1009", unbounded],
  );
  for (const length of [0, 1, 125, 126, 127, 65535, 65536, 70000]) {
    const data = Buffer.alloc(length, "portico ");
    const expected = `binary ${data.toString("latin1")}`;
    const rows: Row[] = [
      [frame(BINARY, data), expected],
      [serverFrame(BINARY, data), expected, CLIENT],
    ];
    itReads(`reads ${length} bytes, masked and not`, ...rows);
  }
});

describe("§5.4 fragmentation", () => {
  const begun = frame(TEXT, "a", NO_END);
  const empty = frame(CONTINUATION, "", NO_END);
  itReads(
    "refuses a continuation without a message",
    [frame(CONTINUATION, "x"), "failed WS_UNEXPECTED_CONTINUATION 1002"],
    [
      Buffer.concat([begun, frame(CONTINUATION, "b"), frame(CONTINUATION, "c")]),
      ["text ab", "failed WS_UNEXPECTED_CONTINUATION 1002"],
    ],
  );
  itReads("refuses a new message began inside a fragmented one", [
    Buffer.concat([begun, frame(TEXT, "b")]),
    "failed WS_EXPECTED_CONTINUATION 1002",
  ]);
  const mixed = Buffer.concat([
    frame(BINARY, "a", NO_END),
    frame(PING_FRAME, "p"),
    frame(CONTINUATION, "b", NO_END),
    frame(PONG_FRAME, ""),
    frame(CONTINUATION, "c"),
    frame(TEXT, "d"),
  ]);
  const events = ["ping p", "pong ", "binary abc", "text d"];
  itReads("control frames may stand between fragments", [mixed, events]);
  itReads(
    "fragments may be empty",
    [Buffer.concat([frame(TEXT, "", NO_END), empty, empty, frame(CONTINUATION, "")]), "text "],
    [Buffer.concat([frame(TEXT, ""), frame(BINARY, "")]), ["text ", "binary "]],
  );
  it("a flood of empty fragments takes no memory", () => {
    const reader = new MessageReader({ role: "server", limits: { maxMessageBytes: 100 } });
    const flood = Buffer.concat([frame(TEXT, "ab", NO_END), ...Array(1000).fill(empty)]);
    reader.receive(flood, 0, flood.length);
    for (let frames = 0; frames <= 1000; frames++) assert.equal(reader.next(), FRAGMENT);
    assert.equal(reader.next(), NEED_BYTES);
    assert.ok(reader.heldBytes <= 100);
  });
  it("100000 fragments of one byte take linear time: the buffer grows a few times only", () => {
    const count = 100_000;
    const pieces = Array(count).fill(frame(CONTINUATION, "x", NO_END));
    const bytes = Buffer.concat([frame(TEXT, "", NO_END), ...pieces, frame(CONTINUATION, "")]);
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
  const tooLong = "failed WS_CONTROL_TOO_LONG 1002";
  const most = "x".repeat(125);
  const codePayload = (code: number): Buffer => Buffer.from([code >> 8, code & 255]);
  itReads(
    "refuses fragmented ones",
    ...[CLOSE_FRAME, PING_FRAME, PONG_FRAME].map(
      (opcode): Row => [frame(opcode, "", NO_END), "failed WS_FRAGMENTED_CONTROL 1002"],
    ),
  );
  itReads(
    "takes 125 bytes and refuses 126",
    [frame(PING_FRAME, most), `ping ${most}`],
    [frame(PING_FRAME, `${most}x`), tooLong],
    [frame(CLOSE_FRAME, Buffer.alloc(65536)), tooLong],
  );
  itReads(
    "§5.5.1: close without a code, with a code, with a reason",
    [frame(CLOSE_FRAME, ""), "close 1005 "],
    [frame(CLOSE_FRAME, hex("03e8")), "close 1000 "],
    [frame(CLOSE_FRAME, Buffer.concat([hex("0fa0"), Buffer.from("gr\u00fcn")])), "close 4000 gr\u00fcn"],
  );
  itReads("refuses a close payload of one byte", [
    frame(CLOSE_FRAME, "x"),
    "failed WS_INVALID_CLOSE_PAYLOAD 1002",
  ]);
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    const events = "failed WS_INVALID_CLOSE_CODE 1002";
    itReads(`§7.4: refuses the close code ${code}`, [frame(CLOSE_FRAME, codePayload(code)), events]);
  }
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
    itReads(`§7.4: takes the close code ${code}`, [frame(CLOSE_FRAME, codePayload(code)), `close ${code} `]);
  }
  itReads("refuses a reason that is not UTF-8", [frame(CLOSE_FRAME, hex("03e8 ff")), NOT_UTF8]);
  const closed = frame(CLOSE_FRAME, "");
  itReads("§1.4: ignores everything after the close frame", [
    Buffer.concat([closed, frame(TEXT, "late"), hex("ffffffff")]),
    "close 1005 ",
  ]);
  itReads("close may come inside a fragmented message, which is dropped", [
    Buffer.concat([frame(TEXT, "a", NO_END), closed]),
    "close 1005 ",
  ]);
});

describe("§8.1 text is UTF-8", () => {
  const bad = frame(TEXT, Buffer.concat([Buffer.from("good "), hex("ff"), Buffer.alloc(100)]));
  const head = bad.length - 100;
  itReads(
    "fails at the first bad byte, in a frame that is not complete",
    [bad.subarray(0, head - 1), []],
    [bad.subarray(0, head), NOT_UTF8],
    [bad, NOT_UTF8],
  );
  const euro = Buffer.from("\u20ac");
  const cut = Buffer.concat([
    frame(TEXT, euro.subarray(0, 1), NO_END),
    frame(PING_FRAME, ""),
    frame(CONTINUATION, euro.subarray(1, 2), NO_END),
    frame(CONTINUATION, euro.subarray(2)),
  ]);
  const events = ["ping ", `text ${euro.toString("latin1")}`];
  itReads("a character may be cut by fragments, with a ping inside", [cut, events]);
  itReads(
    "a character may not be cut by the end of the message",
    [frame(TEXT, hex("e282")), NOT_UTF8],
    [Buffer.concat([frame(TEXT, hex("e2"), NO_END), frame(CONTINUATION, hex("82"))]), NOT_UTF8],
  );
  itReads("each message is validated on its own", [
    Buffer.concat([frame(TEXT, "a", NO_END), frame(CONTINUATION, "b"), frame(TEXT, hex("80"))]),
    ["text ab", NOT_UTF8],
  ]);
  itReads("binary data is not validated", [frame(BINARY, hex("ff")), "binary \u00ff"]);
});

describe("§10.4 the message limit", () => {
  const setting = { maxMessageBytes: 10 };
  const ten = "0123456789";
  const tooLarge = "failed WS_MESSAGE_TOO_LARGE 1009";
  const more = frame(BINARY, `${ten}x`);
  itReads(
    "holds for one frame, as soon as its header announces more",
    [frame(BINARY, ten), `binary ${ten}`, setting],
    [more.subarray(0, 5), [], setting],
    [more.subarray(0, 6), tooLarge, setting],
  );
  const half = frame(BINARY, "01234", NO_END);
  itReads(
    "holds over all fragments",
    [Buffer.concat([half, frame(CONTINUATION, "56789")]), `binary ${ten}`, setting],
    [Buffer.concat([half, frame(CONTINUATION, "56789x").subarray(0, 6)]), tooLarge, setting],
  );
  const long = "more than ten bytes";
  itReads("does not hold for control frames", [frame(PING_FRAME, long), `ping ${long}`, setting]);
  it("is read when a message starts", () => {
    const limits = { maxMessageBytes: 3 };
    const reader = new MessageReader({ role: "client", limits });
    const first = frame(BINARY, "ab", { fin: false, mask: null });
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
    assert.deepEqual([reader.isBorrowed, reader.data.toString()], [false, "one"]);
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
      const bytes = Buffer.concat([frame(BINARY, Buffer.alloc(9000), NO_END), end, Buffer.alloc(100)]);
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
    frame(TEXT, "a", NO_END),
    frame(PING_FRAME, "ping"),
    frame(CONTINUATION, Buffer.alloc(5_000)),
  ]);

  for (const size of [1, 7, 100_000]) {
    it(`skips messages up to the close frame, ${size} bytes at a time`, () => {
      const bytes = Buffer.concat([skipped, frame(CLOSE_FRAME, Buffer.from([0x03, 0xe8]))]);
      assert.deepEqual(signalsAfter(frame(BINARY, "begun", NO_END), bytes, size), [PING, CLOSE]);
      const partly = frame(BINARY, "x".repeat(900), NO_END);
      const rest = Buffer.concat([partly.subarray(500), bytes]);
      assert.deepEqual(signalsAfter(partly.subarray(0, 500), rest, size), [PING, CLOSE]);
    });

    it(`still refuses what breaks the rules of frames, ${size} bytes at a time`, () => {
      const broken = Buffer.concat([skipped, serverFrame(TEXT, "no mask")]);
      assert.deepEqual(signalsAfter(frame(BINARY, "begun", NO_END), broken, size), [PING, FAILED]);
    });
  }
});
