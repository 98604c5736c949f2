import { listOf } from "../support/bytes.ts";
import {
  accepted,
  type Case,
  each,
  get,
  head,
  many,
  post,
  posted,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
} from "../support/http-case.ts";

const coded = (...values: string[]) => post(...values.map((value) => `Transfer-Encoding: ${value}`));
const LAST = "0\r\n\r\n";

export const transferEncoding: Table = {
  area: "Transfer-Encoding (RFC 9112 §6.1, §6.3, §7)",
  cases: [
    ["RFC 9112 §6.3", "chunked", `${coded("chunked")}5\r\nhello\r\n${LAST}`, accepted(posted("hello"))],
    ...each("RFC 9112 §7", accepted(posted("")), {
      CHUNKED: `${coded("CHUNKED")}${LAST}`,
      cHuNkEd: `${post("tRANSFER-eNCODING: cHuNkEd")}${LAST}`,
    }),
    ...each("RFC 9112 §5.1", accepted(posted("")), {
      "white space around": `${coded(" \tchunked\t ")}${LAST}`,
      "a tab behind the colon": `${post("Transfer-Encoding:\tchunked")}${LAST}`,
      "nothing behind the colon": `${post("Transfer-Encoding:chunked")}${LAST}`,
    }),
    ...["GET", "HEAD", "DELETE", "OPTIONS"].map(
      (method): Case => [
        "RFC 9112 §6",
        `framing does not depend on the method: ${method}`,
        `${head(`${method} /x HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked")}2\r\nab\r\n${LAST}`,
        accepted(saw({ method, body: "ab" })),
      ],
    ),
    ...each("RFC 9112 §6.1", refused(501), {
      "gzip, chunked is not implemented": `${coded("gzip, chunked")}${LAST}`,
      "gzip and chunked on two lines": `${coded("gzip", "chunked")}${LAST}`,
      "identity, chunked: identity is no coding any more": `${coded("identity, chunked")}${LAST}`,
      "cow, chunked": `${coded("cow, chunked")}${LAST}`,
      "cow and chunked on two lines": `${coded("cow", "chunked")}${LAST}`,
    }),
    ...many(
      "RFC 9112 §6.3",
      refused(),
      [
        ...listOf(
          "gzip¦identity¦chunked, gzip¦chunked, identity¦chunked, cow¦identity, chunked, identity¦xchunked",
          "x chunked¦chunkedx¦chunked1¦chunke¦chunk¦chunked-x¦x-chunked¦chunked x¦chunked;q=1¦chunked;",
          "chunked; a=b¦\"chunked\"¦'chunked'¦chun ked¦chunked.¦chunked/1.1¦chunked=chunked¦cow chunked bar",
          "\\chunked¦%63hunked¦ch\xfcnked¦\xffchunked¦chunked\xa0¦chunked\x85¦\u00e7hunked",
        ),
        "cHUN\u212aED".replace("\u212a", "\xea"),
        "none",
        "true",
        "5",
      ],
      (value) => [`chunked is not the last: ${JSON.stringify(value)}`, `${coded(value)}${LAST}`],
    ),
    ...each("RFC 9112 §6.1", refused(), {
      "chunked, chunked": `${coded("chunked, chunked")}${LAST}`,
      "chunked on two lines": `${coded("chunked", "chunked")}${LAST}`,
      "chunked twice, in two cases": `${coded("chunked,CHUNKED")}${LAST}`,
      "chunked, gzip, chunked": `${coded("chunked, gzip, chunked")}${LAST}`,
      "chunked on 1.0": `${head("POST /x HTTP/1.0", "Transfer-Encoding: chunked")}${LAST}`,
      "chunked on 1.0 that keeps alive": `${head("POST /x HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked")}${LAST}`,
      "identity on 1.0": head("POST /x HTTP/1.0", "Transfer-Encoding: identity"),
    }),
    ...each("RFC 9112 §6.3", refused(), {
      "chunked, then identity on another line": `${coded("chunked", "identity")}${LAST}`,
      "chunked, then an unknown one on another line": `${coded("chunked", "x")}${LAST}`,
      empty: `${coded("")}${LAST}`,
      "only white space": `${coded(" \t")}${LAST}`,
      "only a comma": `${coded(",")}${LAST}`,
    }),
    ...each(STRICT, refused(501), {
      "an empty element before": `${coded(",chunked")}${LAST}`,
      "an empty line before": `${coded("", "chunked")}${LAST}`,
    }),
    ...each(STRICT, refused(), {
      "an empty element behind": `${coded("chunked,")}${LAST}`,
      "an empty line behind": `${coded("chunked", "")}${LAST}`,
    }),
    ...["\0", "\x01", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\x7f", "\r", "\n"].flatMap((mark): Case[] => [
      [
        "RFC 9110 §5.5",
        `${JSON.stringify(mark)} before chunked`,
        `${coded(`${mark}chunked`)}${LAST}`,
        refused(),
      ],
      [
        "RFC 9110 §5.5",
        `${JSON.stringify(mark)} behind chunked`,
        `${coded(`chunked${mark}`)}${LAST}`,
        refused(),
      ],
      [
        "RFC 9110 §5.6.2",
        `${JSON.stringify(mark)} behind the name`,
        `${post(`Transfer-Encoding${mark}: chunked`)}${LAST}`,
        refused(),
      ],
      [
        "RFC 9110 §5.6.2",
        `${JSON.stringify(mark)} before the name`,
        `${post(`${mark}Transfer-Encoding: chunked`)}${LAST}`,
        refused(),
      ],
    ]),
    ["RFC 9110 §10.1.4", "TE frames nothing", get("TE: chunked", "Connection: TE"), accepted(saw())],
    ...rows("RFC 9110 §8.4", {
      "Content-Encoding frames nothing": [post("Content-Encoding: chunked"), accepted(posted(""))],
    }),
    ...each("RFC 9110 §5.1", accepted(posted("")), {
      "Transfer_Encoding is another field": post("Transfer_Encoding: chunked"),
      "Transfer-%45ncoding is another field": post("Transfer-%45ncoding: chunked"),
      "X-Transfer-Encoding is another field": post("X-Transfer-Encoding: chunked"),
    }),
  ],
};
