import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { absent } from "../support/tools.ts";
import { sleep } from "../support/waiting.ts";
import { connectPeer, type Peer } from "./peer.ts";
import { type Abuse, limits, type Stage, testAbuses } from "./stage.ts";

const BOUNDS = { peakMiB: 96, endMs: 1_500 };
const GET = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
/** A record that announces a handshake message of 512 bytes (RFC 8446 §5.1), and its beginning. */
const HALF_HELLO = Buffer.concat([Buffer.from("16030102000100", "hex"), Buffer.alloc(60)]);

/** TCP connections to the TLS port. */
async function raw(
  stage: Stage,
  count: number,
  act: (peer: Peer, index: number) => unknown,
): Promise<Peer[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const peer = await connectPeer(stage.securePort);
      stage.peers.push(peer);
      await act(peer, index);
      return peer;
    }),
  );
}

const abuses: Abuse[] = [
  {
    name: "bytes that are no TLS",
    run: (stage) => raw(stage, 300, (peer, i) => peer.send(randomBytes(i * 10 + 6)).over()).then(() => {}),
    bounds: BOUNDS,
  },
  {
    name: "plain HTTP where TLS is spoken",
    run: (stage) => raw(stage, 300, (peer) => peer.send(GET).over()).then(() => {}),
    bounds: { ...BOUNDS, errors: { ERR_SSL_HTTP_REQUEST: 300 } },
  },
  {
    name: "TLS where plain HTTP is spoken",
    async run(stage) {
      const peers = await stage.crowd(100, (peer) => peer.send(HALF_HELLO).over());
      for (const peer of peers) assert.equal(peer.status, 400);
    },
    bounds: BOUNDS,
  },
  {
    name: "handshakes that stop, and handshakes byte by byte",
    run: (stage) =>
      raw(stage, 200, (peer, i) =>
        i % 2 === 0 ? peer.send(HALF_HELLO).over() : peer.dribble(HALF_HELLO, 50, 2_000),
      ).then(() => {}),
    bounds: { ...BOUNDS, errors: { ERR_TLS_HANDSHAKE_TIMEOUT: 200 } },
  },
  {
    name: "garbage after the handshake",
    async run(stage) {
      const peers = await Promise.all(Array.from({ length: 30 }, () => stage.connectTls()));
      for (const peer of peers) peer.below.write(randomBytes(1_000));
      await Promise.all(peers.map((peer) => peer.over()));
    },
    bounds: BOUNDS,
  },
  {
    name: "resets during the handshake, after it and during a request",
    async run(stage) {
      await raw(stage, 50, (peer) => peer.send(HALF_HELLO).reset());
      await Promise.all(
        Array.from({ length: 60 }, async (_, i) => {
          const peer = await stage.connectTls();
          if (i % 3 > 0) peer.send(i % 3 === 1 ? GET.slice(0, 20) : GET);
          peer.reset();
        }),
      );
    },
    bounds: BOUNDS,
  },
  {
    name: "connections that say nothing after the handshake",
    run: async (stage) => {
      const peers = await Promise.all(Array.from({ length: 100 }, () => stage.connectTls()));
      await Promise.all(peers.map((peer) => peer.over()));
    },
    bounds: BOUNDS,
  },
  {
    name: "answers over TLS that are not read",
    async run(stage) {
      const request = GET.replace("ping", "large").repeat(100);
      for (let i = 0; i < 8; i++) {
        const peer = await stage.connectTls();
        peer.socket.pause();
        peer.send(request);
      }
    },
    bounds: { ...BOUNDS, errors: { HTTP_WRITE_TIMEOUT: 8 } },
  },
];

testAbuses("abuse of TLS", abuses, { limits: { ...limits, maxConnections: 1_000 } });

const openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].find(existsSync);

/** A TLS 1.2 client that asks for a new handshake again and again ("R" on its input). */
async function renegotiate(stage: Stage, times: number): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    openssl as string,
    ["s_client", "-tls1_2", "-connect", `127.0.0.1:${stage.securePort}`],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let output = "";
  const take = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  child.stdin.on("error", () => {});
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  for (let i = 0; i < times && child.exitCode === null; i++) {
    child.stdin.write("R\n");
    await sleep(20);
  }
  child.stdin.end();
  const killer = setTimeout(() => child.kill(), 3_000);
  const code = await exited;
  clearTimeout(killer);
  return { code, output };
}

testAbuses(
  "TLS renegotiation",
  [
    {
      name: "again and again: the connection is ended after a few",
      async run(stage) {
        const clients = await Promise.all(Array.from({ length: 4 }, () => renegotiate(stage, 30)));
        for (const { code, output } of clients) {
          assert.notEqual(code, null, "the connection was not ended");
          assert.match(output, /CONNECTED/);
          const times = output.split("RENEGOTIATING").length - 1;
          assert.ok(times >= 1, output);
        }
      },
      // Who goes on sending may be reset before Node tells why.
      bounds: { ...BOUNDS, errors: { ERR_TLS_SESSION_ATTACK: 1 } },
    },
  ],
  undefined,
  absent(openssl, "openssl"),
);
