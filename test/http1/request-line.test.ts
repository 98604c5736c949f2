import type { Case } from "./table.ts";
import { alone, fails, table } from "./table.ts";

const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
const toTarget = (target: string) => `GET ${target}${rest}`;
const hex = (code: number) => `0x${code.toString(16).padStart(2, "0")}`;

table("request line: method", [
  ["RFC 9112 §3.1", "GET", toTarget("/"), alone({ method: "GET", target: "/", minorVersion: 1 })],
  ["RFC 9110 §9.1", "methods are case-sensitive, get is not GET", `get /${rest}`, alone({ method: "get" })],
  ["RFC 9110 §9.1", "unknown method", `PURGE /${rest}`, alone({ method: "PURGE" })],
  ["RFC 9110 §9.1", "method with a hyphen", `M-SEARCH /${rest}`, alone({ method: "M-SEARCH" })],
  ["RFC 9110 §5.6.2", "one letter", `X /${rest}`, alone({ method: "X" })],
  [
    "RFC 9110 §5.6.2",
    "every mark of a token",
    `!#$%&'*+-.^_\`|~ /${rest}`,
    alone({ method: "!#$%&'*+-.^_`|~" }),
  ],
  ["RFC 9110 §5.6.2", "digits first", `0A9 /${rest}`, alone({ method: "0A9" })],
  ["RFC 9112 §3.1", "32 bytes of method", `${"M".repeat(32)} /${rest}`, alone({ method: "M".repeat(32) })],
  ["RFC 9112 §3", "33 bytes of method", `${"M".repeat(33)} /${rest}`, [fails(501)]],
  ["RFC 9112 §3", "a method without end", "M".repeat(200), [fails(501)]],
  ["RFC 9112 §3.1", "no method", ` /${rest}`, [fails(400)]],
  [
    "RFC 9110 §9.3.6",
    "CONNECT is not implemented",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    [fails(501)],
  ],
  [
    "RFC 9110 §9.3.6",
    "connect is another method, its target no URI",
    "connect a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    [fails(400)],
  ],
  ...[
    0x00, 0x01, 0x09, 0x0b, 0x1b, 0x22, 0x28, 0x29, 0x2c, 0x2f, 0x3a, 0x3b, 0x3d, 0x40, 0x5b, 0x5c, 0x7b,
    0x7d, 0x7f, 0x80, 0xff,
  ].map(
    (code): Case => [
      "RFC 9110 §5.6.2",
      `${hex(code)} in the method`,
      `GE${String.fromCharCode(code)}T /${rest}`,
      [fails(400)],
    ],
  ),
]);

