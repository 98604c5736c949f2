import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ResponseHeadReader } from "../../src/protocol/http1/response-head-reader.ts";
import { ResponseReader } from "../../src/protocol/http1/response-reader.ts";

interface Options {
  isHead?: boolean;
  upgrades?: boolean;
  /** Whether the end of the stream ends a response. */
  atEnd?: boolean;
}

/** What a reader finds in bytes that come in pieces of a size: a line for each response. */
function read(text: string, pieceBytes: number, { isHead = false, upgrades = false }: Options = {}) {
  const found: string[] = [];
  let told = "";
  const reader = new ResponseReader(isHead ? "HEAD" : "GET", {
    onInterim: (status) => void found.push(`(${status})`),
    onHead: (head, hasContent) => {
      told = `${head.status}${hasContent ? " " : ""}`;
    },
    onBody: (bytes, start, end) => {
      told += bytes.toString("latin1", start, end);
    },
    onComplete: (trailers, isKeptAlive) => {
      const more = trailers.entries().map((field) => ` ${field.join("=")}`);
      found.push(told + more.join("") + (isKeptAlive ? "" : " closes"));
    },
    ...(upgrades
      ? { onUpgrade: (head: ResponseHeadReader) => void found.push(`101 ${head.upgradeHead}`) }
      : {}),
  });
  const bytes = Buffer.from(text, "latin1");
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const piece = bytes.subarray(from, from + pieceBytes);
    for (let at = 0, before = -1; at < piece.length; ) {
      before = found.length;
      at = reader.receive(piece, at);
      if (at < piece.length) assert.ok(found.length > before, "it stops only behind a response");
    }
  }
  return { found, atEnd: reader.end() };
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe("responses, cut anywhere", () => {
  const cases: [name: string, text: string, found: string[], options?: Options][] = [
    ["Content-Length", `${OK}Content-Length: 5\r\n\r\nhello`, ["200 hello"]],
    ["no content", `${OK}Content-Length: 0\r\n\r\n`, ["200"]],
    [
      "several, pipelined",
      `${OK}Content-Length: 1\r\n\r\na${OK}Content-Length: 2\r\n\r\nbc`,
      ["200 a", "200 bc"],
    ],
    [
      "chunks and trailers",
      `${CHUNKED}3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\nU: 2\r\n\r\n`,
      ["200 abc0123456789 T=1 U=2"],
    ],
    [
      "one after chunks",
      `${CHUNKED}0\r\nT: 1\r\n\r\n${CHUNKED}0\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      ["200  T=1", "200 ", "200 a"],
    ],
    [
      "204 and 304",
      "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      ["204", "304"],
    ],
    [
      "interim responses",
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      ["(100)", "(103)", "200 a"],
    ],
    ["HEAD", `${OK}Content-Length: 100\r\n\r\n${CHUNKED}`, ["200", "200"], { isHead: true }],
    ["Connection: close", `${OK}Connection: x, Close\r\nContent-Length: 1\r\n\r\na`, ["200 a closes"]],
    ["Connection: not-close", `${OK}Connection: not-close\r\nContent-Length: 1\r\n\r\na`, ["200 a"]],
    [
      "HTTP/1.0",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\nHTTP/1.0 200\r\nContent-Length: 1\r\n\r\na",
      ["200", "200 a closes"],
    ],
    ["until the end", `${OK}\r\nall that comes`, ["200 all that comes closes"], { atEnd: true }],
    ["an end too early", `${OK}Content-Length: 5\r\n\r\nhell`, []],
    ["a status that nobody knows", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", ["999"]],
  ];
  for (const [name, text, found, options = {}] of cases) {
    it(name, () => {
      const { atEnd = false } = options;
      for (const pieceBytes of [1, 2, 3, 7, 1_000]) {
        assert.deepEqual(read(text, pieceBytes, options), { found, atEnd }, `pieces of ${pieceBytes}`);
      }
    });
  }

  it("101 hands over what has come of the other protocol, and reads nothing more", () => {
    const text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 nothing\r\n\r\n";
    assert.deepEqual(read(text, 1_000, { upgrades: true }).found, ["101 HTTP/1.1 nothing\r\n\r\n"]);
    assert.deepEqual(read(text, 1, { upgrades: true }).found, ["101 "]);
  });

  const broken: [name: string, text: string, code: string][] = [
    ["no HTTP", "SSH-2.0-x\r\n", "HTTP_BAD_REQUEST_LINE"],
    ["a status that is none", "HTTP/1.1 099 X\r\n", "HTTP_BAD_REQUEST_LINE"],
    ["a bad field", `${OK}A B: c\r\n\r\n`, "HTTP_BAD_FIELD"],
    ["a head without end", OK + "X: y\r\n".repeat(20_000), "HTTP_HEAD_TOO_LARGE"],
    ["a field without end", `${OK}X: ${"y".repeat(70_000)}`, "HTTP_HEAD_TOO_LARGE"],
    ["trailers without end", `${CHUNKED}0\r\nX: ${"y".repeat(70_000)}`, "HTTP_HEAD_TOO_LARGE"],
    ["a length that is none", `${OK}Content-Length: x\r\n\r\n`, "HTTP_BAD_CONTENT_LENGTH"],
    [
      "a length too large to count",
      `${OK}Content-Length: ${"9".repeat(16)}\r\n\r\n`,
      "HTTP_BAD_CONTENT_LENGTH",
    ],
    ["two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`, "HTTP_BAD_CONTENT_LENGTH"],
    [
      "two framings",
      `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "HTTP_BAD_TRANSFER_ENCODING",
    ],
    [
      "chunks in HTTP/1.0",
      "HTTP/1.0 200\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP_BAD_TRANSFER_ENCODING",
    ],
    ["a chunk that is none", `${CHUNKED}xyz\r\n`, "HTTP_BAD_CHUNK"],
    ["another coding", `${OK}Transfer-Encoding: gzip\r\n\r\n`, "HTTP_CODING_UNKNOWN"],
    ["101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP_BAD_REQUEST_LINE"],
  ];
  for (const [name, text, code] of broken) {
    it(`refuses ${name}`, () => {
      for (const pieceBytes of [text.length > 1_000 ? 1_000 : 1, 1_000_000]) {
        assert.throws(() => read(text, pieceBytes), { code });
      }
    });
  }
});
