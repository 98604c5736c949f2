import { listOf } from "../support/bytes.ts";
import {
  accepted,
  type Case,
  each,
  HIDDEN,
  head,
  many,
  post,
  posted,
  refused,
  rows,
  STRICT,
  saw,
  type Table,
  unfinishedContent,
} from "../support/http-case.ts";

const sized = (length: string) => post(`Content-Length: ${length}`);
const huge = { maxBodyBytes: Number.MAX_SAFE_INTEGER };

export const contentLength: Table = {
  area: "Content-Length (RFC 9110 §8.6, RFC 9112 §6.2, §6.3)",
  cases: [
    ...each("RFC 9112 §6.3", accepted(posted("")), {
      "neither length nor coding: no content": post(),
      "0": sized("0"),
    }),
    ["RFC 9112 §6.3", "5", `${sized("5")}hello`, accepted(posted("hello"))],
    [
      "RFC 9110 §8.6",
      "leading zeros are decimal",
      `${sized("0010")}0123456789`,
      accepted(posted("0123456789")),
    ],
    ["RFC 9110 §8.6", "many leading zeros", `${sized("00000000000000000000002")}ab`, accepted(posted("ab"))],
    ["RFC 9110 §8.6", "08 is no broken octal", `${sized("08")}01234567`, accepted(posted("01234567"))],
    ["RFC 9110 §8.6", "00", sized("00"), accepted(posted(""))],
    ["RFC 9110 §5.1", "name in any case", `${post("cOnTeNt-LeNgTh: 2")}ab`, accepted(posted("ab"))],
    ...each("RFC 9112 §5.1", accepted(posted("ab")), {
      "white space around": `${post("Content-Length:\t 2 \t")}ab`,
      "no white space": `${post("Content-Length:2")}ab`,
    }),
    ...rows("RFC 9112 §6", {
      "content that is a request": [sized(`${HIDDEN.length}`) + HIDDEN, accepted(posted(HIDDEN))],
      "content that looks chunked": [`${sized("5")}0\r\n\r\n`, accepted(posted("0\r\n\r\n"))],
    }),
    ...["GET", "DELETE", "OPTIONS", "TRACE", "get"].map(
      (method): Case => [
        "RFC 9112 §6",
        `framing does not depend on the method: ${method}`,
        head(`${method} /x HTTP/1.1`, "Host: h", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        accepted(saw({ method, body: HIDDEN })),
      ],
    ),
    ...rows("RFC 9112 §6", {
      "framing does not depend on the method: HEAD": [
        head("HEAD /x HTTP/1.1", "Host: h", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        accepted(saw({ method: "HEAD", body: HIDDEN })),
      ],
    }),
    ...many(
      "RFC 9112 §6.3",
      refused(),
      listOf(
        "¦ ¦+5¦-5¦-0¦+0¦--5¦5.0¦.5¦5e0¦0x5¦0X5¦0b1¦0o5¦5 5¦5 0¦5\t5¦5_0¦1_000¦5;¦5;q=1¦5a¦5L¦a5¦a¦5,¦,5",
        "5,,5¦5, 6¦6, 5¦\"5\"¦'5'¦(5)¦5%¦%35¦\xb2¦\xa05¦5\xa0¦Infinity¦NaN¦null¦chunked",
      ),
      (value) => [`invalid: ${JSON.stringify(value)}`, `${sized(value)}hello`],
    ),
    ...["\0", "\x0b", "\x0c", "\x01", "\x7f", "\r"].flatMap((mark): Case[] => [
      ["RFC 9110 §5.5", `${JSON.stringify(mark)} before the number`, `${sized(`${mark}5`)}hello`, refused()],
      ["RFC 9110 §5.5", `${JSON.stringify(mark)} behind the number`, `${sized(`5${mark}`)}hello`, refused()],
    ]),
    ...each(STRICT, refused(), {
      "a list of one number, twice": `${sized("5, 5")}hello`,
      "twice the same": `${post("Content-Length: 5", "Content-Length: 5")}hello`,
    }),
    ...each("RFC 9112 §6.3", refused(), {
      "twice, not the same": `${post("Content-Length: 5", "Content-Length: 6")}hello!`,
      "twice, first 0": `${post("Content-Length: 0", "Content-Length: 5")}hello`,
      "twice, second empty": `${post("Content-Length: 5", "Content-Length:")}hello`,
      "twice, in two spellings": `${post("Content-Length: 5", "content-length: 05")}hello`,
      "three times": `${post("Content-Length: 5", "Content-Length: 5", "Content-Length: 5")}hello`,
    }),
    ...each("RFC 9112 §5.1", refused(), {
      "a space before the colon": `${post("Content-Length : 5")}hello`,
      "a tab before the colon": `${post("Content-Length\t: 5")}hello`,
    }),
    ...each("RFC 9112 §5.2", refused(), {
      folded: `${post("Content-Length:", " 5")}hello`,
      "folded in the number": `${post("Content-Length: 1", " 0")}0123456789`,
    }),
    ...each("RFC 9110 §5.1", accepted(posted("")), {
      "Content_Length is another field": post("Content_Length: 5"),
      "X-Content-Length is another field": post("X-Content-Length: 5"),
    }),
    ["RFC 9110 §8.6", "2^53-1", sized("9007199254740991"), unfinishedContent, huge],
    ...each(
      "RFC 9110 §8.6",
      refused(),
      {
        "2^53": sized("9007199254740992"),
        "2^63": sized("9223372036854775808"),
        "2^64": sized("18446744073709551616"),
        "2^64 + 5 is not 5": `${sized("18446744073709551621")}hello`,
        "a hundred nines": sized("9".repeat(100)),
      },
      huge,
    ),
    ...each("RFC 9110 §8.6", refused(413), {
      "2^32 + 5 is not 5": `${sized("4294967301")}hello`,
      "2^31": sized("2147483648"),
    }),
  ],
};
