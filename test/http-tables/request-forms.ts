import {
  accepted,
  answered,
  type Case,
  each,
  hex,
  last,
  many,
  read,
  refused,
  rows,
  type Table,
  unfinished,
} from "../support/http-case.ts";

const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
const toTarget = (target: string) => `GET ${target}${rest}`;

export const methods: Table = {
  area: "request line: method",
  cases: [
    ["RFC 9110 §5.6.2", "digits first", `0A9 /${rest}`, accepted(read({ method: "0A9" }))],
    ...rows("RFC 9112 §3.1", {
      "32 bytes of method": [`${"M".repeat(32)} /${rest}`, accepted(read({ method: "M".repeat(32) }))],
    }),
    ...each("RFC 9112 §3", refused(501), {
      "33 bytes of method": `${"M".repeat(33)} /${rest}`,
      "a method without end": "M".repeat(200),
    }),
    ["RFC 9112 §3.1", "no method", ` /${rest}`, refused()],
    ...rows("RFC 9110 §9.3.6", {
      "CONNECT is not implemented": ["CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", refused(501)],
      "connect is another method, its target no URI": [
        "connect a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        refused(),
      ],
    }),
    ...many("RFC 9110 §5.6.2", refused(), [0x01, 0x09, 0x0b], (code) => [
      `${hex(code)} in the method`,
      `GE${String.fromCharCode(code)}T /${rest}`,
    ]),
  ],
};

export const firstBytes: Table = {
  area: "request line: what cannot begin one fails at once",
  cases: [
    ...[0x00, 0x0a, 0x16, 0x20, 0x22, 0x28, 0x2f, 0x3a, 0x7b, 0x7f, 0x80, 0xfe].map(
      (code): Case => ["RFC 9112 §2.2", `the single byte ${hex(code)}`, String.fromCharCode(code), refused()],
    ),
    ...each("RFC 9112 §2.2", refused(), {
      "NUL in an unfinished method": "GE\0",
      "bare LF after an unfinished request line": "GET / HTTP/1.1\n",
      "bare LF after the target": "GET /\n",
      "bare LF after an unfinished field line": "GET / HTTP/1.1\r\nHost: a\n",
    }),
    ["RFC 9110 §5.5", "NUL in an unfinished field line", "GET / HTTP/1.1\r\nHost: a\0", refused()],
  ],
};

export const emptyLines: Table = {
  area: "request line: empty lines before it",
  cases: [
    ...each("RFC 9112 §2.2", refused(), {
      "nine times CRLF": "\r\n".repeat(9),
      "CRLF and white space": `\r\n ${toTarget("/")}`,
    }),
    ["RFC 9112 §2.2", "a CR alone tells nothing", "\r", unfinished],
    ["RFC 9112 §2.2", "CRLF CRLF tells nothing", "\r\n\r\n", unfinished],
  ],
};

export const requestLineForm: Table = {
  area: "request line: form",
  cases: [
    ["RFC 9112 §3", "unfinished request line tells nothing", "GET / HTT", unfinished],
    ...each("RFC 9112 §3", refused(), {
      "two spaces after the method": `GET  /${rest}`,
      "two spaces after the target": "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
      "tab after the method": `GET\t/${rest}`,
      "tab after the target": "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n",
      "space in the target": toTarget("/a b"),
    }),
    ...each("RFC 9112 §2.2", refused(), {
      "lines ended with LF only": "GET / HTTP/1.1\nHost: a\n\n",
      "CR and a letter after the version": "GET / HTTP/1.1\rXHost: a\r\n\r\n",
      "a letter and LF after the version": "GET / HTTP/1.1X\nHost: a\r\n\r\n",
    }),
  ],
};

const withVersion = (version: string) => `GET / ${version}\r\nHost: a\r\n\r\n`;
export const versionForms: Table = {
  area: "request line: version",
  cases: [
    ["RFC 9110 §15.6.6", "HTTP/3.7", withVersion("HTTP/3.7"), refused(505)],
    ...["http/1.1", "Http/1.1", "HTTP/a.1", "HTTP 1.1", "HTP/1.1", "XTTP/1.1", "1.1", "ICY"].map(
      (version): Case => ["RFC 9112 §2.3", `malformed version ${version}`, withVersion(version), refused()],
    ),
    ["RFC 9112 §2.3", "HTTP/0.9 simple request", "GET /\r\n\r\n", refused()],
  ],
};

