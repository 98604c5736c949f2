// RFC 6455 §5.1 to §5.3: the frame.

import { bytewise, cutAt, noise, prose } from "../support/bytes.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  frame,
  OPCODE_NAMES,
  PING,
  PONG,
  RSV1,
  TEXT,
} from "../support/frames.ts";
import { breaks, brings, bringsApart, Section } from "./websocket-case.ts";

const BOUNDARIES = [
  0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 1_000, 65_534, 65_535, 65_536, 65_537, 200_000,
];
const OPCODES = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG];
const RESERVED_OPCODES = [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf];
const MASKS = [
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [1, 0, 0, 0],
  [0, 0, 0, 1],
  [128, 64, 32, 16],
];

function payloadFor(opcode: number): Buffer {
  return opcode === CLOSE ? closePayload(1000) : Buffer.from("payload");
}

const lengths = new Section("RFC 6455 §5.2 lengths");
for (const length of BOUNDARIES) {
  const bytes = noise(length);
  const text = prose(length);
  lengths.rule(`text of ${length} bytes`, brings([frame(TEXT, text)], [TEXT, text]));
  lengths.rule(`binary of ${length} bytes`, brings([frame(BINARY, bytes)], [BINARY, bytes]));
  if (length > 0 && length < 1_000) {
    const whole = frame(BINARY, bytes);
    const each = bytewise(whole);
    lengths.rule(`binary of ${length} bytes, byte by byte`, bringsApart(each, [[BINARY, bytes]]));
  }
  if (length < 200_000) {
    const three = [frame(BINARY, bytes), frame(TEXT, text), frame(BINARY, bytes)];
    lengths.rule(
      `three messages of ${length} bytes in one write`,
      brings(three, [BINARY, bytes], [TEXT, text], [BINARY, bytes]),
    );
  }
}
for (const size of [1, 2, 4, 6, 9, 10, 13, 14, 15, 66_000]) {
  const bytes = noise(70_000);
  lengths.rule(
    `a frame of 70000 bytes in two writes, cut at byte ${size}`,
    bringsApart(cutAt(frame(BINARY, bytes), [size]), [[BINARY, bytes]]),
  );
}
for (const [form, length] of [
  [16, 0],
  [16, 1],
  [16, 125],
  [64, 0],
  [64, 1],
  [64, 125],
  [64, 126],
  [64, 65_535],
] as const) {
  for (const opcode of [TEXT, BINARY]) {
    lengths.rule(
      `${OPCODE_NAMES[opcode]} of ${length} bytes with a length of ${form} bits: not the shortest form`,
      breaks(1002, [frame(opcode, prose(length), { form })]),
    );
  }
}
for (const announced of [1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n]) {
  lengths.rule(
    `a length of 0x${announced.toString(16)}: its most significant bit has to be 0`,
    breaks(1002, [frame(BINARY, "payload", { announced })]),
  );
}

const bits = new Section("RFC 6455 §5.2 reserved bits");
for (let rsv = 1; rsv < 8; rsv++) {
  for (const opcode of OPCODES) {
    const name = `RSV ${rsv.toString(2).padStart(3, "0")} on a ${OPCODE_NAMES[opcode]} frame`;
    const first = opcode === CONTINUATION ? [frame(TEXT, "first, ", { fin: false })] : [];
    const bytes = [...first, frame(opcode, payloadFor(opcode), { rsv })];
    bits.rule(`${name}, no extension`, breaks(1002, bytes));
    // RFC 7692 §6.1: on the first frame of a message RSV1 alone has a meaning; see the sections on RFC 7692.
    if (rsv === RSV1 && (opcode === TEXT || opcode === BINARY)) continue;
    bits.rule(`${name}, permessage-deflate`, breaks(1002, bytes, { offer: "permessage-deflate" }), "deflate");
  }
}
bits.rule(
  "what came before is delivered",
  breaks(1002, [frame(TEXT, "before"), frame(TEXT, "bad", { rsv: 2 })], { before: [[TEXT, "before"]] }),
);

const opcodes = new Section("RFC 6455 §5.2 opcodes");
for (const opcode of RESERVED_OPCODES) {
  const name = `opcode ${opcode}`;
  opcodes.rule(`${name}, empty`, breaks(1002, [frame(opcode)]));
  opcodes.rule(`${name}, with a payload`, breaks(1002, [frame(opcode, "payload")]));
  opcodes.rule(
    `${name} after a message and a ping`,
    breaks(1002, [frame(TEXT, "before"), frame(PING, "p"), frame(opcode)], {
      before: [
        [TEXT, "before"],
        [PONG, "p"],
      ],
    }),
  );
  opcodes.rule(
    `${name} inside a fragmented message`,
    breaks(1002, [frame(TEXT, "first", { fin: false }), frame(opcode, "x"), frame(CONTINUATION, "last")]),
  );
}

const masks = new Section("RFC 6455 §5.1, §5.3 masks");
for (const opcode of OPCODES) {
  const first = opcode === CONTINUATION ? [frame(TEXT, "first", { fin: false })] : [];
  masks.rule(
    `a ${OPCODE_NAMES[opcode]} frame without a mask`,
    breaks(1002, [...first, frame(opcode, payloadFor(opcode), { mask: null })]),
  );
}
masks.rule("an empty text frame without a mask", breaks(1002, [frame(TEXT, "", { mask: null })]));
masks.rule(
  "a frame of 65536 bytes without a mask",
  breaks(1002, [frame(BINARY, noise(65_536), { mask: null })]),
);
for (const mask of MASKS) {
  for (const length of [1, 7, 126, 5_000]) {
    const bytes = noise(length);
    masks.rule(
      `mask ${mask.join(" ")} on ${length} bytes`,
      brings([frame(BINARY, bytes, { mask })], [BINARY, bytes]),
    );
  }
}
masks.rule("each fragment has a mask of its own, and so has a ping between", (client) => {
  const bytes = noise(1_003);
  return brings(
    [
      frame(BINARY, bytes.subarray(0, 3), { fin: false, mask: [1, 2, 3, 4] }),
      frame(PING, "between", { mask: [9, 8, 7, 6] }),
      frame(CONTINUATION, bytes.subarray(3, 500), { fin: false, mask: [0, 255, 0, 255] }),
      frame(CONTINUATION, bytes.subarray(500), { mask: [5, 5, 5, 5] }),
    ],
    [PONG, "between"],
    [BINARY, bytes],
  )(client);
});
for (const cut of [6, 7, 8, 9, 10, 11]) {
  const bytes = noise(300);
  masks.rule(
    `a masked payload cut after ${cut} bytes goes on with the right byte of the mask`,
    bringsApart(cutAt(frame(BINARY, bytes), [cut, cut + 5, cut + 50]), [[BINARY, bytes]]),
  );
}

export const framing: readonly Section[] = [lengths, bits, opcodes, masks];
