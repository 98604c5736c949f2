import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Client,
  type TrustedProxiesOptions,
  trustedProxies,
} from "../../src/operations/trusted-proxies.ts";
import { subnets } from "../../src/protocol/proxy/subnets.ts";
import { listOf } from "../support/bytes.ts";
import { processorMs } from "../support/processor-time.ts";

const numRuns = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 1000);

/** What such an exchange looks like from outside. */
function request(peer: string | undefined, fields: Record<string, string | undefined>, encrypted = false) {
  return {
    remoteAddress: peer,
    remotePort: peer === undefined ? undefined : 4711,
    encrypted,
    authority: "own.example",
    header: (name: string) => fields[name],
  };
}

interface Case {
  readonly name: string;
  readonly trust?: TrustedProxiesOptions["trust"];
  readonly peer?: string | undefined;
  readonly encrypted?: boolean;
  /** X-Forwarded-For, or Forwarded when it contains "=". */
  readonly list?: string;
  /** X-Forwarded-Proto. */
  readonly proto?: string;
  /** X-Forwarded-Host. */
  readonly host?: string;
  /** The field that was not chosen. */
  readonly other?: string;
  readonly wanted: Partial<Client>;
}

const PROXIES = ["loopback", "10.0.0.0/8"];
const own: Client = { address: "10.0.0.1", port: 4711, protocol: "http", host: "own.example" };
const client = { address: "192.0.2.1", port: undefined };
const nobody = { address: undefined, port: undefined };
const https = { protocol: "https" } as const;
const httpsClient = { ...client, ...https };
/** A peer that is no proxy. */
const stranger = { address: "192.0.2.9" };

const xForwarded: readonly Case[] = [
  { name: "no fields", wanted: {} },
  { name: "no fields, TLS", encrypted: true, wanted: https },
  { name: "one proxy", list: "192.0.2.1", wanted: client },
  {
    name: "a peer on IPv4 that is written as IPv6",
    peer: "::ffff:10.0.0.1",
    list: "192.0.2.1",
    wanted: client,
  },
  { name: "two proxies", list: "192.0.2.1, 10.0.0.2", wanted: client },
  { name: "what a client made up before", list: "127.0.0.1, 10.9.9.9, 192.0.2.1,10.0.0.2", wanted: client },
  { name: "nobody but proxies", list: "10.0.0.3, 10.0.0.2", wanted: { ...client, address: "10.0.0.3" } },
  { name: "empty elements", list: ", ,192.0.2.1,,\t,", wanted: client },
  { name: "only commas", list: ",,", wanted: {} },
  { name: "a port", list: "192.0.2.1:50000", wanted: { address: "192.0.2.1", port: 50_000 } },
  { name: "IPv6", list: "2001:DB8:0::1", wanted: { ...client, address: "2001:db8::1" } },
  { name: "IPv4 that is written as IPv6", list: "::FFFF:c000:201", wanted: client },
  { name: "such a peer that is no proxy", peer: "::ffff:192.0.2.9", wanted: stranger },
  { name: "IPv6 in brackets", list: "[2001:db8::1]", wanted: { ...client, address: "2001:db8::1" } },
  { name: "IPv6 and a port", list: "[2001:db8::1]:443", wanted: { address: "2001:db8::1", port: 443 } },
  { name: "unknown", list: "192.0.2.1, unknown", wanted: nobody },
  { name: "hidden", list: "192.0.2.1, _proxy", wanted: nobody },
  { name: "no address", list: "192.0.2.1, <script>", wanted: nobody },
  { name: "no address further left", list: "<script>, 192.0.2.1", wanted: client },
  { name: "an address of another base", list: "0300.0250.1.1", wanted: nobody },
  { name: "a zone", list: "fe80::1%eth0", wanted: nobody },
  { name: "IPv4 in brackets", list: "[192.0.2.1]", wanted: nobody },
  { name: "a port that is too large", list: "192.0.2.1:65536", wanted: nobody },
  { name: "a peer that is no proxy", peer: "192.0.2.9", list: "192.0.2.1", wanted: stranger },
  { name: "the protocol", proto: "HTTPS", wanted: https },
  { name: "the protocol of a WebSocket", proto: "wss", wanted: https },
  { name: "of protocols the nearest", proto: "https, http", wanted: { protocol: "http" } },
  { name: "a protocol that is none", proto: "constructor", wanted: {} },
  { name: "http in front of TLS", encrypted: true, proto: "http", wanted: {} },
  { name: "the host", host: "a.example:8443", wanted: { host: "a.example:8443" } },
  { name: "of hosts the nearest", host: "evil.example, a.example", wanted: { host: "a.example" } },
  { name: "a host that is none", host: "a.example/path", wanted: {} },
  { name: "an empty host", host: "", wanted: {} },
  {
    name: "all fields of a peer that is no proxy",
    peer: "192.0.2.9",
    list: "127.0.0.1",
    proto: "https",
    host: "evil.example",
    wanted: stranger,
  },
  { name: "Forwarded, which was not chosen", other: "for=192.0.2.1;proto=https", wanted: {} },
  { name: "no proxy: none is believed", trust: 0, list: "192.0.2.1", wanted: {} },
  { name: "one proxy, by number", trust: 1, list: "127.0.0.1, 192.0.2.1", wanted: client },
  { name: "two proxies, by number", trust: 2, list: "127.0.0.1, 192.0.2.1, 192.0.2.5", wanted: client },
  { name: "fewer than the number", trust: 3, list: "192.0.2.1", wanted: client },
  { name: "one proxy on a Unix socket", trust: 1, peer: undefined, list: "192.0.2.1", wanted: client },
  { name: "a Unix socket, by address", peer: undefined, list: "192.0.2.1", wanted: nobody },
];

