import type { HttpLimits } from "../../src/http1/limits.ts";
import { defaultHttpLimits } from "../../src/http1/limits.ts";
import type { Sample } from "./campaign.ts";
import type { Random } from "./random.ts";

/*
 * HTTP inputs as lists of elements of the grammar (RFC 9112). Each element has a kind, so that a change is made
 * where it matters: a line end becomes another line end, a chunk size another number.
 */
export type HttpSample = Sample<string, HttpLimits>;

type Kind =
  | "method"
  | "space"
  | "target"
  | "version"
  | "eol"
  | "name"
  | "colon"
  | "ows"
  | "value"
  | "size"
  | "data";

const generous: HttpLimits = { ...defaultHttpLimits };
const tight: HttpLimits = {
  maxHeadBytes: 120,
  maxFieldCount: 5,
  maxTargetBytes: 30,
  maxBodyBytes: 50,
  maxChunkExtensionBytes: 12,
  maxTrailerBytes: 40,
  requireContentLength: false,
};
const noChunks: HttpLimits = { ...tight, maxHeadBytes: 400, requireContentLength: true };

const methods = [
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "M-SEARCH",
  "PROPFIND",
  "SEARCH",
];
const paths = ["/", "/a", "/a/b?c=d", "/?", "/%20x", "/a;b=c", "//x", "/.", "/a?b?c", "/index.html?q=1&r=2"];
const absolutes = [
  "http://a",
  "http://a/",
  "HTTP://b:80/x?y",
  "https://[::1]:8/",
  "http://a?x",
  "http://x.y:1/z",
];
const hosts = ["a", "example.com", "b:80", "[::1]:8080", "127.0.0.1", "x%41-_~.", ""];
const plainNames = [
  "Accept",
  "X-A",
  "Cookie",
  "cookie",
  "User-Agent",
  "Referer",
  "x",
  "A!#$%&'*+-.^_`|~9",
  "__proto__",
];
const plainValues = [
  "",
  "a",
  "b c",
  "text/html, */*;q=0.1",
  "a=b; c=d",
  "\x80\xff",
  '"quoted, text"',
  "a\tb",
  "1",
];
const connections = [
  "keep-alive",
  "Keep-Alive",
  "x, keep-alive",
  "close",
  "upgrade",
  "keep-alive, Upgrade",
  ",,x",
];
const extensions = ["", "", "", "", ";a", ";a=b", ';a="b;c"', ";x=1;y=2"];
const contents = [
  "a",
  "abc",
  "0\r\n\r\n",
  "hello world",
  "GET / HTTP/1.1\r\n\r\n",
  "\0\r\n\x80\xff",
  "x".repeat(40),
];

