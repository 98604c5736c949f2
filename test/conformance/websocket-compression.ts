// RFC 7692 §6, §7.2: compressed messages.
import assert from "node:assert/strict";
import { constants, deflateRawSync } from "node:zlib";
import { bytewise, cutAt, hex, noise, prose } from "../support/bytes.ts";
import { ClientWindow, deflated } from "../support/deflate-window.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  fragments,
  frame,
  PING,
  PONG,
  RSV1,
  TEXT,
} from "../support/frames.ts";
import { Blocks } from "./websocket-blocks.ts";
import { breaks, bringsApart, intact, type Run, Section } from "./websocket-case.ts";
import type { Expected } from "./websocket-connection.ts";

const OFFER = "permessage-deflate";
// The sample of §7.2.3, and its payload in one block of fixed codes.
const HELLO = "Hello";
const HELLO_FIXED = new Blocks().fixed([HELLO]).message;

function packed(opcode: number, wire: Uint8Array): Buffer {
  return frame(opcode, wire, { rsv: RSV1 });
}

/** These frames fail a connection with compression: the data is no deflate stream. */
function damages(bytes: readonly Uint8Array[], before: readonly Expected[] = []): Run {
  return breaks([1007, 1002], bytes, { offer: OFFER, before });
}

/** These frames bring these answers on a connection with compression. */
function inflates(bytes: readonly Uint8Array[], ...answers: Expected[]): Run {
  return intact((connection) => connection.send(...bytes).expect(...answers), OFFER);
}

const sizes = new Section("RFC 7692 §6, §7.2 messages", ["deflate"]);
for (const size of [
  0, 1, 2, 125, 126, 127, 1_000, 1_023, 1_024, 1_025, 32_768, 65_535, 65_536, 100_000, 200_000,
]) {
  const text = prose(size);
  const bytes = noise(size);
  sizes.rule(`text of ${size} bytes`, inflates([packed(TEXT, deflated(text))], [TEXT, text]));
  sizes.rule(
    `bytes that do not compress, ${size} of them`,
    inflates([packed(BINARY, deflated(bytes))], [BINARY, bytes]),
  );
  sizes.rule(
    `zeros, ${size} of them`,
    inflates([packed(BINARY, deflated(Buffer.alloc(size)))], [BINARY, Buffer.alloc(size)]),
  );
  sizes.rule(`§6: text of ${size} bytes that is not compressed`, inflates([frame(TEXT, text)], [TEXT, text]));
}
for (let level = 0; level <= 9; level++) {
  const text = prose(10_000);
  sizes.rule(`zlib's level ${level}`, inflates([packed(TEXT, deflated(text, { level }))], [TEXT, text]));
}
for (const [name, strategy] of [
  ["filtered", constants.Z_FILTERED],
  ["Huffman only", constants.Z_HUFFMAN_ONLY],
  ["run length", constants.Z_RLE],
  ["fixed", constants.Z_FIXED],
] as const) {
  const text = prose(10_000);
  sizes.rule(`zlib's strategy ${name}`, inflates([packed(TEXT, deflated(text, { strategy }))], [TEXT, text]));
}
for (const memLevel of [1, 5, 9]) {
  const text = prose(50_000);
  sizes.rule(
    `zlib's memLevel ${memLevel}`,
    inflates([packed(TEXT, deflated(text, { memLevel }))], [TEXT, text]),
  );
}
sizes.rule("compressed and plain messages in turn", (client) => {
  const both = [TEXT, BINARY].flatMap((opcode) => [
    frame(opcode, "plain"),
    packed(opcode, deflated("packed")),
  ]);
  const answers = [TEXT, BINARY].flatMap((opcode): Expected[] => [
    [opcode, "plain"],
    [opcode, "packed"],
  ]);
  return inflates([...both, frame(PING, "p")], ...answers, [PONG, "p"])(client);
});
sizes.rule(
  "byte by byte",
  intact(async (connection) => {
    const whole = packed(TEXT, deflated(prose(100)));
    void connection.sendApart(bytewise(whole));
    await connection.expect([TEXT, prose(100)]);
  }, OFFER),
);

