import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { BINARY } from "../../src/protocol/websocket/opcodes.ts";
import { frame } from "../support/frames.ts";
import { sleep } from "../support/waiting.ts";
import { webSocketHead } from "./peer.ts";
import { Stage, WITNESS_CONNECTIONS } from "./stage.ts";

const DAY_MS = 86_400_000;
const TIMEOUT_MS = 500;
const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** Each waits for another timeout, and what the server must do when it is over. */
const waiting: readonly { name: string; sent: string | Uint8Array; reads: boolean }[] = [
  { name: "the first byte of a head", sent: "", reads: true },
  { name: "the rest of a head", sent: "GET /ping HTTP/1.1\r\n", reads: true },
  { name: "content", sent: "POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", reads: true },
  { name: "the next request", sent: "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n", reads: true },
  { name: "a peer that reads", sent: "GET /endless HTTP/1.1\r\nHost: h\r\n\r\n", reads: false },
  { name: "a sign of life", sent: webSocketHead("/echo"), reads: true },
  {
    name: "the rest of a message",
    sent: Buffer.concat([Buffer.from(webSocketHead("/echo")), frame(BINARY, "half").subarray(0, 7)]),
    reads: true,
  },
];

describe("the system's clock jumps", { concurrency: true }, () => {
  const jumps = [
    { name: "a day ahead and back, again and again", by: (i: number) => (i % 2 === 0 ? DAY_MS : -DAY_MS) },
    { name: "a day ahead", by: (i: number) => (i === 0 ? DAY_MS : 0) },
    { name: "a day back", by: (i: number) => (i === 0 ? -DAY_MS : 0) },
  ];
  for (const { name, by } of jumps) {
    it(`${name}: no timeout comes early, and none late`, async (t) => {
      const limits = {
        headTimeoutMs: TIMEOUT_MS,
        bodyTimeoutMs: TIMEOUT_MS,
        keepAliveTimeoutMs: TIMEOUT_MS,
        writeTimeoutMs: TIMEOUT_MS,
        webSocketIdleTimeoutMs: TIMEOUT_MS,
        pongTimeoutMs: TIMEOUT_MS,
        closeTimeoutMs: TIMEOUT_MS / 4,
      };
      const stage = await Stage.open({ limits }, { newcomers: false });
      t.after(() => stage.close());
      await Promise.all(waiting.map(async ({ sent, reads }) => (await stage.connect({ reads })).send(sent)));
      for (let i = 0; i < 10; i++) {
        await stage.server.ask("jump", { byMs: by(i) });
        await sleep(TIMEOUT_MS / 20);
      }
      assert.equal((await stage.glance()).counters.openConnections, waiting.length + 2);
      const { now, date } = await stage.server.ask<{ now: number; date: string }>("date");
      assert.ok(Math.abs(Date.parse(date) - now) < 2_000, `Date: ${date} at ${new Date(now).toUTCString()}`);
      // The longest way: silence, then a ping without an answer, each with the ticks that a deadline is rounded up by.
      await stage.rid(WITNESS_CONNECTIONS, TIMEOUT_MS * 3.5);
      const { errors } = (await stage.glance()).counters;
      for (const code of ["HTTP_HEAD_TIMEOUT", "HTTP_BODY_TIMEOUT", "HTTP_WRITE_TIMEOUT"])
        assert.equal(errors[code], 1);
      assert.equal(errors["WS_PONG_TIMEOUT"], 2);
    });
  }

  it("of all that serves, only what tells clients a date looks at the system's clock", () => {
    const readers = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.ts$/.test(path) && !/^(?:cli|console|operations|testing|web)\b/.test(path))
      .filter((path) => /\bDate\.now\b|\bnew Date\(/.test(readFileSync(source + path, "utf8")));
    assert.deepEqual(readers, [
      "channels/redis-store.ts", // names epochs
      "channels/session.ts", // when the program says that a token expires
      "facil/outgoing-response.ts", // writes dates of the program
      "facil/public-folder.ts",
      "lua/clock.ts", // what programs ask for as the time
      "protocol/http/date.ts",
    ]);
  });
});
