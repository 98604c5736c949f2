// RFC 7692 §5, §7.1 and RFC 6455 §9.1: what is offered, and what may be answered.
import assert from "node:assert/strict";
import { listOf, noise, prose } from "../support/bytes.ts";
import { ClientWindow, deflated } from "../support/deflate-window.ts";
import { BINARY, frame, RSV1, TEXT } from "../support/frames.ts";
import type { Agreed, HandshakeOptions } from "../support/web-socket-handshake.ts";
import { Blocks } from "./websocket-blocks.ts";
import { breaks, type Run, Section } from "./websocket-case.ts";
import type { Client } from "./websocket-client.ts";
import type { Connection } from "./websocket-connection.ts";

type Header = string | readonly string[];

function offering(header: Header): HandshakeOptions {
  return { fields: { "Sec-WebSocket-Extensions": header } };
}

/** Messages both ways, by all that was agreed: text that refers back as far as it may. */
async function exchange(connection: Connection, agreed: Agreed): Promise<void> {
  const window = new ClientWindow(agreed.clientBits ?? 15);
  const text = prose(3_000);
  for (const message of [text, "", text, text.slice(700), prose(40_000), text]) {
    const wire = agreed.clientTakeover
      ? window.deflate(message)
      : new ClientWindow(agreed.clientBits ?? 15).deflate(message);
    await connection.send(frame(TEXT, wire, { rsv: RSV1 })).expect([TEXT, message]);
  }
  await farthest(connection, agreed);
  await connection.echo(TEXT, "not compressed");
  await connection.finish();
}

/** A copy from as far back as the client's window reaches, within a message or in the one before it. */
async function farthest(connection: Connection, agreed: Agreed): Promise<void> {
  const distance = 2 ** (agreed.clientBits ?? 15);
  const far = noise(distance);
  const copy = { length: Math.min(200, distance), distance };
  const again = far.subarray(0, copy.length);
  const both = new Blocks().stored(far.subarray(0, 100)).stored(far.subarray(100)).fixed([copy]).message;
  await connection.send(frame(BINARY, both, { rsv: RSV1 })).expect([BINARY, Buffer.concat([far, again])]);
  if (!agreed.clientTakeover) return;
  await connection.send(frame(BINARY, new Blocks().stored(far).message, { rsv: RSV1 })).expect([BINARY, far]);
  await connection
    .send(frame(BINARY, new Blocks().fixed([copy]).message, { rsv: RSV1 }))
    .expect([BINARY, again]);
}

type Check = (agreed: Agreed) => void;

/** The offer is accepted, with an answer that fits. */
function accepted(header: Header, ...checks: readonly Check[]): Run {
  return async (client) => {
    const connection = await client.open(offering(header));
    const { agreed } = connection;
    assert.ok(agreed !== null, "declined");
    for (const check of checks) check(agreed);
    await exchange(connection, agreed);
  };
}

/** The offer is declined, and the connection works without compression. */
function declined(header: Header): Run {
  return async (client) => {
    const connection = await client.open(offering(header));
    assert.equal(connection.response?.header("sec-websocket-extensions"), undefined, "accepted");
    await connection.echo(TEXT, "not compressed");
    await connection.finish();
  };
}

// §7.1.2.2: without this parameter in the offer it must not be in the answer.
const noClientBits: Check = ({ clientBits }) =>
  assert.equal(clientBits, undefined, "client_max_window_bits was not offered");
// §7.1.1.1: the offer is accepted by including it.
const serverForgets: Check = ({ serverTakeover }) =>
  assert.ok(!serverTakeover, "server_no_context_takeover is missing");
/** §7.1.2.1: accepted by including it, with the same or a smaller value. */
function serverBitsUpTo(most: number): Check {
  return ({ serverBits }) =>
    assert.ok(serverBits !== undefined && serverBits <= most, `server_max_window_bits=${serverBits}`);
}
/** §7.1.2.2: equal or smaller, if it is there at all. */
function clientBitsUpTo(most: number): Check {
  return ({ clientBits }) =>
    assert.ok(clientBits === undefined || clientBits <= most, `client_max_window_bits=${clientBits}`);
}

