import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { BINARY } from "../../src/protocol/websocket/opcodes.ts";
import { frame } from "../support/frames.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { type Peer, webSocketHead } from "./peer.ts";
import { LATE_MS } from "./routes.ts";
import { type Abuse, held, limits, Stage, testAbuses, WITNESS_CONNECTIONS } from "./stage.ts";

const BOUNDS = { peakMiB: 48, endMs: 1_500 };
const GET = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
const POST = "POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n";
const CHUNKED = "POST /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
const OPEN = webSocketHead("/echo");
const MESSAGE = frame(BINARY, Buffer.alloc(1_000));
const EACH = 50;

/** What a peer has sent when it goes, and what it waits for before. */
const stages: readonly { name: string; sent: readonly (string | Uint8Array)[]; until?: string }[] = [
  { name: "nothing", sent: [] },
  { name: "one byte", sent: ["G"] },
  { name: "half a request line", sent: ["GET /pi"] },
  { name: "half a field", sent: ["GET /ping HTTP/1.1\r\nHo"] },
  { name: "a head without its last byte", sent: [GET.slice(0, -1)] },
  { name: "a request", sent: [GET] },
  { name: "a request and half of the next", sent: [GET, GET.slice(0, 20)] },
  { name: "a request that was answered", sent: [GET], until: "pong" },
  { name: "ten requests at once", sent: [GET.repeat(10)] },
  { name: "a head whose content is to come", sent: [POST] },
  { name: "half of the content", sent: [POST, "x".repeat(500)] },
  { name: "half a chunk", sent: [CHUNKED, "400\r\n", "x".repeat(100)] },
  { name: "chunks without the last", sent: [CHUNKED, "3\r\nabc\r\n"] },
  { name: "half a trailer", sent: [CHUNKED, "3\r\nabc\r\n0\r\nX-Half"] },
  {
    name: "a request for an answer without an end",
    sent: [GET.replace("ping", "endless")],
    until: "\r\n\r\n",
  },
  { name: "a request that is still being answered", sent: [GET.replace("ping", "hang")] },
  { name: "half a handshake", sent: [OPEN.slice(0, 60)] },
  { name: "a handshake", sent: [OPEN] },
  { name: "a handshake and a message at once", sent: [OPEN, MESSAGE] },
  { name: "a handshake that was answered", sent: [OPEN], until: "\r\n\r\n" },
  { name: "half a frame header", sent: [OPEN, MESSAGE.subarray(0, 3)], until: "\r\n\r\n" },
  { name: "half a message", sent: [OPEN, MESSAGE.subarray(0, 500)], until: "\r\n\r\n" },
  { name: "a fragment", sent: [OPEN, frame(BINARY, "half", { fin: false })], until: "\r\n\r\n" },
  { name: "a message", sent: [OPEN, MESSAGE], until: "\r\n\r\n" },
];

type Leave = (peer: Peer) => unknown;
const resets: Leave = (peer) => peer.reset();
const ends: Leave = (peer) => {
  peer.socket.end();
  return peer.over();
};

function leaving(how: string, leave: Leave): Abuse[] {
  return stages.map(({ name, sent, until }) => ({
    name: `${how} after ${name}`,
    async run(stage: Stage) {
      await stage.crowd(EACH, async (peer, i) => {
        for (const part of sent) peer.send(part);
        if (until !== undefined) await peer.untilText(until);
        // Some at once, some when the server has read.
        else if (i % 2 === 1) await sleep(5);
        await leave(peer);
      });
    },
    bounds: BOUNDS,
  }));
}

const LARGE = GET.replace("ping", "large").repeat(100);
const UNREAD = "POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n";

/** Peers that read nothing, so that a write is under way when they go, or that the program has paused. */
const stuck: readonly Abuse[] = [
  ["answers that it has not read", LARGE],
  ["content that the program does not read", `${UNREAD}${"x".repeat(500_000)}`],
].map(([name = "", sent = ""]) => ({
  name: `reset behind ${name}`,
  async run(stage) {
    await stage.crowd(
      EACH,
      async (peer, i) => {
        peer.send(sent);
        // Until the server cannot go on.
        await sleep(20 + i);
        peer.reset();
      },
      { reads: false },
    );
  },
  bounds: BOUNDS,
}));

/** All rows of a table as one abuse: each alone would watch the others for too short a time. */
function together(name: string, abuses: readonly Abuse[], leftMs: number): Abuse {
  return {
    name,
    async run(stage) {
      for (const abuse of abuses) {
        await abuse.run(stage);
        const ms = await stage.rid(WITNESS_CONNECTIONS, leftMs).catch((error: Error) => {
          throw new Error(`${abuse.name}: ${error.message}`);
        });
        assert.ok(ms < leftMs);
      }
    },
    bounds: BOUNDS,
  };
}

