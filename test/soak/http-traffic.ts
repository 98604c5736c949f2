import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { bytesOf } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import type { Scenario, Target } from "./scenario.ts";

const PATIENCE_MS = 20_000;
const LARGE = 1 << 20;
const SMALL = 20_000;

/** The clients that keep their connections; closed when the traffic rests. */
export class Pools {
  private readonly target: Target;
  private plain: Pool | undefined;
  private secure: Pool | undefined;

  constructor(target: Target) {
    this.target = target;
  }

  any(random: Random): Pool {
    const options = { connections: 8, bodyTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS };
    if (random.chance(0.8)) {
      this.plain ??= new Pool(`http://127.0.0.1:${this.target.plain}`, options);
      return this.plain;
    }
    this.secure ??= new Pool(`https://127.0.0.1:${this.target.secure}`, {
      ...options,
      connect: { rejectUnauthorized: false },
    });
    return this.secure;
  }

  async close(): Promise<void> {
    const { plain, secure } = this;
    this.plain = this.secure = undefined;
    await Promise.all([plain?.close(), secure?.close()]);
  }
}

function pieces(bytes: Buffer, random: Random): Readable {
  return Readable.from(cut(bytes, random));
}

async function* cut(bytes: Buffer, random: Random): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = random.length(65_536);
    yield bytes.subarray(at, at + size);
    at += size;
    if (random.chance(0.1)) await sleep(1);
  }
}

function same(received: Uint8Array, sent: Uint8Array): void {
  assert.ok(
    Buffer.compare(received, sent) === 0,
    `${received.length} bytes came that are not the ${sent.length} expected`,
  );
}