const D = "permessage-deflate";
const good = new Section("RFC 7692 §7.1 offers to accept", ["deflate"]);
good.rule("no offer: no answer", async (client) => {
  const connection = await client.open();
  assert.equal(connection.response?.header("sec-websocket-extensions"), undefined);
  await connection.echo(TEXT, "not compressed");
  await connection.finish();
});
good.rule("the plain offer", accepted(D, noClientBits));
good.rule("the offer of browsers", accepted(`${D}; client_max_window_bits`));
good.rule(
  "server_no_context_takeover",
  accepted(`${D}; server_no_context_takeover`, serverForgets, noClientBits),
);
good.rule("client_no_context_takeover", accepted(`${D}; client_no_context_takeover`, noClientBits));
good.rule(
  "both of them",
  accepted(`${D}; client_no_context_takeover; server_no_context_takeover`, serverForgets),
);
for (let bits = 9; bits <= 15; bits++) {
  good.practice(
    `server_max_window_bits=${bits}`,
    accepted(`${D}; server_max_window_bits=${bits}`, serverBitsUpTo(bits), noClientBits),
  );
}
for (let bits = 8; bits <= 15; bits++) {
  good.rule(
    `client_max_window_bits=${bits}`,
    accepted(`${D}; client_max_window_bits=${bits}`, clientBitsUpTo(bits)),
  );
  const serverBits = Math.max(bits, 9);
  good.practice(
    `windows of ${serverBits} and ${bits} bits and no context`,
    accepted(
      `${D}; server_no_context_takeover; client_no_context_takeover; ` +
        `server_max_window_bits=${serverBits}; client_max_window_bits=${bits}`,
      serverForgets,
      serverBitsUpTo(serverBits),
      clientBitsUpTo(bits),
    ),
  );
}
good.rule("server_max_window_bits=8, which a server may decline", async (client) => {
  const connection = await client.open(offering(`${D}; server_max_window_bits=8`));
  if (connection.agreed !== null) {
    serverBitsUpTo(8)(connection.agreed);
    await exchange(connection, connection.agreed);
    return "accepts";
  }
  await connection.echo(TEXT, "not compressed");
  await connection.finish();
  return "declines";
});
good.practice(
  "server_max_window_bits=8 and a second offer without it",
  accepted(`${D}; server_max_window_bits=8, ${D}`),
);
good.rule(
  "client_max_window_bits with and without a value in two offers",
  accepted(`${D}; client_max_window_bits=10, ${D}; client_max_window_bits`),
);
for (const [name, header] of [
  ["quoted values", `${D}; server_max_window_bits="12"; client_max_window_bits="11"`],
  ["a quoted value with a backslash", `${D}; server_max_window_bits="1\\2"; client_max_window_bits="11"`],
  ["spaces around ; and =", `${D} ;\tserver_max_window_bits = 12 ; client_max_window_bits = 11 `],
  ["no spaces at all", `${D};server_max_window_bits=12;client_max_window_bits=11`],
  ["parameters in the other order", `${D}; client_max_window_bits=11; server_max_window_bits=12`],
] as const) {
  good.practice(`RFC 6455 §9.1: ${name}`, accepted(header, serverBitsUpTo(12), clientBitsUpTo(11)));
}
for (const [name, header] of [
  ["an unknown extension before it", `x-unknown, ${D}`],
  ["an unknown extension with parameters before it", `x-unknown; a=1; b="2"; c, ${D}`],
  ["an unknown extension after it", `${D}, x-unknown`],
  ["in a second line", ["x-unknown; a", D]],
  ["a line of its own for each offer", [`${D}; unknown=1`, `${D}; server_no_context_takeover=1`, D]],
  ["the same offer twice", `${D}, ${D}`],
  ["the name of another draft before it", `x-webkit-deflate-frame, permessage-bzip2, ${D}`],
  ["empty elements of the list (RFC 2616 §2.1, RFC 9110 §5.6.1)", `, x-unknown,, ${D} ,`],
  ["an empty line before it", ["", D]],
] as const) {
  good.rule(`RFC 6455 §9.1: ${name}`, accepted(header, noClientBits));
}
good.practice(
  "§5: of two offers the first is preferred",
  accepted(`${D}; server_max_window_bits=10, ${D}`, serverBitsUpTo(10)),
);
good.practice(
  "§5: of three offers the first is preferred",
  accepted(
    `${D}; server_no_context_takeover; server_max_window_bits=9, ${D}; server_max_window_bits=11, ${D}`,
    serverForgets,
    serverBitsUpTo(9),
  ),
);