const parts = new Section("RFC 7692 §6.1 fragments", ["deflate"]);
for (let place = 0; place <= HELLO_FIXED.length; place++) {
  const bytes = fragments(TEXT, cutAt(HELLO_FIXED, [place]), RSV1);
  parts.rule(`cut at byte ${place} of ${HELLO_FIXED.length}`, inflates(bytes, [TEXT, HELLO]));
}
parts.rule("a fragment for each byte", inflates(fragments(TEXT, bytewise(HELLO_FIXED), RSV1), [TEXT, HELLO]));
parts.rule(
  "empty fragments at both ends and between",
  inflates(fragments(TEXT, ["", HELLO_FIXED.subarray(0, 3), "", HELLO_FIXED.subarray(3), ""], RSV1), [
    TEXT,
    HELLO,
  ]),
);
parts.rule("§7.2.3.6: the last fragment has an empty block", (client) => {
  const flushed = Buffer.concat([deflated(HELLO), hex("0000ffff")]);
  return inflates(fragments(TEXT, [flushed, hex("00")], RSV1), [TEXT, HELLO])(client);
});
parts.rule("a ping, a pong and a ping between fragments are not compressed", (client) => {
  const [one, two] = fragments(TEXT, cutAt(HELLO_FIXED, [4]), RSV1) as [Buffer, Buffer];
  return inflates(
    [one, frame(PING, "1"), frame(PONG, "2"), frame(PING, "3"), two],
    [PONG, "1"],
    [PONG, "3"],
    [TEXT, HELLO],
  )(client);
});
parts.rule("fragments of a large message, each in a write of its own", (client) => {
  const text = prose(150_000);
  const wire = deflated(text);
  const cuts = [1, 2, 1_000, wire.length >> 1, wire.length - 1];
  return bringsApart(fragments(TEXT, cutAt(wire, cuts), RSV1), [[TEXT, text]], OFFER)(client);
});
parts.rule("a character cut by fragments, after compression", (client) => {
  const text = "\u20ac\u{1f600}".repeat(20);
  const wire = deflated(text, { level: 0 });
  return inflates(fragments(TEXT, bytewise(wire), RSV1), [TEXT, text])(client);
});
parts.rule(
  "plain fragments on a connection with compression",
  inflates(fragments(TEXT, ["one ", "two"]), [TEXT, "one two"]),
);
for (const [name, second] of [
  ["the second fragment", frame(CONTINUATION, HELLO_FIXED.subarray(3), { rsv: RSV1 })],
  ["a second fragment without FIN", frame(CONTINUATION, HELLO_FIXED.subarray(3), { rsv: RSV1, fin: false })],
  ["an empty second fragment", frame(CONTINUATION, "", { rsv: RSV1 })],
] as const) {
  const first = frame(TEXT, HELLO_FIXED.subarray(0, 3), { rsv: RSV1, fin: false });
  parts.rule(`RSV1 on ${name}`, breaks(1002, [first, second], { offer: OFFER }));
}
for (const [name, opcode, payload] of [
  ["ping", PING, deflated("p")],
  ["pong", PONG, deflated("p")],
  ["close", CLOSE, closePayload(1000)],
] as const) {
  const [one, two] = fragments(TEXT, cutAt(HELLO_FIXED, [4]), RSV1) as [Buffer, Buffer];
  parts.rule(
    `RSV1 on a ${name} between fragments`,
    breaks(1002, [one, frame(opcode, payload, { rsv: RSV1 }), two], { offer: OFFER }),
  );
}
parts.rule("a compressed message inside a compressed message", (client) => {
  const [one, two] = fragments(TEXT, cutAt(HELLO_FIXED, [4]), RSV1) as [Buffer, Buffer];
  return breaks(1002, [one, packed(TEXT, HELLO_FIXED), two], { offer: OFFER })(client);
});