// What stands in place of an element of each kind, now and then.
const instead: Record<Kind, readonly string[]> = {
  method: [
    "",
    "get",
    "CONNECT",
    "PRI",
    "G ET",
    "GET\t",
    "GE\0T",
    "G\x80",
    "(GET)",
    "X".repeat(32),
    "X".repeat(33),
    "\r\nGET",
    "\r\n\r\nGET",
    "\nGET",
    "\rGET",
    " GET",
    "SOURCE",
    "QUERY",
    "LOCK",
    "BREW",
  ],
  space: ["", "  ", "\t", " \t", "\r", "\n", "\0", "\x0b", "\x0c", "\xa0", "\r\n "],
  target: [
    "",
    "*",
    "a",
    "a:80",
    "?",
    "#",
    "/#a",
    "/ a",
    "/\0",
    "/\x7f",
    "/\x80",
    "/\t",
    "/|{^}",
    "http:/a",
    "http://",
    "http:///a",
    "http://:80/",
    "http://u@a/",
    "http://a b/",
    "ftp://a/",
    `/${"a".repeat(29)}`,
    `/${"a".repeat(30)}`,
    `/${"a".repeat(8200)}`,
    '/"<>\\',
    "https://a:b/",
    "/%",
    "/%zz",
  ],
  version: [
    "",
    "HTTP/1.2",
    "HTTP/1.9",
    "HTTP/2.0",
    "HTTP/0.9",
    "HTTP/3.0",
    "HTTP/1",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/11",
    "HTTP/1.10",
    "HTTP/01.1",
    "http/1.1",
    "HTTP/1,1",
    "HTTP/1.1 ",
    "HTP/1.1",
    "HTTP /1.1",
    "HTTP/ 1.1",
    "RTSP/1.0",
    "ICE/1.0",
    "HTTP/-1.1",
    "HTTP/1.1\0",
    "HTTP/a.b",
  ],
  eol: [
    "\n",
    "\r",
    "",
    "\r\r\n",
    "\n\r",
    "\r\n\r\n",
    " \r\n",
    "\r\n ",
    "\r\n\t",
    "\r \n",
    "\n\n",
    "\0\r\n",
    "\r\0\n",
    "\x0b",
    "\x85",
    "\r\n \r\n",
    "\r\n\0",
  ],
  name: [
    "",
    " X",
    "X ",
    "X\t",
    "X\0",
    "X Y",
    "(X)",
    "X\x80",
    "\x80",
    "X\x7f",
    "Host",
    "host",
    "HOST",
    "Content-Length",
    "content-length",
    "Transfer-Encoding",
    "transfer-encoding",
    "Connection",
    "Expect",
    "Upgrade",
    "Transfer_Encoding",
    "Content\xadLength",
    "Host\0",
    "Hos\xf4",
    "X\r",
    "X\n",
    "\x0bHost",
    "Content-Lengt\x48",
    "@",
  ],
  colon: ["", "::", " :", "\t:", ": :", ";", "=", "\0:", ":\r\n ", ":\n", "\r\n:"],
  ows: ["", " ", "\t", "  ", " \t ", "\r\n ", "\0", "\x0b", "\x0c", "\xa0", "\r", "\n"],
  value: [
    "",
    "\0",
    "a\0b",
    "\x7f",
    "\x01",
    "a\rb",
    "a\nb",
    "\x1b",
    "chunked",
    "Chunked",
    "chunked, chunked",
    "gzip",
    "gzip, chunked",
    "chunked, gzip",
    "identity",
    "x chunked",
    "chunked;a",
    '"chunked"',
    ",chunked",
    "chunked,",
    "\x0bchunked",
    "chunke\x44",
    "0",
    "3",
    "03",
    "+3",
    "-1",
    "3, 3",
    "3 3",
    "0x3",
    "3.0",
    "1e1",
    "9007199254740991",
    "9007199254740992",
    "18446744073709551616",
    "51",
    "16777217",
    "a b",
    "a/b",
    "a@b",
    "[::1",
    "a,b",
    "100-continue",
    "100-Continue",
    "100-continue, x",
    "200-ok",
    "close",
    "keep-alive",
    "upgrade",
    "websocket",
    "h2c",
    "close, keep-alive",
    "Connection",
    "a".repeat(120),
    "x".repeat(16384),
  ],
  size: [
    "",
    "-1",
    "+1",
    "0x1",
    "1 ",
    " 1",
    "1\t",
    "1;",
    "1 ;a",
    "1\t;a",
    "1;\0",
    "1;a\n",
    "1;\x7f",
    "g",
    "FFFFFFFFFFFFFFFF",
    "10000000000000000",
    "00000000000000001",
    "0000000000000001",
    "1FFFFFFFFFFFFF",
    "20000000000000",
    "7FFFFFFFFFFFFFFF",
    "33",
    "1000001",
    "1_0",
    "1.0",
    "1\r",
    "00",
    "000;a",
    "\n",
    "1;aaaaaaaaaaaaa",
    `1;${"a".repeat(4100)}`,
    "1,",
    "\0",
    "1 1",
    "0;\x80",
    '0;a="\r\n"',
    "8000000000000000",
  ],
  data: ["", "a", "abc", "abcd", "\r\n", "0\r\n\r\n", "x".repeat(51), "\n"],
};

