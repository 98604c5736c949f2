import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { isSyncZlibAvailable } from "../../src/node/sync-zlib.ts";
import { compressShared, MessageDeflater } from "../../src/protocol/websocket/message-deflater.ts";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import { BINARY, CONTINUATION, PING_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import { WebSocketError } from "../../src/protocol/websocket/websocket-error.ts";
import { hex, noise, prose } from "../support/bytes.ts";
import { frame, RSV1 } from "../support/frames.ts";
import { processorMs } from "../support/processor-time.ts";
import { itReads, read } from "./feed.ts";

const SHARED = { deflate: "shared" } as const;
const CONTEXT = { deflate: "context" } as const;
const NO_BITS = { windowBits: 15, level: 6, memLevel: 8 };

function inflateOnce(payload: Uint8Array, limit = 1 << 20, contextTakeover = false): Buffer | WebSocketError {
  const inflater = new MessageInflater({ contextTakeover, windowBits: 15 });
  try {
    return inflater.inflate(payload, 0, payload.length, limit);
  } finally {
    inflater.close();
  }
}

/** A compressed text message in one frame. */
function packed(payload: Uint8Array, opcode: number = TEXT): Buffer {
  return frame(opcode, payload, { rsv: RSV1 });
}

it("this version of Node has what sync-zlib needs", () => assert.ok(isSyncZlibAvailable()));

const HELLO = packed(hex("f2 48 cd c9 c9 07 00"));
/** The same text, which refers to the message before. */
const AGAIN = packed(hex("f2 00 11 00 00"));
const INVALID = "failed WS_INVALID_DEFLATE 1007";
const TOO_LARGE = "failed WS_MESSAGE_TOO_LARGE 1009";

describe("RFC 7692 §7.2.3, the examples", () => {
  const fragments = [
    frame(TEXT, hex("f2 48 cd"), { fin: false, rsv: RSV1 }),
    frame(PING_FRAME, "p"),
    frame(CONTINUATION, hex("c9 c9 07 00")),
  ];
  itReads(
    "§7.2.3.1: one compressed block, one frame and two",
    [HELLO, "text Hello", SHARED],
    [Buffer.concat(fragments), ["ping p", "text Hello"], SHARED],
  );
  const both = Buffer.concat([HELLO, AGAIN]);
  itReads(
    "§7.2.3.2: the window is kept between messages",
    [both, ["text Hello", "text Hello"], CONTEXT],
    [both, ["text Hello", INVALID], SHARED],
  );
  const stored = packed(hex("00 05 00 fa ff 48 65 6c 6c 6f 00"));
  itReads("§7.2.3.3: a block with no compression", [stored, "text Hello", SHARED]);
  const final = packed(hex("f3 48 cd c9 c9 07 00 00"));
  const three = Buffer.concat([final, final, HELLO]);
  itReads(
    "§7.2.3.4: a block with BFINAL, and messages after it",
    [three, Array(3).fill("text Hello"), CONTEXT],
    [three, Array(3).fill("text Hello"), SHARED],
  );
  const blocks = packed(hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"));
  itReads("§7.2.3.5: two blocks in one message", [blocks, "text Hello", SHARED]);
  it("§7.2.3.6: an empty message", () => {
    assert.deepEqual(read(packed(hex("00")), SHARED), ["text "]);
    assert.deepEqual(compressShared("", NO_BITS), hex("00"));
    const deflater = new MessageDeflater({ ...NO_BITS, contextTakeover: true });
    assert.deepEqual(deflater.compress(""), hex("00"));
    assert.deepEqual(deflater.compress(Buffer.alloc(0)), hex("00"));
    assert.deepEqual(inflateOnce(deflater.compress("after")), Buffer.from("after"));
    deflater.close();
  });
});

describe("what else a peer may send", () => {
  const abc = deflateRawSync("abc");
  const blocks = packed(Buffer.concat([abc, abc, abc]));
  itReads(
    "several blocks with BFINAL, and a message that ends right after one",
    [blocks, "text abcabcabc", SHARED],
    [Buffer.concat([blocks, blocks]), ["text abcabcabc", "text abcabcabc"], CONTEXT],
  );
  it("a flood of blocks with BFINAL is refused before it takes long", () => {
    const payload = Buffer.alloc(200_000, hex("03 00"));
    const start = processorMs();
    assert.ok(inflateOnce(payload) instanceof WebSocketError);
    assert.ok(processorMs() - start < 500);
  });
  const empty = Array(1000).fill(hex("00 00 00 ff ff"));
  const late = packed(Buffer.concat([...empty, hex("f2 48 cd c9 c9 07 00")]));
  itReads("any number of empty blocks", [late, "text Hello", CONTEXT]);
  itReads("uncompressed messages among compressed ones", [
    Buffer.concat([HELLO, frame(TEXT, "plain"), AGAIN]),
    ["text Hello", "text plain", "text Hello"],
    CONTEXT,
  ]);
  itReads(
    "bytes that are no deflate stream fail the connection, and only that one",
    [packed(hex("ff ff ff")), INVALID, SHARED],
    [HELLO, "text Hello", SHARED],
    [packed(hex("ff ff ff")), INVALID, CONTEXT],
  );
  it("a message that is cut short fails, wherever it was cut", () => {
    const failed = [INVALID];
    const stored = hex("00 05 00 fa ff 48 65 6c 6c 6f 00");
    const announcing = hex("00 f4 01 0b fe 48 65");
    for (const whole of [hex("f2 48 cd c9 c9 07 00"), stored, compressShared(prose(300), NO_BITS)]) {
      // The octet 00 alone is an empty message.
      for (let size = whole === stored ? 2 : 1; size < whole.length; size += 1) {
        const part = packed(whole.subarray(0, size), BINARY);
        for (const setting of [SHARED, CONTEXT]) assert.deepEqual(read(part, setting), failed, `${size}`);
      }
      assert.equal(read(packed(whole), CONTEXT).length, 1);
    }
    assert.deepEqual(read(packed(announcing, BINARY), SHARED), failed);
    // What was read is within the limit, only the tail would not be.
    assert.deepEqual(read(packed(announcing, BINARY), { ...SHARED, maxMessageBytes: 2 }), failed);
  });
  itReads("a message without a payload is empty, and does not harm the next", [
    Buffer.concat([packed(hex("")), HELLO, AGAIN]),
    ["text ", "text Hello", "text Hello"],
    CONTEXT,
  ]);
  itReads("an empty last block with BFINAL, which the tail completes", [
    Buffer.concat([packed(hex("00 05 00 fa ff 48 65 6c 6c 6f 01")), packed(hex("01")), HELLO]),
    ["text Hello", "text ", "text Hello"],
    CONTEXT,
  ]);
  const bad = compressShared(hex("ff"), NO_BITS);
  itReads(
    "text is validated after inflating",
    [packed(bad), "failed WS_INVALID_UTF8 1007", SHARED],
    [packed(bad, BINARY), "binary \u00ff", SHARED],
  );
});

describe("the message limit, RFC 6455 §10.4", () => {
  const zeros = Buffer.alloc(300_000);
  it("holds after inflating, to the byte", () => {
    for (const size of [1, 1000, 65535, 65536, 65537, 131072, 200_000, 300_000]) {
      const payload = compressShared(zeros.subarray(0, size), NO_BITS);
      const fits = inflateOnce(payload, size);
      assert.ok(fits instanceof Buffer && fits.equals(zeros.subarray(0, size)), `${size}`);
      const over = inflateOnce(payload, size - 1);
      assert.ok(over instanceof WebSocketError && over.code === "WS_MESSAGE_TOO_LARGE", `${size}`);
      assert.equal(over.closeCode, 1009);
    }
  });
  for (const limit of [0, 1000, 70_000, 1_000_000, 1_100_000, 5_000_000])
    it(`a bomb of 1000:1 takes no more memory than the limit of ${limit} and a chunk`, () => {
      const bomb = deflateRawSync(Buffer.alloc(64 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
      const before = process.memoryUsage().arrayBuffers;
      const allocate = Buffer.allocUnsafeSlow;
      let allocated = 0;
      Buffer.allocUnsafeSlow = (size: number): ReturnType<typeof allocate> => {
        allocated += size;
        return allocate(size);
      };
      try {
        assert.ok(inflateOnce(bomb, limit) instanceof WebSocketError);
      } finally {
        Buffer.allocUnsafeSlow = allocate;
      }
      assert.ok(allocated <= limit + 65536, `${allocated} bytes allocated`);
      assert.ok(process.memoryUsage().arrayBuffers - before <= limit + 200_000);
    });
  const setting = { deflate: "shared", maxMessageBytes: 1000 } as const;
  const larger = compressShared(Buffer.alloc(1001), NO_BITS);
  const begun = frame(BINARY, larger.subarray(0, 4), { fin: false, rsv: RSV1 });
  itReads(
    "the reader holds it for inflated messages, whole and in fragments",
    [packed(compressShared(Buffer.alloc(1000), NO_BITS), BINARY), `binary ${"\0".repeat(1000)}`, setting],
    [packed(larger, BINARY), TOO_LARGE, setting],
    [Buffer.concat([begun, frame(CONTINUATION, larger.subarray(4))]), TOO_LARGE, setting],
  );
  it("the frames of a message that does not compress may be a little longer than the message", () => {
    const bytes = noise(1000);
    const payload = compressShared(bytes, { ...NO_BITS, level: 0 });
    assert.ok(payload.length > bytes.length);
    assert.deepEqual(read(packed(payload, BINARY), setting), [`binary ${bytes.toString("latin1")}`]);
    const over = packed(Buffer.alloc(2000), BINARY).subarray(0, 8);
    assert.deepEqual(read(over, setting), [TOO_LARGE]);
  });
});

describe("MessageDeflater", () => {
  const TAIL = hex("00 00 ff ff");
  it("leaves out the tail, which zlib reads back", () => {
    for (const size of [1, 100, 65536, 200_000, 1_000_000]) {
      const text = prose(size);
      const payload = compressShared(text, NO_BITS);
      const whole = inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
      assert.equal(whole.toString(), text);
    }
  });
  it("output of every size around a chunk", () => {
    const bytes = noise(70_000);
    for (let size = 65_480; size < 65_560; size += 1) {
      const message = bytes.subarray(0, size);
      const back = inflateOnce(compressShared(message, { ...NO_BITS, level: 1 }));
      assert.ok(back instanceof Buffer && back.equals(message), `${size}`);
    }
  });
  it("with context takeover the second message is shorter, and needs the first", () => {
    const deflater = new MessageDeflater({ ...NO_BITS, contextTakeover: true });
    const inflater = new MessageInflater({ contextTakeover: true, windowBits: 15 });
    const text = prose(3000);
    const first = deflater.compress(text);
    const second = deflater.compress(text);
    assert.ok(second.length < first.length / 10);
    assert.ok(inflateOnce(second) instanceof WebSocketError);
    assert.equal(inflater.inflate(first, 0, first.length, 5000).toString(), text);
    assert.equal(inflater.inflate(second, 0, second.length, 5000).toString(), text);
    deflater.close();
    inflater.close();
  });
  it("without it every message stands alone, also between connections", () => {
    const one = new MessageDeflater({ ...NO_BITS, contextTakeover: false });
    const two = new MessageDeflater({ ...NO_BITS, contextTakeover: false });
    const text = prose(3000);
    for (const payload of [one.compress(text), two.compress(text), one.compress(text)]) {
      assert.equal(inflateOnce(payload).toString(), text);
    }
  });
  it("a shared frame, resetContext, and further messages with a context", () => {
    const deflater = new MessageDeflater({ ...NO_BITS, contextTakeover: true });
    const inflater = new MessageInflater({ contextTakeover: true, windowBits: 15 });
    const texts = [prose(500), prose(900), prose(300), prose(500)];
    const payloads = [deflater.compress(texts[0]!), compressShared(texts[1]!, NO_BITS)];
    deflater.resetContext();
    payloads.push(deflater.compress(texts[2]!), deflater.compress(texts[3]!));
    for (const [i, payload] of payloads.entries()) {
      assert.equal(inflater.inflate(payload, 0, payload.length, 5000).toString(), texts[i]);
    }
    deflater.close();
    inflater.close();
  });
  for (const windowBits of [8, 9, 10, 12, 15]) {
    it(`stays within a window of ${windowBits} bits`, () => {
      const text = prose(400) + prose(20_000) + prose(400);
      const payload = compressShared(text, { ...NO_BITS, windowBits });
      assert.ok(payload.length < text.length + 100);
      const whole = Buffer.concat([payload, TAIL]);
      // Node's own inflater, whose output comes in small chunks, refuses references beyond that window.
      const options = { windowBits, chunkSize: 64, finishFlush: constants.Z_SYNC_FLUSH };
      assert.equal(inflateRawSync(whole, options).toString(), text);
    });
  }
  it("after close: an error of its own, and no crash", () => {
    const deflater = new MessageDeflater({ ...NO_BITS, contextTakeover: true });
    deflater.compress("abc");
    deflater.close();
    deflater.close();
    deflater.resetContext();
    assert.throws(() => deflater.compress("abc"), /closed/);
    const inflater = new MessageInflater({ contextTakeover: true, windowBits: 15 });
    inflater.inflate(hex("00"), 0, 1, 10);
    inflater.close();
    inflater.close();
    assert.ok(inflater.inflate(hex("00"), 0, 1, 10) instanceof WebSocketError);
  });
  it("results are buffers of their own", () => {
    const first = compressShared("first", NO_BITS);
    const back = inflateOnce(first);
    const copies = [Buffer.from(first), Buffer.from(back as Buffer)];
    compressShared("second", NO_BITS);
    inflateOnce(compressShared("third", NO_BITS));
    assert.deepEqual([first, back], copies);
  });
});

describe("when there is no memory for the output", () => {
  /** Makes the allocation of the next large buffer fail. */
  function failOnce(t: TestContext): void {
    const { allocUnsafeSlow } = Buffer;
    t.mock.method(Buffer, "allocUnsafeSlow", (size: number) => {
      t.mock.restoreAll();
      throw new RangeError(`no memory for ${size} bytes`);
    });
    assert.notEqual(Buffer.allocUnsafeSlow, allocUnsafeSlow);
  }
  const large = randomBytes(200_000);
  const small = Buffer.from("another connection's message ".repeat(50));

  it("the next message that another connection inflates is its own", (t) => {
    const deflater = new MessageDeflater({ contextTakeover: false, ...NO_BITS });
    const [first, second] = [deflater.compress(large), deflater.compress(small)];
    failOnce(t);
    const failed = inflateOnce(first);
    assert.ok(failed instanceof WebSocketError && failed.closeCode === 1009);
    const got = inflateOnce(second);
    assert.ok(got instanceof Buffer && got.equals(small));
  });

  it("the next message that is deflated can be read by who has not seen this one", (t) => {
    for (const contextTakeover of [false, true]) {
      const deflater = new MessageDeflater({ contextTakeover, ...NO_BITS });
      failOnce(t);
      assert.throws(() => deflater.compress(large), RangeError);
      const got = inflateOnce(deflater.compress(small));
      assert.ok(got instanceof Buffer && got.equals(small));
      deflater.close();
    }
  });
});
