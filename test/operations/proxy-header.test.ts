import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  MAX_PROXY_HEADER_BYTES,
  type ProxyHeader,
  readProxyHeader,
} from "../../src/protocol/proxy/proxy-header.ts";
import { binaryHeader } from "./proxy-headers.ts";

const numRuns = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 1000);
const V4 = { remoteAddress: "192.0.2.1", remotePort: 56324 };
const V6 = { remoteAddress: "2001:db8::1", remotePort: 56324 };
const ipv4 = (length = 12) => {
  const block = Buffer.alloc(length);
  Buffer.from("c0000201c6336401dc0401bb", "hex").copy(block);
  return block;
};
const ipv6 = () =>
  Buffer.from("20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "dc0401bb", "hex");
const tlv = (type: number, length: number) =>
  Buffer.from([type, length >> 8, length & 255, ...Buffer.alloc(length)]);
const longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

type Row = readonly [name: string, header: string | Buffer, wanted: "malformed" | typeof V4 | undefined];

/** Complete headers: whose address they tell, undefined for the socket's own. */
const rows: readonly Row[] = [
  ["1: IPv4", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", V4],
  [
    "1: the longest IPv4",
    "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
    { remoteAddress: "255.255.255.255", remotePort: 65535 },
  ],
  ["1: IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", V6],
  ["1: IPv6 in another spelling", "PROXY TCP6 2001:0DB8:0:0:0:0:0:1 ::2 56324 443\r\n", V6],
  [
    "1: the longest IPv6",
    `PROXY TCP6 ${longest} ${longest} 65535 65535\r\n`,
    { remoteAddress: longest, remotePort: 65535 },
  ],
  ["1: port 0", "PROXY TCP4 192.0.2.1 198.51.100.1 0 443\r\n", { ...V4, remotePort: 0 }],
  ["1: UNKNOWN", "PROXY UNKNOWN\r\n", undefined],
  ["1: UNKNOWN and the longest rest", `PROXY UNKNOWN ${longest} ${longest} 65535 65535\r\n`, undefined],
  ["1: UNKNOWN and anything", "PROXY UNKNOWN \x00 what ever\r\n", undefined],
  ["1: UNKNOWN without a space", "PROXY UNKNOWNS\r\n", "malformed"],
  ["1: a line that is too long", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "malformed"],
  ["1: no end", "PROXY ".padEnd(107, "x"), "malformed"],
  ["1: LF alone", "PROXY UNKNOWN\n", "malformed"],
  ["1: CR alone", "PROXY UNKNOWN\rx\r\n", "malformed"],
  ["1: lower case", "proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "malformed"],
  ["1: another protocol", "PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n", "malformed"],
  ["1: two spaces", "PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n", "malformed"],
  ["1: a space at the end", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n", "malformed"],
  ["1: a field is missing", "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n", "malformed"],
  ["1: the other family", "PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n", "malformed"],
  ["1: mixed families", "PROXY TCP6 2001:db8::1 198.51.100.1 56324 443\r\n", "malformed"],
  ["1: leading zeros in an address", "PROXY TCP4 192.0.02.1 198.51.100.1 56324 443\r\n", "malformed"],
  ["1: leading zeros in a port", "PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n", "malformed"],
  ["1: a port that is too large", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n", "malformed"],
  ["1: a negative port", "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n", "malformed"],
  ["1: a zone", "PROXY TCP6 fe80::1%eth0 2001:db8::2 56324 443\r\n", "malformed"],
  ["1: a host name", "PROXY TCP4 localhost 198.51.100.1 56324 443\r\n", "malformed"],
  ["2: IPv4", binaryHeader(0x21, 0x11, ipv4()), V4],
  ["2: IPv6", binaryHeader(0x21, 0x21, ipv6()), V6],
  ["2: IPv4 and TLVs", binaryHeader(0x21, 0x11, Buffer.concat([ipv4(), tlv(0x04, 7), tlv(0x20, 300)])), V4],
  ["2: IPv4 and TLVs that are none", binaryHeader(0x21, 0x11, ipv4(13)), V4],
  ["2: the longest that is read", binaryHeader(0x21, 0x11, ipv4(MAX_PROXY_HEADER_BYTES - 16)), V4],
  ["2: one byte more", binaryHeader(0x21, 0x11, ipv4(MAX_PROXY_HEADER_BYTES - 15)), "malformed"],
  ["2: LOCAL", binaryHeader(0x20, 0x00), undefined],
  ["2: LOCAL with addresses", binaryHeader(0x20, 0x11, ipv4()), undefined],
  ["2: LOCAL with a family that is none", binaryHeader(0x20, 0xff, tlv(0x04, 1)), undefined],
  ["2: unspecified", binaryHeader(0x21, 0x00, tlv(0x04, 3)), undefined],
  ["2: UDP over IPv4", binaryHeader(0x21, 0x12, ipv4()), undefined],
  ["2: a Unix socket", binaryHeader(0x21, 0x31, Buffer.alloc(216)), undefined],
  ["2: IPv4 without all of its addresses", binaryHeader(0x21, 0x11, ipv4().subarray(0, 11)), "malformed"],
  ["2: IPv6 without all of its addresses", binaryHeader(0x21, 0x21, ipv6().subarray(0, 35)), "malformed"],
  ["2: a Unix socket without all of its paths", binaryHeader(0x21, 0x31, Buffer.alloc(215)), "malformed"],
  ["2: another command", binaryHeader(0x22, 0x11, ipv4()), "malformed"],
  ["2: another version", binaryHeader(0x11, 0x11, ipv4()), "malformed"],
  ["2: another family", binaryHeader(0x21, 0x41, Buffer.alloc(216)), "malformed"],
  ["2: another protocol", binaryHeader(0x21, 0x13, ipv4()), "malformed"],
  ["a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "malformed"],
  ["a TLS handshake", Buffer.from("160301020001", "hex"), "malformed"],
  ["the signature with one byte changed", Buffer.from("0d0a0d0a000d0a515549540b", "hex"), "malformed"],
];

const bytesOf = (header: string | Buffer): Buffer =>
  typeof header === "string" ? Buffer.from(header, "latin1") : header;

describe("readProxyHeader", () => {
  for (const [name, header, wanted] of rows) {
    const bytes = bytesOf(header);
    const complete: ProxyHeader =
      wanted === "malformed"
        ? { state: "malformed" }
        : { state: "complete", length: bytes.length, peer: wanted };

    it(name, () => {
      assert.deepEqual(readProxyHeader(bytes), complete);
      if (wanted === "malformed") return;
      assert.deepEqual(readProxyHeader(Buffer.concat([bytes, bytes])), complete, "with more behind it");
    });

    it(`${name}, cut anywhere`, () => {
      let state: ProxyHeader = { state: "incomplete" };
      for (let length = 0; length <= bytes.length && state.state === "incomplete"; length++) {
        state = readProxyHeader(bytes.subarray(0, length));
        if (length < bytes.length && wanted !== "malformed") assert.equal(state.state, "incomplete");
      }
      assert.deepEqual(state, complete);
    });
  }

  it("gives back the addresses of any header of either version", () => {
    // With parts of IPv4 an address can be longer than a line of version 1 has room for.
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter(({ length }) => length <= 39),
    );
    const port = fc.integer({ min: 0, max: 65_535 });
    fc.assert(
      fc.property(address, port, fc.uint8Array({ maxLength: 40 }), (source, sourcePort, rest) => {
        const family = source.includes(":") ? "TCP6" : "TCP4";
        const line = Buffer.from(`PROXY ${family} ${source} ${source} ${sourcePort} 1\r\n`);
        const read = readProxyHeader(Buffer.concat([line, rest]));
        assert.ok(read.state === "complete" && read.length === line.length);
        assert.equal(read.peer?.remotePort, sourcePort);
        // The same peer, told by the other version.
        const peer = read.peer!;
        const second = Buffer.from(`PROXY ${family} ${peer.remoteAddress} ${source} ${sourcePort} 1\r\n`);
        assert.deepEqual(readProxyHeader(second), { state: "complete", length: second.length, peer });
      }),
      { numRuns },
    );
  });

  it("never throws, and never takes more than it was given", () => {
    const start = fc.constantFrom(...rows.map(([, header]) => bytesOf(header)));
    const hostile = fc
      .tuple(start, fc.nat(120), fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 30 }))
      .map(([bytes, at, changed, more]) => {
        const copy = Buffer.from(bytes);
        copy.set(changed.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
        return Buffer.concat([copy, more]);
      });
    fc.assert(
      fc.property(hostile, (bytes) => {
        const read = readProxyHeader(bytes);
        if (read.state === "complete") assert.ok(read.length <= bytes.length);
        // What was refused stays refused, whatever comes.
        else if (read.state === "malformed") {
          assert.deepEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from("\r\n")])), read);
        }
      }),
      { numRuns },
    );
  });
});
