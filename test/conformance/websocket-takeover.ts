// RFC 7692 §7.1.1, §7.1.2, §7.2: windows and what is kept in them from one message to the next.
import assert from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import { noise, prose } from "../support/bytes.ts";
import { ClientWindow, deflated } from "../support/deflate-window.ts";
import { BINARY, fragments, frame, PING, PONG, RSV1, TEXT } from "../support/frames.ts";
import { Blocks } from "./websocket-blocks.ts";
import { type Run, Section } from "./websocket-case.ts";
import type { Connection } from "./websocket-connection.ts";

const D = "permessage-deflate";

function packed(opcode: number, wire: Uint8Array): Buffer {
  return frame(opcode, wire, { rsv: RSV1 });
}

/** With a client that keeps its window; a server that does not allow that is noted. */
function keeping(
  offer: string,
  talk: (connection: Connection, window: ClientWindow) => Promise<unknown>,
): Run {
  return async (client) => {
    const connection = await client.deflating(offer);
    if (connection.agreed?.clientTakeover !== true) return "the server allows no context of the client";
    await talk(connection, new ClientWindow(connection.agreed.clientBits ?? 15));
    await connection.finish();
    return undefined;
  };
}

const client = new Section("RFC 7692 §7.2.2 the client's window", ["deflate"]);
client.rule(
  "§7.2.3.2: the same message again, in fewer bytes",
  keeping(D, async (connection) => {
    const first = new Blocks().fixed(["Hello"]).message;
    const second = new Blocks().fixed(["H", { length: 4, distance: 5 }]).message;
    await connection.send(packed(TEXT, first), packed(TEXT, second)).expect([TEXT, "Hello"], [TEXT, "Hello"]);
  }),
);
client.rule(
  "§7.2.3.2: plain messages in between do not change the window",
  keeping(D, async (connection) => {
    const second = new Blocks().fixed([{ length: 5, distance: 5 }]).message;
    connection.send(
      packed(TEXT, deflated("Hello")),
      frame(TEXT, "plain"),
      frame(PING, "p"),
      frame(BINARY, noise(500)),
    );
    connection.send(packed(TEXT, second));
    await connection.expect(
      [TEXT, "Hello"],
      [TEXT, "plain"],
      [PONG, "p"],
      [BINARY, noise(500)],
      [TEXT, "Hello"],
    );
  }),
);
client.rule(
  "an empty message in between does not change the window",
  keeping(D, async (connection) => {
    const again = packed(TEXT, new Blocks().fixed([{ length: 5, distance: 5 }]).message);
    connection.send(packed(TEXT, deflated("Hello")), packed(TEXT, Buffer.from([0])), again);
    await connection.expect([TEXT, "Hello"], [TEXT, ""], [TEXT, "Hello"]);
  }),
);
client.rule(
  "fragments share the window",
  keeping(D, async (connection) => {
    const again = new Blocks().fixed([{ length: 5, distance: 5 }]).message;
    connection.send(
      ...fragments(TEXT, [deflated("Hello").subarray(0, 2), deflated("Hello").subarray(2)], RSV1),
    );
    connection.send(...fragments(TEXT, [again.subarray(0, 1), again.subarray(1)], RSV1));
    await connection.expect([TEXT, "Hello"], [TEXT, "Hello"]);
  }),
);
client.rule(
  "fifty messages",
  keeping(D, async (connection, window) => {
    for (let i = 0; i < 50; i++) {
      const text = `${prose(200)}${i}`;
      await connection.send(packed(TEXT, window.deflate(text))).expect([TEXT, text]);
    }
  }),
);
client.rule(
  "a window that has moved on many times",
  keeping(D, async (connection, window) => {
    for (let i = 0; i < 8; i++) {
      const bytes = Buffer.concat([noise(20_000 + i), Buffer.from(prose(5_000))]);
      await connection.send(packed(BINARY, window.deflate(bytes))).expect([BINARY, bytes]);
    }
  }),
);
client.rule(
  "messages larger than the window",
  keeping(D, async (connection, window) => {
    for (let i = 0; i < 3; i++) {
      const text = prose(100_000 + i);
      await connection.send(packed(TEXT, window.deflate(text))).expect([TEXT, text]);
    }
  }),
);
for (const offered of [8, 9, 10, 12, 15]) {
  client.rule(
    `§7.2.2: client_max_window_bits=${offered} is a hint: without it in the answer the window is 32768`,
    keeping(`${D}; client_max_window_bits=${offered}`, async (connection) => {
      const distance = 2 ** (connection.agreed?.clientBits ?? 15);
      const far = noise(distance);
      const copy = new Blocks().fixed([{ length: 100, distance }]).message;
      connection.send(
        packed(BINARY, new Blocks().stored(far.subarray(0, 256)).stored(far.subarray(256)).message),
      );
      await connection.expect([BINARY, far]);
      await connection.send(packed(BINARY, copy)).expect([BINARY, far.subarray(0, 100)]);
    }),
  );
}
client.rule(
  "client_no_context_takeover is a hint: without it in the answer the window is kept",
  keeping(`${D}; client_no_context_takeover`, async (connection) => {
    connection.send(
      packed(TEXT, deflated("Hello")),
      packed(TEXT, new Blocks().fixed([{ length: 5, distance: 5 }]).message),
    );
    await connection.expect([TEXT, "Hello"], [TEXT, "Hello"]);
  }),
);
client.rule("connections do not share a window", async (given) => {
  const text = prose(300);
  const all = await Promise.all([given.deflating(D), given.deflating(D), given.deflating(D)]);
  const windows = all.map(({ agreed }) => new ClientWindow(agreed?.clientBits ?? 15));
  for (let round = 0; round < 4; round++) {
    for (const [i, connection] of all.entries()) {
      const message = `${i} ${text} ${round * i}`;
      const wire = connection.agreed?.clientTakeover ? windows[i]!.deflate(message) : deflated(message);
      await connection.send(packed(TEXT, wire)).expect([TEXT, message]);
    }
  }
  await Promise.all(all.map((connection) => connection.finish()));
});

