import { listOf } from "../support/bytes.ts";
import {
  accepted,
  broken,
  type Case,
  chunked,
  each,
  get,
  HIDDEN,
  head,
  last,
  many,
  post,
  posted,
  refused,
  refusedBehind,
  rows,
  STRICT,
  saw,
  type Table,
} from "../support/http-case.ts";

const LAST = "0\r\n\r\n";
const LENGTH = `Content-Length: ${LAST.length + HIDDEN.length}`;
const HIDDEN_SIZE = HIDDEN.length.toString(16);

/** Both length and coding, the coding written in a way that somebody on the way may read otherwise. */
function both(coding: string): Case[] {
  const show = JSON.stringify(coding);
  const chunk = `${HIDDEN_SIZE}\r\n${HIDDEN}\r\n${LAST}`;
  return each("RFC 9112 §6.1, §6.3", refused(), {
    [`CL.TE, ${show} behind the length`]: post(LENGTH, coding) + LAST + HIDDEN,
    [`TE.CL, ${show} before the length`]: post(coding, "Content-Length: 4") + chunk,
  });
}

export const lengthAndCoding: Table = {
  area: "smuggling: CL.TE, TE.CL and TE.TE (RFC 9112 §11.2)",
  cases: [
    ...[
      ...listOf(
        "Transfer-Encoding: chunked¦transfer-encoding: CHUNKED¦Transfer-Encoding:chunked",
        "Transfer-Encoding:\tchunked¦Transfer-Encoding:  chunked  ¦Transfer-Encoding: chunked\t",
        "Transfer-Encoding : chunked¦Transfer-Encoding\t: chunked¦Transfer-Encoding\t:\tchunked",
        " Transfer-Encoding: chunked¦\tTransfer-Encoding: chunked¦Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: \r\n\tchunked¦Transfer-Encoding\r\n : chunked¦Transfer-Encoding:\n chunked",
        "Transfer-Encoding: chunked\r¦Transfer-Encoding: \rchunked¦Transfer-Encoding: \n\x0bchunked",
        "Transfer-Encoding:\x0bchunked¦Transfer-Encoding:\x0cchunked¦Transfer-Encoding:\0chunked",
        "Transfer-Encoding: chunked\0¦Transfer-Encoding\0: chunked¦Transfer-Encoding: chun\0ked",
        "Tra\rnsfer-Encoding: chunked¦Transfer Encoding: chunked¦Transfer-Encoding x: chunked",
        "Transfer\\Encoding: chunked¦Transf\x82r-Encoding: chunked¦Transfer-Encoding:\xa0chunked",
        "Transfer-Encoding:\xffchunked¦Transfer-Encoding: ch\x96nked¦Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunk¦Transfer-Encoding: chunked, cow¦Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked, identity¦Transfer-Encoding: chunked, chunked",
        'Transfer-Encoding: cow chunked bar¦Transfer-Encoding: chunked;x=1¦Transfer-Encoding: "chunked"',
        "Transfer-Encoding: 'chunked'¦Transfer-Encoding: ,chunked¦Transfer-Encoding: chunked,",
        "Transfer-Encoding:¦Transfer-Encoding: identity",
      ),
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\ntransfer-encoding:",
      "A: b\rTransfer-Encoding: chunked",
      "A: b\nTransfer-Encoding: chunked",
      "A: b\r\n Transfer-Encoding: chunked",
      "A: b\r\n\rTransfer-Encoding: chunked",
      "A: b\n\nTransfer-Encoding: chunked",
      "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
      "Connection: Content-Length\r\nTransfer-Encoding: chunked",
    ].flatMap(both),
    ...many(
      STRICT,
      refused(),
      [
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: cow, chunked",
        "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
      ],
      (coding) => [`both, ${JSON.stringify(coding)}`, post(LENGTH, coding) + LAST + HIDDEN],
    ),
    ...each("RFC 9112 §6.1", refused(), {
      "both, a length of 0": `${post("Content-Length: 0", "Transfer-Encoding: chunked")}${LAST}`,
      "both, and they agree": `${post("Content-Length: 5", "Transfer-Encoding: chunked")}${LAST}`,
      "both, on 1.0": head("POST /x HTTP/1.0", LENGTH, "Transfer-Encoding: chunked") + LAST + HIDDEN,
      "both, with GET": get(LENGTH, "Transfer-Encoding: chunked") + LAST + HIDDEN,
      "both, and close": post("Connection: close", LENGTH, "Transfer-Encoding: chunked") + LAST + HIDDEN,
    }),
    ...each("RFC 9112 §6.3", refused(), {
      "both, the length invalid": `${post("Content-Length: x", "Transfer-Encoding: chunked")}${LAST}`,
    }),
  ],
};

