// RFC 6455 §4.2, §4.4, §11.3: the opening handshake.
import assert from "node:assert/strict";
import { bytewise, cutAt, listOf, noise } from "../support/bytes.ts";
import { CLOSE, closePayload, frame, PING, PONG, TEXT } from "../support/frames.ts";
import { elements, type HandshakeOptions, handshakeRequest } from "../support/web-socket-handshake.ts";
import { type Run, Section } from "./websocket-case.ts";
import type { Client } from "./websocket-client.ts";
import type { Connection } from "./websocket-connection.ts";

type Fields = NonNullable<HandshakeOptions["fields"]>;

async function works(connection: Connection): Promise<void> {
  await connection.echo(TEXT, "after the handshake");
  await connection.finish();
}

/** The head that comes next is that of a WebSocket. */
async function switched(connection: Connection): Promise<void> {
  assert.match((await connection.responseHead()) ?? "", /^HTTP\/1\.1 101 /);
  connection.opened(null);
}

/** The handshake is accepted, and the connection works. */
function accepted(options: HandshakeOptions): Run {
  return async (client) => works(await client.open(options));
}

/** Anything but 101. An answer that is no error is noted: to HTTP the request may be a good one. */
function refused(options: HandshakeOptions): Run {
  return async (client) => {
    const response = await client.ask(options);
    if (response === undefined) return "closes without an answer";
    assert.notEqual(response.status, 101, "accepted");
    return response.status >= 400 && response.status < 500 ? undefined : `answers ${response.status}`;
  };
}

function fields(fields: Fields): HandshakeOptions {
  return { fields };
}