const specialLines = [
  "Host: a",
  "Host: b",
  "host:",
  "Host: a b",
  "Content-Length: 3",
  "Content-Length: 0",
  "content-length:3",
  "Content-Length: 4",
  "Content-Length: 51",
  "Content-Length: -3",
  "Content-Length: 3, 3",
  "Content-Length: 9999999999999999",
  "Transfer-Encoding: chunked",
  "transfer-encoding:CHUNKED",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding : chunked",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: upgrade",
  "Connection: Upgrade, keep-alive",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Expect: x",
  "Trailer: X",
  "TE: trailers",
  " folded",
  "\tfolded",
  ":",
  "X",
  "X:",
  "Keep-Alive: 5",
  "Proxy-Connection: close",
  "Content-Encoding: gzip",
  `X: ${"y".repeat(100)}`,
] as const;

const fragments = [
  "\r\n",
  "\r\n",
  "\r\n\r\n",
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "0",
  "5",
  "F",
  "-",
  "GET ",
  "GET / HTTP/1.1\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  " HTTP/1.0\r\n",
  " HTTP/1.1\r\n",
  "Host: a\r\n",
  "Host: a\r\n\r\n",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: x\r\n",
  "0\r\n\r\n",
  "3\r\nabc\r\n",
  "3;a\r\nabc\r\n",
  "X:",
  "\x80",
  "\xff",
  "\x7f",
  "\x0b",
  "*",
  "http://a",
  "a".repeat(46),
] as const;

// What pieces in any order begin with, so that they are not all refused at their first octets.
const openings = [
  "",
  "GET ",
  "GET / HTTP/1.1\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nX:",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
] as const;

/** The elements of one input while they are put together, and what must be told of them. */
class Builder {
  readonly items: string[] = [];
  readonly kinds: Kind[] = [];
  expected = "";

  add(kind: Kind, text: string): void {
    this.items.push(text);
    this.kinds.push(kind);
  }

  line(name: string, value: string, random: Random): void {
    const loose = random.oneIn(4);
    this.add("name", name);
    this.add("colon", ":");
    this.add("ows", loose ? random.pick(["", " ", "\t", "  "]) : " ");
    this.add("value", value);
    this.add("ows", loose ? random.pick(["", " ", "\t "]) : "");
    this.add("eol", "\r\n");
  }
}

/** A request that RFC 9112 allows, and that fits the generous limits. */
function addRequest(to: Builder, random: Random): void {
  const old = random.oneIn(8);
  const options = random.oneIn(16);
  const method = options ? "OPTIONS" : random.pick(methods);
  const target = options ? "*" : random.oneIn(6) ? random.pick(absolutes) : random.pick(paths);
  if (random.oneIn(10)) to.add("eol", "\r\n");
  to.add("method", method);
  to.add("space", " ");
  to.add("target", target);
  to.add("space", " ");
  to.add("version", old ? "HTTP/1.0" : "HTTP/1.1");
  to.add("eol", "\r\n");
  const framing = random.below(5);
  const hostAt = random.below(3);
  const lines = hostAt + random.few(3);
  for (let at = 0; at <= lines; at += 1) {
    if (at === hostAt) to.line(random.pick(["Host", "host", "HOST"]), random.pick(hosts), random);
    else to.line(random.pick(plainNames), random.pick(plainValues), random);
  }
  if (random.oneIn(5)) to.line(random.pick(["Connection", "connection"]), random.pick(connections), random);
  if (random.oneIn(12)) to.line("Upgrade", random.pick(["websocket", "h2c", "x/1"]), random);
  if (random.oneIn(12)) to.line("Expect", random.pick(["100-continue", "100-Continue"]), random);
  let content = "";
  if (framing === 0 || (framing > 2 && old)) {
    content = random.oneIn(4) ? "" : random.pick(contents);
    const zeros = random.oneIn(8) ? "00" : "";
    to.line(random.pick(["Content-Length", "content-length"]), zeros + content.length, random);
    to.add("eol", "\r\n");
    if (content !== "") to.add("data", content);
  } else if (framing > 2) {
    to.line(
      random.pick(["Transfer-Encoding", "TRANSFER-ENCODING"]),
      random.pick(["chunked", "Chunked"]),
      random,
    );
    to.add("eol", "\r\n");
    content = addChunks(to, random);
  } else {
    to.add("eol", "\r\n");
  }
  to.expected += `${method} ${target} ${old ? 0 : 1}\n${content}\n`;
}