export const originForm: Table = {
  area: "target: origin form",
  cases: [
    ...rows("RFC 9112 §3.2.1", {
      "the root": [toTarget("/"), accepted(read({ form: "origin", target: "/", path: "/", query: "" }))],
      "path and query": [toTarget("/where?q=now"), accepted(read({ path: "/where", query: "q=now" }))],
      "empty query": [toTarget("/a?"), accepted(read({ target: "/a?", path: "/a", query: "" }))],
    }),
    ...rows("RFC 3986 §3.4", {
      "question marks in the query": [toTarget("/?a?b?"), accepted(read({ path: "/", query: "a?b?" }))],
      "slashes in the query": [toTarget("/?/../x"), accepted(read({ path: "/", query: "/../x" }))],
    }),
    ...rows("RFC 9112 §3.2.1", {
      "two slashes are a path": [
        toTarget("//b/c"),
        accepted(read({ form: "origin", path: "//b/c", host: "a" })),
      ],
      "a URL as the path": [toTarget("/http://b/?x"), accepted(read({ path: "/http://b/", query: "x" }))],
      "nothing is decoded": [
        toTarget("/%41%2f%00?%3f"),
        accepted(read({ path: "/%41%2f%00", query: "%3f" })),
      ],
    }),
    ...rows("docs/routes.md", {
      "dot segments stay, and no route serves them": [
        toTarget("/../a/./b"),
        answered(400, "GET", { path: "/../a/./b" }),
      ],
    }),
    ...rows("RFC 9112 §3.2.1", {
      "a star after the slash": [toTarget("/*"), accepted(read({ form: "origin", path: "/*" }))],
    }),
    ...rows("RFC 9112 §3.2 (decision)", {
      "other visible ASCII": [
        toTarget("/\"<>[]\\^`{|}~!$&'()*+,;=:@-._"),
        accepted(read({ path: "/\"<>[]\\^`{|}~!$&'()*+,;=:@-._" })),
      ],
    }),
    ...each("RFC 9112 §3.2.1", refused(), {
      "no slash first": toTarget("index.html"),
      "query only": toTarget("?a"),
      "backslash first": toTarget("\\a"),
    }),
    ...each("RFC 3986 §3.5", refused(), {
      fragment: toTarget("/a#b"),
      "fragment in the query": toTarget("/a?b#"),
    }),
    ...many(
      "RFC 9112 §3.2",
      refused(),
      [0x00, 0x01, 0x08, 0x0b, 0x0c, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xff],
      (code) => [`${hex(code)} in the target`, toTarget(`/a${String.fromCharCode(code)}b`)],
    ),
  ],
};