testAbuses("peers that go, or say no more", [
  together("reset at every stage", leaving("reset", resets), 250),
  together("reset while nothing more can be written, or while nothing is read", stuck, LATE_MS + 700),
  together("the end of the stream at every stage", leaving("end", ends), 1_000),
  {
    name: "connections that say nothing at all",
    run: (stage) => stage.crowd(500, (peer) => peer.over()).then(() => {}),
    bounds: BOUNDS,
  },
  {
    name: "connections that say no more at any stage",
    async run(stage) {
      const quiet = stages.filter(({ name }) => name !== "a request that is still being answered");
      await stage.crowd(
        EACH * 10,
        (peer, i) => {
          for (const part of quiet[i % quiet.length]?.sent ?? []) peer.send(part);
        },
        { reads: false },
      );
    },
    bounds: { ...BOUNDS, endMs: 2_500 },
  },
  {
    name: "connections that are opened and reset as fast as possible",
    async run(stage) {
      for (let i = 0; i < 20; i++) {
        await stage.crowd(100, () => {});
        stage.hangUp();
      }
    },
    bounds: BOUNDS,
  },
]);

const ALLOWED = 100;

/** Floods a server that allows so many connections. @returns how many were kept and how many turned away */
async function flood(stage: Stage, count: number, from?: string): Promise<{ kept: number; refused: number }> {
  const options = from === undefined ? {} : { from };
  const before = await stage.glance();
  const peers = await stage.crowd(count, () => {}, options);
  const kept = (): number => peers.filter((peer) => !peer.isOver).length;
  await eventually(() => kept() <= ALLOWED, "the others to be turned away");
  const now = await stage.glance();
  return {
    kept: kept(),
    refused: now.counters.refusedConnections - before.counters.refusedConnections,
  };
}

describe("connections beyond the limit", () => {
  it("in total: turned away at once, and taken again when there is room", async (t) => {
    const plan = { limits: { ...limits, headTimeoutMs: 1_000, maxConnections: ALLOWED } };
    const stage = await Stage.open(plan, { newcomers: false });
    t.after(() => stage.close());
    const calm = await stage.calm();
    await held(stage, calm, BOUNDS, async () => {
      for (let i = 0; i < 3; i++) {
        const { kept, refused } = await flood(stage, 1_000);
        assert.ok(kept <= ALLOWED, `${kept} were kept`);
        assert.ok(refused >= 1_000 - ALLOWED, `${refused} were refused`);
        assert.ok((await stage.glance()).counters.openConnections <= ALLOWED);
        stage.hangUp();
        await stage.rid(WITNESS_CONNECTIONS, 1_000);
        assert.equal((await (await stage.connect()).send(GET).untilText("pong")).status, 200);
        stage.hangUp();
      }
    });
  });

  it("per address: others are not turned away", {
    skip: process.platform !== "linux" && "only Linux has all of 127.0.0.0/8",
  }, async (t) => {
    const plan = { limits: { ...limits, headTimeoutMs: 1_000, maxConnectionsPerAddress: ALLOWED } };
    const stage = await Stage.open(plan);
    t.after(() => stage.close());
    const calm = await stage.calm();
    await held(stage, calm, BOUNDS, async () => {
      for (const from of ["127.0.0.2", "127.0.0.3"]) {
        assert.deepEqual(await flood(stage, 500, from), { kept: ALLOWED, refused: 500 - ALLOWED });
      }
      for (const from of ["127.0.0.1", "127.0.0.4"]) {
        assert.equal((await (await stage.connect({ from })).send(GET).untilText("pong")).status, 200);
      }
    });
  });
});

const IDLE = 10_000;
const DESCRIPTORS = Number(execFileSync("/bin/sh", ["-c", "ulimit -n -H"], { encoding: "utf8" }).trim());
const scarce =
  DESCRIPTORS < IDLE + 500 && `needs ${IDLE + 500} descriptors, and the system allows ${DESCRIPTORS}`;

describe("10,000 connections that are idle", { skip: scarce }, () => {
  const kinds: readonly [of: string, bytes: number, open: (peer: Peer, index: number) => unknown][] = [
    ["HTTP", 900, (peer, index) => index % 2 && peer.send(GET).untilText("pong")],
    ["WebSocket", 1_300, (peer) => peer.send(OPEN).untilText("\r\n\r\n")],
  ];
  for (const [of, bytes, begin] of kinds) {
    it(`cost little memory, no processor time, and others nothing, with ${of}`, async (t) => {
      const stage = await Stage.open({});
      t.after(() => stage.close());
      const calm = await stage.calm();
      await held(stage, calm, { peakMiB: 160, endMs: 4_000 }, async () => {
        const start = await stage.report();
        // Opening them is work; being open is not.
        for (let i = 0; i < IDLE; i += 500) await stage.crowd(500, begin);
        const open = await stage.report();
        assert.ok(open.counters.openConnections >= IDLE);
        const each = (open.heldBytes - start.heldBytes) / IDLE;
        assert.ok(each < bytes, `${each.toFixed(0)} bytes for each`);
        assert.deepEqual(open.counters.errors["HTTP_HEAD_TIMEOUT"], undefined);
        stage.hangUp();
      });
    });
  }
});
