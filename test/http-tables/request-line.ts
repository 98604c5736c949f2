import { listOf } from "../support/bytes.ts";
import {
  accepted,
  answered,
  type Case,
  char,
  each,
  HIDDEN,
  head,
  hex,
  last,
  many,
  read,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  unfinished,
} from "../support/http-case.ts";

const withMethod = (method: string) => head(`${method} /x HTTP/1.1`, "Host: h");
const to = (target: string, host = "h") => head(`GET ${target} HTTP/1.1`, `Host: ${host}`);
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "M-SEARCH", "X", "0"];

export const requestLine: Table = {
  area: "request line (RFC 9112 §3, §3.1)",
  cases: [
    ...methods.map(
      (method): Case => ["RFC 9112 §3.1", `method ${method}`, withMethod(method), accepted(saw({ method }))],
    ),
    ["RFC 9110 §9.3.2", "HEAD has no content", withMethod("HEAD"), accepted(saw({ method: "HEAD" }))],
    ["RFC 9112 §3.1", "get is not GET", withMethod("get"), accepted(saw({ method: "get" }))],
    ...rows("RFC 9110 §5.6.2", {
      "every mark that a token may have": [
        withMethod("!#$%&'*+-.^_`|~"),
        accepted(saw({ method: "!#$%&'*+-.^_`|~" })),
      ],
    }),
    ...each("RFC 9110 §9.3.6", refused(501), {
      CONNECT: head("CONNECT h:443 HTTP/1.1", "Host: h:443"),
      "CONNECT with a path": withMethod("CONNECT"),
    }),
    ...[...'"(),/:;<=>?@[\\]{}'].map(
      (mark): Case => ["RFC 9112 §3.1", `${mark} in the method`, withMethod(`GE${mark}T`), refused()],
    ),
    ...many("RFC 9112 §3.1", refused(), [0x00, 0x09, 0x0b, 0x0d, 0x1b, 0x7f, 0x80, 0xff], (code) => [
      `${hex(code)} in the method`,
      withMethod(`GE${char(code)}T`),
    ]),
    ...each("RFC 9112 §3", refused(), {
      "no method": head(" /x HTTP/1.1", "Host: h"),
      "no target": head("GET HTTP/1.1", "Host: h"),
      "an empty target": head("GET  HTTP/1.1", "Host: h"),
      "only a method": head("GET", "Host: h"),
    }),
    ...each(STRICT, refused(), {
      "two spaces before the target": head("GET  /x HTTP/1.1", "Host: h"),
      "two spaces before the version": head("GET /x  HTTP/1.1", "Host: h"),
      "a space behind the version": head("GET /x HTTP/1.1 ", "Host: h"),
    }),
    ...[0x09, 0x0b, 0x0c, 0x0d, 0x0a, 0x00, 0x85, 0xa0].flatMap((code): Case[] => [
      ...rows(STRICT, {
        [`${hex(code)} between method and target`]: [
          head(`GET${char(code)}/x HTTP/1.1`, "Host: h"),
          refused(),
        ],
        [`${hex(code)} between target and version`]: [
          head(`GET /x${char(code)}HTTP/1.1`, "Host: h"),
          refused(),
        ],
      }),
    ]),
    ...each("RFC 9112 §3.2", refused(), {
      "a space in the target": to("/x y"),
      "another request line in the target": to("/x HTTP/1.1\tGET /smuggled"),
      "two targets": to("/x /smuggled"),
    }),
    ["RFC 9112 §2.2", "the request line folded", "GET /x\r\n HTTP/1.1\r\nHost: h\r\n\r\n", refused()],
  ],
};

const target = (text: string, seen: object = {}) => accepted(saw({ target: text, ...seen }));

