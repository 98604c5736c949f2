import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import { throwing } from "../support/failing.ts";
import { frame } from "../support/frames.ts";
import { memoryClient, type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, turns, within } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

/** Each run is a server with clients of its own, some thousand times the work of a property on bytes. */
const RUNS = Math.max(120, Number(process.env["PORTICO_FUZZ_RUNS"] ?? 0) / 100);

async function* pieces(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) await turns(1);
    yield "piece ".repeat(200);
  }
}

/** What programs do with an exchange, wisely or not. */
const behaviours: Record<string, (exchange: Exchange) => void | Promise<void>> = {
  end: (exchange) => void exchange.end("ok"),
  large: (exchange) => void exchange.end("x".repeat(100_000)),
  later: async (exchange) => {
    await turns(2);
    exchange.end("later");
  },
  echo: async (exchange) => void exchange.end(await exchange.bytes()),
  late: async (exchange) => {
    await turns(3);
    exchange.end(await exchange.text());
  },
  short: async (exchange) => void exchange.end(await exchange.text(10)),
  leave: async (exchange) => {
    for await (const _ of exchange.body) break;
    exchange.end("left");
  },
  loop: async (exchange) => {
    for await (const chunk of exchange.body) {
      await turns(1);
      if (!exchange.write(chunk)) await exchange.drained();
    }
    exchange.end();
  },
  early: async (exchange) => {
    exchange.end("early");
    await exchange.bytes();
  },
  pause: async (exchange) => {
    exchange.pauseBody();
    await turns(1);
    exchange.end("paused");
  },
  stream: async (exchange) => void (await exchange.stream(pieces(20))),
  throw: throwing(new Error("own")),
  throwLate: async (exchange) => {
    exchange.write("part");
    await turns(1);
    throw new Error("own");
  },
  throwBody: (exchange) => {
    exchange.onBody(throwing(new Error("own")));
  },
  abort: async (exchange) => {
    await turns(1);
    exchange.abort();
    await exchange.drained();
  },
  wrong: (exchange) => void exchange.setHeader("Content-Length", 3).end("four"),
  flood: async (exchange) => {
    for (let i = 0; i < 200; i++) {
      exchange.write("y".repeat(1_000));
      if (i % 50 === 0) await turns(1);
    }
    await exchange.drained();
    exchange.end();
  },
  tryEnd: async (exchange) => {
    const all = Buffer.alloc(150_000, "z");
    const over = new Promise<void>((resolve) => {
      exchange.onAbort(resolve);
      exchange.onWritable((offset) => {
        if (exchange.tryEnd(all.subarray(offset), all.length).done) resolve();
      });
      if (exchange.tryEnd(all, all.length).done || exchange.finished) resolve();
    });
    await over;
  },
};

type Step =
  | { readonly kind: "request"; readonly name: string; readonly size: number; readonly chunked: boolean }
  | { readonly kind: "junk"; readonly bytes: Uint8Array }
  | { readonly kind: "wait" | "pause" | "resume" | "upgrade" | "end" };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("request" as const),
      name: fc.constantFrom(...Object.keys(behaviours)),
      size: fc.constantFrom(0, 0, 5, 3_000, 70_000, 200_000),
      chunked: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("wait", "pause", "resume") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("upgrade", "end") }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("junk" as const), bytes: fc.uint8Array({ maxLength: 50 }) }),
  },
);

function bytesOf(step: Step): string | Uint8Array {
  if (step.kind === "junk") return step.bytes;
  if (step.kind === "upgrade") return handshake("/ws") + frame(1, "hello").toString("latin1");
  if (step.kind !== "request") return "";
  const { name, size, chunked } = step;
  const head = `POST /${name} HTTP/1.1\r\nHost: h\r\n`;
  const content = "b".repeat(size);
  if (!chunked) return `${head}Content-Length: ${size}\r\n\r\n${content}`;
  const chunk = size === 0 ? "" : `${size.toString(16)}\r\n${content}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

async function play(client: RawClient, steps: readonly Step[], cut: number): Promise<void> {
  for (const step of steps) {
    if (step.kind === "wait") await turns(3);
    else if (step.kind === "pause") client.pause();
    else if (step.kind === "resume") client.resume();
    else if (step.kind === "end") client.end();
    else {
      const bytes = Buffer.from(bytesOf(step) as string, "latin1");
      for (let at = 0; at < bytes.length; at += cut) client.send(bytes.subarray(at, at + cut));
    }
  }
}

/** Plays scripts, each with a server of its own, and asserts that nothing is left of them. */
async function soak(t: TestContext, delivery: "immediate" | "deferred", real: boolean): Promise<void> {
  t.mock.method(console, "error", () => {});
  const limits = { maxQueueBytes: 30_000, maxBackpressureBytes: 100_000, writeHighWaterBytes: 10_000 };
  const scripts = fc.array(fc.array(stepArbitrary, { maxLength: 12 }), { minLength: 1, maxLength: 4 });
  const check = async (all: Step[][], cut: number, reads: boolean): Promise<void> => {
    const server = new Server({ onError: () => {}, limits, delivery });
    const running = new Map<number, string>();
    const ids: string[] = [];
    for (const [name, run] of Object.entries(behaviours)) {
      server.post(`/${name}`, async (exchange) => {
        const own = ids.push(exchange.id);
        running.set(own, name);
        try {
          await run(exchange);
        } finally {
          running.delete(own);
        }
      });
    }
    server.websocket("/ws", { message: (socket, data) => void socket.send(data) });
    const poll = delivery === "immediate" ? undefined : setInterval(() => server.poll(), 1);
    try {
      const { port } = real ? await server.listen({ host: "127.0.0.1" }) : { port: 0 };
      const clients = await Promise.all(all.map(() => (real ? tcpClient(port) : memoryClient(server))));
      await Promise.all(clients.map((client, i) => play(client, all[i] ?? [], cut)));
      if (reads) {
        for (const client of clients) client.resume();
        await turns(5);
      }
      for (const client of clients) client.destroy();
      const { counters } = server;
      if (real) await eventually(() => counters.connections === clients.length, "the connections to come");
      await eventually(() => counters.openConnections === 0, "the connections to go", 500);
      await eventually(() => server.waitingEvents === 0, "the events to be polled", 500);
      await eventually(() => running.size === 0, "the handlers to come to an end", 500).catch(() => {
        assert.fail(`never came to an end: ${[...running.values()].join(", ")}`);
      });
      assert.deepEqual([counters.pendingBytes, counters.openWebSockets], [0, 0]);
      for (const id of ids) assert.equal(server.find(id), undefined);
    } finally {
      await within(server.close({ graceMs: 0 }), "the server to close");
      clearInterval(poll);
    }
  };
  const property = fc.asyncProperty(scripts, fc.constantFrom(1_000, 70_000, 1_000_000), fc.boolean(), check);
  await fc.assert(property, { numRuns: Math.ceil(real ? RUNS / 3 : RUNS) });
}

describe("whatever clients send and programs do, in any order, nothing is left when they are gone", () => {
  test("in memory, delivered at once", (t) => soak(t, "immediate", false));
  test("in memory, polled", (t) => soak(t, "deferred", false));
  test("on real sockets, delivered at once", (t) => soak(t, "immediate", true));
  test("on real sockets, polled", (t) => soak(t, "deferred", true));
});
