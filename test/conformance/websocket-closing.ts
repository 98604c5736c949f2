// RFC 6455 §5.5.1, §7: closing.
import assert from "node:assert/strict";
import { cutAt, hex } from "../support/bytes.ts";
import { BINARY, CLOSE, CONTINUATION, closePayload, frame, PING, PONG, TEXT } from "../support/frames.ts";
import { breaks, closes, closesApart, intact, Section } from "./websocket-case.ts";
import type { Connection } from "./websocket-connection.ts";

// Registered with IANA, or free for use (§7.4.2).
const VALID = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3500, 3999, 4000, 4001,
  4500, 4999,
];
// Unused, reserved, only for APIs, or not registered.
const INVALID = [
  0, 1, 2, 100, 255, 256, 500, 998, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1500, 1999, 2000, 2001,
  2500, 2998, 2999,
];
// No section says what they mean.
const OPEN = [5000, 5001, 10_000, 32_767, 32_768, 65_534, 65_535];

const codes = new Section("RFC 6455 §7.4 close codes");
for (const code of VALID) {
  codes.practice(`${code} is answered with the same code`, closes(code, frame(CLOSE, closePayload(code))));
  codes.practice(
    `${code} with a reason is answered with the same code`,
    closes(code, frame(CLOSE, closePayload(code, "enough \u20ac"))),
  );
}
for (const code of INVALID) {
  codes.rule(`${code} may not be sent`, breaks(1002, [frame(CLOSE, closePayload(code))]));
  codes.rule(
    `${code} with a reason may not be sent`,
    breaks(1002, [frame(CLOSE, closePayload(code, "reason"))]),
  );
}
for (const code of OPEN) {
  codes.rule(`${code}: refused or taken`, async (client) => {
    const connection = await client.open();
    const given = await connection.send(frame(CLOSE, closePayload(code))).closes([1002, 1000, code]);
    return `answers ${given}`;
  });
}

const payloads = new Section("RFC 6455 §5.5.1 close frames");
payloads.rule("no payload: answered without one, or with 1000", closes([1000, undefined], frame(CLOSE)));
payloads.rule("a payload of one byte", breaks(1002, [frame(CLOSE, "x")]));
payloads.rule("a payload of one zero", breaks(1002, [frame(CLOSE, hex("00"))]));
for (const length of [1, 2, 61, 122, 123]) {
  payloads.rule(
    `a reason of ${length} bytes`,
    closes(1000, frame(CLOSE, closePayload(1000, "r".repeat(length)))),
  );
}
payloads.rule(
  "a reason of 41 characters of three octets",
  closes(1000, frame(CLOSE, closePayload(1000, "\u20ac".repeat(41)))),
);
for (const length of [124, 125, 1_000, 70_000]) {
  payloads.rule(
    `a reason of ${length} bytes`,
    breaks(1002, [frame(CLOSE, closePayload(1000, "r".repeat(length)))]),
  );
}
for (const octets of ["ff", "c0 80", "ed a0 80", "f4 90 80 80", "e2 82", "41 80 41", "c3", "f0 9f 98"]) {
  payloads.rule(
    `§8.1: a reason with ${octets}`,
    breaks(1007, [frame(CLOSE, closePayload(1000, hex(octets)))]),
  );
}
for (const cut of [1, 2, 3, 5, 6, 7, 8, 9]) {
  payloads.rule(
    `a close frame in two writes, cut at byte ${cut}`,
    closesApart(1001, ...cutAt(frame(CLOSE, closePayload(1001, "away")), [cut])),
  );
}
for (const form of [16, 64] as const) {
  payloads.rule(`a length of ${form} bits`, breaks(1002, [frame(CLOSE, closePayload(1000), { form })]));
}

const after = new Section("RFC 6455 §1.4, §5.5.1, §7.1 after a close frame");
const closing = frame(CLOSE, closePayload(1000));
for (const [name, bytes] of [
  ["a text message", [frame(TEXT, "late")]],
  ["a binary message", [frame(BINARY, "late")]],
  ["a ping", [frame(PING, "late")]],
  ["a pong", [frame(PONG, "late")]],
  ["a second close frame", [frame(CLOSE, closePayload(1001))]],
  ["a close frame that may not be", [frame(CLOSE, closePayload(1005))]],
  ["text that is not UTF-8", [frame(TEXT, hex("ff"))]],
  ["a reserved opcode", [frame(3, "x")]],
  ["a frame without a mask", [frame(TEXT, "late", { mask: null })]],
  ["half a frame", [frame(TEXT, "late").subarray(0, 7)]],
  ["bytes of no meaning", [hex("ff ff ff ff ff ff")]],
  ["100000 bytes", [frame(BINARY, Buffer.alloc(100_000))]],
] as const) {
  after.rule(`${name} in the same write is ignored`, closes(1000, closing, ...bytes));
  after.rule(`${name} in a write of its own is ignored`, closesApart(1000, closing, ...bytes));
}
after.rule("what came before is answered first", async (client) => {
  const connection = await client.open();
  connection.send(frame(TEXT, "a"), frame(PING, "p"), frame(BINARY, "b"), closing);
  await connection.expect([TEXT, "a"], [PONG, "p"], [BINARY, "b"]);
  await connection.closes(1000);
});
after.rule("a close frame during a fragmented message", async (client) => {
  const connection = await client.open();
  connection.send(frame(TEXT, "begun", { fin: false }), closing, frame(CONTINUATION, " and ended"));
  await connection.closes(1000);
});
after.rule(
  "a close frame during a fragmented message, in writes of their own",
  closesApart(
    1000,
    frame(BINARY, "begun", { fin: false }),
    frame(CONTINUATION, "more", { fin: false }),
    closing,
  ),
);
after.rule("§7.1.1: the server ends the connection first", async (client) => {
  const connection = await client.open();
  // The client's half stays open until the server's end has come.
  await connection.send(closing).closes(1000);
  assert.equal(connection.arrived, 0);
});
after.practice("§7.1.7: a failed connection is ended without waiting for an answer", closes(1002, frame(3)));
/** The client has ended its half; a server may send a close frame before it ends its own. */
async function ended(connection: Connection): Promise<string> {
  const last = await connection.next();
  if (last !== undefined) assert.equal(last.opcode, CLOSE);
  await connection.over();
  return last === undefined ? "ends without a close frame" : "ends with a close frame";
}
after.rule("§7.2.1: the client ends the stream without a close frame", async (client) => {
  const connection = await client.open();
  await connection.echo(TEXT, "still here");
  connection.raw.end();
  return ended(connection);
});
after.rule("§7.2.1: the client ends the stream inside a frame", async (client) => {
  const connection = await client.open();
  connection.raw.send(frame(TEXT, "not all of it").subarray(0, 9)).end();
  return ended(connection);
});
after.rule("§7.2.1: a client that resets the connection harms nobody else", async (client) => {
  const [one, other] = await Promise.all([client.open(), client.open()]);
  one.send(frame(TEXT, "begun", { fin: false }));
  one.raw.reset();
  await other.echo(TEXT, "still here");
  await other.finish();
});
after.rule("a connection that broke a rule harms nobody else", (client) =>
  intact(async (connection) => {
    const bad = await client.open();
    connection.send(frame(TEXT, "first ", { fin: false }));
    await bad.send(frame(TEXT, hex("ff"))).fails(1007);
    await connection.send(frame(CONTINUATION, "second")).expect([TEXT, "first second"]);
  })(client),
);

export const closingSections: readonly Section[] = [codes, payloads, after];