const inside = `Content-Length: ${HIDDEN.length}`;

export const lengths: Table = {
  area: "smuggling: CL.0, 0.CL and two lengths (RFC 9112 §6.3, §11.2)",
  cases: [
    ...rows("RFC 9112 §9.3", {
      "CL.0: a request as content that is announced by 1.0": [
        head("POST /x HTTP/1.0", "Host: h", inside) + HIDDEN,
        last(posted(HIDDEN, { version: "1.0" })),
      ],
    }),
    ...each("RFC 9112 §6.3", accepted(posted(HIDDEN)), {
      "CL.0: the length named in Connection still counts":
        post("Connection: Content-Length", inside) + HIDDEN,
      "CL.0: the length named in Connection, twice":
        post("Connection: keep-alive, Content-Length, Host", inside) + HIDDEN,
      "CL.0: with Upgrade: h2c": post("Connection: Upgrade", "Upgrade: h2c", inside) + HIDDEN,
      "CL.0: a multipart type changes nothing":
        post("Content-Type: multipart/byteranges; boundary=x", inside) + HIDDEN,
    }),
    ["RFC 9112 §6.3", "0.CL: without a length", post() + get(), accepted(posted(""), saw())],
    ["RFC 9110 §5.6.2", "0.CL: a control in its name", post(`\x01${inside}`) + HIDDEN, refused()],
    ...each("RFC 9112 §6.3", refused(), {
      "two lengths, 0 last": post(inside, "Content-Length: 0") + HIDDEN,
      "two lengths as a list": post(`Content-Length: 0, ${HIDDEN.length}`) + HIDDEN,
      "two lengths, one with a sign": post("Content-Length: +0", inside) + HIDDEN,
      "two lengths, one behind a bare LF": post(`A: b\nContent-Length: 0`, inside) + HIDDEN,
      "two lengths, one behind a bare CR": post(`A: b\rContent-Length: 0`, inside) + HIDDEN,
      "two lengths, one behind NUL": post(`A: b\0Content-Length: 0`, inside) + HIDDEN,
      "an invalid length, and a request as the content": post("Content-Length: z") + HIDDEN,
    }),
    ["RFC 9112 §6.3", "too short", `${post("Content-Length: 2")}ab\0`, refusedBehind([posted("ab")])],
    ["RFC 9110 §5.3", "a length in a trailer", chunked(`0\r\n${inside}\r\n\r\n`) + HIDDEN, broken()],
  ],
};

/** Parts of chunks that some read in another way. */
export const chunkParts: Table = {
  area: "smuggling: chunk sizes, extensions, ends (RFC 9112 §7.1, §11.2)",
  cases: [
    ...each("RFC 9112 §7.1.1", broken(), {
      "TERM.EXT: LF ends the line for some": chunked(
        `2;\nxx\r\n${HIDDEN_SIZE}\r\n${LAST}${HIDDEN}\r\n${LAST}`,
      ),
      "EXT.TERM: LF is in the extension for some": chunked(`${HIDDEN_SIZE};\n${HIDDEN}\r\n${LAST}`),
      "TERM.EXT with CR": chunked(`2;\rxx\r\n${LAST}${HIDDEN}`),
      "TERM.EXT with NUL": chunked(`2;\0xx\r\n${LAST}${HIDDEN}`),
      "TERM.EXT with CR CR before the semicolon": chunked(`2\r\r;a\r\n02\r\n41\r\n${LAST}${HIDDEN}`),
    }),
    ...each("RFC 9112 §7.1", broken(), {
      "TERM.SPILL: LF ends the data for some": chunked(`5\r\nhello\n2\r\nab\r\n${LAST}${HIDDEN}`),
      "SPILL.TERM: more data than said": chunked(`5\r\nhelloX2\r\nab\r\n${LAST}${HIDDEN}`),
      "ONE.TWO: one octet ends the data for some": chunked(`5\r\nhelloX\r\n${LAST}${HIDDEN}`),
      "TWO.ONE: any two octets end the data for some": chunked(`5\r\nhelloAB${LAST}${HIDDEN}`),
      "ZERO.TWO: nothing ends the data for some": chunked(`5\r\nhello0\r\n\r\n${HIDDEN}`),
      "ZERO.TWO with an extension": chunked(`5\r\nhello2;a\r\nab\r\n${LAST}${HIDDEN}`),
      "a size of 0 with digits of 64 bits behind": chunked(`10000000000000000\r\n\r\n${HIDDEN}`),
      "a size with _": chunked(`0_2e\r\n\r\n${HIDDEN}`),
      "a size with 0x": chunked(`0x${HIDDEN_SIZE}\r\n${HIDDEN}\r\n${LAST}`),
      "a size with +": chunked(`+${HIDDEN_SIZE}\r\n${HIDDEN}\r\n${LAST}`),
      "a size with a minus": chunked(`-1\r\n${HIDDEN}\r\n${LAST}`),
      "a size that is none counts as 0 for some": chunked(`Z\r\nZZ\r\nZZZ\r\n\r\n${HIDDEN}`),
      "no size counts as 0 for some": chunked(`\r\n\r\n${HIDDEN}`),
      "an extension without a size counts as 0 for some": chunked(`;a\r\n\r\n${HIDDEN}`),
      "a size in two words": chunked(`0 ${HIDDEN_SIZE}\r\n${HIDDEN}\r\n${LAST}`),
      "a size behind LF": chunked(`0\n${HIDDEN_SIZE}\r\n${HIDDEN}\r\n${LAST}`),
      "a last chunk without its empty line": chunked(`0\r\n${HIDDEN}`),
      "a last chunk with LF as its empty line": chunked(`0\r\n\n${HIDDEN}`),
      "a last chunk with LF LF": chunked(`0\n\n${HIDDEN}`),
      "a last chunk with CR CR LF": chunked(`0\r\r\n\r\n${HIDDEN}`),
    }),
    ["RFC 9112 §7.1", "00;a is the last", `${chunked("00;a\r\n\r\n")}${get()}`, accepted(posted(""), saw())],
    ...rows("RFC 9112 §7.1.2", {
      "a trailer that looks like a request line with a colon": [
        chunked("0\r\nGET /smuggled HTTP/1.1:\r\n\r\n"),
        broken(),
      ],
    }),
  ],
};