const server = new Section("RFC 7692 §7.2.1 the server's window", ["deflate"]);
/** The same repeated, at distances from 1 on. */
function repeats(distances: readonly number[]): Buffer {
  const pieces = distances.flatMap((distance) => {
    const piece = noise(distance + (distance % 7));
    return [piece, piece.subarray(0, 200)];
  });
  return Buffer.concat([...pieces, ...pieces]);
}
const DISTANCES = [1, 30, 200, 300, 600, 1_200, 2_400, 5_000, 9_000, 17_000, 33_000];
for (let bits = 9; bits <= 15; bits++) {
  // Connection.expect inflates with exactly this window.
  server.practice(`server_max_window_bits=${bits}: no message refers further back`, async (given) => {
    const connection = await given.deflating(`${D}; server_max_window_bits=${bits}`);
    const data = repeats(DISTANCES);
    for (let round = 0; round < 3; round++) await connection.echo(BINARY, data);
    for (let round = 0; round < 20; round++) await connection.echo(TEXT, prose(2_000 + round));
    await connection.finish();
  });
}
server.rule("what it compresses is shorter than the message", async (given) => {
  const connection = await given.deflating(D);
  connection.send(frame(TEXT, prose(5_000)));
  const answer = await connection.next();
  if (answer?.compressed === undefined) return "does not compress";
  assert.ok(answer.compressed.length < 2_500, `${answer.compressed.length} bytes`);
  return connection.finish();
});
server.rule("server_no_context_takeover: every message can be inflated alone", async (given) => {
  const connection = await given.deflating(`${D}; server_no_context_takeover`);
  for (let round = 0; round < 5; round++) {
    const text = prose(4_000);
    connection.send(packed(TEXT, deflated(text)));
    const answer = await connection.next();
    assert.equal(answer?.payload.toString(), text);
    if (answer.compressed === undefined) return "does not compress";
    const whole = Buffer.concat([answer.compressed, Buffer.from("0000ffff010000ffff", "hex")]);
    assert.equal(inflateRawSync(whole).toString(), text);
  }
  return connection.finish();
});
server.rule("§7.2.1: empty messages among others", async (given) => {
  const connection = await given.deflating(D);
  for (const text of [prose(2_000), "", prose(2_000), "", "", "x"]) {
    await connection.send(packed(TEXT, deflated(text.slice(0, 0) + text))).expect([TEXT, text]);
  }
  await connection.finish();
});
server.rule("§6.1: control frames are never compressed", async (given) => {
  const connection = await given.deflating(D);
  const bytes = Buffer.alloc(125, "x");
  await connection.send(frame(PING, bytes)).expect([PONG, bytes]);
  await connection.finish();
});

export const takeover: readonly Section[] = [client, server];