export const absoluteForm: Table = {
  area: "target: absolute form",
  cases: [
    ...rows("RFC 9112 §3.2.2", {
      "path, query, and the authority instead of Host": [
        toTarget("http://www.example.org/pub/x.html?y"),
        accepted(
          read({
            form: "absolute",
            target: "http://www.example.org/pub/x.html?y",
            host: "www.example.org",
            path: "/pub/x.html",
            query: "y",
          }),
        ),
      ],
      https: [
        toTarget("https://b/"),
        accepted(read({ form: "absolute", target: "https://b/", host: "b", path: "/" })),
      ],
    }),
    ...rows("RFC 9110 §4.2.3", {
      "schemes in any case": [
        toTarget("HtTp://b/"),
        accepted(read({ form: "absolute", target: "HtTp://b/", host: "b", path: "/" })),
      ],
      "empty path is /": [
        toTarget("http://b"),
        accepted(read({ form: "absolute", target: "http://b", host: "b", path: "/", query: "" })),
      ],
      "empty path, query": [
        toTarget("http://b?q"),
        accepted(read({ form: "absolute", target: "http://b?q", host: "b", path: "/", query: "q" })),
      ],
    }),
    ...rows("RFC 3986 §3.2", {
      port: [
        toTarget("http://b:8080/c"),
        accepted(read({ form: "absolute", target: "http://b:8080/c", host: "b:8080", path: "/c" })),
      ],
    }),
    ...rows("RFC 3986 §3.2.2", {
      IPv6: [
        toTarget("http://[::1]:80/c"),
        accepted(read({ form: "absolute", target: "http://[::1]:80/c", host: "[::1]:80", path: "/c" })),
      ],
      IPv4: [
        toTarget("http://127.0.0.1?"),
        accepted(read({ form: "absolute", target: "http://127.0.0.1?", host: "127.0.0.1", query: "" })),
      ],
    }),
    ...rows("RFC 3986 §3.3", {
      "@ in the path is no userinfo": [
        toTarget("http://b/@c"),
        accepted(read({ form: "absolute", target: "http://b/@c", host: "b", path: "/@c" })),
      ],
    }),
    ...rows("RFC 3986 §3.4", {
      "@ in the query is no userinfo": [
        toTarget("http://b?@c"),
        accepted(read({ form: "absolute", target: "http://b?@c", host: "b", query: "@c" })),
      ],
    }),
    ...rows("RFC 9112 §3.2.4", {
      OPTIONS: [
        `OPTIONS http://b:8001${rest}`,
        accepted(
          read({ form: "absolute", target: "http://b:8001", method: "OPTIONS", host: "b:8001", path: "/" }),
        ),
      ],
    }),
    ...each("RFC 9112 §3.2", refused(), {
      "Host is still required": "GET http://b/ HTTP/1.1\r\n\r\n",
      "Host only once": "GET http://b/ HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n",
    }),
    ...rows("RFC 9112 §3.2.2", {
      "1.0 without Host": [
        "GET http://b/ HTTP/1.0\r\n\r\n",
        last(read({ form: "absolute", target: "http://b/", host: "b", minorVersion: 0 })),
      ],
      "empty Host field": [
        "GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n",
        accepted(read({ form: "absolute", target: "http://b/", host: "b" })),
      ],
    }),
    ...each("RFC 9110 §4.2.1", refused(), {
      "empty authority": toTarget("http:///c"),
      "empty host before a port": toTarget("http://:80/"),
      "one slash": toTarget("http:/b"),
      "no slash": toTarget("http:b"),
    }),
    ...each("RFC 9110 §4.2.4", refused(), {
      userinfo: toTarget("http://u@b/"),
      "userinfo with password": toTarget("http://u:p@b/"),
      "empty userinfo": toTarget("http://@b/"),
    }),
    ...each("RFC 9112 §3.2.2", refused(), {
      "other scheme": toTarget("ftp://b/"),
      "ws scheme": toTarget("ws://b/"),
      "almost http": toTarget("httpx://b/"),
    }),
    ...each("RFC 3986 §3.5", refused(), {
      fragment: toTarget("http://b/#c"),
      "fragment after the authority": toTarget("http://b#c"),
    }),
    ["RFC 3986 §3.2.3", "port with letters", toTarget("http://b:8x/"), refused()],
    ...each("RFC 3986 §3.2.2", refused(), {
      "unclosed bracket": toTarget("http://[::1/"),
      "host with a forbidden mark": toTarget("http://a<b/"),
      "host with a backslash": toTarget("http://b\\c/"),
    }),
  ],
};

export const otherForms: Table = {
  area: "target: asterisk and authority form",
  cases: [
    [
      "RFC 9112 §3.2.4",
      "OPTIONS *",
      `OPTIONS *${rest}`,
      answered(204, "OPTIONS", { method: "OPTIONS", form: "asterisk", target: "*", query: "" }),
    ],
    ...each("RFC 9112 §3.2.4", refused(), {
      "OPTIONS **": `OPTIONS **${rest}`,
      "OPTIONS */": `OPTIONS */${rest}`,
      "OPTIONS *?a": `OPTIONS *?a${rest}`,
    }),
    [
      "RFC 9112 §3.2.1",
      "OPTIONS /",
      `OPTIONS /${rest}`,
      accepted(read({ method: "OPTIONS", form: "origin", path: "/" })),
    ],
    ["RFC 9112 §3.2.3", "authority form without CONNECT", toTarget("b:80"), refused()],
  ],
};