/** Another client's mistakes, and what they are answered with. */
const malformed: readonly { sent: string; status: number }[] = [
  { sent: "GET / HTTP/1.1\r\n\r\n", status: 400 },
  { sent: "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", status: 400 },
  { sent: "GET / HTTP/2.0\r\nHost: h\r\n\r\n", status: 505 },
  { sent: "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", status: 400 },
  { sent: "GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n", status: 400 },
  { sent: "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n", status: 400 },
  {
    sent: "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    status: 400,
  },
  { sent: "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", status: 400 },
  { sent: "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", status: 400 },
  { sent: "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", status: 413 },
  { sent: `GET /${"y".repeat(9_000)} HTTP/1.1\r\nHost: h\r\n\r\n`, status: 414 },
  { sent: `GET / HTTP/1.1\r\nHost: h\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, status: 431 },
];

/** Sends in pieces that are cut anywhere. */
async function dribble(client: RawClient, bytes: Buffer, random: Random): Promise<void> {
  for (let at = 0; at < bytes.length && !client.closed; ) {
    const size = random.length(bytes.length);
    client.send(bytes.subarray(at, at + size));
    at += size;
    if (random.chance(0.3)) await sleep(1);
  }
}

async function withClient(target: Target, use: (client: RawClient) => Promise<void>): Promise<void> {
  const client = await tcpClient(target.plain);
  try {
    await use(client);
  } finally {
    client.destroy();
  }
}

/** HTTP of all kinds. */
export function httpScenarios(pools: Pools): Scenario[] {
  return [
    {
      name: "get",
      weight: 10,
      async run({ random }) {
        const [seed, length] = [random.whole(1, 1e6), random.length(SMALL)];
        const { statusCode, body } = await pools
          .any(random)
          .request({ method: "GET", path: `/bytes/${seed}/${length}` });
        assert.equal(statusCode, 200);
        same(await body.bytes(), bytesOf(seed, length));
      },
    },
    {
      name: "post",
      weight: 6,
      async run({ random }) {
        const sent = bytesOf(random.whole(1, 1e6), random.length(SMALL));
        const { statusCode, body } = await pools
          .any(random)
          .request({ method: "POST", path: "/echo", body: sent });
        assert.equal(statusCode, 200);
        same(await body.bytes(), sent);
      },
    },
    {
      name: "chunked upload and download",
      weight: 2,
      async run({ random }) {
        const sent = bytesOf(random.whole(1, 1e6), random.length(LARGE));
        const body = pieces(sent, random);
        const answer = await pools.any(random).request({ method: "POST", path: "/stream-echo", body });
        assert.equal(answer.statusCode, 200);
        same(await answer.body.bytes(), sent);
      },
    },
    {
      name: "upload whose digest is taken",
      weight: 2,
      async run({ random }) {
        const sent = bytesOf(random.whole(1, 1e6), random.length(LARGE));
        const { body } = await pools
          .any(random)
          .request({ method: "POST", path: "/digest", body: pieces(sent, random) });
        assert.equal(await body.text(), createHash("sha256").update(sent).digest("hex"));
      },
    },
    {
      name: "download that is read slowly",
      weight: 1,
      async run({ random }) {
        const [seed, length] = [random.whole(1, 1e6), random.length(LARGE)];
        const { body } = await pools
          .any(random)
          .request({ method: "GET", path: `/stream/${seed}/${length}` });
        const received: Buffer[] = [];
        for await (const piece of body) {
          received.push(piece as Buffer);
          if (random.chance(0.2)) await sleep(2);
        }
        same(Buffer.concat(received), bytesOf(seed, length));
      },
    },
    {
      name: "download that is aborted",
      weight: 1,
      async run({ random, target }) {
        await withClient(target, async (client) => {
          client.get(`/stream/1/${LARGE * 4}`);
          await client.until(() => client.received.length > random.length(100_000), "a part", PATIENCE_MS);
        });
      },
    },
    {
      name: "upload that is aborted",
      weight: 1,
      async run({ random, target }) {
        await withClient(target, async (client) => {
          const head = `POST /${random.pick(["echo", "stream-echo", "digest"])} HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n`;
          await dribble(
            client,
            Buffer.concat([Buffer.from(head), bytesOf(1, random.length(49_000))]),
            random,
          );
        });
      },
    },
    {
      name: "pipelined requests, cut anywhere",
      weight: 3,
      async run({ random, target }) {
        await withClient(target, async (client) => {
          const requests = Array.from({ length: random.whole(1, 20) }, () => {
            const [seed, length] = [random.whole(1, 1e6), random.length(3_000)];
            const bytes = bytesOf(seed, length);
            const get = `GET /bytes/${seed}/${length} HTTP/1.1\r\nHost: h\r\n\r\n`;
            const post = `POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
            const request = random.chance(0.5) ? [Buffer.from(get)] : [Buffer.from(post), bytes];
            return { bytes, request: Buffer.concat(request) };
          });
          await dribble(client, Buffer.concat(requests.map(({ request }) => request)), random);
          for (const { bytes } of requests) same((await client.answer("GET", PATIENCE_MS)).body, bytes);
        });
      },
    },
    {
      name: "content after 100 Continue",
      weight: 1,
      async run({ random, target }) {
        await withClient(target, async (client) => {
          const sent = bytesOf(random.whole(1, 1e6), random.length(SMALL));
          client.send(
            `POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${sent.length}\r\n\r\n`,
          );
          assert.equal((await client.answer("POST", PATIENCE_MS)).status, 100);
          client.send(sent);
          same((await client.answer("POST", PATIENCE_MS)).body, sent);
        });
      },
    },
    {
      name: "malformed requests",
      weight: 2,
      async run({ random, target }) {
        const { sent, status } = random.pick(malformed);
        await withClient(target, async (client) => {
          await dribble(client, Buffer.from(sent, "latin1"), random);
          assert.equal(
            (await client.answer("GET", PATIENCE_MS)).status,
            status,
            JSON.stringify(sent.slice(0, 80)),
          );
          await client.until(() => client.ended || client.closed, "the end", PATIENCE_MS);
        });
      },
    },
    {
      name: "paths and methods that there are not",
      weight: 1,
      async run({ random, target }) {
        await withClient(target, async (client) => {
          assert.equal((await client.get("/nowhere").answer("GET", PATIENCE_MS)).status, 404);
          assert.equal((await client.post("/bytes/1/1", "x").answer("POST", PATIENCE_MS)).status, 405);
          client.get("/echo", "Upgrade: websocket\r\nConnection: Upgrade\r\n");
          assert.equal((await client.answer("GET", PATIENCE_MS)).status, 400);
          if (random.chance(0.5)) client.end();
        });
      },
    },
    {
      name: "connections that come and go",
      weight: 2,
      async run({ random, target }) {
        const all = Buffer.from("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789");
        await withClient(target, async (client) => {
          client.send(all.subarray(0, random.whole(0, all.length - 1)));
          if (random.chance(0.5)) await sleep(1);
          if (random.chance(0.5)) client.end();
        });
      },
    },
  ];
}