table("request line: what cannot begin one fails at once", [
  ...[0x00, 0x0a, 0x16, 0x20, 0x22, 0x28, 0x2f, 0x3a, 0x7b, 0x7f, 0x80, 0xfe].map(
    (code): Case => [
      "RFC 9112 §2.2",
      `the single byte ${hex(code)}`,
      String.fromCharCode(code),
      [fails(400)],
    ],
  ),
  ["RFC 9112 §2.2", "a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [fails(400)]],
  ["RFC 9112 §2.2", "NUL in an unfinished method", "GE\0", [fails(400)]],
  ["RFC 9112 §2.2", "bare LF after an unfinished request line", "GET / HTTP/1.1\n", [fails(400)]],
  ["RFC 9112 §2.2", "bare LF after the target", "GET /\n", [fails(400)]],
  ["RFC 9110 §5.5", "NUL in an unfinished field line", "GET / HTTP/1.1\r\nHost: a\0", [fails(400)]],
  ["RFC 9112 §2.2", "bare LF after an unfinished field line", "GET / HTTP/1.1\r\nHost: a\n", [fails(400)]],
]);

table("request line: empty lines before it", [
  ["RFC 9112 §2.2", "one CRLF is skipped", `\r\n${toTarget("/")}`, alone({ method: "GET" })],
  ["RFC 9112 §2.2", "two CRLF", `\r\n\r\n${toTarget("/")}`, [fails(400)]],
  ["RFC 9112 §2.2", "only CRLF CRLF", "\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "a CRLF alone tells nothing", "\r\n", []],
  ["RFC 9112 §2.2", "a CR alone tells nothing", "\r", []],
  ["RFC 9112 §2.2", "bare CR first", `\r${toTarget("/")}`, [fails(400)]],
  ["RFC 9112 §2.2", "bare LF first", `\n${toTarget("/")}`, [fails(400)]],
  ["RFC 9112 §2.2", "CRLF and white space", `\r\n ${toTarget("/")}`, [fails(400)]],
  ["RFC 9112 §2.2", "CR CR LF", `\r\r\n${toTarget("/")}`, [fails(400)]],
]);

table("request line: form", [
  ["RFC 9112 §3", "nothing at all", "", []],
  ["RFC 9112 §3", "unfinished request line tells nothing", "GET / HTT", []],
  ["RFC 9112 §3", "unfinished head tells nothing", "GET / HTTP/1.1\r\nHost: a\r\n", []],
  ["RFC 9112 §3", "head up to the last CR tells nothing", "GET / HTTP/1.1\r\nHost: a\r\n\r", []],
  ["RFC 9112 §3", "two spaces after the method", `GET  /${rest}`, [fails(400)]],
  ["RFC 9112 §3", "two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3", "space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3", "tab after the method", `GET\t/${rest}`, [fails(400)]],
  ["RFC 9112 §3", "tab after the target", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3", "space in the target", toTarget("/a b"), [fails(400)]],
  ["RFC 9112 §3", "no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3", "empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3", "only a method", "GET\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "lines ended with LF only", "GET / HTTP/1.1\nHost: a\n\n", [fails(400)]],
  ["RFC 9112 §2.2", "bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "CR and a letter after the version", "GET / HTTP/1.1\rXHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "a letter and LF after the version", "GET / HTTP/1.1X\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "CR CR LF after the request line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.2", "only LF after a CRLF line", "GET / HTTP/1.1\r\nHost: a\r\n\n", [fails(400)]],
]);

const withVersion = (version: string) => `GET / ${version}\r\nHost: a\r\n\r\n`;
table("request line: version", [
  ["RFC 9112 §2.3", "HTTP/1.1", withVersion("HTTP/1.1"), alone({ minorVersion: 1 })],
  ["RFC 9112 §2.3", "HTTP/1.0", withVersion("HTTP/1.0"), alone({ minorVersion: 0 })],
  ["RFC 9110 §15.6.6", "HTTP/2.0", withVersion("HTTP/2.0"), [fails(505)]],
  ["RFC 9110 §15.6.6", "HTTP/3.7", withVersion("HTTP/3.7"), [fails(505)]],
  ["RFC 9110 §15.6.6", "HTTP/0.9", withVersion("HTTP/0.9"), [fails(505)]],
  ["RFC 9110 §2.5", "HTTP/1.2", withVersion("HTTP/1.2"), alone({ minorVersion: 1 })],
  ["RFC 9110 §2.5", "HTTP/1.9", withVersion("HTTP/1.9"), alone({ minorVersion: 1 })],
  ["RFC 9113 §3.4", "the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [fails(505, 400)]],
  ...[
    "http/1.1",
    "Http/1.1",
    "HTTP/1",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/1.10",
    "HTTP/11.1",
    "HTTP/01.1",
    "HTTP/1,1",
    "HTTP/1.x",
    "HTTP/a.1",
    "HTTP 1.1",
    "HTTP/ 1.1",
    "HTTP/1.1x",
    "HTTPS/1.1",
    "HTP/1.1",
    "XTTP/1.1",
    "1.1",
    "HTTP/-1.1",
    "ICY",
  ].map(
    (version): Case => ["RFC 9112 §2.3", `malformed version ${version}`, withVersion(version), [fails(400)]],
  ),
  ["RFC 9112 §2.3", "HTTP/0.9 simple request", "GET /\r\n\r\n", [fails(400)]],
  ["RFC 9112 §2.3", "0xb1 is no digit", withVersion("HTTP/1.\xb1"), [fails(400)]],
]);

table("target: origin form", [
  [
    "RFC 9112 §3.2.1",
    "the root",
    toTarget("/"),
    alone({ form: "origin", target: "/", path: "/", query: "" }),
  ],
  ["RFC 9112 §3.2.1", "path and query", toTarget("/where?q=now"), alone({ path: "/where", query: "q=now" })],
  ["RFC 9112 §3.2.1", "empty query", toTarget("/a?"), alone({ target: "/a?", path: "/a", query: "" })],
  ["RFC 3986 §3.4", "question marks in the query", toTarget("/?a?b?"), alone({ path: "/", query: "a?b?" })],
  ["RFC 3986 §3.4", "slashes in the query", toTarget("/?/../x"), alone({ path: "/", query: "/../x" })],
  [
    "RFC 9112 §3.2.1",
    "two slashes are a path",
    toTarget("//b/c"),
    alone({ form: "origin", path: "//b/c", host: "a" }),
  ],
  [
    "RFC 9112 §3.2.1",
    "a URL as the path",
    toTarget("/http://b/?x"),
    alone({ path: "/http://b/", query: "x" }),
  ],
  [
    "RFC 9112 §3.2.1",
    "nothing is decoded",
    toTarget("/%41%2f%00?%3f"),
    alone({ path: "/%41%2f%00", query: "%3f" }),
  ],
  ["RFC 9112 §3.2.1", "dot segments stay", toTarget("/../a/./b"), alone({ path: "/../a/./b" })],
  ["RFC 9112 §3.2.1", "a star after the slash", toTarget("/*"), alone({ form: "origin", path: "/*" })],
  [
    "RFC 9112 §3.2 (decision)",
    "other visible ASCII",
    toTarget("/\"<>[]\\^`{|}~!$&'()*+,;=:@-._"),
    alone({ path: "/\"<>[]\\^`{|}~!$&'()*+,;=:@-._" }),
  ],
  ["RFC 9112 §3.2.1", "no slash first", toTarget("index.html"), [fails(400)]],
  ["RFC 9112 §3.2.1", "query only", toTarget("?a"), [fails(400)]],
  ["RFC 9112 §3.2.1", "backslash first", toTarget("\\a"), [fails(400)]],
  ["RFC 3986 §3.5", "fragment", toTarget("/a#b"), [fails(400)]],
  ["RFC 3986 §3.5", "fragment in the query", toTarget("/a?b#"), [fails(400)]],
  ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xff].map(
    (code): Case => [
      "RFC 9112 §3.2",
      `${hex(code)} in the target`,
      toTarget(`/a${String.fromCharCode(code)}b`),
      [fails(400)],
    ],
  ),
]);

const absolute = (target: string, head: object = {}) => alone({ form: "absolute", target, ...head });
table("target: absolute form", [
  [
    "RFC 9112 §3.2.2",
    "path, query, and the authority instead of Host",
    toTarget("http://www.example.org/pub/x.html?y"),
    absolute("http://www.example.org/pub/x.html?y", {
      host: "www.example.org",
      path: "/pub/x.html",
      query: "y",
    }),
  ],
  ["RFC 9112 §3.2.2", "https", toTarget("https://b/"), absolute("https://b/", { host: "b", path: "/" })],
  [
    "RFC 9110 §4.2.3",
    "schemes in any case",
    toTarget("HtTp://b/"),
    absolute("HtTp://b/", { host: "b", path: "/" }),
  ],
  [
    "RFC 9110 §4.2.3",
    "empty path is /",
    toTarget("http://b"),
    absolute("http://b", { host: "b", path: "/", query: "" }),
  ],
  [
    "RFC 9110 §4.2.3",
    "empty path, query",
    toTarget("http://b?q"),
    absolute("http://b?q", { host: "b", path: "/", query: "q" }),
  ],
  [
    "RFC 3986 §3.2",
    "port",
    toTarget("http://b:8080/c"),
    absolute("http://b:8080/c", { host: "b:8080", path: "/c" }),
  ],
  [
    "RFC 3986 §3.2.2",
    "IPv6",
    toTarget("http://[::1]:80/c"),
    absolute("http://[::1]:80/c", { host: "[::1]:80", path: "/c" }),
  ],
  [
    "RFC 3986 §3.2.2",
    "IPv4",
    toTarget("http://127.0.0.1?"),
    absolute("http://127.0.0.1?", { host: "127.0.0.1", query: "" }),
  ],
  [
    "RFC 3986 §3.3",
    "@ in the path is no userinfo",
    toTarget("http://b/@c"),
    absolute("http://b/@c", { host: "b", path: "/@c" }),
  ],
  [
    "RFC 3986 §3.4",
    "@ in the query is no userinfo",
    toTarget("http://b?@c"),
    absolute("http://b?@c", { host: "b", query: "@c" }),
  ],
  [
    "RFC 9112 §3.2.4",
    "OPTIONS",
    `OPTIONS http://b:8001${rest}`,
    absolute("http://b:8001", { method: "OPTIONS", host: "b:8001", path: "/" }),
  ],
  ["RFC 9112 §3.2", "Host is still required", "GET http://b/ HTTP/1.1\r\n\r\n", [fails(400)]],
  ["RFC 9112 §3.2", "Host only once", "GET http://b/ HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n", [fails(400)]],
  [
    "RFC 9112 §3.2.2",
    "1.0 without Host",
    "GET http://b/ HTTP/1.0\r\n\r\n",
    absolute("http://b/", { host: "b", minorVersion: 0 }),
  ],
  [
    "RFC 9112 §3.2.2",
    "empty Host field",
    "GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n",
    absolute("http://b/", { host: "b" }),
  ],
  ["RFC 9110 §4.2.1", "empty authority", toTarget("http:///c"), [fails(400)]],
  ["RFC 9110 §4.2.1", "no authority at all", toTarget("http://"), [fails(400)]],
  ["RFC 9110 §4.2.1", "no authority before a query", toTarget("http://?q"), [fails(400)]],
  ["RFC 9110 §4.2.1", "empty host before a port", toTarget("http://:80/"), [fails(400)]],
  ["RFC 9110 §4.2.1", "one slash", toTarget("http:/b"), [fails(400)]],
  ["RFC 9110 §4.2.1", "no slash", toTarget("http:b"), [fails(400)]],
  ["RFC 9110 §4.2.4", "userinfo", toTarget("http://u@b/"), [fails(400)]],
  ["RFC 9110 §4.2.4", "userinfo with password", toTarget("http://u:p@b/"), [fails(400)]],
  ["RFC 9110 §4.2.4", "empty userinfo", toTarget("http://@b/"), [fails(400)]],
  ["RFC 9112 §3.2.2", "other scheme", toTarget("ftp://b/"), [fails(400)]],
  ["RFC 9112 §3.2.2", "ws scheme", toTarget("ws://b/"), [fails(400)]],
  ["RFC 9112 §3.2.2", "almost http", toTarget("httpx://b/"), [fails(400)]],
  ["RFC 3986 §3.5", "fragment", toTarget("http://b/#c"), [fails(400)]],
  ["RFC 3986 §3.5", "fragment after the authority", toTarget("http://b#c"), [fails(400)]],
  ["RFC 3986 §3.2.3", "port with letters", toTarget("http://b:8x/"), [fails(400)]],
  ["RFC 3986 §3.2.2", "unclosed bracket", toTarget("http://[::1/"), [fails(400)]],
  ["RFC 3986 §3.2.2", "host with a forbidden mark", toTarget("http://a<b/"), [fails(400)]],
  ["RFC 3986 §3.2.2", "host with a backslash", toTarget("http://b\\c/"), [fails(400)]],
]);

table("target: asterisk and authority form", [
  [
    "RFC 9112 §3.2.4",
    "OPTIONS *",
    `OPTIONS *${rest}`,
    alone({ method: "OPTIONS", form: "asterisk", target: "*", query: "" }),
  ],
  ["RFC 9112 §3.2.4", "GET *", `GET *${rest}`, [fails(400)]],
  ["RFC 9110 §9.1", "options * is another method", `options *${rest}`, [fails(400)]],
  ["RFC 9112 §3.2.4", "OPTIONS **", `OPTIONS **${rest}`, [fails(400)]],
  ["RFC 9112 §3.2.4", "OPTIONS */", `OPTIONS */${rest}`, [fails(400)]],
  ["RFC 9112 §3.2.4", "OPTIONS *?a", `OPTIONS *?a${rest}`, [fails(400)]],
  [
    "RFC 9112 §3.2.1",
    "OPTIONS /",
    `OPTIONS /${rest}`,
    alone({ method: "OPTIONS", form: "origin", path: "/" }),
  ],
  ["RFC 9112 §3.2.3", "authority form without CONNECT", toTarget("b:80"), [fails(400)]],
]);
