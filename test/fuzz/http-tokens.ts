import { listOf } from "../support/bytes.ts";

/** What an element of a request is: a change is made where it matters. */
export type Kind =
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

export const methods = listOf("GET¦POST¦PUT¦HEAD¦DELETE¦PATCH¦OPTIONS¦M-SEARCH¦PROPFIND¦SEARCH");
export const paths = listOf("/¦/a¦/a/b?c=d¦/?¦/%20x¦/a;b=c¦//x¦/.¦/a?b?c¦/index.html?q=1&r=2");
export const absolutes = listOf(
  "http://a¦http://a/¦HTTP://b:80/x?y¦https://[::1]:8/¦http://a?x¦http://x.y:1/z",
);
export const hosts = ["a", "example.com", "b:80", "[::1]:8080", "127.0.0.1", "x%41-_~.", ""];
export const plainNames = listOf("Accept¦X-A¦Cookie¦cookie¦User-Agent¦Referer¦x¦A!#$%&'*+-.^_`|~9¦__proto__");
export const plainValues = listOf('¦a¦b c¦text/html, */*;q=0.1¦a=b; c=d¦\x80\xff¦"quoted, text"¦a\tb¦1');
export const connections = listOf(
  "keep-alive¦Keep-Alive¦x, keep-alive¦close¦upgrade¦keep-alive, Upgrade¦,,x",
);
export const extensions = listOf('¦¦¦¦¦¦;a¦;a=b¦;a="b;c"¦;x=1;y=2¦ ;a¦;\ta = "\\"\x80" ; b');
export const contents = [
  ...listOf("a¦abc¦0\r\n\r\n¦hello world¦GET / HTTP/1.1\r\n\r\n¦\0\r\n\x80\xff"),
  "x".repeat(40),
];

// What stands in place of an element of each kind, now and then.
export const instead: Record<Kind, readonly string[]> = {
  method: [
    ...listOf("¦get¦CONNECT¦PRI¦G ET¦GET\t¦GE\0T¦G\x80¦(GET)"),
    "X".repeat(32),
    "X".repeat(33),
    ...listOf("\r\nGET¦\r\n\r\nGET¦\nGET¦\rGET¦ GET¦SOURCE¦QUERY¦LOCK¦BREW"),
  ],
  space: ["", "  ", "\t", " \t", "\r", "\n", "\0", "\x0b", "\x0c", "\xa0", "\r\n "],
  target: [
    ...listOf(
      "¦*¦a¦a:80¦?¦#¦/#a¦/ a¦/\0¦/\x7f¦/\x80¦/\t¦/|{^}¦http:/a¦http://¦http:///a¦http://:80/¦http://u@a/",
      "http://a b/¦ftp://a/",
    ),
    `/${"a".repeat(29)}`,
    `/${"a".repeat(30)}`,
    `/${"a".repeat(8200)}`,
    '/"<>\\',
    "https://a:b/",
    "/%",
    "/%zz",
  ],
  version: listOf(
    "¦HTTP/1.2¦HTTP/1.9¦HTTP/2.0¦HTTP/0.9¦HTTP/3.0¦HTTP/1¦HTTP/1.¦HTTP/.1¦HTTP/11¦HTTP/1.10¦HTTP/01.1",
    "http/1.1¦HTTP/1,1¦HTTP/1.1 ¦HTP/1.1¦HTTP /1.1¦HTTP/ 1.1¦RTSP/1.0¦ICE/1.0¦HTTP/-1.1¦HTTP/1.1\0",
    "HTTP/a.b",
  ),
  eol: listOf(
    "\n¦\r¦¦\r\r\n¦\n\r¦x\n¦x\r\n¦\r\n\r\n¦ \r\n¦\r\n ¦\r\n\t¦\r \n¦\n\n¦\0\r\n¦\r\0\n¦\x0b¦\x85",
    "\r\n \r\n¦\r\n\0",
  ),
  name: listOf(
    "¦ X¦X ¦X\t¦X\0¦X Y¦(X)¦X\x80¦\x80¦X\x7f¦Host¦host¦HOST¦Content-Length¦content-length",
    "Transfer-Encoding¦transfer-encoding¦Connection¦Expect¦Upgrade¦Transfer_Encoding¦Content\xadLength",
    "Host\0¦Hos\xf4¦X\r¦X\n¦\x0bHost¦Content-Lengt\x48¦@",
  ),
  colon: ["", "::", " :", "\t:", ": :", ";", "=", "\0:", ":\r\n ", ":\n", "\r\n:"],
  ows: ["", " ", "\t", "  ", " \t ", "\r\n ", "\0", "\x0b", "\x0c", "\xa0", "\r", "\n"],
  value: [
    ...listOf(
      "¦\0¦a\0b¦\x7f¦\x01¦a\rb¦a\nb¦\x1b¦chunked¦Chunked¦chunked, chunked¦gzip¦gzip, chunked",
      'chunked, gzip¦identity¦x chunked¦chunked;a¦"chunked"¦,chunked¦chunked,¦\x0bchunked¦chunke\x44¦0',
      "3¦03¦+3¦-1¦3, 3¦3 3¦0x3¦3.0¦1e1¦9007199254740991¦9007199254740992¦18446744073709551616¦51",
      "16777217¦a b¦a/b¦a@b¦[::1¦[::g]¦[::1]¦[::ffff:1.2.3.4]:8¦[1:2:3:4:5:6:7:8:9]¦[::1%eth0]¦[v1.a]",
      ":80¦a:b¦a,b¦100-continue¦100-Continue¦100-continue, x¦200-ok¦close¦keep-alive¦upgrade¦websocket",
      "h2c¦close, keep-alive¦Connection",
    ),
    "a".repeat(120),
    "x".repeat(16384),
  ],
  size: [
    ...listOf(
      "¦-1¦+1¦0x1¦1 ¦ 1¦1\t¦1;¦1 ;a¦1\t;a¦1;\0¦1;a\n¦1;\x7f¦g¦FFFFFFFFFFFFFFFF¦10000000000000000",
      "00000000000000001¦0000000000000001¦1FFFFFFFFFFFFF¦20000000000000¦7FFFFFFFFFFFFFFF¦33¦1000001¦1_0",
      "1.0¦1\r¦00¦000;a¦\n¦1;aaaaaaaaaaaaa",
    ),
    `1;${"a".repeat(4100)}`,
    ...listOf(
      '1,¦\0¦1 1¦0;\x80¦0;a="\r\n"¦0;a=¦0;=b¦0;a=b=c¦0;a=b"c"¦0;a="b"c¦0;a="b¦0;a="\\\x01"',
      "0;a b¦0;a = b¦0; ;a¦8000000000000000",
    ),
  ],
  data: ["", "a", "abc", "abcd", "\r\n", "0\r\n\r\n", "x".repeat(51), "\n"],
};