const EMPTY_STORED = hex("00 00 00 ff ff");
const DYNAMIC_LONG = deflated(prose(2_000));
const DYNAMIC_FINAL = deflateRawSync(prose(2_000));
assert.equal((DYNAMIC_LONG[0]! >> 1) & 3, 2, "zlib was to choose dynamic codes");
const blocks = new Section("RFC 7692 §7.2.1, §7.2.3 blocks", ["deflate"]);
for (const [name, wire, text] of [
  ["§7.2.3.1: one block of fixed codes", hex("f2 48 cd c9 c9 07 00"), HELLO],
  ["§7.2.3.3: one stored block", hex("00 05 00 fa ff 48 65 6c 6c 6f 00"), HELLO],
  ["§7.2.3.4: one block with BFINAL", hex("f3 48 cd c9 c9 07 00 00"), HELLO],
  ["§7.2.3.5: two blocks", hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"), HELLO],
  ["§7.2.3.6: an empty message is an empty stored block", hex("00"), ""],
  ["an empty block of fixed codes", new Blocks().fixed([]).message, ""],
  ["an empty block of fixed codes with BFINAL", new Blocks().fixed([], true).align().message, ""],
  ["an empty stored block with BFINAL", new Blocks().stored("", true).message, ""],
  ["dynamic codes", DYNAMIC_LONG, prose(2_000)],
  [
    "stored, fixed, stored",
    new Blocks().stored("one ").fixed(["two "]).stored("three").message,
    "one two three",
  ],
  ["ten blocks of fixed codes without a byte between", tenBlocks(false), "0123456789"],
  ["ten blocks with BFINAL", tenBlocks(true), "0123456789"],
  ["stored blocks with BFINAL", new Blocks().stored("one ", true).stored("two", true).message, "one two"],
  ["BFINAL first, then a block without", new Blocks().stored("one ", true).fixed(["two"]).message, "one two"],
  [
    "BFINAL in the middle",
    new Blocks().fixed(["one "]).fixed(["two "], true).align().stored("three").message,
    "one two three",
  ],
  [
    "empty blocks before, between and after",
    Buffer.concat([EMPTY_STORED, EMPTY_STORED, deflated("x"), hex("0000ffff"), EMPTY_STORED, hex("00")]),
    "x",
  ],
  [
    "a thousand empty blocks",
    Buffer.concat([...Array<Buffer>(1_000).fill(EMPTY_STORED), HELLO_FIXED]),
    HELLO,
  ],
  ["a full flush", Buffer.concat([deflated("one "), hex("0000ffff"), deflated("two")]), "one two"],
  [
    "a copy that reads what it writes",
    new Blocks().fixed(["ab", { length: 258, distance: 2 }]).message,
    "ab".repeat(130),
  ],
  ["the shortest copy", new Blocks().fixed(["abc", { length: 3, distance: 3 }]).message, "abcabc"],
  [
    "a copy into the block before",
    new Blocks().stored("Hello, ").fixed([{ length: 7, distance: 7 }]).message,
    "Hello, Hello, ",
  ],
  ["octets above 143, which have longer codes", new Blocks().fixed(["\u00ff\u20ac"]).message, "\u00ff\u20ac"],
] as const) {
  blocks.rule(name, inflates([packed(TEXT, wire)], [TEXT, text]));
  blocks.rule(
    `${name}, twice, and another message`,
    inflates(
      [packed(TEXT, wire), packed(TEXT, wire), packed(TEXT, HELLO_FIXED)],
      [TEXT, text],
      [TEXT, text],
      [TEXT, HELLO],
    ),
  );
}
blocks.rule(
  "a message of dynamic codes with BFINAL and the last octet of 0",
  inflates(
    [packed(TEXT, Buffer.concat([DYNAMIC_FINAL, hex("00")])), packed(TEXT, HELLO_FIXED)],
    [TEXT, prose(2_000)],
    [TEXT, HELLO],
  ),
);
blocks.rule(
  "a message that ends after BFINAL, without the octet that §7.2.3.4 calls necessary",
  lenient(hex("f3 48 cd c9 c9 07 00"), HELLO),
);
blocks.rule("a compressed message without a payload, which §7.2.1 never makes", lenient(Buffer.alloc(0), ""));
blocks.rule(
  "a copy across a block with BFINAL",
  lenient(new Blocks().stored("Hello, ", true).fixed([{ length: 7, distance: 7 }]).message, "Hello, Hello, "),
);
blocks.rule("5000 blocks with BFINAL in one message", (client) => {
  let all = new Blocks();
  for (let i = 0; i < 5_000; i++) all = all.stored("", true);
  return lenient(all.message, "")(client);
});

function tenBlocks(final: boolean): Buffer {
  let all = new Blocks();
  for (let digit = 0; digit < 10; digit++) {
    all = all.fixed([String(digit)], final);
    if (final) all = all.align();
  }
  return all.message;
}

/** Taken as this text or refused; if it is taken, the messages after it are not harmed. */
function lenient(wire: Uint8Array, text: string): Run {
  return async (client) => {
    const connection = await client.deflating(OFFER);
    connection.send(packed(TEXT, wire));
    const answer = await connection.next();
    if (answer?.opcode === CLOSE) {
      const code = answer.payload.readUInt16BE(0);
      assert.ok([1002, 1007].includes(code), `closed with ${code}`);
      await connection.over();
      return "refuses it";
    }
    assert.equal(answer?.payload.toString(), text);
    connection.send(packed(TEXT, HELLO_FIXED), packed(TEXT, DYNAMIC_LONG));
    await connection.expect([TEXT, HELLO], [TEXT, prose(2_000)]);
    await connection.finish();
    return "takes it";
  };
}

const damaged = new Section("RFC 7692 §7.2.2 data that is no deflate stream", ["deflate"]);
for (const [name, wire] of [
  ["a block of the reserved type", new Blocks().header(3).align().cut],
  ["octets of ff", Buffer.alloc(10, 0xff)],
  ["noise", noise(500)],
  ["plain text", Buffer.from("no deflate stream at all")],
  ["a stored block whose length is not repeated", hex("00 05 00 00 00 48 65 6c 6c 6f 00")],
  ["a copy from before the beginning", new Blocks().fixed(["a", { length: 3, distance: 200 }]).message],
  ["a copy from far before the beginning", new Blocks().fixed([{ length: 3, distance: 32_768 }]).message],
  ["a length code that does not exist", new Blocks().header(1).bits(0b01100011, 8).bits(0, 16).cut],
  [
    "a distance code that does not exist",
    new Blocks().header(1).bits(0b1000000, 7).bits(0b01111, 5).bits(0, 16).cut,
  ],
  ["too many codes", new Blocks().header(2).bits(31, 5).bits(31, 5).bits(15, 4).bits(0, 64).cut],
  [
    "codes of which more are used than there are",
    new Blocks()
      .header(2)
      .bits(0, 5)
      .bits(0, 5)
      .bits(15, 4)
      .bits(0b001001001001, 12)
      .bits(0b001001001001, 12)
      .bits(0, 33).cut,
  ],
  ["a good block and then a bad one", new Blocks().fixed(["good"]).header(3).align().cut],
] as const) {
  damaged.rule(name, damages([packed(BINARY, wire)]));
  const halves = fragments(TEXT, cutAt(wire, [wire.length >> 1]), RSV1);
  damaged.rule(
    `${name}, in fragments after a good message`,
    damages([packed(TEXT, HELLO_FIXED), ...halves], [[TEXT, HELLO]]),
  );
}
const DYNAMIC_SHORT = deflated(prose(150));
const STORED = new Blocks().stored("a stored block").message;
for (const [name, whole, least] of [
  ["fixed codes", HELLO_FIXED, 1],
  // The octet 00 alone is an empty message.
  ["a stored block", STORED, 2],
  ["dynamic codes", DYNAMIC_SHORT, 1],
] as const) {
  const step = Math.ceil(whole.length / 16);
  const places = Array.from({ length: whole.length - least }, (_, i) => least + i);
  for (const place of places.filter((one, i) => i % step === 0 || one === whole.length - 1)) {
    damaged.practice(
      `${name}, cut short after ${place} of ${whole.length} octets`,
      damages([packed(BINARY, whole.subarray(0, place))]),
    );
  }
}
damaged.practice(
  "a stored block that announces more than there is",
  damages([packed(BINARY, new Blocks().stored("little", false, 500).cut)]),
);
damaged.rule(
  "§6.1: text is checked after it was inflated",
  breaks(1007, [packed(TEXT, deflated(hex("61 ff 62")))], { offer: OFFER }),
);
damaged.rule(
  "§6.1: text that is cut short, after it was inflated",
  breaks(1007, [packed(TEXT, deflated(hex("61 e2 82")))], { offer: OFFER }),
);
damaged.rule(
  "§6.1: the same octets in a binary message",
  inflates([packed(BINARY, deflated(hex("61 ff 62")))], [BINARY, hex("61 ff 62")]),
);
damaged.rule("a message that is no deflate stream harms nobody else", async (client) => {
  const other = await client.deflating();
  const window = new ClientWindow(other.agreed?.clientBits ?? 15);
  const pack = (text: string): Buffer =>
    other.agreed?.clientTakeover ? window.deflate(text) : deflated(text);
  await other.send(packed(TEXT, pack(prose(500)))).expect([TEXT, prose(500)]);
  const bad = await client.deflating();
  await bad.send(packed(BINARY, Buffer.alloc(10, 0xff))).fails([1007, 1002]);
  await other.send(packed(TEXT, pack(prose(500)))).expect([TEXT, prose(500)]);
  await other.finish();
});

export const compression: readonly Section[] = [sizes, parts, blocks, damaged];