const request = new Section("RFC 6455 §4.2.1 the request");
request.rule("the plain handshake", accepted({}));
for (const [name, given] of [
  ["Upgrade: WebSocket", { Upgrade: "WebSocket" }],
  ["Upgrade: WEBSOCKET", { Upgrade: "WEBSOCKET" }],
  ["Upgrade among others", { Upgrade: "h2c, websocket" }],
  ["Upgrade in two lines", { Upgrade: ["h2c", "websocket"] }],
  ["Connection: upgrade", { Connection: "upgrade" }],
  ["Connection: UPGRADE", { Connection: "UPGRADE" }],
  ["Connection: keep-alive, Upgrade", { Connection: "keep-alive, Upgrade" }],
  ["Connection: Upgrade,keep-alive", { Connection: "Upgrade,keep-alive" }],
  ["Connection with tabs and spaces", { Connection: "keep-alive ,\t Upgrade \t" }],
  ["Connection in two lines", { Connection: ["keep-alive", "Upgrade"] }],
  ["Connection with empty elements", { Connection: ", Upgrade,," }],
  ["spaces around the version", { "Sec-WebSocket-Version": "  13  " }],
  [
    "names of fields in upper case",
    { UPGRADE: "websocket", CONNECTION: "Upgrade", "SEC-WEBSOCKET-VERSION": "13" },
  ],
  [
    "names of fields in lower case",
    { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" },
  ],
  ["fields of no meaning", { "X-One": "1", Cookie: "a=b; c=d", "User-Agent": "suite" }],
  ["an origin", { Origin: "http://example.com" }],
  ["the origin null", { Origin: "null" }],
  ["another host", { Host: "example.com:8080" }],
  ["the key of the RFC", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" }],
  ["a key of zeros", { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" }],
  ["a key with + and /", { "Sec-WebSocket-Key": "+/+/+/+/+/+/+/+/+/+/+w==" }],
] as const) {
  request.rule(name, accepted(fields(given)));
}
request.rule("spaces around the key are no part of it", async (client) => {
  const key = noise(16).toString("base64");
  await works(await client.open(fields({ "Sec-WebSocket-Key": `   ${key}  ` })));
});
request.rule("twenty connections, twenty keys", async (client) => {
  await Promise.all(Array.from({ length: 20 }, async () => works(await client.open())));
});
for (const method of ["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "get", "CONNECTED"]) {
  request.rule(`item 1: method ${method}`, refused({ method }));
}
request.rule("item 1: HTTP/1.0", refused({ version: "1.0" }));
request.rule("item 1: HTTP/0.9", refused({ version: "0.9" }));
request.rule("item 2: no Host", refused(fields({ Host: null })));
request.rule("item 2: two Hosts", refused(fields({ Host: ["a", "b"] })));
for (const [name, given] of [
  ["item 3: no Upgrade", { Upgrade: null }],
  ["item 3: an empty Upgrade", { Upgrade: "" }],
  ["item 3: Upgrade: h2c", { Upgrade: "h2c" }],
  ["item 3: Upgrade: websockets", { Upgrade: "websockets" }],
  ["item 3: Upgrade: web socket", { Upgrade: "web socket" }],
  ["item 3: Upgrade: xwebsocket", { Upgrade: "xwebsocket" }],
  ["item 4: no Connection", { Connection: null }],
  ["item 4: an empty Connection", { Connection: "" }],
  ["item 4: Connection: keep-alive", { Connection: "keep-alive" }],
  ["item 4: Connection: close", { Connection: "close" }],
  ["item 4: Connection: Upgraded", { Connection: "Upgraded" }],
  ["item 4: Connection: keep-alive Upgrade", { Connection: "keep-alive Upgrade" }],
  ["item 4: Connection: websocket", { Connection: "websocket" }],
  ["item 5: no key", { "Sec-WebSocket-Key": null }],
  ["item 5: an empty key", { "Sec-WebSocket-Key": "" }],
  ["item 5: two keys", { "Sec-WebSocket-Key": [noise(16).toString("base64"), noise(16).toString("base64")] }],
  [
    "item 5: the same key twice",
    { "Sec-WebSocket-Key": Array<string>(2).fill(noise(16).toString("base64")) },
  ],
  ["item 5: a key of 15 bytes", { "Sec-WebSocket-Key": noise(15).toString("base64") }],
  ["item 5: a key of 17 bytes", { "Sec-WebSocket-Key": noise(17).toString("base64") }],
  ["item 5: a key of 1 byte", { "Sec-WebSocket-Key": noise(1).toString("base64") }],
  ["item 5: a key of 32 bytes", { "Sec-WebSocket-Key": noise(32).toString("base64") }],
  ["item 5: a key of 16 letters", { "Sec-WebSocket-Key": "abcdefghijklmnop" }],
  ["item 5: a key without padding", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ" }],
  ["item 5: a key with half its padding", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=" }],
  ["item 5: a key with too much padding", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ===" }],
  ["item 5: a key with a space inside", { "Sec-WebSocket-Key": "dGhlIHNhbXBs ZSBub25jZQ==" }],
  ["item 5: a key in the alphabet for URLs", { "Sec-WebSocket-Key": "-_-_-_-_-_-_-_-_-_-_-w==" }],
  ["item 5: a key with !", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j!Q==" }],
] as const) {
  request.rule(name, refused(fields(given)));
}
request.rule("item 5: a key whose last bits are not zero", async (client) => {
  const response = await client.ask(fields({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZR==" }));
  return `answers ${response?.status}`;
});

const version = new Section("RFC 6455 §4.2.2, §4.4 the version");
for (const given of listOf("0¦1¦7¦8¦12¦14¦25¦130¦255¦256¦013¦13.0¦+13¦abc")) {
  version.rule(`${given}: refused, with a list of versions that has 13`, async (client) => {
    const response = await client.ask(fields({ "Sec-WebSocket-Version": given }));
    assert.notEqual(response?.status, 101);
    assert.ok(response !== undefined && response.status >= 400 && response.status < 500, response?.head);
    assert.ok(elements(response.header("sec-websocket-version") ?? "").includes("13"), response.head);
  });
}
version.rule("8: the status may be 426, which names what to upgrade to", async (client) => {
  const response = await client.ask(fields({ "Sec-WebSocket-Version": "8" }));
  if (response?.status !== 426) return `answers ${response?.status}`;
  // RFC 9110 §15.5.22, §7.8: 426 names what to upgrade to.
  assert.equal(response.header("upgrade")?.toLowerCase(), "websocket");
  assert.match(response.header("connection") ?? "", /upgrade/i);
  return undefined;
});
version.practice("8, and 13 on the same connection when it is kept", async (client) => {
  const connection = client.connect();
  const url = new URL(client.target.url);
  connection.send(Buffer.from(handshakeRequest(url, fields({ "Sec-WebSocket-Version": "8" })).head));
  const first = await connection.wholeResponse();
  assert.match(first, /^HTTP\/1\.1 4/);
  if (/connection:[^\r]*close/i.test(first)) return "closes the connection";
  connection.send(Buffer.from(handshakeRequest(url).head));
  await switched(connection);
  return works(connection);
});
version.rule("none", refused(fields({ "Sec-WebSocket-Version": null })));
version.rule("an empty one", refused(fields({ "Sec-WebSocket-Version": "" })));
version.rule("13 and 8 in one field", refused(fields({ "Sec-WebSocket-Version": "13, 8" })));
version.rule("§11.3.5: two fields", refused(fields({ "Sec-WebSocket-Version": ["13", "13"] })));

const protocols = new Section("RFC 6455 §4.2.2, §11.3.4 subprotocols");
const chosen = (
  offer: (known: readonly string[]) => string | string[],
  wanted: (known: readonly string[]) => readonly (string | undefined)[],
): Run => {
  return async (client) => {
    const known = client.target.protocols;
    const connection = await client.open(fields({ "Sec-WebSocket-Protocol": offer(known) }));
    const protocol = connection.response?.header("sec-websocket-protocol");
    assert.ok(wanted(known).includes(protocol), `chose ${protocol}`);
    await works(connection);
  };
};
const first = (known: readonly string[]): string => known[0] ?? "";
protocols.rule("none offered, none chosen", async (client) => {
  const connection = await client.open();
  assert.equal(connection.response?.header("sec-websocket-protocol"), undefined);
  await works(connection);
});
const nothing = (): readonly undefined[] => [undefined];
protocols.rule(
  "one that is not known: none is chosen",
  chosen(() => "nobody-knows-this", nothing),
);
protocols.rule(
  "several that are not known: none is chosen",
  chosen(() => "one.x, two.x", nothing),
);
const theFirst = (known: readonly string[]): readonly (string | undefined)[] => [known[0]];
const anyOf = (known: readonly string[]): readonly string[] => known;
for (const [name, offer, wanted] of [
  ["one that is known", first, theFirst],
  ["a known one among others", (known) => `x.one, ${first(known)}, x.two`, theFirst],
  ["a known one in a second line", (known) => ["x.one", first(known)], theFirst],
  ["without spaces", (known) => `x.one,${first(known)}`, theFirst],
  ["with empty elements (RFC 2616 §2.1)", (known) => `, x.one,, ${first(known)} ,`, theFirst],
  ["all that are known: one of them", (known) => known.join(", "), anyOf],
  ["all that are known in the other order: one of them", (known) => [...known].reverse().join(", "), anyOf],
  ["a known one in other case is another", (known) => first(known).toUpperCase(), nothing],
] as [name: string, ...Parameters<typeof chosen>][]) {
  protocols.rule(name, chosen(offer, wanted), "protocols");
}
for (const [name, value] of [
  ["a space inside a name", "a b"],
  ["a quoted name", '"a"'],
  ["a slash in a name", "a/b"],
  ["an octet above 7f", "\u00e4"],
] as const) {
  protocols.practice(`§4.1: ${name} is no handshake`, refused(fields({ "Sec-WebSocket-Protocol": value })));
}
protocols.rule("§4.1: the same name twice, which clients must not offer", async (client) => {
  const response = await client.ask(fields({ "Sec-WebSocket-Protocol": "a, a" }));
  return `answers ${response?.status}`;
});

const stream = new Section("RFC 6455 §4.1, RFC 9110 §7.8 the bytes around the handshake");
stream.rule("a message in the same write", async (client) => {
  const connection = await client.open({}, [frame(TEXT, "early")]);
  await connection.expect([TEXT, "early"]);
  await works(connection);
});
stream.rule("a ping, a message and a close frame in the same write", async (client) => {
  const connection = await client.open({}, [
    frame(PING, "p"),
    frame(TEXT, "m"),
    frame(CLOSE, closePayload(3000)),
  ]);
  await connection.expect([PONG, "p"], [TEXT, "m"]);
  await connection.closes(3000);
});
for (const size of [1, 2, 3, 6, 8]) {
  stream.rule(`the first ${size} bytes of a frame in the same write`, async (client) => {
    const whole = frame(TEXT, "in two parts");
    const connection = await client.open({}, [whole.subarray(0, size)]);
    await connection.send(whole.subarray(size)).expect([TEXT, "in two parts"]);
    await works(connection);
  });
}
stream.rule("100000 bytes in the same write", async (client) => {
  const connection = await client.open({}, [frame(TEXT, "x".repeat(100_000))]);
  await connection.expect([TEXT, "x".repeat(100_000)]);
  await works(connection);
});
stream.rule("what breaks a rule in the same write", async (client) => {
  const connection = await client.open({}, [frame(3, "x"), frame(TEXT, "behind")]);
  await connection.fails(1002);
});
for (const place of [1, 4, 16, 17, 18, 40, 80, -1, -2, -3, -4]) {
  stream.rule(`the request in two writes, cut at ${place}`, async (client) => {
    const asked = Buffer.from(handshakeRequest(new URL(client.target.url)).head);
    const connection = client.connect();
    void connection.sendApart([
      ...cutAt(asked, [place < 0 ? asked.length + place : place]),
      frame(TEXT, "hello"),
    ]);
    await switched(connection);
    await connection.expect([TEXT, "hello"]);
    await works(connection);
  });
}
stream.rule("the request byte by byte", async (client) => {
  const asked = Buffer.from(handshakeRequest(new URL(client.target.url)).head);
  const connection = client.connect();
  void connection.sendApart(bytewise(asked));
  await switched(connection);
  await works(connection);
});
for (const [name, given] of [
  ["Content-Length: 0", { "Content-Length": "0" }],
  ["Content-Length: 5", { "Content-Length": "5" }],
  ["Transfer-Encoding: chunked", { "Transfer-Encoding": "chunked" }],
] as const) {
  stream.rule(`${name} in the request: refused, or read as content`, async (client) => {
    const connection = client.connect();
    const content = name.endsWith("5") ? "hello" : name.endsWith("chunked") ? "0\r\n\r\n" : "";
    const asked = handshakeRequest(new URL(client.target.url), fields(given)).head;
    connection.send(Buffer.from(asked + content), frame(TEXT, "message"));
    const status = (await connection.responseHead())?.slice(9, 12);
    if (status !== "101") return `answers ${status}`;
    connection.opened(null);
    await connection.expect([TEXT, "message"]);
    return "accepts";
  });
}
stream.rule("frames after a handshake that was refused bring no frames", async (client: Client) => {
  const connection = client.connect();
  const asked = handshakeRequest(new URL(client.target.url), fields({ "Sec-WebSocket-Key": null })).head;
  connection.send(Buffer.from(asked), frame(TEXT, "not open"));
  assert.doesNotMatch((await connection.responseHead()) ?? "", /^HTTP\/1\.1 101 /);
});

export const handshake: readonly Section[] = [request, version, protocols, stream];
