import assert from "node:assert/strict";
import type { Peer } from "./peer.ts";
import { LATE_MS } from "./routes.ts";
import { type Abuse, type Stage, testAbuses } from "./stage.ts";

/** The beginning of a request that the server answers with "pong". */
const GET = "GET /ping HTTP/1.1\r\nHost: h\r\n";
const CHUNKED = "POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
const post = (target: string, length: number) =>
  `POST ${target} HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
const MIB = 1 << 20;
/** Longer than any timeout of the server, and what the timer adds to it. */
const PATIENT_MS = 3_000;
const QUICK = { peakMiB: 48, endMs: 1_000 };
const SLOW = { peakMiB: 48, endMs: 1_500 };

/** All of a crowd were answered with this. */
function answered(peers: readonly Peer[], status: number): void {
  const statuses = new Set(peers.map((peer) => peer.status));
  assert.deepEqual([...statuses], [status]);
}

/** Sends a beginning and then the same without an end. */
function floods(begin: string, more: string, status: number, connections = 8): Abuse["run"] {
  const piece = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)), "latin1");
  return async (stage: Stage) => {
    const peers = await stage.crowd(connections, async (peer) => {
      peer.send(begin);
      await peer.flood(piece, 16 * MIB, PATIENT_MS);
      await peer.over();
    });
    answered(peers, status);
  };
}

/** Sends a beginning and then one byte at a time, over 100 connections. */
function dribbles(begin: string, more: string, status: number): Abuse["run"] {
  return async (stage) => {
    const peers = await stage.crowd(100, async (peer) => {
      peer.send(begin);
      await peer.dribble(more, 25, PATIENT_MS);
      await peer.over();
    });
    answered(peers, status);
  };
}

type Row = [name: string, begin: string, more: string, status: number, error: string];

const SLOW_HEAD = `${GET}X-Slow: ${"y".repeat(4_000)}`;
const slow: Row[] = [
  ["slow heads, byte by byte", "", SLOW_HEAD, 408, "HTTP_HEAD_TIMEOUT"],
  ["slow heads after a request that was served", `${GET}\r\n`, SLOW_HEAD, 200, "HTTP_HEAD_TIMEOUT"],
  ["slow content, byte by byte", post("/length", 100_000), "x", 408, "HTTP_BODY_TIMEOUT"],
  ["slow content in chunks of one byte", CHUNKED, "1\r\nx\r\n", 408, "HTTP_BODY_TIMEOUT"],
  ["slow trailers", `${CHUNKED}0\r\n`, "X-Slow: y\r\n", 408, "HTTP_BODY_TIMEOUT"],
  [
    "slow content that nobody asked for, after an early answer",
    post("/nowhere", 50_000),
    "x",
    404,
    "HTTP_BODY_TIMEOUT",
  ],
];

const endless: Row[] = [
  ["field lines without an end", GET, "X-More: and more\r\n", 431, "HTTP_HEAD_TOO_LARGE"],
  ["a field line without an end", `${GET}X-Long: `, "y", 431, "HTTP_HEAD_TOO_LARGE"],
  ["a target without an end", "GET /", "y", 414, "HTTP_TARGET_TOO_LONG"],
  ["a method without an end", "", "Y", 501, "HTTP_METHOD_UNKNOWN"],
  ["empty lines without an end", "", "\r\n", 400, "HTTP_BAD_REQUEST_LINE"],
  ["a chunk extension without an end", `${CHUNKED}1;`, "y", 400, "HTTP_BAD_CHUNK"],
  ["a chunk extension on each chunk", CHUNKED, "1;name=value\r\nx\r\n", 400, "HTTP_BAD_CHUNK"],
  ["trailers without an end", `${CHUNKED}0\r\n`, "X-More: and more\r\n", 431, "HTTP_HEAD_TOO_LARGE"],
  ["content of a terabyte", post("/length", 2 ** 40), "x", 413, "HTTP_BODY_TOO_LARGE"],
];

const abuses: Abuse[] = [
  ...slow.map(([name, begin, more, status, error]) => ({
    name,
    run: dribbles(begin, more, status),
    bounds: { ...SLOW, errors: { [error]: 100 } },
  })),
  ...endless.map(([name, begin, more, status, error]) => ({
    name,
    run: floods(begin, more, status),
    bounds: { ...QUICK, errors: { [error]: 8 } },
  })),
  {
    name: "chunks without an end",
    run: floods(CHUNKED, `4000\r\n${"x".repeat(16_384)}\r\n`, 413),
    bounds: { ...QUICK, peakMiB: 64, errors: { HTTP_BODY_TOO_LARGE: 8 } },
  },
  {
    name: "chunks of one byte without an end",
    run: floods(CHUNKED, "1\r\nx\r\n", 413, 2),
    bounds: { ...QUICK, peakMiB: 64, errors: { HTTP_BODY_TOO_LARGE: 2 } },
  },
  {
    name: "content that is announced, expected with 100 Continue and never sent",
    async run(stage) {
      const head = "POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
      const peers = await stage.crowd(200, (peer) => peer.send(head).over());
      for (const { text } of peers) assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
      answered(peers, 408);
    },
    bounds: { ...SLOW, errors: { HTTP_BODY_TIMEOUT: 200 } },
  },
  {
    name: "100,000 fields",
    async run(stage) {
      const fields = Array.from({ length: 100_000 }, (_, i) => `a${i}: b\r\n`).join("");
      answered(await stage.crowd(8, (peer) => peer.send(`${GET}${fields}\r\n`).over()), 431);
    },
    bounds: { ...QUICK, errors: { HTTP_HEAD_TOO_LARGE: 8 } },
  },
  {
    name: "content that a handler takes no notice of",
    async run(stage) {
      const head = post("/late", 1_000_000);
      const peers = await stage.crowd(50, async (peer) => {
        await peer.send(head).flood(Buffer.alloc(65_536), MIB, LATE_MS * 2);
        await peer.over();
      });
      answered(peers, 200);
    },
    bounds: QUICK,
  },
  {
    name: "small requests without an end, whose answers are not read",
    run: (stage) => pipelined(stage, `${GET}\r\n`),
    bounds: { peakMiB: 64, endMs: 1_500, errors: { HTTP_WRITE_TIMEOUT: 1 } },
  },
  {
    name: "requests for large answers that are not read",
    run: (stage) => pipelined(stage, `${GET.replace("ping", "large")}\r\n`),
    bounds: { peakMiB: 64, endMs: 1_500, errors: { HTTP_WRITE_TIMEOUT: 4 } },
  },
  {
    name: "a stream without an end that is not read",
    run: (stage) => unread(stage, "/endless"),
    bounds: { peakMiB: 64, endMs: 1_500, errors: { HTTP_WRITE_TIMEOUT: 8 } },
  },
  {
    name: "a stream by a handler that does not wait, not read",
    run: (stage) => unread(stage, "/pushy"),
    // Each of the eight handlers holds the process for as long as it writes.
    bounds: { peakMiB: 64, endMs: 1_500, errors: { ERR_BACKPRESSURE: 8 }, p99Ms: 200 },
  },
  {
    name: "large answers of which a little is read now and then",
    async run(stage) {
      await stage.crowd(
        20,
        async (peer) => {
          peer.send(`${GET.replace("ping", "large")}\r\n`.repeat(100));
          for (let i = 0; i < 40 && !peer.socket.destroyed; i++) {
            peer.socket.read(1);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
        { reads: false },
      );
    },
    bounds: { peakMiB: 64, endMs: 1_500 },
  },
  {
    name: "requests that are no HTTP",
    run: (stage) =>
      stage
        .crowd(300, (peer, i) => peer.send(Buffer.from([i, i * 7, 0, 255, 13, 10, 13, 10])).over())
        .then((peers) => answered(peers, 400)),
    bounds: QUICK,
  },
];

/** Requests as fast as they are taken, over 4 connections, answers unread. */
async function pipelined(stage: Stage, request: string): Promise<void> {
  const before = await stage.glance();
  const many = Buffer.from(request.repeat(Math.ceil(65_536 / request.length)));
  await stage.crowd(4, (peer) => peer.flood(many, 64 * MIB), { reads: false });
  const sent = (await stage.glance()).counters.requests - before.counters.requests;
  assert.ok(sent > 8, `${sent} requests were served`);
}

async function unread(stage: Stage, target: string): Promise<void> {
  await stage.crowd(8, (peer) => peer.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`), { reads: false });
}

testAbuses("abuse of HTTP", abuses);
