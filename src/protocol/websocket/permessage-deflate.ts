// The negotiation of permessage-deflate. RFC 7692 §5, §7.1; its data is in message-inflater and message-deflater.

import { isSyncZlibAvailable } from "../../node/sync-zlib.ts";
import { checkOptions, type OptionNames } from "../../options/check-options.ts";
import { type Extension, parseExtensions } from "./extension-header.ts";
import { MessageDeflater } from "./message-deflater.ts";
import { MessageInflater } from "./message-inflater.ts";
import { WebSocketError } from "./websocket-error.ts";

const EXTENSION_NAME = "permessage-deflate";
const MAX_WINDOW_BITS = 15;

/** Settings of permessage-deflate, for servers and clients. All are optional. */
export interface DeflateOptions {
  /**
   * Whether the server keeps its window between messages. Default false: all connections share one compressor instead
   * of using 256 KiB each.
   */
  contextTakeover?: boolean | undefined;
  /** Whether the client can keep its window, which costs the server up to 40 KiB for each connection. Default false. */
  clientContextTakeover?: boolean | undefined;
  /**
   * The size below which messages are sent uncompressed, in bytes. Default 1,024, because smaller messages gain little.
   */
  thresholdBytes?: number | undefined;
  /**
   * The zlib level, 0 to 9. Default 3: 27 KiB of JSON take 55 µs and become 1,957 bytes. With zlib's default of 6 they
   * take 160 µs and become 1,834 bytes.
   */
  level?: number | undefined;
  /** The zlib memLevel, 1 to 9. Default 8, as in zlib. */
  memLevel?: number | undefined;
  /** The largest window of the server, 9 to 15, as a power of two. Default 15. */
  serverMaxWindowBits?: number | undefined;
  /**
   * The largest window of the client, 9 to 15, as a power of two. Default 15. With less, a server declines compression
   * for clients that cannot limit their window.
   */
  clientMaxWindowBits?: number | undefined;
}

const deflateOptionNames: OptionNames<DeflateOptions> = {
  contextTakeover: "boolean",
  clientContextTakeover: "boolean",
  thresholdBytes: true,
  level: true,
  memLevel: true,
  serverMaxWindowBits: true,
  clientMaxWindowBits: true,
};

/** `DeflateOptions` with the defaults in place, checked. */
export type DeflateSettings = { readonly [K in keyof DeflateOptions]-?: NonNullable<DeflateOptions[K]> };

/** What both sides have agreed on. RFC 7692 §7.1. */
export interface DeflateParams {
  serverContextTakeover: boolean;
  clientContextTakeover: boolean;
  /** 8 to 15. */
  serverMaxWindowBits: number;
  /** 8 to 15. */
  clientMaxWindowBits: number;
}

/**
 * Checks the options and fills in the defaults. Its result is a `DeflateOptions` again.
 *
 * @throws RangeError naming the option that is out of range, TypeError one that is unknown.
 */
export function deflateSettings(options: DeflateOptions = {}): DeflateSettings {
  checkOptions("compression", options, deflateOptionNames);
  return {
    contextTakeover: options.contextTakeover ?? false,
    clientContextTakeover: options.clientContextTakeover ?? false,
    thresholdBytes: within(options.thresholdBytes ?? 1024, "thresholdBytes", 0, Number.MAX_SAFE_INTEGER),
    level: within(options.level ?? 3, "level", 0, 9),
    memLevel: within(options.memLevel ?? 8, "memLevel", 1, 9),
    serverMaxWindowBits: within(options.serverMaxWindowBits ?? 15, "serverMaxWindowBits", 9, 15),
    clientMaxWindowBits: within(options.clientMaxWindowBits ?? 15, "clientMaxWindowBits", 9, 15),
  };
}

/**
 * The server's answer to `Sec-WebSocket-Extensions`: the first offer that it can accept. RFC 7692 §5.1.
 *
 * @returns the response header's value and what was agreed; null when no offer was acceptable, then the connection
 *   continues without compression and without that header.
 * @throws RangeError for options out of range.
 */
export function negotiate(
  header: string | undefined,
  options: DeflateOptions,
): { response: string; params: DeflateParams } | null {
  const settings = deflateSettings(options);
  if (header === undefined || !isSyncZlibAvailable()) return null;
  for (const extension of parseExtensions(header) ?? []) {
    const offered = parseParams(extension, "offer");
    const accepted = offered === null ? null : answer(offered, settings);
    if (accepted !== null) return accepted;
  }
  return null;
}

/** The client's offer, a value for `Sec-WebSocket-Extensions`. RFC 7692 §5.1. @throws RangeError */
export function offer(options: DeflateOptions): string {
  const settings = deflateSettings(options);
  const parts = [EXTENSION_NAME];
  if (!settings.contextTakeover) parts.push("server_no_context_takeover");
  if (!settings.clientContextTakeover) parts.push("client_no_context_takeover");
  if (settings.serverMaxWindowBits < 15) parts.push(`server_max_window_bits=${settings.serverMaxWindowBits}`);
  // §7.1.2.2: without a value it permits the server to limit the client's window.
  const bits = settings.clientMaxWindowBits;
  parts.push(bits < 15 ? `client_max_window_bits=${bits}` : "client_max_window_bits");
  return parts.join("; ");
}

/**
 * The client's check of the server's answer to `offer(options)`. RFC 7692 §5.1, §7.1.
 *
 * @param header `Sec-WebSocket-Extensions` of the response; undefined when the server declined.
 * @returns what was agreed, null when the server declined.
 * @throws WebSocketError WS_HANDSHAKE_EXTENSION for anything that was not offered or is invalid.
 */
