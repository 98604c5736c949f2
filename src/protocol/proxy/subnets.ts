import { BlockList, isIP, SocketAddress } from "node:net";

/** Names for addresses that need not be looked up in an RFC. */
const NAMED: Record<string, readonly string[]> = {
  // RFC 1122 §3.2.1.3, RFC 4291 §2.5.3
  loopback: ["127.0.0.0/8", "::1"],
  // RFC 3927 §2.1, RFC 4291 §2.5.6
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  // RFC 1918 §3, RFC 4193 §3.1
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

/** Whether an address is one of a set. False for undefined and for text that is not an address. */
export type AddressTest = (address: string | undefined) => boolean;

/**
 * A set of addresses. IPv4 addresses that are written as IPv6 ones ("::ffff:10.0.0.1") count as what they are.
 * @param entries addresses, subnets ("10.0.0.0/8", "fd00::/8"), "loopback", "link-local" and "private"
 * @throws RangeError for an entry that is none of these
 */
export function subnets(entries: readonly string[]): AddressTest {
  const list = new BlockList();
  for (const entry of entries) {
    for (const subnet of Object.hasOwn(NAMED, entry) ? (NAMED[entry] ?? []) : [entry]) addTo(list, subnet);
  }
  return (address) => {
    const family = address === undefined ? 0 : isIP(address);
    return address !== undefined && family !== 0 && list.check(address, familyName(family));
  };
}

/** An address in the spelling that sockets give: "::1" for "0:0:0:0:0:0:0:1". Undefined for text that is not an address. */
export function spelledAddress(text: string): string | undefined {
  const family = isIP(text);
  // A zone means something on the machine that knows it only (RFC 4007 §6).
  if (family === 0 || text.includes("%")) return undefined;
  return new SocketAddress({ address: text, family: familyName(family) }).address;
}

function addTo(list: BlockList, subnet: string): void {
  const [address = "", prefix, ...more] = subnet.split("/");
  const family = isIP(address);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : bits + 1;
  if (family === 0 || length > bits || more.length > 0) {
    const names = Object.keys(NAMED).join(", ");
    throw new RangeError(
      `"${subnet}" is neither an address, a subnet such as 10.0.0.0/8, nor one of ${names}`,
    );
  }
  list.addSubnet(address, length, familyName(family));
}

function familyName(family: number): "ipv4" | "ipv6" {
  return family === 6 ? "ipv6" : "ipv4";
}
