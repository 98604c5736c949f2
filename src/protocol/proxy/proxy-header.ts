import { isIPv4, isIPv6 } from "node:net";
import { spelledAddress } from "./subnets.ts";

/*
 * The header that a proxy puts before a connection to name its client: HAProxy's PROXY protocol, versions 1 (§2.1 of
 * proxy-protocol.txt) and 2 (§2.2). It is read again with each piece that arrives, until it is complete. Its first
 * wrong byte is enough to refuse it.
 */

/** The client that a proxy speaks for. */
export interface ProxiedPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export type ProxyHeader =
  | { readonly state: "incomplete" | "malformed" }
  /**
   * `peer` is undefined if the proxy connects for itself or for a protocol other than TCP. Then use the socket's
   * address.
   */
  | { readonly state: "complete"; readonly length: number; readonly peer: ProxiedPeer | undefined };

/**
 * The longest accepted header, in bytes. Addresses need at most 232; the rest is for a proxy's additional values
 * (TLVs).
 */
export const MAX_PROXY_HEADER_BYTES = 4_096;

const INCOMPLETE: ProxyHeader = { state: "incomplete" };
const MALFORMED: ProxyHeader = { state: "malformed" };

const LINE_START = Buffer.from("PROXY ", "latin1");
/** With its CRLF (§2.1). */
const MAX_LINE_BYTES = 107;
const LINE = /^PROXY (TCP4|TCP6) ([\dA-Fa-f.:]+) ([\dA-Fa-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
const UNKNOWN_LINE = /^PROXY UNKNOWN(?: [^\r\n]*)?$/;

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
/** Bytes that the addresses take, by the address family of the 14th byte: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BYTES = [0, 12, 36, 216];
const LAST_PROTOCOL = 2;
const TCP4 = 0x11;
const TCP6 = 0x21;

/**
 * Reads the header at the beginning of a connection.
 * @param bytes all bytes received so far
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, SIGNATURE)) return readBinary(bytes);
  if (startsLike(bytes, LINE_START)) return readLine(bytes);
  return MALFORMED;
}

/** Returns whether the bytes received so far begin with these. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readLine(bytes: Buffer): ProxyHeader {
  const text = bytes.toString("latin1", 0, MAX_LINE_BYTES);
  const end = text.search(/\r(?!$)|\n/);
  // Neither a bare CR nor a bare LF ends the line.
  if (end < 0) return text.length < MAX_LINE_BYTES ? INCOMPLETE : MALFORMED;
  if (!text.startsWith("\r\n", end)) return MALFORMED;
  const line = text.slice(0, end);
  const length = end + 2;
  const fields = LINE.exec(line);
  if (fields === null) {
    return UNKNOWN_LINE.test(line) ? { state: "complete", length, peer: undefined } : MALFORMED;
  }
  const [, family, source = "", destination = "", sourcePort, destinationPort] = fields;
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  const isPort = (port: string | undefined): boolean => Number(port) <= 65_535;
  if (![source, destination].every((address) => isAddress(address))) return MALFORMED;
  if (![sourcePort, destinationPort].every(isPort)) return MALFORMED;
  return { state: "complete", length, peer: peerOf(source, Number(sourcePort)) };
}

function readBinary(bytes: Buffer): ProxyHeader {
  const command = bytes[SIGNATURE.length] ?? LOCAL;
  if (command !== LOCAL && command !== PROXY) return MALFORMED;
  if (bytes.length < FIXED_BYTES) return INCOMPLETE;
  const kind = bytes.readUInt8(13);
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  const needed = command === LOCAL ? 0 : ADDRESS_BYTES[kind >> 4];
  if (needed === undefined || length < FIXED_BYTES + needed || length > MAX_PROXY_HEADER_BYTES) {
    return MALFORMED;
  }
  if (command === PROXY && (kind & 15) > LAST_PROTOCOL) return MALFORMED;
  if (bytes.length < length) return INCOMPLETE;
  return { state: "complete", length, peer: command === PROXY ? binaryPeer(bytes, kind) : undefined };
}

function binaryPeer(bytes: Buffer, kind: number): ProxiedPeer | undefined {
  if (kind === TCP4) return peerOf(bytes.subarray(16, 20).join("."), bytes.readUInt16BE(24));
  if (kind !== TCP6) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(16 + 2 * i).toString(16));
  return peerOf(groups.join(":"), bytes.readUInt16BE(48));
}

function peerOf(address: string, remotePort: number): ProxiedPeer {
  return { remoteAddress: spelledAddress(address) ?? address, remotePort };
}
