import {
  accepted,
  broken,
  chunked,
  each,
  get,
  HIDDEN,
  head,
  last,
  post,
  posted,
  refused,
  refusedBehind,
  rows,
  saw,
  type Table,
} from "../support/http-case.ts";

const LAST = "0\r\n\r\n";

/** Parts of chunks that some read in another way. */
export const chunkParts: Table = {
  area: "smuggling: chunk sizes, extensions, ends (RFC 9112 §7.1, §11.2)",
  cases: [
    ...each("RFC 9112 §7.1.1", broken(), {
      "TERM.EXT: LF ends the line for some": chunked(
        `2;\nxx\r\n${HIDDEN.length.toString(16)}\r\n${LAST}${HIDDEN}\r\n${LAST}`,
      ),
      "EXT.TERM: LF is in the extension for some": chunked(
        `${HIDDEN.length.toString(16)};\n${HIDDEN}\r\n${LAST}`,
      ),
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
      "a size with 0x": chunked(`0x${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
      "a size with +": chunked(`+${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
      "a size with a minus": chunked(`-1\r\n${HIDDEN}\r\n${LAST}`),
      "a size that is none counts as 0 for some": chunked(`Z\r\nZZ\r\nZZZ\r\n\r\n${HIDDEN}`),
      "no size counts as 0 for some": chunked(`\r\n\r\n${HIDDEN}`),
      "an extension without a size counts as 0 for some": chunked(`;a\r\n\r\n${HIDDEN}`),
      "a size in two words": chunked(`0 ${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
      "a size behind LF": chunked(`0\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST}`),
      "a last chunk without its empty line": chunked(`0\r\n${HIDDEN}`),
      "a last chunk with LF as its empty line": chunked(`0\r\n\n${HIDDEN}`),
      "a last chunk with LF LF": chunked(`0\n\n${HIDDEN}`),
      "a last chunk with CR CR LF": chunked(`0\r\r\n\r\n${HIDDEN}`),
    }),
    ...rows("RFC 9112 §7.1", {
      "00 and an extension is a last chunk": [
        `${chunked("00;a\r\n\r\n")}${get()}`,
        accepted(posted(""), saw()),
      ],
    }),
    ...rows("RFC 9110 §6.5.1", {
      "a trailer that frames: Transfer-Encoding": [
        chunked(`0\r\nTransfer-Encoding: chunked\r\n\r\n${LAST}${HIDDEN}`),
        broken(),
      ],
    }),
    ["RFC 9112 §2.2", "a trailer with a request behind LF LF", chunked(`0\r\nA: b\n\n${HIDDEN}`), broken()],
    ["RFC 9112 §5.2", "a trailer that is folded", chunked(`0\r\nA: b\r\n ${HIDDEN}`), broken()],
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
      "a request in a value, behind LF LF": get(`A: b\n\n${HIDDEN}`),
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
    ...rows("RFC 9112 §3", {
      "a request line in the request line": [
        head("GET /x HTTP/1.1 GET /smuggled HTTP/1.1", "Host: h"),
        refused(),
      ],
    }),
    ["RFC 9112 §2.3", "HTTP/0.9 behind a request", `${get()}GET /smuggled\r\n`, refusedBehind([saw()])],
    ...rows("RFC 9112 §3.2", {
      "no Host in the second request": [`${get()}GET /smuggled HTTP/1.1\r\n\r\n`, refusedBehind([saw()])],
    }),
    ...rows("RFC 9112 §3.2.2", {
      "absolute form against Host": [
        head("GET http://good/x HTTP/1.1", "Host: evil"),
        accepted(saw({ target: "http://good/x", authority: "good" })),
      ],
    }),
    ...each("RFC 9112 §3.2.2", refused(), {
      "absolute form, userinfo against the host": head("GET http://good@evil/x HTTP/1.1", "Host: good"),
      "absolute form, a backslash against the host": head("GET http://good\\@evil/x HTTP/1.1", "Host: good"),
    }),
    ...rows("RFC 9112 §3.2.1", {
      "// is a path, no authority": [
        head("GET //evil/x HTTP/1.1", "Host: h"),
        accepted(saw({ target: "//evil/x" })),
      ],
    }),
    ...each("RFC 9112 §3.2", refused(), {
      "@ before the path": head("GET @evil/x HTTP/1.1", "Host: h"),
      "Host with @": head("GET /x HTTP/1.1", "Host: good@evil"),
      "Host as a list": head("GET /x HTTP/1.1", "Host: good evil"),
    }),
    ...rows("RFC 9112 §5.2", {
      "a second Host, folded": [head("GET /x HTTP/1.1", "A: b", " Host: evil", "Host: h"), refused()],
    }),
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
    ...rows("RFC 9113 §3.4", {
      "the preface of HTTP/2 behind a request": [
        `${get()}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
        refusedBehind([saw()], 505),
      ],
    }),
  ],
};
