import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createDeflateRaw } from "node:zlib";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  fragments,
  frame,
  PING,
  PONG,
  piecesOf,
  RSV1,
  TEXT,
} from "../support/frames.ts";
import { type Peer, webSocketHead } from "./peer.ts";
import { type Abuse, type Stage, testAbuses } from "./stage.ts";

const MIB = 1 << 20;
const ENDS = { peakMiB: 48, endMs: 2_500 };
const DEFLATE = "permessage-deflate";
const DEFLATE_ALONE = `${DEFLATE}; client_no_context_takeover`;

/** The payload of a message of permessage-deflate (RFC 7692 §7.2.1) that is this many zeros. */
async function bomb(bytes: number): Promise<Buffer> {
  const deflate = createDeflateRaw({ level: 9, finishFlush: constants.Z_SYNC_FLUSH });
  const pieces: Buffer[] = [];
  deflate.on("data", (piece: Buffer) => pieces.push(piece));
  deflate.end(Buffer.alloc(bytes));
  await once(deflate, "end");
  return Buffer.concat(pieces).subarray(0, -4);
}

/** A message of so many bytes, each in a frame of its own. */
function singly(bytes: number): Buffer {
  const rest = Buffer.alloc(7 * (bytes - 2), frame(CONTINUATION, "x", { fin: false }));
  return Buffer.concat([frame(BINARY, "x", { fin: false }), rest, frame(CONTINUATION, "x")]);
}

/** All of a crowd were closed with this code. */
function closedWith(peers: readonly Peer[], code: number): void {
  assert.deepEqual([...new Set(peers.map((peer) => peer.closeCode))], [code]);
}

/** Opens WebSockets and does the same on each. */
async function sockets(
  stage: Stage,
  count: number,
  target: string,
  act: (peer: Peer) => unknown,
  extensions = "",
): Promise<Peer[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const peer = await stage.open(target, extensions);
      await act(peer);
      return peer;
    }),
  );
}

/** Frames as fast as they are taken, without reading what comes. */
function floods(what: Uint8Array, target = "/echo", connections = 4): Abuse["run"] {
  const many = Buffer.concat(Array.from({ length: Math.ceil(65_536 / what.length) }, () => what));
  return async (stage) => {
    const before = (await stage.glance()).counters.bytesReceived;
    await sockets(stage, connections, target, (peer) => {
      peer.socket.pause();
      return peer.flood(many, 32 * MIB);
    });
    const received = (await stage.glance()).counters.bytesReceived - before;
    assert.ok(received > MIB, `only ${received} bytes of the flood arrived`);
  };
}

/** One message in so many WebSockets, which is refused with a close code. */
function refused(
  code: number,
  count: number,
  target: string,
  message: () => Promise<Uint8Array>,
  extensions = "",
) {
  return async (stage: Stage): Promise<void> => {
    const bytes = await message();
    closedWith(await sockets(stage, count, target, (peer) => peer.send(bytes).over(), extensions), code);
  };
}

const bombs = async (): Promise<Buffer> => frame(BINARY, await bomb(64 * MIB), { rsv: RSV1 });

/** Messages beyond the limit, on so many WebSockets. */
const oversized: [name: string, count: number, target: string, () => Promise<Buffer>, extensions?: string][] =
  [
    ["a message in fragments of one byte without an end", 2, "/echo", async () => singly(2 * MIB)],
    [
      "messages that announce 2 to the 62nd bytes",
      50,
      "/echo",
      async () => Buffer.from("82ff4000000000000000000000000000", "hex"),
    ],
    ["compression bombs, 1000:1", 50, "/shared-sink", bombs, DEFLATE_ALONE],
    ["compression bombs, 1000:1, with a window of their own", 50, "/sink", bombs, DEFLATE],
    [
      "compression bombs, 1000:1, in fragments of 100 bytes",
      20,
      "/shared-sink",
      async () => Buffer.concat(fragments(BINARY, piecesOf(await bomb(64 * MIB), 100), RSV1)),
      DEFLATE_ALONE,
    ],
  ];

