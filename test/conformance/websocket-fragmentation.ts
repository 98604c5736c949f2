// RFC 6455 §5.4: fragments.

import { cutAt, noise } from "../support/bytes.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  fragments,
  frame,
  PING,
  PONG,
  TEXT,
} from "../support/frames.ts";
import { breaks, brings, bringsApart, intact, Section } from "./websocket-case.ts";

const section = new Section("RFC 6455 §5.4 fragmentation");

for (const [name, pieces] of [
  ["two", ["one ", "two"]],
  ["three", ["one ", "two ", "three"]],
  ["an empty first", ["", "rest"]],
  ["an empty last", ["begun", ""]],
  ["an empty one in the middle", ["one ", "", "two"]],
  ["only empty ones", ["", "", ""]],
  ["a hundred of one byte", Array.from({ length: 100 }, (_, i) => String(i % 10))],
  ["a thousand empty ones and a last", [...Array<string>(1_000).fill(""), "last"]],
  ["five of 126 bytes", Array<string>(5).fill("x".repeat(126))],
  ["three of 65536 bytes", Array<string>(3).fill("y".repeat(65_536))],
] as const) {
  for (const opcode of [TEXT, BINARY]) {
    const kind = opcode === TEXT ? "text" : "binary";
    const frames = fragments(opcode, pieces);
    const whole = pieces.join("");
    section.rule(`${kind}, ${name}, in one write`, brings(frames, [opcode, whole]));
    section.rule(
      `${kind}, ${name}, each in a write of its own`,
      bringsApart(frames.length > 100 ? [Buffer.concat(frames.slice(0, -1)), frames.at(-1)!] : frames, [
        [opcode, whole],
      ]),
    );
  }
}

// A ping or a pong at each place of a message of three fragments.
const [one, two, three] = fragments(TEXT, ["one ", "two ", "three"]) as [Buffer, Buffer, Buffer];
for (const [name, bytes, before] of [
  ["before the first", [frame(PING, "p"), one, two, three], true],
  ["after the first", [one, frame(PING, "p"), two, three], true],
  ["after the second", [one, two, frame(PING, "p"), three], true],
  ["after the last", [one, two, three, frame(PING, "p")], false],
] as const) {
  const pong = [PONG, "p"] as const;
  const text = [TEXT, "one two three"] as const;
  const answers = before ? [pong, text] : [text, pong];
  section.rule(`a ping ${name} fragment`, brings(bytes, ...answers));
  section.rule(`a ping ${name} fragment, in writes of their own`, bringsApart(bytes, answers));
}
section.rule(
  "the pong does not wait for the rest of the message",
  intact(async (connection) => {
    await connection.send(one, frame(PING, "now")).expect([PONG, "now"]);
    await connection.send(two, frame(PING, "and now")).expect([PONG, "and now"]);
    await connection.send(three).expect([TEXT, "one two three"]);
  }),
);
section.rule(
  "a pong nobody asked for between fragments",
  brings([one, frame(PONG, "unasked"), two, frame(PONG), three], [TEXT, "one two three"]),
);
section.rule(
  "ten pings between each two fragments",
  brings(
    [one, two]
      .flatMap((fragment) => [fragment, ...Array.from({ length: 10 }, (_, i) => frame(PING, `${i}`))])
      .concat(three),
    ...Array.from({ length: 20 }, (_, i) => [PONG, `${i % 10}`] as const),
    [TEXT, "one two three"],
  ),
);
section.rule(
  "a ping of 125 bytes between fragments, cut inside",
  intact(async (connection) => {
    const bytes = noise(125);
    void connection.sendApart(
      cutAt(Buffer.concat([one, frame(PING, bytes), two, three]), [12, 40, 100, 141, 150]),
    );
    await connection.expect([PONG, bytes], [TEXT, "one two three"]);
  }),
);
section.rule(
  "a second message of fragments after the first",
  brings(
    [...fragments(TEXT, ["a", "b"]), ...fragments(BINARY, ["c", "d"]), frame(TEXT, "e")],
    [TEXT, "ab"],
    [BINARY, "cd"],
    [TEXT, "e"],
  ),
);

// What may not follow what.
const open = frame(TEXT, "begun", { fin: false });
for (const [name, bytes] of [
  ["a continuation with nothing to continue", [frame(CONTINUATION, "x")]],
  ["an empty continuation with nothing to continue", [frame(CONTINUATION)]],
  ["a continuation without FIN and with nothing to continue", [frame(CONTINUATION, "x", { fin: false })]],
  ["a text message inside a message", [open, frame(TEXT, "other")]],
  ["a binary message inside a message", [open, frame(BINARY, "other")]],
  ["a message of the same kind in fragments inside a message", [open, frame(TEXT, "other", { fin: false })]],
  ["an empty message inside a message", [open, frame(TEXT)]],
  ["a binary message inside a binary message", [frame(BINARY, "b", { fin: false }), frame(BINARY, "b")]],
  ["text inside a binary message", [frame(BINARY, "b", { fin: false }), frame(TEXT, "t")]],
  ["a message inside a message after a ping", [open, frame(TEXT, "other")]],
] as const) {
  section.rule(name, breaks(1002, bytes));
}
for (const [name, end] of [
  ["a continuation after a message in one frame", [frame(TEXT, "whole"), frame(CONTINUATION, "x")]],
  ["a continuation after the last fragment", [...fragments(TEXT, ["wh", "ole"]), frame(CONTINUATION, "x")]],
] as const) {
  section.rule(name, breaks(1002, end, { before: [[TEXT, "whole"]] }));
}
section.rule(
  "a message inside a message, with a ping before it",
  breaks(1002, [open, frame(PING, "p"), frame(TEXT, "other")], { before: [[PONG, "p"]] }),
);
for (const [name, opcode, payload] of [
  ["ping", PING, "p"],
  ["pong", PONG, "p"],
  ["close", CLOSE, closePayload(1000)],
] as const) {
  section.rule(`§5.5: a ${name} without FIN`, breaks(1002, [frame(opcode, payload, { fin: false })]));
  section.rule(`§5.5: an empty ${name} without FIN`, breaks(1002, [frame(opcode, "", { fin: false })]));
  section.rule(
    `§5.5: a ${name} without FIN, and its continuation`,
    breaks(1002, [frame(opcode, payload, { fin: false }), frame(CONTINUATION, "x")]),
  );
  section.rule(
    `§5.5: a ${name} without FIN inside a message`,
    breaks(1002, [open, frame(opcode, payload, { fin: false }), frame(CONTINUATION, "end")]),
  );
}

export const fragmentation: readonly Section[] = [section];
