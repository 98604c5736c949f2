// RFC 6455 §5.5.2, §5.5.3: pings and pongs.

import { bytewise, cutAt, noise, prose } from "../support/bytes.ts";
import { BINARY, frame, PING, PONG, TEXT } from "../support/frames.ts";
import { breaks, brings, bringsApart, intact, Section } from "./websocket-case.ts";

const section = new Section("RFC 6455 §5.5.2, §5.5.3 ping and pong");

for (const length of [0, 1, 2, 3, 4, 5, 31, 32, 63, 64, 123, 124, 125]) {
  const bytes = noise(length);
  section.rule(`a ping of ${length} bytes comes back as a pong`, brings([frame(PING, bytes)], [PONG, bytes]));
  section.rule(
    `a pong of ${length} bytes brings nothing`,
    brings([frame(PONG, bytes), frame(TEXT, "x")], [TEXT, "x"]),
  );
}
section.rule(
  "pings of every size from 0 to 125, one after the other",
  intact(async (connection) => {
    for (let length = 0; length <= 125; length++) {
      const bytes = noise(length);
      await connection.send(frame(PING, bytes)).expect([PONG, bytes]);
    }
  }),
);
for (const length of [126, 127, 200, 65_535, 65_536]) {
  for (const [name, opcode] of [
    ["ping", PING],
    ["pong", PONG],
  ] as const) {
    section.rule(`a ${name} of ${length} bytes`, breaks(1002, [frame(opcode, noise(length))]));
  }
}
section.rule(
  "the header alone of a ping of 126 bytes fails the connection",
  breaks(1002, [frame(PING, "", { announced: 126 }).subarray(0, 4)], { incomplete: true }),
);
for (const form of [16, 64] as const) {
  section.rule(
    `a ping of 5 bytes with a length of ${form} bits`,
    breaks(1002, [frame(PING, "hello", { form })]),
  );
}
section.rule(
  "bytes that are no text",
  brings([frame(PING, Buffer.from([0xff, 0, 0x80]))], [PONG, Buffer.from([0xff, 0, 0x80])]),
);
section.rule(
  "ten pings in one write, ten pongs in their order",
  brings(
    Array.from({ length: 10 }, (_, i) => frame(PING, `${i}`)),
    ...Array.from({ length: 10 }, (_, i) => [PONG, `${i}`] as const),
  ),
);
section.rule(
  "a thousand pings are answered, or the last of them at least",
  intact(async (connection) => {
    connection.send(...Array.from({ length: 1_000 }, (_, i) => frame(PING, `${i}`)));
    for (let last = -1; last < 999; ) {
      const pong = await connection.next();
      const number = Number(pong?.payload.toString());
      if (pong?.opcode !== PONG || !(number > last))
        throw new Error(`${pong?.opcode} ${number} after ${last}`);
      last = number;
    }
  }),
);
section.rule(
  "a ping among messages keeps its place",
  brings([frame(TEXT, "a"), frame(PING, "p"), frame(BINARY, "b")], [TEXT, "a"], [PONG, "p"], [BINARY, "b"]),
);
for (const cut of [1, 2, 3, 5, 6, 7, 60, 130]) {
  const bytes = noise(125);
  section.rule(`a ping cut at byte ${cut}`, bringsApart(cutAt(frame(PING, bytes), [cut]), [[PONG, bytes]]));
}
section.rule(
  "a ping byte by byte",
  intact(async (connection) => {
    const whole = frame(PING, "slowly");
    void connection.sendApart(bytewise(whole));
    await connection.expect([PONG, "slowly"]);
  }),
);
section.rule(
  "a ping right behind a message of 100000 bytes",
  brings([frame(TEXT, prose(100_000)), frame(PING, "behind")], [TEXT, prose(100_000)], [PONG, "behind"]),
);

export const pings: readonly Section[] = [section];
