import type { RequestHead } from "../http1/request-head.ts";
import { checkFieldName, checkFieldValue, FieldError } from "../http1/response-head.ts";
import { acceptKey, checkUpgrade } from "../websocket/handshake.ts";
import {
  createDeflater,
  createInflater,
  deflateSettings,
  negotiate,
} from "../websocket/permessage-deflate.ts";
import type { Exchange } from "./exchange.ts";
import type { Agreement } from "./web-socket-connection.ts";
import type { UpgradeOptions } from "./web-socket-handlers.ts";

/** A handshake that may be accepted, or the response that refuses it. */
export type Handshake =
  | { readonly ok: true; readonly agreement: Agreement; readonly response: string }
  | { readonly ok: false; readonly status: number; readonly headers: Record<string, string> };

/** Fields of a refusal that tell the client what it should have asked for (RFC 6455 §4.4, RFC 9110 §15.5.22). */
export const UPGRADE_REQUIRED: Record<string, string> = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Version": "13",
};

/**
 * The server's part of the opening handshake (RFC 6455 §4.2).
 * @param fields field lines of the program for the response
 */
export function shakeHands(
  head: RequestHead,
  exchange: Exchange,
  options: UpgradeOptions,
  fields: () => string,
): Handshake {
  const check = checkUpgrade({
    method: head.method,
    minorVersion: head.minorVersion,
    header: (name) => head.fields.get(name),
  });
  if (!check.ok) {
    const headers = check.status === 426 ? UPGRADE_REQUIRED : check.status === 405 ? { Allow: "GET" } : {};
    return { ok: false, status: check.status, headers };
  }
  // What follows the head would be taken for frames (RFC 9110 §7.8).
  if (head.chunked || head.contentLength > 0) return { ok: false, status: 400, headers: {} };

  const protocol = chooseProtocol(check.protocols, exchange, options.protocols);
  const { compression = false } = options;
  const deflate = compression === true ? {} : compression;
  const agreed = deflate === false ? null : negotiate(check.extensions, deflate);
  const agreement: Agreement = {
    role: "server",
    protocol: protocol ?? "",
    inflater: agreed === null ? undefined : createInflater("server", agreed.params),
    deflater:
      agreed === null || deflate === false ? undefined : createDeflater("server", agreed.params, deflate),
    thresholdBytes: deflate === false ? 0 : deflateSettings(deflate).thresholdBytes,
    maxMessageBytes: options.maxMessageBytes,
    idleTimeoutMs: options.idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : options.idleTimeoutMs,
    sendResetsIdle: options.sendResetsIdle ?? false,
    pongTimeoutMs: options.pongTimeoutMs,
    writeTimeoutMs: options.writeTimeoutMs,
  };
  for (const [name, value] of Object.entries(options.headers ?? {})) exchange.setHeader(name, value);
  let response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${acceptKey(check.key)}\r\n`;
  if (protocol !== undefined) response += `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  if (agreed !== null) response += `Sec-WebSocket-Extensions: ${agreed.response}\r\n`;
  return { ok: true, agreement, response: `${response}${fields()}\r\n` };
}

/** Fields that the handshake itself decides about. */
const HANDSHAKE_FIELD = /^(?:connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;

/**
 * Checks a field of the program for the response that opens a WebSocket.
 * @throws FieldError
 */
export function checkHandshakeField(name: string, value: string): void {
  checkFieldName(name);
  checkFieldValue(name, value);
  if (HANDSHAKE_FIELD.test(name)) throw new FieldError(`${name} is decided by the handshake`);
}

/** RFC 6455 §4.2.2: one of those that the client offers, or none. */
function chooseProtocol(
  offered: readonly string[],
  exchange: Exchange,
  protocols: UpgradeOptions["protocols"],
): string | undefined {
  if (offered.length === 0 || protocols === undefined) return undefined;
  if (typeof protocols !== "function") return protocols.find((name) => offered.includes(name));
  const chosen = protocols(offered, exchange);
  return chosen !== undefined && offered.includes(chosen) ? chosen : undefined;
}
