// Large messages lie in memory that is used again: what a program sends of them must arrive as it was.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { WebSocket as Client } from "ws";
import { connect } from "../../src/client/client.ts";
import type { WebSocket } from "../../src/exchange/exchange.ts";
import { lazyResponseClass } from "../../src/fetch/lazy-response.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { certificate } from "../support/certificates.ts";
import { eventually } from "../support/waiting.ts";

const LazyResponse = lazyResponseClass();
const CLIENTS = 4;
const MESSAGES = 5;

const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Random, and from 70 to 770 kB: longer than one read, and of many sizes. */
function messages(): Buffer[] {
  return Array.from({ length: MESSAGES }, (_, i) =>
    randomBytes(70_000 + (((i * 0x9e3779b1) >>> 0) % 700_000)),
  );
}

async function serving(t: TestContext, options: ServerOptions, secure: boolean): Promise<[Server, string]> {
  const server = new Server({
    ...options,
    limits: { maxBackpressureBytes: 2 ** 30, writeHighWaterBytes: 2 ** 30 },
  });
  const own = certificate("localhost");
  const { port } = await server.listen({ port: 0, host: "127.0.0.1", ...(secure ? { tls: own } : {}) });
  t.after(() => server.close({ graceMs: 0 }));
  return [server, `${secure ? "wss" : "ws"}://127.0.0.1:${port}`];
}

/** A client that is not read from until `take` is called. */
async function slowClient(
  t: TestContext,
  url: string,
): Promise<{ client: Client; take(): void; got: string[] }> {
  const client = new Client(url, { rejectUnauthorized: false });
  const got: string[] = [];
  client.on("message", (data: Buffer) => got.push(digest(data)));
  await once(client, "open");
  t.after(() => client.terminate());
  const socket: Socket = Reflect.get(client, "_socket");
  socket.pause();
  return { client, take: () => socket.resume(), got };
}

const ways: [name: string, options: ServerOptions, secure: boolean][] = [
  ["TCP", {}, false],
  ["TCP by streams", { directIo: false }, false],
  ["TLS", {}, true],
  ["TLS by streams", { directIo: false }, true],
];

for (const [name, options, secure] of ways)
  describe(`large messages over ${name}`, () => {
    it("are echoed unchanged, twice each, to clients that take them late", async (t) => {
      const [server, url] = await serving(t, options, secure);
      const message = (socket: WebSocket, data: Buffer): void => {
        socket.send(data);
        socket.send(data.subarray(1));
      };
      server.websocket<unknown>("/", { message }, { lent: true });
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => slowClient(t, `${url}/`)));
      const expected = clients.map(({ client }) =>
        messages().flatMap((message) => {
          client.send(message);
          return [digest(message), digest(message.subarray(1))];
        }),
      );
      const all = CLIENTS * MESSAGES;
      await eventually(() => server.counters.messagesReceived === all, "all to have come");
      // Others come and go meanwhile, in memory that is free.
      const other = await slowClient(t, `${url}/`);
      other.take();
      for (const message of messages()) other.client.send(message);
      await eventually(() => other.got.length === 2 * MESSAGES, "the others' echoes");
      for (const { take } of clients) take();
      for (const [index, { got }] of clients.entries()) {
        await eventually(() => got.length === 2 * MESSAGES, "the echoes");
        assert.deepEqual(got, expected[index]);
      }
    });

    it("reach another client unchanged, from one that goes at once", async (t) => {
      const [server, url] = await serving(t, options, secure);
      let target: WebSocket | undefined;
      server.websocket("/to", {
        open(socket) {
          target = socket as WebSocket;
        },
      });
      server.websocket("/from", { message: (_socket, data) => void target?.send(data) }, { lent: true });
      const to = await slowClient(t, `${url}/to`);
      const expected: string[] = [];
      for (let round = 0; round < 8; round++) {
        const from = await slowClient(t, `${url}/from`);
        for (const message of messages()) {
          expected.push(digest(message));
          from.client.send(message);
        }
        await eventually(() => server.counters.messagesReceived === expected.length, "all to have come");
        from.client.terminate();
      }
      to.take();
      await eventually(() => to.got.length === expected.length, "all to arrive");
      assert.deepEqual(to.got, expected);
    });
  });

describe("large messages that the program keeps", () => {
  it("are its own when delivery is deferred", async (t) => {
    const [server, url] = await serving(t, { delivery: "deferred" }, false);
    const kept: Buffer[] = [];
    server.websocket("/", { message: (_socket, data) => void kept.push(data) });
    const client = new Client(`${url}/`);
    t.after(() => client.terminate());
    const opened = once(client, "open");
    await server.waitForEvent();
    server.poll();
    await opened;
    const sent = Array.from({ length: 3 }, messages).flat();
    for (const message of sent) client.send(message);
    await eventually(() => {
      server.poll();
      return kept.length === sent.length;
    }, "all to have come");
    assert.deepEqual(kept.map(digest), sent.map(digest));
  });

  it("are its own in a Response that keeps bytes as they are", async (t) => {
    const [server, url] = await serving(t, {}, false);
    const kept: Response[] = [];
    server.websocket("/", { message: (_, data) => void kept.push(new LazyResponse(data)) }, { lent: true });
    const { client } = await slowClient(t, `${url}/`);
    const sent = [...messages(), randomBytes(20), randomBytes(30_000), ...messages()];
    for (const message of sent) client.send(message);
    await eventually(() => kept.length === sent.length, "all to have come");
    const got = await Promise.all(kept.map((response) => response.arrayBuffer()));
    const digests = got.map((bytes) => digest(new Uint8Array(bytes)));
    assert.deepEqual(digests, sent.map(digest));
  });

  it("are its own when it asks for them on a client", async (t) => {
    const [server, url] = await serving(t, {}, false);
    server.websocket("/", { message: (socket, data) => void socket.send(data) });
    const socket = await connect(`${url}/`);
    t.after(() => socket.terminate());
    const sent = Array.from({ length: 3 }, messages).flat();
    const got: Buffer[] = [];
    for (const message of sent) socket.send(message);
    for await (const { data } of socket.messages()) if (got.push(data) === sent.length) break;
    assert.deepEqual(got.map(digest), sent.map(digest));
  });
});
