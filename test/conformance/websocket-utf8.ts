// RFC 6455 §5.6, §8.1: text is UTF-8. RFC 3629.

import { bytewise, cutAt, hex } from "../support/bytes.ts";
import { BINARY, CONTINUATION, fragments, frame, PING, PONG, TEXT } from "../support/frames.ts";
import { breaks, brings, bringsApart, intact, Section } from "./websocket-case.ts";

const valid = new Section("RFC 6455 §8.1 valid UTF-8");
for (const [name, code] of [
  ["U+0000", 0],
  ["U+007F, the last of one octet", 0x7f],
  ["U+0080, the first of two", 0x80],
  ["U+07FF, the last of two", 0x7ff],
  ["U+0800, the first of three", 0x800],
  ["U+D7FF, before the surrogates", 0xd7ff],
  ["U+E000, after the surrogates", 0xe000],
  ["U+FEFF, a byte order mark", 0xfeff],
  ["U+FFFD, the replacement character", 0xfffd],
  ["U+FFFE, no character but a code point", 0xfffe],
  ["U+FFFF, the last of three", 0xffff],
  ["U+10000, the first of four", 0x10000],
  ["U+1FFFE", 0x1fffe],
  ["U+10FFFF, the last of all", 0x10ffff],
] as const) {
  const character = String.fromCodePoint(code);
  valid.rule(name, brings([frame(TEXT, character)], [TEXT, character]));
  const text = `${character}${"plain ".repeat(30)}${character}`;
  const bytes = Buffer.from(text);
  const apart = fragments(TEXT, cutAt(bytes, [1, bytes.length - 1]));
  valid.rule(`${name}, cut at both ends of a longer text`, brings(apart, [TEXT, text]));
}

// One, two, three and four octets, cut at each of them.
const SAMPLE = Buffer.from("a\u00e9\u20ac\u{1f600}z");
const PLACES = Array.from({ length: SAMPLE.length - 1 }, (_, i) => i + 1);
for (const place of PLACES) {
  const [head, tail] = fragments(TEXT, cutAt(SAMPLE, [place])) as [Buffer, Buffer];
  valid.rule(`fragments cut at octet ${place}`, brings([head, tail], [TEXT, SAMPLE]));
  valid.rule(
    `fragments cut at octet ${place}, a ping between`,
    brings([head, frame(PING, "p"), tail], [PONG, "p"], [TEXT, SAMPLE]),
  );
  valid.rule(
    `one frame in two writes, cut at octet ${place}`,
    bringsApart(cutAt(frame(TEXT, SAMPLE), [6 + place]), [[TEXT, SAMPLE]]),
  );
}
valid.rule("a fragment for each octet", brings(fragments(TEXT, cutAt(SAMPLE, PLACES)), [TEXT, SAMPLE]));
valid.rule(
  "a write for each octet",
  intact(async (connection) => {
    const whole = frame(TEXT, SAMPLE);
    void connection.sendApart(bytewise(whole));
    await connection.expect([TEXT, SAMPLE]);
  }),
);
valid.rule("70000 octets of characters of three octets", (client) => {
  const text = "\u20ac".repeat(23_334);
  return brings([frame(TEXT, text)], [TEXT, text])(client);
});
valid.rule(
  "any octets in a binary message",
  brings([frame(BINARY, hex("ff fe c0 80 ed a0 80"))], [BINARY, hex("ff fe c0 80 ed a0 80")]),
);
valid.rule("any octets in a ping", brings([frame(PING, hex("c0 80 ff"))], [PONG, hex("c0 80 ff")]));