/** What makes a request look like another one, or more than one. */
export const disguises: Table = {
  area: "smuggling: lines, targets and hosts (RFC 9112 §11.2)",
  cases: [
    ...each("RFC 9112 §2.2", refused(), {
      "a request behind a head that LF ends for some": `GET /x HTTP/1.1\r\nHost: h\r\nA: b\n\r\n${HIDDEN}`,
      "a second Host before the first field": "GET /x HTTP/1.1\r\n Host: evil\r\nHost: h\r\n\r\n",
    }),
    ...rows("RFC 9112 §2.2", {
      "a request in a value, behind CR LF CR LF in escapes": [
        get(`A: b%0d%0a%0d%0a${HIDDEN.split("\r\n")[0]}`),
        accepted(saw()),
      ],
      "a request in the target, behind CRLF in escapes": [
        head("GET /x%20HTTP/1.1%0d%0aHost:%20evil HTTP/1.1", "Host: h"),
        accepted(saw({ target: "/x%20HTTP/1.1%0d%0aHost:%20evil" })),
      ],
      "white space between two requests": [`${get()} ${HIDDEN}`, refusedBehind([saw()])],
    }),
    [
      "RFC 9112 §3",
      "two request lines in one",
      head("GET /x HTTP/1.1 GET /y HTTP/1.1", "Host: h"),
      refused(),
    ],
    ["RFC 9112 §2.3", "HTTP/0.9 behind a request", `${get()}GET /smuggled\r\n`, refusedBehind([saw()])],
    [
      "RFC 9112 §3.2",
      "a second request without Host",
      get() + head("GET /y HTTP/1.1"),
      refusedBehind([saw()]),
    ],
    ...each("RFC 9112 §3.2.2", refused(), {
      "absolute form, a backslash against the host": head("GET http://good\\@evil/x HTTP/1.1", "Host: good"),
    }),
    ["RFC 9112 §5.2", "Host, folded", head("GET /x HTTP/1.1", "A: b", " Host: evil", "Host: h"), refused()],
    ["RFC 9110 §7.6.1", "Host named in Connection still counts", get("Connection: Host"), accepted(saw())],
    ...each("RFC 9112 §9.6", last(saw()), {
      "a request behind close is not looked at": get("Connection: close") + HIDDEN,
      "a broken request behind close is not looked at": `${get("Connection: close")}\0\0`,
    }),
    ...rows("RFC 9110 §9.1", {
      "X-HTTP-Method-Override changes no framing": [
        post("X-HTTP-Method-Override: GET", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
        accepted(posted(HIDDEN)),
      ],
    }),
    [
      "RFC 9113 §3.4",
      "HTTP/2 behind it",
      `${get()}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
      refusedBehind([saw()], 505),
    ],
  ],
};
