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
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  unfinished,
} from "../support/http-case.ts";

const withMethod = (method: string) => head(`${method} /x HTTP/1.1`, "Host: h");
const to = (target: string, host = "h") => head(`GET ${target} HTTP/1.1`, `Host: ${host}`);
const MARKS = "!#$%&'*+-.^_`|~";
const methods = listOf("GET¦POST¦PUT¦PATCH¦DELETE¦OPTIONS¦TRACE¦PURGE¦M-SEARCH¦X¦0¦0A9");

export const requestLine: Table = {
  area: "request line (RFC 9112 §3, §3.1)",
  cases: [
    ...methods.map(
      (method): Case => [
        "RFC 9112 §3.1",
        `method ${method}`,
        withMethod(method),
        accepted(saw({ method, head: { form: "origin", path: "/x" } })),
      ],
    ),
    ["RFC 9110 §9.3.2", "HEAD has no content", withMethod("HEAD"), accepted(saw({ method: "HEAD" }))],
    ["RFC 9112 §3.1", "get is not GET", withMethod("get"), accepted(saw({ method: "get" }))],
    ["RFC 9110 §5.6.2", "every mark of a token", withMethod(MARKS), accepted(saw({ method: MARKS }))],
    ...rows("RFC 9112 §3.1", {
      "32 bytes of method": [withMethod("M".repeat(32)), accepted(saw({ method: "M".repeat(32) }))],
    }),
    ...each("RFC 9112 §3", refused(501), {
      "33 bytes of method": withMethod("M".repeat(33)),
      "a method without end": "M".repeat(300),
    }),
    ...each("RFC 9110 §9.3.6", refused(501), {
      CONNECT: head("CONNECT h:443 HTTP/1.1", "Host: h:443"),
      "CONNECT with a path": withMethod("CONNECT"),
    }),
    ...each("RFC 9110 §9.3.6", refused(), {
      "connect is another method, its target no URI": head("connect h:443 HTTP/1.1", "Host: h"),
    }),
    ...[...'"(),/:;<=>?@[\\]{}'].map(
      (mark): Case => ["RFC 9112 §3.1", `${mark} in the method`, withMethod(`GE${mark}T`), refused()],
    ),
    ...many("RFC 9112 §3.1", refused(), [0x00, 0x01, 0x09, 0x0b, 0x0d, 0x1b, 0x7f, 0x80, 0xff], (code) => [
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
    ...[0x09, 0x0b, 0x0c, 0x0d, 0x0a, 0x00, 0x85, 0xa0].flatMap((code) =>
      each(STRICT, refused(), {
        [`${hex(code)} between method and target`]: head(`GET${char(code)}/x HTTP/1.1`, "Host: h"),
        [`${hex(code)} between target and version`]: head(`GET /x${char(code)}HTTP/1.1`, "Host: h"),
      }),
    ),
    ...each("RFC 9112 §3.2", refused(), {
      "a space in the target": to("/x y"),
      "another request line in the target": to("/x HTTP/1.1\tGET /smuggled"),
      "two targets": to("/x /smuggled"),
    }),
    ["RFC 9112 §2.2", "the request line folded", "GET /x\r\n HTTP/1.1\r\nHost: h\r\n\r\n", refused()],
  ],
};

/** A target in origin form: its path and query are parted by the first question mark, and nothing is decoded. */
function originForm(text: string): Case {
  const [path = "", ...queries] = text.split("?");
  const view = { form: "origin", path, query: queries.join("?") };
  return ["RFC 9112 §3.2.1", `origin form ${text}`, to(text), accepted(saw({ target: text, head: view }))];
}

/** A target in absolute form: its authority counts, and what Host says does not. */
function absoluteForm(
  section: string,
  name: string,
  target: string,
  authority: string,
  path = "/",
  query = "",
): Case {
  const seen = saw({ target, authority, head: { form: "absolute", path, query } });
  return [section, `absolute form, ${name}`, to(target), accepted(seen)];
}

const absoluteGood = saw({ target: "http://good/x", authority: "good", head: { form: "absolute" } });

export const targets: Table = {
  area: "request targets (RFC 9112 §3.2)",
  cases: [
    ...listOf(
      "/¦/where?q=now¦/?¦/x?a=/../b¦/x??¦/?a?b?¦//double//slash¦/%41%2f%00?%3f¦/*¦/http://other/x?y¦/x;p=1,2",
      "/~'!$&'()*+,;=:@-._",
    ).map(originForm),
    ...rows("docs/architecture.md (browsers)", {
      "visible ASCII beyond RFC 3986": [
        to('/"<>[]\\^`{|}'),
        accepted(saw({ target: '/"<>[]\\^`{|}', head: { path: '/"<>[]\\^`{|}' } })),
      ],
    }),
    ...["x", "index.html", "x/y", "?q", "\\x", "../x", "*x", ".", "@h/x", ":80/x", "h/x"].map(
      (text): Case => ["RFC 9112 §3.2", `no form of a target: ${text}`, to(text), refused()],
    ),
    ...["/x#y", "/x?q#y", "/x?q#", "/#", "http://h/#c", "http://h#c"].map(
      (text): Case => ["RFC 3986 §3.5", `a fragment: ${text}`, to(text), refused()],
    ),
    ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x0d, 0x0a, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xff].map(
      (code): Case => ["RFC 9112 §3.2", `${hex(code)} in the target`, to(`/x${char(code)}y`), refused()],
    ),
    ...each("docs/routes.md", answered(400), {
      "an overlong encoding of a slash": to("/%c0%af"),
      "half of an escape": to("/%4"),
      "dot segments, encoded": to("/a/%2e%2E/b"),
    }),
    ...rows("docs/routes.md", {
      "dot segments stay, and no route serves them": [
        to("/../a/./b"),
        answered(400, "GET", { path: "/../a/./b" }),
      ],
      "dot segments inside": [to("/a/../b/./c"), answered(400, "GET", { path: "/a/../b/./c" })],
    }),
    absoluteForm("RFC 9112 §3.2.2", "path and query", "http://b.c/pub/x.html?y", "b.c", "/pub/x.html", "y"),
    absoluteForm("RFC 9112 §3.2.2", "https", "https://b/", "b"),
    absoluteForm("RFC 9110 §4.2.3", "scheme in any case", "hTTp://b/", "b"),
    absoluteForm("RFC 9110 §4.2.3", "without a path", "http://b", "b"),
    absoluteForm("RFC 9110 §4.2.3", "with only a query", "http://b?q", "b", "/", "q"),
    absoluteForm("RFC 3986 §3.2", "port", "http://b:8080/c?q", "b:8080", "/c", "q"),
    absoluteForm("RFC 3986 §3.2.2", "IPv6", "http://[::1]:80/c", "[::1]:80", "/c"),
    absoluteForm("RFC 3986 §3.2.2", "IPv4", "http://127.0.0.1?", "127.0.0.1"),
    absoluteForm("RFC 3986 §3.3", "@ in the path", "http://b/@c", "b", "/@c"),
    absoluteForm("RFC 3986 §3.4", "@ in the query", "http://b?@c", "b", "/", "@c"),
    ...each("RFC 9112 §3.2.2", accepted(absoluteGood), {
      "absolute form: what Host says does not count": to("http://good/x", "evil"),
      "absolute form with an empty Host": head("GET http://good/x HTTP/1.1", "Host:"),
    }),
    ...rows("RFC 9112 §3.2.2", {
      "absolute form on 1.0 without a Host": [
        head("GET http://good/x HTTP/1.0"),
        last({ ...absoluteGood, version: "1.0" }),
      ],
    }),
    ...each("RFC 9112 §3.2", refused(), {
      "absolute form without a Host": head("GET http://h/x HTTP/1.1"),
      "absolute form with two Hosts": head("GET http://h/x HTTP/1.1", "Host: h", "Host: evil"),
      "absolute form with the same Host twice": head("GET http://h/x HTTP/1.1", "Host: h", "Host: h"),
      "absolute form with an invalid Host": to("http://h/x", "h/evil"),
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
    ...rows("RFC 9112 §3.2.4", {
      "OPTIONS in absolute form": [
        head("OPTIONS http://b:8001 HTTP/1.1", "Host: h"),
        accepted(
          saw({
            method: "OPTIONS",
            target: "http://b:8001",
            authority: "b:8001",
            head: { form: "absolute", path: "/" },
          }),
        ),
      ],
      "OPTIONS *": [
        head("OPTIONS * HTTP/1.1", "Host: h"),
        answered(204, "OPTIONS", { method: "OPTIONS", form: "asterisk", target: "*", query: "" }),
      ],
    }),
    ["RFC 9112 §3.2.3", "authority form is for CONNECT", to("h:80"), refused()],
    ...rows("RFC 9112 §6", {
      "OPTIONS * with content: what follows is the next request": [
        head("OPTIONS * HTTP/1.1", "Host: h", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        answered(204, "OPTIONS"),
      ],
    }),
    ...many(
      "RFC 9112 §3.2.4",
      refused(),
      listOf("GET *¦options *¦OPTIONS *x¦OPTIONS **¦OPTIONS */"),
      (text) => [text, head(`${text} HTTP/1.1`, "Host: h")],
    ),
    ...each("RFC 9112 §3.2.4", refused(), {
      "OPTIONS *?a": head("OPTIONS *?a HTTP/1.1", "Host: h"),
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
      "[::ffff:127.0.0.1]:1¦[v1.a:b]¦xn--bcher-kva.example¦b%2d_~.c¦h:¦UPPER¦a.",
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
    ["RFC 9110 §7.2", "white space around", host("Host:  \th\t "), accepted(saw())],
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
      "invalid on 1.0": head("GET /x HTTP/1.0", "Host: h/evil"),
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
        last(saw({ authority: undefined, version: "1.0", head: { fields: [] } })),
      ],
    }),
    ...many(
      "RFC 9112 §3.2",
      refused(),
      listOf(
        "h evil¦h\tevil¦h/evil¦u@h¦h?q¦h#f¦h:80x¦h:-1¦h:80:81¦:80:¦[::1¦::1¦[]¦[::1]x¦[dead]¦[:::]",
        "[1::2::3]¦[1:2:3:4:5:6:7]¦[1:2:3:4:5:6:7:8:9]¦[1:2:3:4:5:6:7::8]¦[12345::]¦[127.0.0.1]",
        '[::256.0.0.1]¦[::1%25eth0]¦[v1]¦[v.a]¦<h>¦"h"¦h"¦h\\evil¦h\xe9¦http://h/¦h%zz¦h%¦h%0¦h^¦h^c',
        "h|evil¦{h}¦h{¦h`",
      ),
      (text) => [`invalid: ${JSON.stringify(text)}`, host(`Host: ${text}`)],
    ),
    ...[0x00, 0x01, 0x0b, 0x0c, 0x0d, 0x0a, 0x7f].map(
      (code): Case => ["RFC 9110 §5.5", `${hex(code)} in it`, host(`Host: h${char(code)}evil`), refused()],
    ),
  ],
};

export const firstBytes: Table = {
  area: "request line: what cannot begin one fails at once",
  cases: [
    ...[0x00, 0x0a, 0x16, 0x20, 0x22, 0x28, 0x2f, 0x3a, 0x7b, 0x7f, 0x80, 0xfe].map(
      (code): Case => ["RFC 9112 §2.2", `the single byte ${hex(code)}`, char(code), refused()],
    ),
    ...each("RFC 9112 §2.2", refused(), {
      "NUL in an unfinished method": "GE\0",
      "bare LF after an unfinished request line": "GET / HTTP/1.1\n",
      "bare LF after the target": "GET /\n",
      "bare LF after an unfinished field line": "GET / HTTP/1.1\r\nHost: a\n",
    }),
    ["RFC 9110 §5.5", "NUL in an unfinished field line", "GET / HTTP/1.1\r\nHost: a\0", refused()],
    ["RFC 9112 §2.2", "nine times CRLF", "\r\n".repeat(9), refused()],
    ["RFC 9112 §2.2", "a CR alone tells nothing", "\r", unfinished],
    ["RFC 9112 §2.2", "CRLF CRLF tells nothing", "\r\n\r\n", unfinished],
  ],
};
