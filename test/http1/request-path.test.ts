import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pathSegment, readPath } from "../../src/protocol/http/request-path.ts";

const UNRESERVED = /[A-Za-z0-9\-._~]/;

describe("the normal form of a path (RFC 3986 §6.2.2)", () => {
  const cases: [sent: string, path: string][] = [
    ["/%61dmin", "/admin"],
    ["/a%2Db%2eC%5F%7e%30", "/a-b.C_~0"],
    ["/a%2fb", "/a%2Fb"],
    ["/a%5cb", "/a%5Cb"],
    ["/%40%3a%2c", "/%40%3A%2C"],
    ["/caf%c3%a9%20b", "/caf%C3%A9%20b"],
    ["/%2541%25", "/%2541%25"],
    ["/{a}<b>`^", "/%7Ba%7D%3Cb%3E%60%5E"],
    ["/a\\..\\b", "/a%5C..%5Cb"],
    ["/a%00b", "/a%00b"],
    ["/a|b[c]", "/a|b[c]"],
    ["//a//", "//a//"],
    ["/a;b=c,d+e!", "/a;b=c,d+e!"],
  ];
  for (const [sent, path] of cases) {
    test(`${sent} is ${path}`, () => assert.deepEqual(readPath(sent), { path, isAmbiguous: false }));
  }

  const ambiguous = [
    "/..",
    "/.",
    "/a/./b",
    "/a/../b",
    "/%2e%2E/a",
    "/.%2e",
    "/a/%2e",
    "/%",
    "/%4",
    "/%zz",
    // The halves of an escape, one of them escaped.
    "/%0%41",
    "/%%41a",
    "/%ff",
    "/%c0%af",
    "/%c3",
    "/%ed%a0%80",
  ];
  for (const sent of ambiguous) {
    test(`${sent} is ambiguous`, () => assert.equal(readPath(sent).isAmbiguous, true));
  }

  for (const sent of ["/...", "/.a/b.", "/..a", "/a/..;/b", "/..%2Fa"]) {
    test(`${sent} is not`, () => assert.equal(readPath(sent).isAmbiguous, false));
  }
});

const octet = fc.integer({ min: 0x21, max: 0x7e }).filter((code) => code !== 0x23 && code !== 0x3f);
const character = fc.oneof(
  octet.map((code) => String.fromCharCode(code)),
  fc.constantFrom("/", ".", "%", "%2e", "%2E", "%2f", "%5c", "%00", "%25", "%41", "%c3%a9", "%ff"),
);
const path = fc.array(character, { maxLength: 20 }).map((parts) => `/${parts.join("")}`);

describe("of any path", () => {
  test("it is read once: reading what was read changes nothing", () => {
    fc.assert(
      fc.property(path, (sent) => {
        const { path: read, isAmbiguous } = readPath(sent);
        if (!isAmbiguous) assert.equal(readPath(read).path, read);
      }),
    );
  });

  test("it decodes to what was sent, and no unreserved character is escaped", () => {
    fc.assert(
      fc.property(path, (sent) => {
        const reading = readPath(sent);
        if (reading.isAmbiguous) return;
        assert.equal(decodeURIComponent(reading.path), decodeURIComponent(sent));
        for (const [triplet] of reading.path.matchAll(/%../g)) {
          assert.equal(triplet, triplet.toUpperCase());
          assert.doesNotMatch(String.fromCharCode(Number.parseInt(triplet.slice(1), 16)), UNRESERVED);
        }
      }),
    );
  });

  test("a URL parser reads the same path, or the path is ambiguous", () => {
    fc.assert(
      fc.property(path, (sent) => {
        const reading = readPath(sent);
        if (!reading.isAmbiguous) assert.equal(new URL(`http://h${reading.path}`).pathname, reading.path);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a segment of a pattern has the form in which clients send it", () => {
  assert.equal(pathSegment("café au lait"), "caf%C3%A9%20au%20lait");
  assert.equal(pathSegment("a%41?#/"), "a%2541%3F%23%2F");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (/^\.\.?$|[/\\\0]/.test(text)) return;
      const { path: read, isAmbiguous } = readPath(`/${pathSegment(text)}`);
      assert.equal(isAmbiguous, false);
      assert.equal(read, `/${pathSegment(text)}`);
      assert.equal(decodeURIComponent(read), `/${text}`);
    }),
  );
});