function addChunks(to: Builder, random: Random): string {
  let content = "";
  for (let left = random.few(4); left > 0; left -= 1) {
    const data = random.pick(contents);
    const size = data.length.toString(16);
    to.add("size", (random.oneIn(6) ? `0${size.toUpperCase()}` : size) + random.pick(extensions));
    to.add("eol", "\r\n");
    to.add("data", data);
    to.add("eol", "\r\n");
    content += data;
  }
  to.add("size", (random.oneIn(8) ? "000" : "0") + random.pick(extensions));
  to.add("eol", "\r\n");
  if (random.oneIn(4)) to.line(random.pick(plainNames), random.pick(plainValues), random);
  to.add("eol", "\r\n");
  return content;
}

/** One change at one element, or at the order of elements. */
function change(of: Builder, random: Random): void {
  const { items, kinds } = of;
  if (items.length === 0) return;
  // What comes later is only looked at when what comes before it is right.
  const at = random.oneIn(2) ? random.below(items.length) : items.length - 1 - random.few(items.length);
  const kind = kinds[at]!;
  const text = items[at]!;
  switch (random.below(12)) {
    case 0:
      items.splice(at, 1);
      kinds.splice(at, 1);
      break;
    case 1:
      items.splice(at, 0, text);
      kinds.splice(at, 0, kind);
      break;
    case 2:
    case 3: {
      // A line that decides about framing or connection, where a line may stand.
      const after = kinds.indexOf("eol", at);
      items.splice(
        after + 1,
        0,
        random.pick(specialLines),
        random.oneIn(8) ? random.pick(instead.eol) : "\r\n",
      );
      kinds.splice(after + 1, 0, "value", "eol");
      break;
    }
    case 4: {
      const inside = random.below(text.length + 1);
      items[at] = text.slice(0, inside) + String.fromCharCode(random.below(256)) + text.slice(inside);
      break;
    }
    case 5: {
      const inside = random.below(text.length);
      items[at] = text.slice(0, inside) + text.slice(inside + 1);
      break;
    }
    case 6: {
      const other = random.below(items.length);
      items[at] = items[other]!;
      items[other] = text;
      break;
    }
    default:
      items[at] = random.pick(instead[kind]);
  }
}

function build(random: Random): Builder {
  const builder = new Builder();
  for (let left = 1 + random.few(3); left > 0; left -= 1) addRequest(builder, random);
  return builder;
}

function limitsFor(random: Random): HttpLimits {
  const choice = random.below(12);
  return choice < 8 ? generous : choice < 11 ? tight : noChunks;
}

export function httpSample(random: Random): HttpSample {
  const choice = random.below(20);
  if (choice < 4) {
    const { items, expected } = build(random);
    // Cut off anywhere now and then: what was complete must still be told.
    if (random.oneIn(8)) {
      return {
        kind: "valid",
        items: items.slice(0, random.below(items.length)),
        setting: generous,
        expected: null,
      };
    }
    return { kind: "valid", items, setting: generous, expected };
  }
  if (choice < 17) {
    const builder = build(random);
    for (let left = 1 + random.few(3); left > 0; left -= 1) change(builder, random);
    return { kind: "nearly", items: builder.items, setting: limitsFor(random), expected: null };
  }
  const items: string[] = [random.pick(openings)];
  if (choice < 19) {
    for (let left = random.few(16); left >= 0; left -= 1) items.push(random.pick(fragments));
    return { kind: "soup", items, setting: limitsFor(random), expected: null };
  }
  for (let left = random.below(60); left >= 0; left -= 1) items.push(String.fromCharCode(random.below(256)));
  return { kind: "random", items, setting: limitsFor(random), expected: null };
}
