import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { FinalHeadReader } from "../../src/protocol/http1/final-head-reader.ts";
import { serverFrame, TEXT } from "../support/frames.ts";
import { listenOn } from "../support/places.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
const switching = (key: string): string =>
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
  `${createHash("sha1")
    .update(key + GUID)
    .digest("base64")}\r\n\r\n`;
const HELLO = serverFrame(TEXT, "hello").toString("latin1");

/** A server that answers a handshake with these bytes. @param cut the size of the pieces in which they leave */
async function server(
  t: TestContext,
  answer: (key: string) => string,
  cut = Number.POSITIVE_INFINITY,
): Promise<string> {
  const listening = createServer((socket) => {
    socket.on("error", () => {}).setNoDelay(true);
    socket.once("data", (bytes: Buffer) => {
      const key = /Sec-WebSocket-Key: (.*)\r/.exec(bytes.toString())?.[1] ?? "";
      const text = answer(key);
      const write = (at: number): void => {
        socket.write(text.slice(at, at + cut), "latin1");
        if (at + cut < text.length) setImmediate(write, at + cut);
      };
      write(0);
    });
    t.after(() => socket.destroy());
  });
  return `ws://127.0.0.1:${await listenOn(t, listening)}/`;
}

describe("RFC 9110 §15.2: connect() skips interim responses before 101", () => {
  for (const count of [1, 3, 16]) {
    for (const cut of [Number.POSITIVE_INFINITY, 7]) {
      test(`${count} of them, in pieces of ${cut} bytes`, async (t) => {
        const url = await server(t, (key) => HINTS.repeat(count) + switching(key) + HELLO, cut);
        const socket = await connect(url);
        for await (const { data } of socket.messages()) {
          assert.equal(data.toString(), "hello");
          break;
        }
        socket.terminate();
      });
    }
  }

  test("but not 101: nothing else may follow it", async (t) => {
    const url = await server(t, () => `HTTP/1.1 101 Switching Protocols\r\n\r\n${HINTS}`);
    await assert.rejects(connect(url), { code: "WS_HANDSHAKE_UPGRADE" });
  });

  test("a final response behind them is what it was", async (t) => {
    const url = await server(t, () => `${HINTS}HTTP/1.1 403 Forbidden\r\n\r\n`);
    await assert.rejects(connect(url), { code: "WS_HANDSHAKE_STATUS", message: /403/ });
  });

  test("not more than 16, and not more bytes than one head may have", async (t) => {
    const many = await server(t, (key) => HINTS.repeat(17) + switching(key));
    await assert.rejects(connect(many), { code: "HTTP_HEAD_TOO_LARGE" });
    const hints = `HTTP/1.1 103 a\r\nA: ${"x".repeat(1_000)}\r\n\r\n`.repeat(3);
    const large = await server(t, (key) => hints + switching(key));
    const limits = { maxHeadBytes: 2_500 };
    await assert.rejects(connect(large, {}, { limits }), { code: "HTTP_HEAD_TOO_LARGE" });
  });

  test("cut anywhere, the head is the same", () => {
    const text = `${HINTS}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\nrest`;
    for (let cut = 1; cut < text.length - 4; cut++) {
      const reader = new FinalHeadReader(1_000);
      const head =
        reader.receive(Buffer.from(text.slice(0, cut))) ?? reader.receive(Buffer.from(text.slice(cut)));
      assert.deepEqual(
        [head?.status, head?.fields.get("a"), head?.upgradeHead.toString()],
        [204, "b", "rest"],
      );
    }
  });
});