const abuses: Abuse[] = [
  ...oversized.map(([name, count, target, message, extensions]) => ({
    name,
    run: refused(1009, count, target, message, extensions),
    bounds: { ...ENDS, errors: { WS_MESSAGE_TOO_LARGE: count } },
  })),
  {
    name: "receivers of broadcasts that never read",
    async run(stage) {
      const slow = await sockets(stage, 10, "/news", (peer) => peer.socket.pause());
      const [reader] = await sockets(stage, 1, "/news", () => {});
      assert.ok(reader !== undefined && slow.length === 10);
      const before = reader.length;
      for (let i = 0; i < 20; i++) await stage.server.ask("publish", { bytes: 65_536, times: 20 });
      await reader.until(() => reader.length - before >= 400 * 65_546, "what was published");
      assert.ok((await stage.glance()).counters.messagesDropped > 100);
    },
    bounds: { peakMiB: 96, endMs: 2_500, errors: { WS_WRITE_TIMEOUT: 10 } },
  },
  {
    name: "messages whose echo is not read",
    run: floods(frame(BINARY, Buffer.alloc(16_000))),
    bounds: { ...ENDS, peakMiB: 64 },
  },
  { name: "pings whose pongs are not read", run: floods(frame(PING, "x".repeat(125))), bounds: ENDS },
  { name: "empty pings whose pongs are not read", run: floods(frame(PING, "")), bounds: ENDS },
  {
    name: "pings whose pongs are read",
    async run(stage) {
      const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(PING, "x")));
      await sockets(stage, 4, "/echo", (peer) => peer.flood(pings, 32 * MIB));
    },
    bounds: ENDS,
  },
  { name: "pongs that nobody asked for", run: floods(frame(PONG, "")), bounds: ENDS },
  { name: "close frames again and again", run: floods(frame(CLOSE, closePayload(1000))), bounds: ENDS },
  {
    name: "messages after the close frame",
    async run(stage) {
      const message = frame(BINARY, Buffer.alloc(60_000));
      const peers = await sockets(stage, 8, "/echo", async (peer) => {
        peer.send(frame(CLOSE, closePayload(1000)));
        await peer.flood(message, 32 * MIB);
      });
      closedWith(peers, 1000);
    },
    bounds: ENDS,
  },
  { name: "empty messages", run: floods(frame(TEXT, "")), bounds: ENDS },
  {
    name: "empty fragments without an end",
    async run(stage) {
      const more = Buffer.concat(
        Array.from({ length: 10_000 }, () => frame(CONTINUATION, "", { fin: false })),
      );
      await sockets(stage, 8, "/echo", (peer) =>
        peer.send(frame(TEXT, "", { fin: false })).flood(more, 32 * MIB),
      );
    },
    bounds: ENDS,
  },
  {
    name: "a message of 1 MiB in fragments of one byte",
    async run(stage) {
      const message = singly(MIB);
      await sockets(stage, 2, "/echo", async (peer) => {
        const before = peer.length;
        peer.send(message);
        await peer.until(() => peer.length - before >= MIB + 10, "the echo");
        assert.equal(peer.length - before, MIB + 10);
      });
    },
    bounds: ENDS,
  },
  {
    name: "messages that announce 1 MiB and send a byte",
    async run(stage) {
      const begin = frame(BINARY, Buffer.alloc(MIB)).subarray(0, 15);
      await sockets(stage, 300, "/echo", (peer) => peer.send(begin));
    },
    bounds: { ...ENDS, errors: { WS_PONG_TIMEOUT: 300 } },
  },
  {
    name: "compression bombs just within the limit, one after the other",
    async run(stage) {
      const message = frame(BINARY, await bomb(MIB), { rsv: RSV1 });
      const before = (await stage.glance()).counters.messagesReceived;
      await sockets(stage, 4, "/shared-sink", (peer) => peer.flood(message, MIB / 16), DEFLATE_ALONE);
      await stage.until(
        ({ counters }) => counters.messagesReceived - before >= 200,
        "the bombs to be inflated",
      );
    },
    bounds: { ...ENDS, peakMiB: 64 },
  },
  {
    name: "compressed messages of nothing but ends of streams",
    run: refused(
      1007,
      20,
      "/shared-sink",
      async () => frame(BINARY, Buffer.from("0300".repeat(100_000), "hex"), { rsv: RSV1 }),
      DEFLATE_ALONE,
    ),
    bounds: { ...ENDS, errors: { WS_INVALID_DEFLATE: 20 } },
  },
  {
    name: "WebSockets that say nothing",
    async run(stage) {
      const peers = await sockets(stage, 300, "/echo", () => {});
      await Promise.all(peers.map((peer) => peer.over()));
    },
    bounds: { ...ENDS, errors: { WS_PONG_TIMEOUT: 300 } },
  },
  {
    name: "handshakes by the hundred, whose WebSockets are dropped at once",
    async run(stage) {
      for (let i = 0; i < 10; i++) {
        await stage.crowd(50, (peer) => peer.send(webSocketHead("/sink", DEFLATE)).untilText("\r\n\r\n"));
        stage.hangUp();
      }
    },
    bounds: ENDS,
  },
];

testAbuses("abuse of WebSocket", abuses);
