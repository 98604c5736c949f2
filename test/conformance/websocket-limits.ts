// RFC 6455 §10.4, §7.4.1: messages that are too large.

import { cutAt } from "../support/bytes.ts";
import { deflated } from "../support/deflate-window.ts";
import { BINARY, CONTINUATION, fragments, frame, PING, PONG, RSV1, TEXT } from "../support/frames.ts";
import { Blocks } from "./websocket-blocks.ts";
import { breaks, brings, intact, Section } from "./websocket-case.ts";
import type { Client } from "./websocket-client.ts";
import type { Connection } from "./websocket-connection.ts";

function limitOf(client: Client): number {
  return client.target.maxMessageBytes ?? 0;
}

const plain = new Section("RFC 6455 §10.4 message size", ["limit"]);
for (const opcode of [TEXT, BINARY]) {
  const kind = opcode === TEXT ? "text" : "binary";
  plain.rule(`${kind} of exactly the limit`, (client) => {
    const data = Buffer.alloc(limitOf(client), "x");
    return brings([frame(opcode, data)], [opcode, data])(client);
  });
  plain.rule(`${kind}, one byte more`, (client) =>
    breaks(1009, [frame(opcode, Buffer.alloc(limitOf(client) + 1, "x"))])(client),
  );
  plain.practice(`${kind}, one byte more, only announced`, (client) =>
    breaks(1009, [frame(opcode, "", { announced: limitOf(client) + 1 })], { incomplete: true })(client),
  );
}
const halves = (data: Buffer): Buffer[] => fragments(TEXT, cutAt(data, [data.length >> 1]));
plain.rule("fragments of exactly the limit together", (client) => {
  const data = Buffer.alloc(limitOf(client), "x");
  return brings(halves(data), [TEXT, data])(client);
});
plain.rule("fragments of one byte more together", (client) =>
  breaks(1009, halves(Buffer.alloc(limitOf(client) + 1, "x")))(client),
);
plain.practice("fragments of one byte more together, the last only announced", (client) => {
  const half = limitOf(client) >> 1;
  const first = frame(BINARY, Buffer.alloc(half), { fin: false });
  const rest = frame(CONTINUATION, "", { announced: limitOf(client) + 1 - half });
  return breaks(1009, [first, rest], { incomplete: true })(client);
});
plain.rule("fragments without end, and pings between them", (client) => {
  const piece = Buffer.alloc(Math.ceil(limitOf(client) / 16), "x");
  const more = Array.from({ length: 20 }, () => frame(CONTINUATION, piece, { fin: false }));
  return breaks(1009, [frame(TEXT, "x", { fin: false }), frame(PING, "p"), ...more], {
    before: [[PONG, "p"]],
  })(client);
});
plain.rule("the limit is for each message, not for all of them", (client) => {
  const data = Buffer.alloc(Math.floor(limitOf(client) * 0.4), "x");
  return brings(
    [1, 2, 3, 4].map(() => frame(BINARY, data)),
    ...[1, 2, 3, 4].map(() => [BINARY, data] as const),
  )(client);
});
for (const bits of [31, 32, 40, 52, 53, 54, 62]) {
  plain.practice(
    `a length of 2^${bits}, only announced`,
    breaks(1009, [frame(BINARY, "", { announced: 1n << BigInt(bits) })], { incomplete: true }),
  );
}
plain.practice(
  "a length of 2^63 - 1, only announced",
  breaks(1009, [frame(TEXT, "", { announced: (1n << 63n) - 1n })], { incomplete: true }),
);
plain.practice(
  "a length of 2^32 - 1 in a fragment, only announced",
  breaks(1009, [frame(TEXT, "a", { fin: false }), frame(CONTINUATION, "", { announced: 2 ** 32 - 1 })], {
    incomplete: true,
  }),
);

const OFFER = "permessage-deflate";
const ZERO = Buffer.alloc(1);

/** `size` zeros in copies of 258 bytes: about 1 byte for 160. */
function copiedZeros(size: number): Buffer {
  const copies = Math.floor((size - 1) / 258);
  const parts = [ZERO, ...Array.from({ length: copies }, () => ({ length: 258, distance: 1 }))];
  return new Blocks().fixed([...parts, Buffer.alloc(size - 1 - copies * 258)]).message;
}

const packed = new Section("RFC 7692 §8, RFC 6455 §10.4 size of compressed messages", ["limit", "deflate"]);
for (const [name, build] of [
  ["zeros", (size: number) => deflated(Buffer.alloc(size), { level: 9 })],
  ["zeros, fixed codes", copiedZeros],
  ["stored blocks", (size: number) => deflated(Buffer.alloc(size), { level: 0 })],
] as const) {
  packed.rule(`${name}: inflated exactly the limit`, (client) => {
    const size = limitOf(client);
    const talk = (connection: Connection): Promise<void> =>
      connection.send(frame(BINARY, build(size), { rsv: RSV1 })).expect([BINARY, Buffer.alloc(size)]);
    return intact(talk, OFFER)(client);
  });
  for (const [more, over] of [
    ["one byte more", (limit: number) => limit + 1],
    ["twice as much", (limit: number) => 2 * limit],
  ] as const) {
    packed.rule(`${name}: inflated ${more}`, (client) =>
      breaks(1009, [frame(BINARY, build(over(limitOf(client))), { rsv: RSV1 })], { offer: OFFER })(client),
    );
  }
}
packed.rule("a bomb: inflated sixteen times the limit", (client) =>
  breaks(1009, [frame(BINARY, copiedZeros(16 * limitOf(client)), { rsv: RSV1 })], { offer: OFFER })(client),
);
packed.rule("a bomb in fragments", (client) => {
  const wire = copiedZeros(4 * limitOf(client));
  const bytes = fragments(TEXT, cutAt(wire, [1, 100, 1_000]), RSV1);
  return breaks(1009, bytes, { offer: OFFER })(client);
});
packed.rule("a bomb is the end of its own connection only", async (client) => {
  const other = await client.deflating(OFFER);
  const bad = await client.deflating(OFFER);
  await bad.send(frame(BINARY, copiedZeros(2 * limitOf(client)), { rsv: RSV1 })).fails(1009);
  await other.send(frame(TEXT, deflated("still here"), { rsv: RSV1 })).expect([TEXT, "still here"]);
  await other.finish();
});
packed.practice("a compressed frame that can only be too large, only announced", (client) => {
  const announced = 4 * limitOf(client) + 1_000;
  return breaks(1009, [frame(BINARY, "", { announced, rsv: RSV1 })], { incomplete: true, offer: OFFER })(
    client,
  );
});

export const limits: readonly Section[] = [plain, packed];