export function accept(header: string | undefined, options: DeflateOptions): DeflateParams | null {
  if (header === undefined) return null;
  const settings = deflateSettings(options);
  const extensions = parseExtensions(header);
  const [extension] = extensions ?? [];
  const agreed =
    extension === undefined || extensions?.length !== 1 ? null : parseParams(extension, "response");
  if (agreed === null) throw refused(header);
  const { serverMaxWindowBits = MAX_WINDOW_BITS, clientMaxWindowBits = MAX_WINDOW_BITS } = agreed;
  // §7.1.1.1: a server that was asked to drop its context and accepted says so.
  if (!settings.contextTakeover && !agreed.serverNoContextTakeover) throw refused(header);
  // §7.1.2.1: the same or a smaller window than the one offered.
  if (serverMaxWindowBits > settings.serverMaxWindowBits) throw refused(header);
  return {
    serverContextTakeover: !agreed.serverNoContextTakeover,
    // §7.1.1.2, §7.1.2.2: the client does what it said in its offer, whatever the answer allows.
    clientContextTakeover: settings.clientContextTakeover && !agreed.clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits: Math.min(clientMaxWindowBits, settings.clientMaxWindowBits),
  };
}

/** The inflater for messages that `role` receives. */
export function createInflater(role: "server" | "client", params: DeflateParams): MessageInflater {
  return role === "server"
    ? new MessageInflater({
        contextTakeover: params.clientContextTakeover,
        windowBits: params.clientMaxWindowBits,
      })
    : new MessageInflater({
        contextTakeover: params.serverContextTakeover,
        windowBits: params.serverMaxWindowBits,
      });
}

/** The deflater for messages that `role` sends. @throws RangeError for options out of range */
export function createDeflater(
  role: "server" | "client",
  params: DeflateParams,
  options: DeflateOptions,
): MessageDeflater {
  const { level, memLevel } = deflateSettings(options);
  return role === "server"
    ? new MessageDeflater({
        contextTakeover: params.serverContextTakeover,
        windowBits: params.serverMaxWindowBits,
        level,
        memLevel,
      })
    : new MessageDeflater({
        contextTakeover: params.clientContextTakeover,
        windowBits: params.clientMaxWindowBits,
        level,
        memLevel,
      });
}

/** The parameters of one element as they stand there. */
interface WireParams {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits?: number;
  clientMaxWindowBits?: number;
  /** Whether client_max_window_bits was there; in an offer it can have no value (§7.1.2.2). */
  isClientWindowLimited: boolean;
}

function answer(
  offered: WireParams,
  settings: DeflateSettings,
): { response: string; params: DeflateParams } | null {
  // §7.1.2.1: zlib has no raw window of 8 bits, so that offer is declined; clients offer again without it.
  if (offered.serverMaxWindowBits === 8) return null;
  // §7.1.2.2: the server can limit only a window that the client has said it can limit.
  if (settings.clientMaxWindowBits < 15 && !offered.isClientWindowLimited) return null;
  const params: DeflateParams = {
    serverContextTakeover: settings.contextTakeover && !offered.serverNoContextTakeover,
    clientContextTakeover: settings.clientContextTakeover && !offered.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(
      settings.serverMaxWindowBits,
      offered.serverMaxWindowBits ?? MAX_WINDOW_BITS,
    ),
    clientMaxWindowBits: Math.min(
      settings.clientMaxWindowBits,
      offered.clientMaxWindowBits ?? MAX_WINDOW_BITS,
    ),
  };
  const parts = [EXTENSION_NAME];
  // §7.1.1: both can be in a response even if the offer did not have them.
  if (!params.serverContextTakeover) parts.push("server_no_context_takeover");
  if (!params.clientContextTakeover) parts.push("client_no_context_takeover");
  // A smaller window than the client expects needs no word; some clients refuse what they did not offer.
  if (offered.serverMaxWindowBits !== undefined) {
    parts.push(`server_max_window_bits=${params.serverMaxWindowBits}`);
  }
  // §7.2.2: what the client offers is a hint, and binds it only when it is in the answer.
  if (params.clientMaxWindowBits < MAX_WINDOW_BITS) {
    parts.push(`client_max_window_bits=${params.clientMaxWindowBits}`);
  }
  return { response: parts.join("; "), params };
}

// §7.1: a parameter that is unknown, there twice or has a wrong value makes the whole element unacceptable.
function parseParams(extension: Extension, kind: "offer" | "response"): WireParams | null {
  if (extension.name !== EXTENSION_NAME) return null;
  const params: WireParams = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    isClientWindowLimited: false,
  };
  const seen = new Set<string>();
  for (const [name, value] of extension.params) {
    if (seen.has(name)) return null;
    seen.add(name);
    const bits = value !== null && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : null;
    if (name === "server_no_context_takeover" && value === null) {
      params.serverNoContextTakeover = true;
    } else if (name === "client_no_context_takeover" && value === null) {
      params.clientNoContextTakeover = true;
    } else if (name === "server_max_window_bits" && bits !== null) {
      params.serverMaxWindowBits = bits;
    } else if (name === "client_max_window_bits" && bits !== null) {
      params.clientMaxWindowBits = bits;
      params.isClientWindowLimited = true;
    } else if (name === "client_max_window_bits" && value === null && kind === "offer") {
      params.isClientWindowLimited = true;
    } else {
      return null;
    }
  }
  return params;
}

function within(value: number, name: string, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} cannot be ${value}. Use an integer from ${least} to ${most}.`);
}

function refused(header: string): WebSocketError {
  return new WebSocketError(
    "WS_HANDSHAKE_EXTENSION",
    `the server's Sec-WebSocket-Extensions does not follow from the offer: ${header}`,
  );
}