export const specialLines = [
  ...listOf(
    "Host: a¦Host: b¦host:¦Host: a b¦Host: :80¦Host: [::1]:80¦Content-Length: 3¦Content-Length: 0",
    "content-length:3¦Content-Length: 4¦Content-Length: 51¦Content-Length: -3¦Content-Length: 3, 3",
    "Content-Length: 9999999999999999¦Transfer-Encoding: chunked¦transfer-encoding:CHUNKED",
    "Transfer-Encoding: gzip¦Transfer-Encoding: gzip, chunked¦Transfer-Encoding: identity",
    "Transfer-Encoding:¦Transfer-Encoding: chunked, identity¦Transfer-Encoding : chunked",
    "Connection: close¦Connection: keep-alive¦Connection: upgrade¦Connection: Upgrade, keep-alive",
    "Upgrade: websocket¦Upgrade: h2c¦Expect: 100-continue¦Expect: x¦Trailer: X¦TE: trailers¦ folded",
    "\tfolded¦:¦X¦X:¦Keep-Alive: 5¦Proxy-Connection: close¦Content-Encoding: gzip",
  ),
  `X: ${"y".repeat(100)}`,
] as const;

export const fragments = [
  ...listOf(
    "\r\n¦\r\n¦\r\n\r\n¦\r¦\n¦\0¦ ¦\t¦:¦,¦;¦0¦5¦F¦-¦GET ¦GET / HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n",
  ),
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  ...listOf(
    " HTTP/1.0\r\n¦ HTTP/1.1\r\n¦Host: a\r\n¦Host: a\r\n\r\n¦Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n¦Connection: close\r\n¦Expect: 100-continue\r\n¦Upgrade: x\r\n",
    "0\r\n\r\n¦3\r\nabc\r\n¦3;a\r\nabc\r\n¦X:¦\x80¦\xff¦\x7f¦\x0b¦*¦http://a",
  ),
  "a".repeat(46),
] as const;

// What pieces in any order begin with, so that they are not all refused at their first octets.
export const openings = [
  "",
  "GET ",
  "GET / HTTP/1.1\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nX:",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
] as const;
