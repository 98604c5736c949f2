// What handlers get is the program's own: it stays as it is while they wait, whatever others send meanwhile.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { WebSocket as Client } from "ws";
import { connect } from "../../src/client/client.ts";
import type { UpgradeOptions } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import { eventually } from "../support/waiting.ts";

const CLIENTS = 6;
/** Empty, small, more than is copied inline, more than one read, more than what lies in reused memory. */
const SIZES = [0, 1, 125, 126, 3_000, 16_384, 70_000, 700_000];

async function serving(t: TestContext): Promise<[Server, string]> {
  const server = new Server();
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close({ graceMs: 0 }));
  return [server, `127.0.0.1:${port}`];
}

async function client(t: TestContext, url: string, options = {}): Promise<Client> {
  const one = new Client(url, options);
  t.after(() => one.terminate());
  await once(one, "open");
  return one;
}

const sorted = (all: readonly Buffer[]): string[] => all.map((bytes) => bytes.toString("base64")).sort();

for (const [name, options, fragments] of [
  ["one frame each", {}, 1],
  ["several frames each", {}, 3],
  ["compressed", { compression: true }, 1],
] as const satisfies readonly (readonly [string, UpgradeOptions, number])[])
  describe(`data of messages, ${name}`, () => {
    it("does not change while the handler waits", async (t) => {
      const [server, host] = await serving(t);
      const got: Buffer[] = [];
      let release = (): void => {};
      const allCame = new Promise<void>((resolve) => {
        release = resolve;
      });
      const message = async (_: unknown, data: Buffer): Promise<void> => {
        await allCame;
        got.push(data);
      };
      server.websocket("/", { message }, options);
      const perMessageDeflate = "compression" in options;
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () => client(t, `ws://${host}/`, { perMessageDeflate })),
      );
      const sent: Buffer[] = [];
      for (const size of SIZES) {
        for (const one of clients) {
          const data = randomBytes(size);
          sent.push(data);
          const step = Math.ceil(size / fragments) || 1;
          for (let at = 0; at === 0 || at < size; at += step) {
            one.send(data.subarray(at, at + step), { fin: at + step >= size, binary: true });
          }
        }
      }
      await eventually(() => server.counters.messagesReceived === sent.length, "all to have come");
      release();
      await eventually(() => got.length === sent.length, "all to be taken");
      assert.deepEqual(sorted(got), sorted(sent));
    });
  });

describe("what else handlers get", () => {
  it("pings and pongs are the program's own", async (t) => {
    const [server, host] = await serving(t);
    const got: Buffer[] = [];
    const keep = (_: unknown, data: Buffer): unknown => got.push(data);
    server.websocket("/", { ping: keep, pong: keep });
    const one = await client(t, `ws://${host}/`);
    const sent = Array.from({ length: 20 }, () => randomBytes(60));
    for (const [index, data] of sent.entries()) (index % 2 === 0 ? one.ping : one.pong).call(one, data);
    await eventually(() => got.length === sent.length, "all to have come");
    assert.deepEqual(got, sent);
  });

  it("a small message that a program tries to transfer does not take others with it", async (t) => {
    const [server, host] = await serving(t);
    const got: string[] = [];
    server.websocket("/", {
      message(_, data) {
        got.push(data.toString());
        try {
          structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
        } catch {
          // Node 20 copies it without an error.
        }
      },
    });
    const one = await client(t, `ws://${host}/`);
    for (let i = 0; i < 10; i++) one.send(`message ${i}`);
    await eventually(() => got.length === 10, "all to have come");
    assert.deepEqual(
      got,
      Array.from({ length: 10 }, (_, i) => `message ${i}`),
    );
  });

  it("messages of a client are the program's own", async (t) => {
    const [server, host] = await serving(t);
    const sent = SIZES.map((size) => randomBytes(size));
    server.websocket("/", {
      open(socket) {
        for (const data of sent) socket.send(data);
      },
    });
    const got: Buffer[] = [];
    const socket = await connect(`ws://${host}/`, { message: (_, data) => void got.push(data) });
    t.after(() => socket.terminate());
    await eventually(() => got.length === sent.length, "all to have come");
    assert.deepEqual(got, sent);
  });

  it("chunks of onBody are the program's own", async (t) => {
    const [server, host] = await serving(t);
    server.post("/", (exchange) => {
      const chunks: Buffer[] = [];
      exchange.onBody((chunk, last) => {
        chunks.push(chunk);
        if (last) setImmediate(() => exchange.end(Buffer.concat(chunks)));
      });
    });
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const body = randomBytes(100_000 + index * 50_000);
        const response = await fetch(`http://${host}/`, { method: "POST", body });
        assert.ok(Buffer.from(await response.arrayBuffer()).equals(body));
      }),
    );
  });
});
