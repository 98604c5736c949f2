// The opening handshake on plain data. RFC 6455 §4, §11.3.
import { cryptoModule } from "../../node/builtins.ts";
import { type FieldValue, fieldTexts } from "../http/field-values.ts";
import { hasToken, isToken } from "../http/token.ts";
import { parseExtensions } from "./extension-header.ts";
import { WebSocketError } from "./websocket-error.ts";

// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// 16 bytes in base64: 22 characters and the padding.
const KEY = /^[+/0-9A-Za-z]{22}==$/;
// RFC 9110 §5.5, without obs-text; a request target without white space or a fragment (RFC 6455 §3).
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/;
const HOST = /^[\x21-\x7e]+$/;

/** Fields of a refusal that tell the client what it should have asked for (RFC 6455 §4.4, RFC 9110 §15.5.22). */
export const UPGRADE_REQUIRED: Record<string, string> = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Version": "13",
};

/** `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`. RFC 6455 §4.2.2 step 5. */
export function acceptKey(key: string): string {
  return cryptoModule()
    .createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** A request head as far as the handshake needs it. */
export interface UpgradeRequest {
  method: string;
  /** 1 for HTTP/1.1. */
  minorVersion: number;
  /** The field's value by its lower-case name, several lines joined by ", "; undefined when it is absent. */
  header(name: string): string | undefined;
}

export type UpgradeCheck =
  | {
      ok: true;
      key: string;
      /** The client's subprotocols, by its preference. */
      protocols: string[];
      /** `Sec-WebSocket-Extensions`, which follows the grammar; for `negotiate`. */
      extensions: string | undefined;
    }
  | {
      ok: false;
      /** The answer; 405 goes with `Allow: GET`, 426 with `Sec-WebSocket-Version: 13`. */
      status: 400 | 405 | 426;
      reason: string;
    };

/** The server's check of an opening handshake. RFC 6455 §4.2.1; a wrong version is answered by §4.2.2 and §4.4. */
export function checkUpgrade(request: UpgradeRequest): UpgradeCheck {
  if (request.method !== "GET") return { ok: false, status: 405, reason: "A WebSocket handshake is a GET." };
  if (request.minorVersion < 1) return refuse("A WebSocket handshake needs HTTP/1.1.");
  if (!hasToken(request.header("upgrade"), "websocket")) return refuse("Upgrade: websocket is missing.");
  if (!hasToken(request.header("connection"), "upgrade")) return refuse("Connection: Upgrade is missing.");
  const version = request.header("sec-websocket-version")?.trim();
  if (version === undefined) return refuse("Sec-WebSocket-Version is missing.");
  if (version !== "13") return { ok: false, status: 426, reason: "Sec-WebSocket-Version has to be 13." };
  // A key given twice arrives as "a, b", which is not base64.
  const key = request.header("sec-websocket-key")?.trim() ?? "";
  if (!KEY.test(key)) return refuse("Sec-WebSocket-Key has to be 16 bytes in base64, once.");
  const protocols = parseProtocols(request.header("sec-websocket-protocol"));
  if (protocols === null) return refuse("Sec-WebSocket-Protocol has to be a list of different tokens.");
  const extensions = request.header("sec-websocket-extensions");
  // §9.1: a header that does not follow the grammar fails the connection.
  if (extensions !== undefined && parseExtensions(extensions) === null) {
    return refuse("Sec-WebSocket-Extensions does not follow the grammar of RFC 6455 §9.1.");
  }
  return { ok: true, key, protocols, extensions };
}

/** A fresh `Sec-WebSocket-Key` from the system's random source. RFC 6455 §4.1. */
export function createKey(): string {
  return cryptoModule().randomBytes(16).toString("base64");
}

export interface RequestHeadOptions {
  /** `Host`, with the port unless it is the scheme's default. */
  host: string;
  /** Path and query. */
  path: string;
  /** From `createKey`. */
  key: string;
  /** Subprotocols by preference. */
  protocols?: readonly string[] | undefined;
  /** From `offer`. */
  extensions?: string | undefined;
  origin?: string | undefined;
  /** Further fields, such as `Authorization` or `Cookie`. */
  headers?: Iterable<readonly [name: string, value: FieldValue]> | undefined;
}

/**
 * The client's opening handshake, to be sent as latin1. RFC 6455 §4.1.
 *
 * @throws TypeError for a value that would break the head, or a field that belongs to the handshake itself.
 */
export function requestHead(options: RequestHeadOptions): string {
  const { host, path, key, protocols = [], extensions, origin } = options;
  if (!HOST.test(host)) throw new TypeError(`${JSON.stringify(host)} is not a host.`);
  if (!TARGET.test(path)) {
    throw new TypeError(
      `The path ${JSON.stringify(path)} must begin with "/", be percent-encoded, and have no "#".`,
    );
  }
  if (protocols.some((name) => !isToken(name)) || new Set(protocols).size !== protocols.length) {
    throw new TypeError("Subprotocols must be different tokens (RFC 6455 §4.1).");
  }
  let head =
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n`;
  if (protocols.length > 0) head += `Sec-WebSocket-Protocol: ${protocols.join(", ")}\r\n`;
  if (extensions !== undefined) head += `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  if (origin !== undefined) head += fieldLine("Origin", origin);
  for (const [name, value] of options.headers ?? []) {
    if (/^(?:host|upgrade|connection|content-length|transfer-encoding|sec-websocket-.*)$/i.test(name)) {
      throw new TypeError(`You cannot set the header ${name}, because it belongs to the handshake.`);
    }
    for (const text of fieldTexts(name, value)) head += fieldLine(name, text);
  }
  return `${head}\r\n`;
}

export interface ResponseCheckOptions {
  /** The key that was sent. */
  key: string;
  /** The subprotocols that were offered. */
  protocols?: readonly string[] | undefined;
  /** The extensions that were offered. */
  extensions?: string | undefined;
}

export interface UpgradeResponse {
  /** The subprotocol that the server chose. */
  protocol: string | undefined;
  /** `Sec-WebSocket-Extensions` of the response; for `accept`. */
  extensions: string | undefined;
}

/**
 * The client's check of the server's answer. RFC 6455 §4.1, the list after "once the client's opening handshake".
 *
 * @param header the field's value by its lower-case name, undefined when it is absent.
 * @throws WebSocketError WS_HANDSHAKE_*: the connection has to be closed.
 */
export function checkResponse(
  status: number,
  header: (name: string) => string | undefined,
  options: ResponseCheckOptions,
): UpgradeResponse {
  if (status !== 101)
    throw new WebSocketError("WS_HANDSHAKE_STATUS", `the server answered ${status} instead of 101`);
  if (header("upgrade")?.trim().toLowerCase() !== "websocket") {
    throw new WebSocketError("WS_HANDSHAKE_UPGRADE", "the response has no Upgrade: websocket");
  }
  if (!hasToken(header("connection"), "upgrade")) {
    throw new WebSocketError("WS_HANDSHAKE_UPGRADE", "the response has no Connection: Upgrade");
  }
  if (header("sec-websocket-accept")?.trim() !== acceptKey(options.key)) {
    throw new WebSocketError("WS_HANDSHAKE_ACCEPT");
  }
  const protocol = header("sec-websocket-protocol")?.trim();
  if (protocol !== undefined && !(options.protocols ?? []).includes(protocol)) {
    throw new WebSocketError(
      "WS_HANDSHAKE_PROTOCOL",
      `the server chose the protocol ${protocol}, which was not offered`,
    );
  }
  const extensions = header("sec-websocket-extensions");
  if (extensions !== undefined && options.extensions === undefined) {
    throw new WebSocketError(
      "WS_HANDSHAKE_EXTENSION",
      `the server chose the extension ${extensions}, but none was offered`,
    );
  }
  return { protocol, extensions };
}

// RFC 6455 §4.1 item 10, §4.3: 1#token, all different.
function parseProtocols(header: string | undefined): string[] | null {
  if (header === undefined) return [];
  // RFC 9110 §5.6.1.2, RFC 2616 §2.1: empty elements of a list are ignored.
  const protocols = header.split(",").flatMap((element) => element.trim() || []);
  const valid = protocols.every(isToken) && new Set(protocols).size === protocols.length;
  return valid && protocols.length > 0 ? protocols : null;
}

function fieldLine(name: string, value: string): string {
  if (!isToken(name)) throw new TypeError(`${JSON.stringify(name)} is not a field name.`);
  if (!FIELD_VALUE.test(value)) throw new TypeError(`The value of ${name} must be printable ASCII.`);
  return `${name}: ${value}\r\n`;
}

function refuse(reason: string): UpgradeCheck {
  return { ok: false, status: 400, reason };
}