export const targets: Table = {
  area: "request targets (RFC 9112 §3.2)",
  cases: [
    ...listOf(
      "/¦/where?q=now¦/?¦/x?a=/../b¦/x??¦//double//slash¦/%41%2f%00?%3f¦/*¦/http://other/x¦/x;p=1,2",
      "/~'!$&()*+,;=:@-._",
    ).map((text): Case => ["RFC 9112 §3.2.1", `origin form ${text}`, to(text), target(text)]),
    ...rows("docs/architecture.md (browsers)", {
      "visible ASCII beyond RFC 3986": [to('/"<>[]\\^`{|}'), target('/"<>[]\\^`{|}')],
    }),
    ...["x", "x/y", "?q", "\\x", "../x", "*x", ".", "@h/x", ":80/x", "h/x"].map(
      (text): Case => ["RFC 9112 §3.2", `no form of a target: ${text}`, to(text), refused()],
    ),
    ...["/x#y", "/x?q#y", "/#"].map(
      (text): Case => ["RFC 3986 §3.5", `a fragment: ${text}`, to(text), refused()],
    ),
    ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x0d, 0x0a, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xff].map(
      (code): Case => ["RFC 9112 §3.2", `${hex(code)} in the target`, to(`/x${char(code)}y`), refused()],
    ),
    ...each("docs/routes.md", answered(400), {
      "an overlong encoding of a slash": to("/%c0%af"),
      "half of an escape": to("/%4"),
      "dot segments": to("/a/../b/./c"),
      "dot segments, encoded": to("/a/%2e%2E/b"),
    }),
    ...rows("RFC 9112 §3.2.2", {
      "absolute form": [to("http://other:81/x?q"), target("http://other:81/x?q", { authority: "other:81" })],
    }),
    ...each("RFC 9112 §3.2.2", target("http://good/x", { authority: "good" }), {
      "absolute form: what Host says does not count": to("http://good/x", "evil"),
      "absolute form with an empty Host": head("GET http://good/x HTTP/1.1", "Host:"),
    }),
    ["RFC 9110 §4.2.3", "absolute form, scheme in any case", to("hTTp://h/x"), target("hTTp://h/x")],
    ["RFC 9110 §4.2.3", "absolute form without a path", to("http://h"), target("http://h")],
    ["RFC 9110 §4.2.3", "absolute form with only a query", to("http://h?q"), target("http://h?q")],
    ...rows("RFC 9112 §3.2.2", {
      "absolute form, https": [to("https://h/x"), target("https://h/x")],
      "absolute form, IPv6": [
        to("http://[::1]:80/x"),
        target("http://[::1]:80/x", { authority: "[::1]:80" }),
      ],
    }),
    ["RFC 3986 §3.3", "absolute form, @ in the path", to("http://h/@x"), target("http://h/@x")],
    ...each("RFC 9112 §3.2", refused(), {
      "absolute form without a Host": head("GET http://h/x HTTP/1.1"),
      "absolute form with two Hosts": head("GET http://h/x HTTP/1.1", "Host: h", "Host: evil"),
      "absolute form with an invalid Host": to("http://h/x", "h/evil"),
    }),
    ...rows("RFC 9112 §3.2.2", {
      "absolute form on 1.0 without a Host": [
        head("GET http://good/x HTTP/1.0"),
        last(saw({ target: "http://good/x", authority: "good", version: "1.0" })),
      ],
    }),
    ...many(
      "RFC 9110 §4.2.1",
      refused(),
      listOf(
        "http:///x¦http://¦http://?q¦http://:80/x¦http:/h/x¦http:h/x¦http:\\\\h\\x¦http://h\\x",
        "http://h:8x/¦http://h:80:81/¦http://[::1/x¦http://h<x/",
      ),
      (text) => [`absolute form, no valid authority: ${text}`, to(text)],
    ),
    ...["http://u@h/x", "http://u:p@h/x", "http://@h/x", "http://good@evil/x", "http://good%40u@evil/x"].map(
      (text): Case => ["RFC 9110 §4.2.4", `absolute form with userinfo: ${text}`, to(text), refused()],
    ),
    ...["ftp://h/x", "ws://h/x", "file:///x", "javascript:x", "httpx://h/x", "mailto:x"].map(
      (text): Case => [STRICT, `absolute form, other scheme: ${text}`, to(text), refused()],
    ),
    ["RFC 9112 §3.2.3", "authority form is for CONNECT", to("h:80"), refused()],
    ["RFC 9112 §3.2.4", "OPTIONS *", head("OPTIONS * HTTP/1.1", "Host: h"), answered(204, "OPTIONS")],
    ...rows("RFC 9112 §6", {
      "OPTIONS * with content: what follows is the next request": [
        head("OPTIONS * HTTP/1.1", "Host: h", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        answered(204, "OPTIONS"),
      ],
    }),
    ...each("RFC 9112 §3.2.4", refused(), {
      "GET *": head("GET * HTTP/1.1", "Host: h"),
      "options *": head("options * HTTP/1.1", "Host: h"),
      "OPTIONS *x": head("OPTIONS *x HTTP/1.1", "Host: h"),
      "OPTIONS * without a Host": head("OPTIONS * HTTP/1.1"),
    }),
  ],
};