// What is wrong, and after how many octets it is plain that no valid text can follow.
const WRONG: readonly (readonly [name: string, octets: string, plainAt: number])[] = [
  ["a continuation alone, 80", "80", 1],
  ["a continuation alone, bf", "bf", 1],
  ["five continuations", "80 81 82 83 84", 1],
  ["a continuation too many", "e2 82 ac 80", 4],
  ["two octets, the second missing", "c3 20", 2],
  ["three octets, the second missing", "e2 20", 2],
  ["three octets, the third missing", "e2 82 20", 3],
  ["four octets, the second missing", "f0 20", 2],
  ["four octets, the third missing", "f0 9f 20", 3],
  ["four octets, the fourth missing", "f0 9f 98 20", 4],
  ["a start after a start", "c3 c3 a9", 2],
  ["octet c0", "c0", 1],
  ["octet c1", "c1 bf", 1],
  ["octet f5", "f5 80 80 80", 1],
  ["octet f7", "f7 bf bf bf", 1],
  ["octet f8, five octets", "f8 88 80 80 80", 1],
  ["octet fc, six octets", "fc 84 80 80 80 80", 1],
  ["octet fe", "fe", 1],
  ["octet ff", "ff", 1],
  ["overlong / in two", "c0 af", 1],
  ["overlong / in three", "e0 80 af", 2],
  ["overlong / in four", "f0 80 80 af", 2],
  ["overlong NUL in two", "c0 80", 1],
  ["overlong NUL in three", "e0 80 80", 2],
  ["overlong U+07FF in three", "e0 9f bf", 2],
  ["overlong U+FFFF in four", "f0 8f bf bf", 2],
  ["surrogate U+D800", "ed a0 80", 2],
  ["surrogate U+DB7F", "ed ad bf", 2],
  ["surrogate U+DBFF", "ed af bf", 2],
  ["surrogate U+DC00", "ed b0 80", 2],
  ["surrogate U+DFFF", "ed bf bf", 2],
  ["a pair of surrogates", "ed a0 bd ed b8 80", 2],
  ["U+110000", "f4 90 80 80", 2],
  ["U+13FFFF", "f4 bf bf bf", 2],
];
const CUT_SHORT = ["c3", "e2", "e2 82", "f0", "f0 9f", "f0 9f 98"];

const wrong = new Section("RFC 6455 §8.1 invalid UTF-8");
const atOnce = new Section("RFC 6455 §8.1 invalid UTF-8 is refused at once");
const BEFORE = Buffer.from("\u20ac before ");
for (const [name, octets, plainAt] of WRONG) {
  const bad = hex(octets);
  const text = Buffer.concat([BEFORE, bad, Buffer.from(" behind")]);
  wrong.rule(`${name}, alone`, breaks(1007, [frame(TEXT, bad)]));
  wrong.rule(`${name}, in a text`, breaks(1007, [frame(TEXT, text)]));
  if (bad.length > 1) {
    const cuts = Array.from({ length: bad.length - 1 }, (_, i) => BEFORE.length + 1 + i);
    wrong.rule(`${name}, cut into fragments inside`, breaks(1007, fragments(TEXT, cutAt(text, cuts))));
  }
  const known = text.subarray(0, BEFORE.length + plainAt);
  atOnce.practice(
    `${name}, in a frame of which more is to come`,
    breaks(1007, [frame(TEXT, text).subarray(0, 6 + known.length)], { incomplete: true }),
  );
  atOnce.practice(
    `${name}, in a fragment`,
    breaks(1007, [frame(TEXT, known, { fin: false })], { incomplete: true }),
  );
}
for (const octets of CUT_SHORT) {
  const bad = hex(octets);
  wrong.rule(`the text ends after ${octets}`, breaks(1007, [frame(TEXT, Buffer.concat([BEFORE, bad]))]));
  wrong.rule(`the last fragment ends after ${octets}`, breaks(1007, fragments(TEXT, [BEFORE, bad])));
  wrong.rule(`an empty last fragment after ${octets}`, breaks(1007, fragments(TEXT, [BEFORE, bad, ""])));
}
wrong.rule(
  "a character is not completed by the next message",
  breaks(1007, [frame(TEXT, hex("e2 82")), frame(TEXT, hex("ac"))]),
);
wrong.rule(
  "a message before it is delivered",
  breaks(1007, [frame(TEXT, "fine"), frame(TEXT, hex("ff"))], { before: [[TEXT, "fine"]] }),
);
wrong.rule(
  "the last octet of 70000",
  breaks(1007, [frame(TEXT, Buffer.concat([Buffer.alloc(69_999, "x"), hex("ff")]))]),
);
wrong.rule(
  "a ping between valid and invalid fragments is answered",
  breaks(1007, [frame(TEXT, "ok", { fin: false }), frame(PING, "p"), frame(CONTINUATION, hex("c0"))], {
    before: [[PONG, "p"]],
  }),
);
for (const place of [1, 50, 1_000, 60_000]) {
  const text = Buffer.alloc(65_000, "x");
  text[place] = 0xff;
  const cut = frame(TEXT, text).subarray(0, 8 + place + 1);
  atOnce.practice(`octet ${place} of 65000`, breaks(1007, [cut], { incomplete: true }));
}
atOnce.practice(
  "in the second write of a frame",
  breaks(1007, cutAt(frame(TEXT, hex("61 62 e2 82 c0 61")).subarray(0, 11), [8]), {
    incomplete: true,
    apart: true,
  }),
);

export const utf8: readonly Section[] = [valid, wrong, atOnce];
