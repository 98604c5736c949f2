// The opening handshake, from outside. RFC 6455 §4.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

export interface HandshakeOptions {
  readonly method?: string;
  readonly version?: string;
  /** Field lines that replace those of the same name (in any case); null leaves the field out. */
  readonly fields?: Readonly<Record<string, string | readonly string[] | null>>;
}

export interface Response {
  readonly status: number;
  /** Values of a field by its name in lower case, joined with ", ". */
  header(name: string): string | undefined;
  readonly head: string;
}

/** What the answer to a handshake depends on. */
export interface Asked {
  readonly key: string;
  /** What was offered, as one list. */
  readonly extensions: string;
  readonly protocols: string;
}

export interface Request extends Asked {
  readonly head: string;
}

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** The head of a handshake, with more field lines (each ended by CRLF). */
export function handshake(target: string, lines = "", key: string = KEY): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${lines}\r\n`
  );
}

/** A handshake of any kind, with a new key. */
export function handshakeRequest(url: URL, options: HandshakeOptions = {}): Request {
  const key = randomBytes(16).toString("base64");
  const fields = new Map<string, readonly [name: string, values: readonly string[]]>();
  const set = (name: string, value: string | readonly string[]): void => {
    fields.set(name.toLowerCase(), [name, typeof value === "string" ? [value] : value]);
  };
  set("Host", url.host);
  set("Upgrade", "websocket");
  set("Connection", "Upgrade");
  set("Sec-WebSocket-Key", key);
  set("Sec-WebSocket-Version", "13");
  for (const [name, value] of Object.entries(options.fields ?? {})) {
    if (value === null) fields.delete(name.toLowerCase());
    else set(name, value);
  }
  const lines = [...fields.values()].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  const { method = "GET", version = "1.1" } = options;
  const list = (name: string): string => fields.get(name)?.[1].join(", ") ?? "";
  return {
    head: `${[`${method} ${url.pathname}${url.search} HTTP/${version}`, ...lines].join("\r\n")}\r\n\r\n`,
    key: list("sec-websocket-key").trim(),
    extensions: list("sec-websocket-extensions"),
    protocols: list("sec-websocket-protocol"),
  };
}

export function parseResponse(head: string): Response {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(`${statusLine} `)?.[1];
  assert.ok(status !== undefined, `not a status line: ${JSON.stringify(statusLine)}`);
  const header = (name: string): string | undefined => {
    const values = lines.filter((line) => line.toLowerCase().startsWith(`${name}:`));
    return values.length === 0
      ? undefined
      : values.map((line) => line.slice(name.length + 1).trim()).join(", ");
  };
  return { status: Number(status), header, head };
}

export function elements(list: string): string[] {
  return list.split(",").map((element) => element.trim());
}

/** What §4.2.2 item 5 and §4.1 demand of the server's answer, whatever was asked. */
export function checkSwitch(request: Asked, response: Response): void {
  assert.equal(response.status, 101, response.head);
  assert.match(response.head, /^HTTP\/1\.1 101 /);
  assert.equal(response.header("upgrade")?.toLowerCase(), "websocket");
  assert.ok(elements(response.header("connection")?.toLowerCase() ?? "").includes("upgrade"), response.head);
  const accept = createHash("sha1")
    .update(`${request.key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  assert.equal(response.header("sec-websocket-accept"), accept);
  const protocol = response.header("sec-websocket-protocol");
  if (protocol !== undefined) assert.ok(elements(request.protocols).includes(protocol), `chose ${protocol}`);
  const extensions = response.header("sec-websocket-extensions");
  if (extensions !== undefined) {
    const offered = elements(request.extensions).map((element) => element.split(";")[0]?.trim());
    for (const element of elements(extensions)) {
      assert.ok(
        offered.includes(element.split(";")[0]?.trim()),
        `accepted ${element}, which was not offered`,
      );
    }
  }
  assert.equal(response.header("content-length") ?? "0", "0", "a 101 has no content");
  assert.equal(response.header("transfer-encoding"), undefined, "a 101 has no content");
}

/** What was agreed. RFC 7692 §7.1. */
export interface Agreed {
  readonly serverTakeover: boolean;
  readonly clientTakeover: boolean;
  /** Undefined: not in the response, so 15. */
  readonly serverBits: number | undefined;
  readonly clientBits: number | undefined;
}

/** Reads the server's answer, which has to be valid by itself. Null: declined. */
export function agreedDeflate(response: Response): Agreed | null {
  const header = response.header("sec-websocket-extensions");
  if (header === undefined) return null;
  const [name, ...params] = header.split(";").map((part) => part.trim());
  assert.equal(name, "permessage-deflate");
  const seen = new Map<string, string | undefined>();
  for (const param of params) {
    const [key = "", value] = param.split("=").map((part) => part.trim());
    assert.ok(!seen.has(key), `${key} is there twice: ${header}`);
    seen.set(key, value?.replace(/^"(.*)"$/, "$1"));
  }
  const bits = (key: string): number | undefined => {
    if (!seen.has(key)) return undefined;
    assert.match(seen.get(key) ?? "", /^(?:[89]|1[0-5])$/, `${key} of the response needs 8 to 15: ${header}`);
    return Number(seen.get(key));
  };
  const flag = (key: string): boolean => {
    assert.equal(seen.get(key), undefined, `${key} has no value: ${header}`);
    return seen.has(key);
  };
  const agreed = {
    serverTakeover: !flag("server_no_context_takeover"),
    clientTakeover: !flag("client_no_context_takeover"),
    serverBits: bits("server_max_window_bits"),
    clientBits: bits("client_max_window_bits"),
  };
  const known = /^(?:server|client)_(?:no_context_takeover|max_window_bits)$/;
  for (const key of seen.keys()) assert.match(key, known, `unknown parameter: ${header}`);
  return agreed;
}
