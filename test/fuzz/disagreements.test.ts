import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpDisagreements } from "./disagreements.ts";
import { compareWithNode } from "./http-differential.ts";
import type { WebSocketSetting } from "./reference-reader.ts";
import { compareWithWs } from "./ws-differential.ts";
import { webSocketDisagreements } from "./ws-disagreements.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n";
const chunked = `${get}Transfer-Encoding: chunked\r\n\r\n`;

/** One input for each explanation. */
const httpExamples: Record<string, string> = {
  "content after the last request": `${get}Connection: close\r\n\r\nGET`,
  "Connection in a trailer section": `${chunked}0\r\nConnection: close\r\n\r\nGET`,
  "Proxy-Connection": `${get}Proxy-Connection: close\r\n\r\nGET`,
  "keep-alive with a tab behind it": "GET / HTTP/1.0\r\nConnection: keep-alive\t\r\n\r\nGET",
  "a method of one's own": "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
  "PRI as a method": "PRI / HTTP/1.1\r\nHost: a\r\n\r\n",
  "no Host, several, or none that is valid": "GET / HTTP/1.1\r\n\r\n",
  CONNECT: "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
  "HTTP/0.9": "GET /\r\n\r\n",
  "a target that is neither path nor http URI": "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
  "a target beyond the limit": `GET /${"a".repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  "white space or empty lines around the request line": `${"\r\n".repeat(9)}${get}\r\n`,
  "a higher minor version": "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
  "another protocol's name": "OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n",
  "another major version": "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
  "Content-Length with a tab behind it": `${get}Content-Length: 1\t\r\n\r\na`,
  "chunked with a tab behind it": `${get}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  "Content-Length beyond counting or the limit": `${get}Content-Length: 9007199254740992\r\n\r\n`,
  "Transfer-Encoding that is not just chunked": `${get}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "an expectation that is not known": `${get}Expect: x\r\n\r\n`,
  "told at the end of the section": `${get}Content-Length: x\r\n`,
  "told at the first broken octet": "GET http://a\n",
  "a trailer that is only allowed in the head": `${chunked}0\r\nHost: a\r\n\r\n`,
  "a chunk beyond counting or the limit": `${chunked}1000001\r\n`,
  "chunk extensions beyond the limit": `${chunked}0;${"a".repeat(4097)}\r\n\r\n`,
  "a chunk extension that is not of the grammar": `${chunked}0;a=\r\n\r\n`,
  "white space in chunk extensions": `${chunked}0;a =b\r\n\r\n`,
};

type WebSocketExample = [hex: string, deflate?: WebSocketSetting["deflate"], maxMessageBytes?: number];

const webSocketExamples: Record<string, WebSocketExample> = {
  "a length that is not in its shortest form": ["82 fe 00 01 00000000 61"],
  "a length of more than 63 bits": ["82 ff 8000000000000000 00000000"],
  "UTF-8 is judged at the first byte that breaks it": ["01 81 00000000 ff"],
  "the first byte of a header is judged alone": ["80"],
  "a limit is judged when the header is complete": ["82 ff 0001000000000000"],
  "a close frame of one byte is judged when the byte is there": ["88 81"],
  "blocks with BFINAL": ["c2 86 00000000 4b04004b0400", "shared"],
  "a compressed message after one without a payload": ["c2 80 00000000 c2 80 00000000", "context"],
  "a compressed message that is cut short": ["c2 83 00000000 f248cd", "shared"],
  "a compressed message that is a little longer than the limit": [
    "c2 87 00000000 000100feff6100",
    "shared",
    1,
  ],
  "a compressed message is judged as a whole": ["42 81 00000000 07", "shared"],
};

function namesOf(list: readonly { name: string }[]): string[] {
  return list.map(({ name }) => name).sort();
}

describe("each disagreement that is explained exists", () => {
  test("there is an example of each", () => {
    assert.deepEqual(Object.keys(httpExamples).sort(), namesOf(httpDisagreements));
    assert.deepEqual(Object.keys(webSocketExamples).sort(), namesOf(webSocketDisagreements));
  });

  for (const [name, input] of Object.entries(httpExamples)) {
    test(`HTTP: ${name}`, () => {
      assert.equal(compareWithNode(Buffer.from(input, "latin1")), name);
    });
  }

  for (const [name, input] of Object.entries(httpExamples).filter(([, example]) =>
    example.startsWith(chunked),
  )) {
    test(`HTTP: ${name}, with empty lines before the request`, () => {
      assert.equal(compareWithNode(Buffer.from(`\r\n\r\n${input}`, "latin1")), name);
    });
  }

  for (const [name, [hex, deflate = "no", maxMessageBytes = 1000]] of Object.entries(webSocketExamples)) {
    test(`WebSocket: ${name}`, async () => {
      const input = Buffer.from(hex.replaceAll(" ", ""), "hex");
      assert.equal(await compareWithWs(input, { role: "server", maxMessageBytes, deflate }), name);
    });
  }
});
