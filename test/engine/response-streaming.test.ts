import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { PorticoError } from "../../src/exchange/errors.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { TURN_STEPS } from "../../src/limits/turns.ts";
import {
  asked,
  codeOf,
  errorsOf,
  type Harness,
  harness,
  pendingRequest,
  routed,
} from "../support/harness.ts";
import { eventually, signal, turns, within } from "../support/waiting.ts";

const SMALL = { limits: { writeHighWaterBytes: 1_000 } };

/** Serves a source at `/`. @returns what stream() answers, too */
function streaming(
  made: Harness,
  source: () => AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Harness & { answered(): Promise<boolean> } {
  const outcome = signal<boolean>();
  made.server.get("/", async (exchange) => outcome.give(await exchange.stream(source())));
  return { ...made, answered: () => outcome.wait("stream() to answer") };
}

describe("write and drained", () => {
  test("write answers false at the high-water mark and drained resolves when all was taken", async (t) => {
    const { client, exchange } = await pendingRequest(t, { limits: { writeHighWaterBytes: 10_000 } });
    assert.equal(exchange.write("x".repeat(1_000)), true);
    assert.equal(await exchange.drained(), true, "there is room");
    await client.until(() => client.rest.length > 1_000, "the first piece");
    client.pause();
    let pieces = 0;
    while (exchange.write("x".repeat(1_000))) {
      pieces++;
      await turns(1);
      assert.ok(pieces < 20, "never told to wait");
    }
    assert.ok(exchange.bufferedBytes >= 10_000);
    let drained: boolean | undefined;
    const waiting = exchange.drained().then((answer) => {
      drained = answer;
    });
    await turns();
    assert.equal(drained, undefined);
    client.resume();
    await waiting;
    assert.equal(drained, true);
    assert.equal(exchange.bufferedBytes, 0);
    assert.equal(exchange.end(), true);
    await client.answer();
  });

  test("onWritable tells each time the offset of the next byte", async (t) => {
    const offsets: number[] = [];
    const { client, exchange } = await pendingRequest(t, SMALL, (exchange) =>
      exchange.onWritable((offset) => void offsets.push(offset)),
    );
    for (const total of [3_000, 6_000]) {
      client.pause();
      assert.equal(exchange.write("x".repeat(3_000)), false);
      await turns();
      client.resume();
      await eventually(() => offsets.at(-1) === total, "onWritable");
    }
    assert.deepEqual(offsets, [3_000, 6_000]);
    exchange.end();
  });

  for (const highWater of [4_096, 16_384, 65_536]) {
    test(`on a real socket a write that fills ${highWater} bytes is followed by drained`, async (t) => {
      const limits = { writeHighWaterBytes: highWater };
      const done = signal();
      const { connectTcp } = routed(harness(t, { limits }), "get", async (exchange) => {
        for (let i = 0; i < 64; i++) {
          if (!exchange.write("x".repeat(1_024))) assert.equal(await exchange.drained(), true);
        }
        exchange.end();
        done.give();
      });
      const client = (await connectTcp()).get("/");
      await done.wait("the writer to be told to go on");
      assert.equal((await client.answer()).body.length, 65_536);
    });
  }

  test("drained is false when the peer goes", async (t) => {
    const { client, exchange } = await pendingRequest(t, SMALL);
    client.pause();
    exchange.write("x".repeat(3_000));
    const drained = exchange.drained();
    client.destroy();
    assert.equal(await within(drained, "drained() after the peer went"), false);
  });

  for (const where of ["in memory", "on a real socket"]) {
    test(`drained is false when the peer goes while its content waits unread, ${where}`, async (t) => {
      const outcome = signal<boolean>();
      const begun = signal();
      const { connect, connectTcp } = routed(harness(t, SMALL), "post", async (exchange) => {
        while (exchange.write("x".repeat(100_000)) || exchange.offset < 20_000_000) {
          await turns(1);
          if (exchange.bufferedBytes > 1_000) break;
        }
        begun.give();
        outcome.give(await exchange.drained());
      });
      const client = where === "in memory" ? connect() : await connectTcp();
      client.pause();
      client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n${"x".repeat(300_000)}`);
      await begun.wait("the response to begin");
      await turns();
      client.destroy();
      assert.equal(await outcome.wait("drained() to answer"), false);
    });
  }

  test("drained is false when the response is completed meanwhile", async (t) => {
    const { client, exchange } = await pendingRequest(t, SMALL);
    client.pause();
    exchange.write("x".repeat(3_000));
    const drained = exchange.drained();
    exchange.end();
    client.resume();
    assert.equal(await within(drained, "drained() after end()"), false);
  });

  test("a program that writes on without waiting is cut off at maxBackpressureBytes, and told", async (t) => {
    const limits = { writeHighWaterBytes: 1_000, maxBackpressureBytes: 100_000 };
    const outcome = signal<number>();
    const { connect, reports } = routed(harness(t, { limits }), "get", async (exchange) => {
      let written = 0;
      const waiting = exchange.drained();
      while (!exchange.finished && written < 10_000_000) {
        exchange.write("x".repeat(1_000));
        written += 1_000;
        await Promise.resolve();
      }
      await waiting;
      outcome.give(written);
    });
    const client = connect().pause().get("/");
    const written = await outcome.wait("the writer to stop");
    assert.ok(written <= 110_000, `${written} bytes were buffered`);
    await eventually(() => reports.length > 0, "a report");
    assert.equal(codeOf(reports[0]?.error), "ERR_BACKPRESSURE");
    client.resume();
    await client.until(() => client.closed, "the connection to be destroyed");
  });

  test("the server's total holds as well", async (t) => {
    const limits = { writeHighWaterBytes: 1_000, maxTotalBackpressureBytes: 50_000 };
    const written: number[] = [];
    const { connect } = routed(harness(t, { limits }), "get", async (exchange) => {
      let own = 0;
      while (!exchange.finished && own < 1_000_000) {
        exchange.write("x".repeat(1_000));
        own += 1_000;
        await turns(1);
      }
      written.push(own);
    });
    for (let i = 0; i < 3; i++) connect().pause().get("/");
    await eventually(() => written.length > 0, "one to be cut off");
    assert.ok(Math.max(...written) <= 60_000, `${written} bytes`);
  });
});

describe("tryEnd", () => {
  const content = Buffer.alloc(1_000_000);
  for (let i = 0; i < content.length; i++) content[i] = i & 255;

  test("takes what fits, buffers no more, and ends when everything was sent", async (t) => {
    let most = 0;
    const done = signal<number>();
    const { client } = asked(harness(t, { limits: { writeHighWaterBytes: 20_000 } }), (exchange) => {
      let calls = 0;
      const go = (offset: number): void => {
        assert.equal(offset, exchange.offset);
        calls++;
        const { accepted, done: complete } = exchange.tryEnd(content.subarray(offset), content.length);
        most = Math.max(most, exchange.bufferedBytes);
        assert.equal(accepted, complete);
        if (complete) done.give(calls);
      };
      exchange.onWritable(go);
      go(0);
    });
    const answer = await client.answer();
    assert.ok((await done.wait("the last piece")) >= 50);
    assert.equal(answer.header("content-length"), "1000000");
    assert.ok(content.equals(answer.body));
    assert.ok(most <= 20_000, `${most} bytes were buffered`);
    client.get("/");
    assert.ok(content.equals((await client.answer()).body), "the connection goes on");
  });

  test("waits for a reader that does not read", async (t) => {
    const seen = signal<Exchange>();
    const { connect } = routed(harness(t, { limits: { writeHighWaterBytes: 20_000 } }), "get", (exchange) => {
      exchange.onWritable((offset) => void exchange.tryEnd(content.subarray(offset), content.length));
      assert.deepEqual(exchange.tryEnd(content, content.length), { accepted: false, done: false });
      seen.give(exchange);
    });
    const client = connect().pause().get("/");
    const exchange = await seen.wait("the request");
    await turns(20);
    assert.ok(exchange.bufferedBytes <= 20_000);
    assert.deepEqual(exchange.tryEnd(content.subarray(exchange.offset)), { accepted: false, done: false });
    client.resume();
    assert.ok(content.equals((await client.answer()).body));
  });

  test("takes the content in parts", async (t) => {
    const { server, connect } = routed(harness(t), "get", (exchange) => {
      assert.deepEqual(exchange.tryEnd("ab", 6), { accepted: true, done: false });
      assert.deepEqual(exchange.tryEnd("cd"), { accepted: true, done: false });
      assert.equal(exchange.offset, 4);
      assert.deepEqual(exchange.tryEnd("ef"), { accepted: true, done: true });
      assert.deepEqual(exchange.tryEnd("gh"), { accepted: false, done: false });
    });
    server.get("/empty", (exchange) => {
      assert.deepEqual(exchange.tryEnd("", 0), { accepted: true, done: true });
    });
    const client = connect().get("/").get("/empty");
    assert.equal((await client.answer()).text, "abcdef");
    assert.equal((await client.answer()).header("content-length"), "0");
  });

  for (const highWater of [16_384, 65_536]) {
    test(`gets through on a real socket with a mark of ${highWater} bytes`, async (t) => {
      const { server, connectTcp } = harness(t, { limits: { writeHighWaterBytes: highWater } });
      server.get("/", (exchange) => {
        exchange.onWritable((offset) => void exchange.tryEnd(content.subarray(offset), content.length));
        exchange.tryEnd(content, content.length);
      });
      const client = (await connectTcp()).get("/");
      assert.ok(content.equals((await client.answer()).body));
    });
  }
});

describe("stream", () => {
  const piece = "0123456789".repeat(100);
  const count = 500;
  const whole = piece.repeat(count);

  async function* generated(): AsyncGenerator<string> {
    for (let i = 0; i < count; i++) yield piece;
  }
  function webStream(): ReadableStream<Uint8Array> {
    let i = 0;
    return new ReadableStream({
      pull(controller) {
        if (i++ < count) controller.enqueue(Buffer.from(piece));
        else controller.close();
      },
    });
  }
  const sources: [string, () => AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>][] = [
    ["an async generator", generated],
    ["a web ReadableStream", () => webStream() as AsyncIterable<Uint8Array>],
    ["a Node Readable", () => Readable.from(generated())],
    ["an array", () => Array.from({ length: count }, () => piece)],
  ];

  for (const [name, source] of sources) {
    test(`${name} is sent whole and completes the response`, async (t) => {
      const { connect, answered } = streaming(harness(t), source);
      assert.equal((await connect().get("/").answer()).text, whole);
      assert.equal(await answered(), true);
    });
  }

  for (const highWater of [4_096, 65_536]) {
    test(`gets through on a real socket with a mark of ${highWater} bytes`, async (t) => {
      const { connectTcp } = streaming(harness(t, { limits: { writeHighWaterBytes: highWater } }), generated);
      const client = (await connectTcp()).get("/");
      assert.equal((await client.answer()).text, whole);
    });
  }

  test("a source is read at the speed of the peer", async (t) => {
    let pulled = 0;
    async function* counted(): AsyncGenerator<string> {
      for (let i = 0; i < 1_000; i++) {
        pulled++;
        yield piece;
      }
    }
    const { connect } = streaming(harness(t, { limits: { writeHighWaterBytes: 10_000 } }), counted);
    const client = connect().pause().get("/");
    await turns(100);
    assert.ok(pulled > 0 && pulled <= 15, `${pulled} pieces were pulled`);
    client.resume();
    assert.equal((await client.answer()).body.length, 1_000_000);
    assert.equal(pulled, 1_000);
  });

  test("a response that is ended otherwise cancels a source that has nothing to say", async (t) => {
    const source = new ReadableStream<string>({ cancel: () => cancelled.give() });
    const cancelled = signal();
    const outcome = signal<boolean>();
    const { connect } = routed(harness(t), "get", (exchange) => {
      void exchange.stream(source).then(outcome.give);
      exchange.end("enough");
    });
    assert.equal((await connect().get("/").answer()).text, "enough");
    await cancelled.wait("the source to be cancelled");
    assert.equal(await outcome.wait("stream() to answer"), false);
  });

  describe("when the peer goes the source is cancelled and stream answers false", () => {
    test("an async generator that is waited for", async (t) => {
      const cancelled = signal();
      async function* endless(): AsyncGenerator<string> {
        try {
          for (;;) yield piece;
        } finally {
          cancelled.give();
        }
      }
      const { connect, answered } = streaming(harness(t, SMALL), endless);
      const client = connect().pause().get("/");
      await turns(20);
      client.destroy();
      await cancelled.wait("the generator to be ended");
      assert.equal(await answered(), false);
    });

    test("an async generator that has nothing to say: stream answers all the same", async (t) => {
      const begun = signal();
      async function* silent(): AsyncGenerator<string> {
        yield "one";
        begun.give();
        await new Promise(() => {});
      }
      const { connect, answered } = streaming(harness(t), silent);
      const client = connect().get("/");
      await begun.wait("the first piece");
      client.destroy();
      assert.equal(await answered(), false);
    });

    test("a web ReadableStream that has nothing to say", async (t) => {
      const begun = signal();
      const cancelled = signal();
      const source = new ReadableStream<string>({
        start: (controller) => controller.enqueue("one"),
        pull: () => begun.give(),
        cancel: () => cancelled.give(),
      });
      const { connect, answered } = streaming(harness(t), () => source as AsyncIterable<string>);
      const client = connect().get("/");
      await begun.wait("the first piece");
      await turns();
      client.destroy();
      await cancelled.wait("the source to be cancelled");
      assert.equal(await answered(), false);
    });

    test("a Node Readable that has nothing to say", async (t) => {
      const source = new Readable({ read() {} });
      source.push("one");
      const { connect, answered } = streaming(harness(t), () => source);
      const client = await connect().get("/").untilText("one");
      client.destroy();
      await eventually(() => source.destroyed, "the source to be destroyed");
      assert.equal(await answered(), false);
    });

    test("a source that is given after the peer went", async (t) => {
      const gone = signal<Exchange>();
      const { client } = asked(harness(t), (exchange) => exchange.onAbort(() => gone.give(exchange)));
      await turns();
      client.destroy();
      const exchange = await gone.wait("the abort");
      const cancelled = signal();
      const source = new ReadableStream<string>({
        pull: (controller) => controller.enqueue("one"),
        cancel: () => cancelled.give(),
      });
      const answered = exchange.stream(source as AsyncIterable<string>);
      assert.equal(await within(answered, "stream() to answer"), false);
      await cancelled.wait("the source to be cancelled");
    });
  });

  test("a source that fails in the middle destroys the connection and its error is thrown", async (t) => {
    const outcome = signal<unknown>();
    const failure = new Error("source failed");
    async function* failing(): AsyncGenerator<string> {
      for (let i = 0; i < 3; i++) yield piece;
      throw failure;
    }
    const { reports, client } = asked(harness(t), async (exchange) => {
      await exchange.stream(failing()).catch((error: unknown) => {
        outcome.give(error);
        throw error;
      });
    });
    assert.equal(await outcome.wait("stream() to fail"), failure);
    await client.until(() => client.closed, "the connection to be destroyed");
    assert.doesNotMatch(client.rest, /0\r\n\r\n$/);
    assert.deepEqual(errorsOf(reports), [failure]);
  });

  const missing = "/there/is/no/such/file";
  for (const [name, source, status, text] of [
    ["a file that is not there", () => createReadStream(missing), 500, "Internal Server Error\n"],
    ["an error of Portico's own", () => Readable.from(refused()), 413, "the body is larger than the limit\n"],
  ] as const) {
    test(`a source that fails at once is answered: ${name}, also when nobody waits for stream`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.get("/", (exchange) => exchange.setHeader("X-Own", "1").stream(source()));
      server.get("/alone", (exchange) => void exchange.stream(source()).catch(() => {}));
      const client = connect();
      for (const path of ["/", "/alone"]) {
        const answer = await client.get(path).answer();
        assert.deepEqual([answer.status, answer.text, answer.header("x-own")], [status, text, undefined]);
      }
      assert.equal(reports.length, status === 500 ? 1 : 0);
    });
  }

  async function* refused(): AsyncGenerator<string> {
    yield* [];
    throw new PorticoError("ERR_BODY_TOO_LARGE");
  }

  test("a file that is not there harms nobody when its content is not asked for", async (t) => {
    const source = createReadStream(missing);
    const { connect, reports } = routed(harness(t), "get", (exchange) => exchange.stream(source));
    assert.equal((await connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD")).status, 200);
    await eventually(() => source.closed, "the file to be closed");
    await turns();
    assert.deepEqual(reports, []);
  });

  test("a source that always has a chunk, and a peer that always takes it, leave time to others", async (t) => {
    const chunks = 20 * TURN_STEPS;
    let others = 0;
    let over = false;
    const goOn = (): void => {
      others++;
      if (!over) setImmediate(goOn);
    };
    const { connect } = routed(harness(t), "get", async (exchange) => {
      setImmediate(goOn);
      await exchange.stream(Array.from({ length: chunks }, () => "x"));
      over = true;
    });
    assert.equal((await connect().get("/").answer()).body.length, chunks);
    assert.ok(others >= 19, `${others} turns of the event loop`);
  });

  test("text is sent as it is, not letter by letter", async (t) => {
    const { client } = asked(harness(t), (exchange) => exchange.stream("text"));
    await client.until(() => client.rest.endsWith("0\r\n\r\n"), "the content");
    assert.match(client.rest, /\r\n4\r\ntext\r\n0\r\n\r\n$/);
  });

  for (const [name, source] of [
    ["an array", () => ["one", undefined, "two"]],
    [
      "a web ReadableStream",
      () =>
        new ReadableStream({
          start(controller) {
            for (const chunk of ["one", undefined, "two"]) controller.enqueue(chunk);
            controller.close();
          },
        }),
    ],
  ] as const) {
    test(`a chunk that is undefined does not look like the end: ${name}`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.get("/", (exchange) => exchange.stream(source() as Iterable<string>));
      const client = connect().get("/");
      await client.until(() => client.closed, "the connection to be destroyed");
      assert.doesNotMatch(client.rest, /0\r\n\r\n$/);
      assert.match(String(reports[0]?.error), /neither text nor bytes/);
    });
  }

  test("HEAD needs no source", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", async (exchange) => void (await exchange.stream(generated())));
    const client = connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").get("/");
    assert.equal((await client.answer("HEAD")).status, 200);
    assert.equal((await client.answer()).text, whole);
  });

  test("a declared length holds for a stream as well", async (t) => {
    const { connect } = routed(harness(t), "get", async (exchange) => {
      exchange.setHeader("Content-Length", whole.length);
      await exchange.stream(generated());
    });
    const answer = await connect().get("/").answer();
    assert.deepEqual([answer.header("transfer-encoding"), answer.text], [undefined, whole]);
  });
});

test("a second source while one is being sent is refused, and the first one is sent to its end", async (t) => {
  const { server, connect } = harness(t);
  const go = signal();
  const cancelled = signal();
  async function* slowly(): AsyncGenerator<string> {
    yield "first ";
    await go.promise;
    yield "source";
  }
  async function* second(): AsyncGenerator<string> {
    try {
      yield "mixed in";
    } finally {
      cancelled.give();
    }
  }
  const refused = signal<unknown>();
  server.get("/", (exchange) => {
    void exchange.stream(slowly());
    exchange.stream(second()).catch((error: unknown) => {
      refused.give(error);
      go.give();
    });
  });
  const client = connect().get("/");
  assert.equal(codeOf(await refused.wait("the refusal")), "ERR_STREAMING");
  assert.equal((await client.answer()).text, "first source");
});

describe("stream of what is no source of chunks but one", () => {
  for (const [name, source] of [
    ["text", "héllo"],
    ["a Buffer", Buffer.from("héllo")],
    ["a Uint8Array", new TextEncoder().encode("héllo")],
  ] as const) {
    test(name, async (t) => {
      const { connect, reports } = routed(harness(t), "get", (exchange) => exchange.stream(source));
      assert.equal((await connect().get("/").answer()).text, "héllo");
      assert.deepEqual(reports, []);
    });
  }
});