const forwarded: readonly Case[] = [
  { name: "no field", wanted: {} },
  { name: "one proxy", list: "for=192.0.2.1", wanted: client },
  { name: "any case", list: "FoR=192.0.2.1;PROTO=HTTPS", wanted: httpsClient },
  {
    name: "everything",
    list: 'by=10.0.0.1;for="192.0.2.1:5000";host="a.example:8443";proto=https;x=y',
    wanted: { address: "192.0.2.1", port: 5_000, host: "a.example:8443", protocol: "https" },
  },
  {
    name: "IPv6",
    list: 'for="[2001:db8:cafe::17]:4711"',
    wanted: { address: "2001:db8:cafe::17", port: 4711 },
  },
  { name: "escapes", list: 'for="\\1\\9\\2.0.2.1"', wanted: client },
  { name: "spaces around pairs", list: "for=192.0.2.1 ; proto=https", wanted: httpsClient },
  { name: "empty pairs", list: ";for=192.0.2.1;;", wanted: client },
  { name: "empty elements", list: ", for=192.0.2.1 , ,", wanted: client },
  {
    name: "two proxies: who the client spoke with tells the protocol",
    list: "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http",
    wanted: httpsClient,
  },
  { name: "what a client made up before", list: "for=127.0.0.1;proto=https, for=192.0.2.1", wanted: client },
  { name: "unknown", list: "for=unknown", wanted: nobody },
  { name: "unknown with a port", list: 'for="unknown:_p"', wanted: nobody },
  { name: "hidden", list: "for=_gazonk;proto=https", wanted: { ...nobody, protocol: "https" } },
  { name: "a hidden port", list: 'for="192.0.2.1:_p"', wanted: client },
  { name: "nobody, but a protocol", list: "proto=https", wanted: { ...nobody, protocol: "https" } },
  { name: "IPv6 without brackets", list: 'for="2001:db8::1"', wanted: nobody },
  { name: "IPv6 without quotation marks", list: "for=[2001:db8::1]", wanted: nobody },
  { name: "a parameter twice", list: "for=192.0.2.1;For=192.0.2.2", wanted: nobody },
  { name: "no pair", list: "192.0.2.1", wanted: nobody },
  { name: "a space in a pair", list: "for= 192.0.2.1", wanted: nobody },
  { name: "a host that is none", list: 'for=192.0.2.1;host="a b"', wanted: client },
  { name: "an open quotation mark before", list: 'for="127.0.0.1, for=192.0.2.1', wanted: client },
  { name: "an open quotation mark before a quoted string", list: 'for="x, for="192.0.2.1"', wanted: client },
  { name: "an open quotation mark behind", list: 'for=127.0.0.1;x=", for="192.0.2.1', wanted: nobody },
  {
    name: "commas, semicolons and escapes in quotation marks",
    list: 'for=192.0.2.1;x="a,for=b;\\"\\\\"',
    wanted: client,
  },
  {
    name: "a quoted string that a client left open with an escape",
    list: 'x="\\, for="192.0.2.1"',
    wanted: client,
  },
  { name: "X-Forwarded-For, which was not chosen", other: "192.0.2.1", wanted: {} },
  { name: "one proxy, by number", trust: 1, list: "for=127.0.0.1, for=192.0.2.1", wanted: client },
  { name: "a hidden one of two, by number", trust: 2, list: "for=192.0.2.1, for=_near", wanted: client },
  { name: "a broken one of two, by number", trust: 2, list: "for=192.0.2.1, for=(", wanted: nobody },
  { name: "a peer that is no proxy", peer: "192.0.2.9", list: "for=192.0.2.1;proto=https", wanted: stranger },
];

