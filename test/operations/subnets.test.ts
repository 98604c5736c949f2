import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { subnets } from "../../src/protocol/proxy/subnets.ts";
import { listOf } from "../support/bytes.ts";

const rows: readonly [entries: readonly string[], inside: readonly string[], outside: readonly string[]][] = [
  [
    ["loopback"],
    ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"],
    ["128.0.0.1", "::2", "0.0.0.0"],
  ],
  [
    ["private"],
    ["10.1.2.3", "172.31.0.1", "192.168.9.9", "fd12::1", "::ffff:10.0.0.1", "::ffff:a00:1"],
    ["11.0.0.1", "172.32.0.1", "192.169.0.1", "fe80::1", "::10.0.0.1"],
  ],
  [["link-local"], ["169.254.1.1", "fe80::1", "fe80::1%eth0"], ["169.255.0.1", "fec0::1"]],
  [["192.0.2.7"], ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.8"]],
  [
    ["192.0.2.0/25", "2001:db8::/32"],
    ["192.0.2.127", "2001:db8:ffff::"],
    ["192.0.2.128", "2001:db9::"],
  ],
  [["0.0.0.0/0"], ["1.2.3.4", "::ffff:1.2.3.4"], ["2001:db8::1"]],
  [[], [], ["127.0.0.1", "::1"]],
  [["0.0.0.0/0", "::/0"], [], ["", "localhost", "1.2.3", "01.2.3.4", "1.2.3.4 ", "[::1]", "__proto__"]],
];

describe("subnets", () => {
  for (const [entries, inside, outside] of rows) {
    it(`knows what belongs to ${entries.join(", ") || "nothing"}`, () => {
      const contains = subnets(entries);
      for (const address of inside) assert.equal(contains(address), true, address);
      for (const address of outside) assert.equal(contains(address), false, address);
      assert.equal(contains(undefined), false);
    });
  }

  for (const entry of listOf("¦nobody¦10.0.0.0/33¦::/129¦10.0.0.0/¦10.0.0.0/8/8¦10.0.0.0/-1¦10/8¦toString")) {
    it(`refuses ${JSON.stringify(entry)}`, () => assert.throws(() => subnets([entry]), RangeError));
  }
});