const bad = new Section("RFC 7692 §7.1 offers to decline", ["deflate"]);
for (const params of [
  ...listOf(
    "unknown¦unknown=1¦max_window_bits=10¦no_context_takeover¦server_no_context_takeover=1",
    'server_no_context_takeover=true¦server_no_context_takeover="1"¦client_no_context_takeover=1',
    "client_no_context_takeover=false¦server_max_window_bits¦server_max_window_bits=0",
    "server_max_window_bits=1¦server_max_window_bits=7¦server_max_window_bits=16",
    "server_max_window_bits=32¦server_max_window_bits=08¦server_max_window_bits=010",
    "server_max_window_bits=1e1¦server_max_window_bits=-10¦server_max_window_bits=+10",
    "server_max_window_bits=10.0¦server_max_window_bits=0xa¦server_max_window_bits=ten",
    'server_max_window_bits="16"¦client_max_window_bits=0¦client_max_window_bits=7',
    "client_max_window_bits=16¦client_max_window_bits=99999999999999999999¦client_max_window_bits=09",
    "client_max_window_bits=true",
  ),
  "server_no_context_takeover; server_no_context_takeover",
  "client_no_context_takeover; client_no_context_takeover",
  "server_max_window_bits=10; server_max_window_bits=10",
  "server_max_window_bits=10; server_max_window_bits=11",
  "client_max_window_bits; client_max_window_bits",
  "client_max_window_bits; client_max_window_bits=10",
  "client_max_window_bits=10; client_max_window_bits=10",
  "server_no_context_takeover; client_max_window_bits; unknown",
]) {
  bad.rule(params, declined(`${D}; ${params}`));
  bad.rule(`${params}, and then a good offer`, accepted(`${D}; ${params}, ${D}`, noClientBits));
}
for (const name of [
  "permessage-bzip2",
  "deflate-frame",
  "x-webkit-deflate-frame",
  "permessage",
  "permessage-deflate2",
]) {
  bad.rule(`another extension: ${name}`, declined(name));
}

const malformed = new Section("RFC 6455 §9.1 extensions that are no list");
for (const header of listOf(
  ';¦a;¦a;;b¦;a¦a;b=¦a;=b¦a b¦a;b c¦a=b¦a;b="¦a;b="c¦a;b=""¦a;b="c d"¦a;b="c"d¦a;b=c=d¦a/b',
  'a;b=(c)¦"a"¦a, b;¦permessage-deflate;¦permessage-deflate; server_max_window_bits=',
  "permessage-deflate server_no_context_takeover",
)) {
  malformed.rule(`${header} is refused`, async (client: Client) => {
    const response = await client.ask(offering(header));
    assert.notEqual(response?.status, 101, "accepted");
  });
}

const without = new Section("RFC 7692 §5 a server without compression", ["no deflate"]);
for (const header of [
  D,
  `${D}; client_max_window_bits`,
  `x-unknown, ${D}; server_max_window_bits=10, ${D}`,
  "x-unknown",
]) {
  without.rule(`declines ${header}`, declined(header));
}
without.rule("an offer that was declined gives RSV1 no meaning", async (client) => {
  const connection = await client.open(offering(D));
  await connection.send(frame(TEXT, deflated("text"), { rsv: RSV1 })).fails(1002);
});
without.rule("RSV1 without an offer", breaks(1002, [frame(TEXT, deflated("text"), { rsv: RSV1 })]));

export const negotiation: readonly Section[] = [good, bad, malformed, without];
