import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ResponseReader, type ResponseSummary } from "../../src/cli/response-reader.ts";

/** What a reader finds in bytes that come in pieces of a size. */
function read(text: string, pieceBytes: number, isHead = false): { found: string[]; atEnd: boolean } {
  const found: string[] = [];
  const done = ({ status, contentBytes, closes }: ResponseSummary): void => {
    found.push(`${status} ${contentBytes}${closes ? " closes" : ""}`);
  };
  const reader = new ResponseReader(isHead, done);
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.receive(bytes.subarray(at, at + pieceBytes));
  const atEnd = reader.end();
  return { found, atEnd };
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("responses, cut anywhere", () => {
  const cases: [
    name: string,
    text: string,
    found: string[],
    options?: { isHead?: boolean; atEnd?: boolean },
  ][] = [
    ["Content-Length", `${OK}Content-Length: 5\r\n\r\nhello`, ["200 5"]],
    ["no content", `${OK}Content-Length: 0\r\n\r\n`, ["200 0"]],
    [
      "several, pipelined",
      `${OK}Content-Length: 1\r\n\r\na${OK}Content-Length: 2\r\n\r\nbc`,
      ["200 1", "200 2"],
    ],
    [
      "chunks and trailers",
      `${OK}Transfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n`,
      ["200 13"],
    ],
    [
      "one after chunks",
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      ["200 0", "200 1"],
    ],
    [
      "204 and 304",
      "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      ["204 0", "304 0"],
    ],
    [
      "interim responses",
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      ["200 1"],
    ],
    [
      "HEAD",
      `${OK}Content-Length: 100\r\n\r\n${OK}Transfer-Encoding: chunked\r\n\r\n`,
      ["200 0", "200 0"],
      { isHead: true },
    ],
    ["Connection: close", `${OK}Connection: close\r\nContent-Length: 1\r\n\r\na`, ["200 1 closes"]],
    [
      "HTTP/1.0",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
      ["200 0", "200 1 closes"],
    ],
    ["until the end", `${OK}\r\nall that comes`, ["200 14 closes"], { atEnd: true }],
    ["an end too early", `${OK}Content-Length: 5\r\n\r\nhell`, []],
  ];
  for (const [name, text, found, { isHead = false, atEnd = false } = {}] of cases) {
    it(name, () => {
      for (const pieceBytes of [1, 2, 3, 7, 1_000]) {
        assert.deepEqual(read(text, pieceBytes, isHead), { found, atEnd }, `pieces of ${pieceBytes}`);
      }
    });
  }

  const broken: [name: string, text: string, code: string][] = [
    ["no HTTP", "SSH-2.0-x\r\n", "HTTP_BAD_REQUEST_LINE"],
    ["a head without end", OK + "X: y\r\n".repeat(20_000), "HTTP_HEAD_TOO_LARGE"],
    ["a length that is none", `${OK}Content-Length: x\r\n\r\n`, "HTTP_BAD_CONTENT_LENGTH"],
    ["two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`, "HTTP_BAD_CONTENT_LENGTH"],
    ["a chunk that is none", `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, "HTTP_BAD_CHUNK"],
    ["another coding", `${OK}Transfer-Encoding: gzip\r\n\r\n`, "HTTP_CODING_UNKNOWN"],
    ["101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP_BAD_REQUEST_LINE"],
  ];
  for (const [name, text, code] of broken) {
    it(`refuses ${name}`, () => {
      for (const pieceBytes of [1, 1_000]) assert.throws(() => read(text, pieceBytes), { code });
    });
  }
});
