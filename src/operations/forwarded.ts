import { spelledAddress } from "../protocol/proxy/subnets.ts";

/*
 * What proxies tell of those who connected to them: Forwarded (RFC 7239) and X-Forwarded-For, as lists from the right.
 * The last element was added by the nearest proxy. All that is left of it may come from anyone, so nothing there may
 * change how it is read: elements are cut off from the right.
 */

/** Who connected to a proxy. */
export interface ForwardedNode {
  /** Undefined when the proxy does not know it or keeps it to itself ("unknown", "_hidden"; RFC 7239 §6.2, §6.3). */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** The information of one proxy. */
export interface ForwardedElement {
  /** The client's address; undefined if the proxy reports none, or an invalid one. */
  readonly node: ForwardedNode | undefined;
  readonly protocol?: string | undefined;
  readonly host?: string | undefined;
}

const HIDDEN: ForwardedNode = { address: undefined, port: undefined };
const NAMELESS: ForwardedElement = { node: undefined };

// RFC 7239 §6: IPv4, IPv6 in brackets, "unknown" or an obfuscated identifier, and perhaps a port or an obfuscated one.
const NODE =
  /^(?:(?<v4>[\d.]+)|\[(?<v6>[\dA-Fa-f]*:[\dA-Fa-f:.]+)\]|unknown|_[\w.-]+)(?::(?:(?<port>\d{1,5})|_[\w.-]+))?$/i;

/** @param text without quotation marks */
function parseNode(text: string): ForwardedNode | undefined {
  const groups = NODE.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { v4, v6, port } = groups;
  if (v4 === undefined && v6 === undefined) return HIDDEN;
  const address = spelledAddress(v4 ?? v6 ?? "");
  const number = port === undefined ? undefined : Number(port);
  if (address === undefined || (number ?? 0) > 65_535) return undefined;
  return { address, port: number };
}

/** The elements of X-Forwarded-For, which no standard describes: addresses, IPv6 with or without brackets, ports. */
export function* addressesFromRight(list: string): Generator<ForwardedElement, undefined> {
  for (const text of itemsFromRight(list, false)) {
    const address = spelledAddress(text);
    yield { node: address === undefined ? parseNode(text) : { address, port: undefined } };
  }
}

/** The elements of Forwarded (RFC 7239 §4). */
export function* forwardedFromRight(list: string): Generator<ForwardedElement, undefined> {
  for (const text of itemsFromRight(list, true)) yield parseElement(text);
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** What stands between commas; nothing does not count (RFC 9110 §5.6.1). */
function* itemsFromRight(list: string, hasQuotes: boolean): Generator<string, undefined> {
  let end = list.length;
  for (let at = end - 1; at >= -1; at--) {
    // A quotation mark without its other one takes everything on its left with it.
    if (hasQuotes && list.charCodeAt(at) === QUOTE) at = openingQuote(list, at);
    if (at >= 0 && list.charCodeAt(at) !== COMMA) continue;
    const text = list.slice(at + 1, end).trim();
    end = at;
    if (text !== "") yield text;
  }
}

/** Where the quoted string begins that ends here, or -1; RFC 9110 §5.6.4. */
function openingQuote(list: string, closing: number): number {
  let at = closing;
  do at = at === 0 ? -1 : list.lastIndexOf('"', at - 1);
  while (at > 0 && isEscaped(list, at));
  return at;
}

function isEscaped(list: string, at: number): boolean {
  let slashes = 0;
  while (list[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

const PAIR =
  /[\t ]*(?:([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w]+)|"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)")[\t ]*)?(?:;|$)/y;

/** RFC 7239 §5 has four. An element with many more is invalid. */
const MAX_PAIRS = 32;

function parseElement(text: string): ForwardedElement {
  const pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (let count = 0; PAIR.lastIndex < text.length; count++) {
    const [whole, name, token, quoted] = PAIR.exec(text) ?? [];
    if (whole === undefined || count === MAX_PAIRS) return NAMELESS;
    if (name === undefined) continue;
    // RFC 7239 §4: each parameter at most once.
    if (pairs.has(name.toLowerCase())) return NAMELESS;
    pairs.set(name.toLowerCase(), token ?? quoted?.replace(/\\(.)/g, "$1") ?? "");
  }
  const node = pairs.get("for");
  return {
    node: node === undefined ? undefined : parseNode(node),
    protocol: pairs.get("proto"),
    host: pairs.get("host"),
  };
}