const host = (...lines: string[]) => head("GET /x HTTP/1.1", ...lines);

export const hosts: Table = {
  area: "Host (RFC 9112 §3.2, RFC 9110 §7.2)",
  cases: [
    ...listOf(
      "www.example.org¦h:8080¦127.0.0.1:1¦[2001:db8::7]:443¦[::]¦[1:2:3:4:5:6:7:8]¦[::ffff:127.0.0.1]",
      "[v1.a:b]¦xn--bcher-kva.example¦b%2d_~.c¦h:¦UPPER¦a.",
    ).map(
      (text): Case => [
        "RFC 9110 §7.2",
        `valid: ${text}`,
        host(`Host: ${text}`),
        accepted(saw({ authority: text })),
      ],
    ),
    ["RFC 9110 §4.2.1", "a port without a host", host("Host: :80"), refused()],
    ["RFC 9110 §7.2", "empty", host("Host:"), accepted(saw({ authority: "" }))],
    ["RFC 9110 §5.1", "name in any case", host("hOsT: h"), accepted(saw())],
    ["RFC 9112 §3.2", "not the first field", host("A: b", "Host: h"), accepted(saw())],
    ...each("RFC 9112 §3.2", refused(), {
      missing: host("A: b"),
      "missing, no field at all": host(),
      "only X-Host and Hosts": host("X-Host: h", "Hosts: h", "Hos: h"),
      twice: host("Host: h", "Host: evil"),
      "twice the same": host("Host: h", "Host: h"),
      "twice, in two cases of the name": host("Host: h", "A: b", "hOST: evil"),
      "twice, one empty": host("Host:", "Host: h"),
      "twice on 1.0": head("GET /x HTTP/1.0", "Host: h", "Host: evil"),
    }),
    ...each("RFC 9112 §5.1", refused(), {
      "a space before the colon": host("Host : h"),
      "a second one with a space before the colon": host("Host: h", "Host : evil"),
    }),
    ...each("RFC 9112 §5.2", refused(), {
      folded: host("Host:", " h"),
      "folded behind another": host("Host: h", " evil"),
    }),
    ...rows("RFC 9112 §3.2", {
      "missing on 1.0 is allowed": [
        head("GET /x HTTP/1.0"),
        last(saw({ authority: undefined, version: "1.0" })),
      ],
    }),
    ...many(
      "RFC 9112 §3.2",
      refused(),
      listOf(
        "h evil¦h\tevil¦h/evil¦u@h¦h?q¦h#f¦h:80x¦h:-1¦h:80:81¦:80:¦[::1¦::1¦[]¦[::1]x¦[dead]¦[:::]",
        "[1::2::3]¦[1:2:3:4:5:6:7]¦[1:2:3:4:5:6:7:8:9]¦[1:2:3:4:5:6:7::8]¦[12345::]¦[127.0.0.1]",
        '[::256.0.0.1]¦[::1%25eth0]¦[v1]¦[v.a]¦<h>¦"h"¦h\\evil¦h\xe9¦http://h/¦h%zz¦h%¦h%0¦h^¦h|evil¦{h}',
        "h`",
      ),
      (text) => [`invalid: ${JSON.stringify(text)}`, host(`Host: ${text}`)],
    ),
    ...[0x00, 0x01, 0x0b, 0x0c, 0x0d, 0x0a, 0x7f].map(
      (code): Case => ["RFC 9110 §5.5", `${hex(code)} in it`, host(`Host: h${char(code)}evil`), refused()],
    ),
  ],
};

const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
const toTarget = (target: string) => `GET ${target}${rest}`;

export const methodForms: Table = {
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
