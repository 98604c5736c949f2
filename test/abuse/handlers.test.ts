import assert from "node:assert/strict";
import { BINARY } from "../../src/protocol/websocket/opcodes.ts";
import { frame } from "../support/frames.ts";
import { webSocketHead } from "./peer.ts";
import { type Abuse, type Stage, testAbuses } from "./stage.ts";

const TIMES = 200;
const BOUNDS = { peakMiB: 48, endMs: 1_500 };

/** What a program may do to itself: each row is asked for many times. */
const mistakes: readonly { target: string; means: RegExp; reported: string | undefined }[] = [
  { target: "/throw", means: /^HTTP\/1\.1 500 /, reported: "Error: thrown" },
  { target: "/reject", means: /^HTTP\/1\.1 500 /, reported: "Error: rejected" },
  { target: "/reject-later", means: /^HTTP\/1\.1 500 /, reported: "Error: rejected later" },
  { target: "/throw-midway", means: /^(?!.*\r\n0\r\n\r\n$)/s, reported: "Error: thrown midway" },
  { target: "/twice", means: /^HTTP\/1\.1 200 (?!.*X-Late).*\r\n\r\nonce$/s, reported: undefined },
  { target: "/twice-and-throw", means: /\r\n\r\nonce$/, reported: "Error: thrown after the end" },
];

async function countReports(stage: Stage, text: string | undefined): Promise<number> {
  return text === undefined ? 0 : ((await stage.glance()).reported[text] ?? 0);
}

const ofHttp = mistakes.map(
  ({ target, means, reported }): Abuse => ({
    name: `a handler that does this: ${target}`,
    async run(stage) {
      const before = await countReports(stage, reported);
      const request = `POST ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`;
      const peers = await stage.crowd(TIMES, (peer) => peer.send(request).over());
      for (const { text } of peers) assert.match(text, means);
      assert.equal((await countReports(stage, reported)) - before, reported === undefined ? 0 : TIMES);
    },
    bounds: BOUNDS,
  }),
);

const ofWebSocket = [
  { target: "/throw", code: 1011, reported: "Error: thrown by message" },
  { target: "/reject", code: 1011, reported: "Error: rejected by message" },
  { target: "/throw-open", code: 1011, reported: "Error: thrown by close" },
].map(
  ({ target, code, reported }): Abuse => ({
    name: `a WebSocket handler that does this: ${target}`,
    async run(stage) {
      const before = await countReports(stage, reported);
      const peers = await stage.crowd(TIMES, (peer) =>
        peer.send(webSocketHead(target)).send(frame(BINARY, "x")).over(),
      );
      for (const peer of peers) assert.equal(peer.closeCode, code);
      assert.equal((await countReports(stage, reported)) - before, TIMES);
    },
    bounds: BOUNDS,
  }),
);

const others: Abuse[] = [
  {
    name: "an upgrade handler that throws",
    async run(stage) {
      const peers = await stage.crowd(TIMES, (peer) =>
        peer.send(webSocketHead("/throw-upgrade")).untilText("\r\n\r\n"),
      );
      for (const peer of peers) assert.equal(peer.status, 500);
    },
    bounds: BOUNDS,
  },
  {
    name: "handlers that hang, until their peers are gone",
    async run(stage) {
      const peers = await stage.crowd(TIMES, (peer, i) =>
        peer.send(i % 2 === 0 ? "GET /hang HTTP/1.1\r\nHost: h\r\n\r\n" : webSocketHead("/hang")),
      );
      await stage.serving(TIMES);
      for (const peer of peers) peer.reset();
    },
    bounds: BOUNDS,
  },
  {
    name: "handlers that hang, until their peers have ended",
    async run(stage) {
      const peers = await stage.crowd(TIMES, (peer) => peer.send("GET /hang HTTP/1.1\r\nHost: h\r\n\r\n"));
      await stage.serving(TIMES);
      for (const peer of peers) peer.socket.end();
      await Promise.all(peers.map((peer) => peer.over()));
    },
    bounds: BOUNDS,
  },
  {
    name: "peers that go while a handler is at work",
    async run(stage) {
      for (let i = 0; i < 4; i++) {
        await stage.crowd(50, (peer) =>
          peer.send("POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        );
        await stage.serving(50);
        stage.hangUp();
      }
    },
    bounds: BOUNDS,
  },
];

testAbuses("handlers that misbehave", [...ofHttp, ...ofWebSocket, ...others]);