for (const [field, header, otherHeader, cases] of [
  ["x-forwarded", "x-forwarded-for", "forwarded", xForwarded],
  ["forwarded", "forwarded", "x-forwarded-for", forwarded],
] as const) {
  describe(`trustedProxies by ${field}`, () => {
    for (const one of cases) {
      it(one.name, () => {
        const clientOf = trustedProxies({ trust: one.trust ?? PROXIES, field });
        const peer = "peer" in one ? one.peer : "10.0.0.1";
        const fields = {
          [header]: one.list,
          [otherHeader]: one.other,
          "x-forwarded-proto": one.proto,
          "x-forwarded-host": one.host,
        };
        assert.deepEqual(clientOf(request(peer, fields, one.encrypted)), { ...own, ...one.wanted });
      });
    }

    const hostile = fc.string({
      unit: fc.constantFrom(
        ...'for="\\,;:[]_. \t%10ab\x00\xff',
        "for=",
        "127.0.0.1",
        "192.0.2.1",
        '"[::1]"',
        "unknown",
      ),
      maxLength: 60,
    });

    it("believes what a trusted proxy adds, whatever stands before it", () => {
      const clientOf = trustedProxies({ trust: PROXIES, field });
      const element =
        field === "forwarded"
          ? fc.constantFrom("for=192.0.2.1", 'for="192.0.2.1"', 'x="a\\"b,c";for=192.0.2.1')
          : fc.constant("192.0.2.1");
      fc.assert(
        fc.property(hostile, element, (before, last) => {
          assert.equal(
            clientOf(request("10.0.0.1", { [header]: `${before}, ${last}` })).address,
            "192.0.2.1",
          );
        }),
        { numRuns },
      );
    });

    it("never throws, and believes nobody who is not trusted", () => {
      const contains = subnets(PROXIES);
      const clientOf = trustedProxies({ trust: PROXIES, field });
      fc.assert(
        fc.property(
          fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), hostile), { nil: undefined }),
          hostile,
          (peer, list) => {
            const fields = { [header]: list, "x-forwarded-host": list, "x-forwarded-proto": list };
            fc.pre(!peer?.startsWith("::ffff:"));
            const found = clientOf(request(peer, fields));
            if (!contains(peer))
              assert.deepEqual(found, { ...own, address: peer, port: peer === undefined ? undefined : 4711 });
          },
        ),
        { numRuns },
      );
    });

    it("takes time in proportion to the field", () => {
      const clientOf = trustedProxies({ trust: 32, field });
      for (const unit of listOf(',¦"¦\\¦\\"¦ ¦\t;¦for=¦for="\\¦127.0.0.1,¦for=127.0.0.1,')) {
        const list = unit.repeat(262_144 / unit.length);
        const start = processorMs();
        clientOf(request("10.0.0.1", { [header]: list }));
        clientOf(request("10.0.0.1", { [header]: `${list}x` }));
        assert.ok(processorMs() - start < 2_000, JSON.stringify(unit));
      }
    });
  });
}

describe("trustedProxies", () => {
  for (const [field, header, element] of [
    ["x-forwarded", "x-forwarded-for", (i: number) => `10.0.0.${i}`],
    ["forwarded", "forwarded", (i: number) => `for=10.0.0.${i}`],
  ] as const) {
    const chain = (length: number): string =>
      Array.from({ length }, (_, i) => element(length - i)).join(", ");
    for (const trust of [PROXIES, 32]) {
      it(`goes on to the 32nd, by ${field} and ${typeof trust === "number" ? "number" : "addresses"}`, () => {
        const clientOf = trustedProxies({ trust, field });
        const address = (length: number): string | undefined =>
          clientOf(request("10.0.0.1", { [header]: chain(length) })).address;
        assert.deepEqual([address(31), address(32), address(33)], ["10.0.0.31", "10.0.0.32", "10.0.0.32"]);
      });
    }

    it(`does not look at more, by ${field}: it takes no longer for the longest list`, () => {
      const clientOf = trustedProxies({ trust: PROXIES, field });
      const list = `${element(1)},`.repeat(20_000);
      const start = processorMs();
      for (let i = 0; i < 50; i++) clientOf(request("10.0.0.1", { [header]: list }));
      assert.ok(processorMs() - start < 2_000);
    });
  }

  it("takes an element of Forwarded with more than 32 pairs for none", () => {
    const clientOf = trustedProxies({ trust: PROXIES, field: "forwarded" });
    const pairs = (count: number): string => Array.from({ length: count }, (_, i) => `;x${i}=y`).join("");
    const address = (count: number): string | undefined =>
      clientOf(request("10.0.0.1", { forwarded: `for=192.0.2.1${pairs(count)}` })).address;
    assert.deepEqual([address(31), address(32)], ["192.0.2.1", undefined]);
  });

  it("refuses what is neither addresses nor a number", () => {
    for (const trust of [-1, 1.5, 33, Number.NaN, ["nobody"], ["10.0.0.0/40"]]) {
      assert.throws(() => trustedProxies({ trust }), RangeError);
    }
  });
});
