import type { Exchange, Upgrade, UpgradeOptions } from "../exchange/exchange.ts";
import { dateLine } from "../protocol/http/date.ts";
import { checkFieldName, FieldError } from "../protocol/http/field-lines.ts";
import { type FieldValue, fieldTexts } from "../protocol/http/field-values.ts";
import type { RequestHead } from "../protocol/http1/request-head.ts";
import { acceptKey, checkUpgrade, UPGRADE_REQUIRED } from "../protocol/websocket/handshake.ts";
import {
  createDeflater,
  createInflater,
  deflateSettings,
  negotiate,
} from "../protocol/websocket/permessage-deflate.ts";
import { httpLog, quoted } from "../trace/debug-log.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandshakeResult } from "../websocket/handshake-result.ts";
import { WebSocket } from "../websocket/web-socket.ts";
import { ImmediateWebSocketDelivery } from "../websocket/web-socket-delivery.ts";
import type { HandlersOf } from "../websocket/web-socket-handlers.ts";
import type { HttpContext } from "./http-context.ts";

const AT_ONCE = new ImmediateWebSocketDelivery();

/** An acceptable handshake, or the response that refuses it. */
type Handshake =
  | { readonly ok: true; readonly agreement: HandshakeResult; readonly response: string }
  | { readonly ok: false; readonly status: number; readonly headers: Record<string, string> };

/**
 * Turns an exchange into a WebSocket, and sends the handshake response. The transport stays corked.
 * @param releaseSlot releases the slot of the connection
 * @returns undefined if the exchange was refused
 */
export function openWebSocket(
  context: HttpContext,
  transport: Transport,
  exchange: Exchange,
  { handlers, options }: Upgrade,
  releaseSlot: (() => void) | undefined,
): WebSocket | undefined {
  const { driver, requestHead: head } = exchange;
  if (context.isClosing) {
    driver.fail(503, "HTTP_CLOSING");
    return undefined;
  }
  const handshake = negotiateUpgrade(head, exchange, options, () => driver.completeUpgrade());
  if (!handshake.ok) {
    driver.fail(handshake.status, "HTTP_BAD_HANDSHAKE", undefined, handshake.headers);
    return undefined;
  }
  const { agreement, response } = handshake;
  if (httpLog !== undefined) httpLog(transport, `> ${quoted(response)}`);
  transport.cork();
  transport.writeText(response);
  return new WebSocket<unknown, Exchange>(context, transport, {
    handlers: handlers as HandlersOf<WebSocket, unknown, Exchange>,
    agreement,
    data: options.data,
    request: exchange,
    releaseSlot,
    delivery: options.delivery === "immediate" ? AT_ONCE : context.webSocketDelivery,
    shouldEnqueueBeforeOpen: options.shouldEnqueueBeforeOpen ?? false,
    window: options.window,
    budget: options.budget,
  });
}

/**
 * The server's part of the opening handshake (RFC 6455 §4.2).
 * @param fields field lines of the program for the response
 * @throws FieldError when the program has set one that is decided here
 */
function negotiateUpgrade(
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
  // The client would interpret a body as frames (RFC 9110 §7.8).
  if (head.chunked || head.contentLength > 0) return { ok: false, status: 400, headers: {} };

  for (const [name, value] of Object.entries(options.headers ?? {})) exchange.setHeader(name, value);
  const protocol = chooseProtocol(check.protocols, exchange, protocolsOf(exchange, options));
  // The program has answered while it was asked. Another answer is not sent.
  if (exchange.driver.hasAnswer) return { ok: false, status: 500, headers: {} };
  const decided = DECIDED_LINE.exec(exchange.driver.response.fieldLines)?.[1];
  if (decided !== undefined) throw decidedByHandshake(decided);
  const { compression = false } = options;
  const deflate = compression === true ? {} : compression;
  const agreed = deflate === false ? null : negotiate(check.extensions, deflate);
  const agreement: HandshakeResult = {
    role: "server",
    protocol: protocol ?? "",
    inflater: agreed === null ? undefined : createInflater("server", agreed.params),
    deflater:
      agreed === null || deflate === false ? undefined : createDeflater("server", agreed.params, deflate),
    thresholdBytes: deflate === false ? 0 : deflateSettings(deflate).thresholdBytes,
    lent: options.lent ?? false,
    maxMessageBytes: options.maxMessageBytes,
    idleTimeoutMs: options.idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : options.idleTimeoutMs,
    sendResetsIdle: options.sendResetsIdle ?? false,
    pongTimeoutMs: options.pongTimeoutMs,
    writeTimeoutMs: options.writeTimeoutMs,
  };
  let response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${acceptKey(check.key)}\r\n${exchange.driver.response.hasDate ? "" : dateLine()}`;
  if (protocol !== undefined) response += `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  if (agreed !== null) response += `Sec-WebSocket-Extensions: ${agreed.response}\r\n`;
  return { ok: true, agreement, response: `${response}${fields()}\r\n` };
}

/** Fields that the handshake itself decides about. */
const HANDSHAKE_FIELD = /^(?:connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;
/** Those of them that a program can set before. */
const DECIDED_LINE = /^(connection|upgrade|sec-websocket-[^:]*):/im;
const PROTOCOL_LINE = /^sec-websocket-protocol: (.*)$/im;

function decidedByHandshake(name: string): FieldError {
  return new FieldError(`${name} is decided by the handshake`);
}

/** The option, or what the program has set as a field, which says the same. */
function protocolsOf(exchange: Exchange, { protocols }: UpgradeOptions): UpgradeOptions["protocols"] {
  const { response } = exchange.driver;
  const set = protocols === undefined ? PROTOCOL_LINE.exec(response.fieldLines)?.[1] : undefined;
  if (set === undefined) return protocols;
  response.removeHeader("Sec-WebSocket-Protocol");
  return [set.trim()];
}

/**
 * Checks a field of the program for the response that opens a WebSocket.
 * @throws FieldError
 */
export function checkHandshakeField(name: string, value: FieldValue): void {
  checkFieldName(name);
  fieldTexts(name, value);
  if (HANDSHAKE_FIELD.test(name)) throw decidedByHandshake(name);
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
