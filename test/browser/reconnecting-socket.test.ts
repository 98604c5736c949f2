import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  ReconnectingSocket,
  type ReconnectOptions,
  type SocketLike,
} from "../../src/browser/reconnecting-socket.ts";

/** A WebSocket whose other side is the test. */
class FakeSocket implements SocketLike {
  binaryType = "blob";
  protocol = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: unknown[] = [];
  isClosed = false;
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.isClosed = true;
  }
}

interface World {
  readonly socket: ReconnectingSocket;
  readonly made: FakeSocket[];
  readonly log: string[];
  /** Lets time pass, and what is due happen. */
  pass(ms: number): Promise<void>;
  newest(): FakeSocket;
}

function world(t: TestContext, options: ReconnectOptions = {}, comesBack: () => boolean = () => true): World {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const made: FakeSocket[] = [];
  const log: string[] = [];
  const socket = new ReconnectingSocket(
    () => "ws://example.test/",
    {
      minPauseMs: 100,
      maxPauseMs: 1_000,
      makeSocket() {
        const fake = new FakeSocket();
        made.push(fake);
        return fake;
      },
      ...options,
    },
    {
      onOpen: () => log.push("open"),
      onMessage: (data) => log.push(`message ${String(data)}`),
      onClose: (code) => {
        log.push(`close ${code}`);
        return comesBack();
      },
      onState: (state) => log.push(state),
      ping: () => "ping",
    },
  );
  t.after(() => socket.close());
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    // The URL is waited for.
    for (let i = 0; i < 3; i++) await Promise.resolve();
  };
  return { socket, made, log, pass, newest: () => made.at(-1) as FakeSocket };
}

describe("a WebSocket that comes back", () => {
  it("comes back after pauses that grow, with a random part", async (t) => {
    const { made, pass, newest } = world(t);
    await pass(0);
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const before = made.length;
      newest().onclose?.({ code: 1006, reason: "" });
      let pause = 0;
      for (; made.length === before; pause += 10) await pass(10);
      pauses.push(pause);
    }
    for (const [i, pause] of pauses.entries()) {
      const longest = Math.min(1_000, 100 * 2 ** i);
      assert.ok(pause >= longest / 2 && pause <= longest + 10, `pause ${i}: ${pause} of ${longest}`);
    }
  });

  it("begins with short pauses again after a connection that worked, not after one that ended soon", async (t) => {
    const { socket, made, pass, newest } = world(t);
    await pass(0);
    for (let i = 0; i < 4; i++) {
      newest().onclose?.({ code: 1006, reason: "" });
      await pass(1_000);
    }
    newest().onopen?.();
    socket.settle(0);
    newest().onclose?.({ code: 1006, reason: "" });
    const count = made.length;
    await pass(400);
    assert.equal(made.length, count, "a connection that ended soon");
    await pass(600);
    newest().onopen?.();
    socket.settle(0);
    await pass(3_000);
    newest().onclose?.({ code: 1006, reason: "" });
    await pass(100);
    assert.equal(made.length, count + 2, "a connection that worked");
  });

  it("gives up an attempt that takes too long, also one whose sign-in is not answered", async (t) => {
    const { made, log, pass, newest } = world(t, { connectTimeoutMs: 500 });
    await pass(0);
    await pass(500);
    assert.equal(made[0]?.isClosed, true);
    await pass(100);
    newest().onopen?.();
    await pass(500);
    assert.deepEqual(
      log.filter((text) => text.startsWith("close")),
      ["close 1006", "close 1006"],
    );
  });

  it("notices a server that is silent", async (t) => {
    const { socket, made, log, pass, newest } = world(t, { pongTimeoutMs: 300 });
    await pass(0);
    newest().onopen?.();
    socket.settle(1_000);
    await pass(900);
    newest().onmessage?.({ data: "x" });
    await pass(900);
    assert.deepEqual(newest().sent, []);
    await pass(100);
    assert.deepEqual(newest().sent, ["ping"]);
    newest().onmessage?.({ data: "pong" });
    await pass(1_000);
    assert.deepEqual(newest().sent, ["ping", "ping"]);
    await pass(300);
    assert.equal(made[0]?.isClosed, true);
    assert.equal(log.at(-1), "waiting");
  });

  it("hears nothing more of a connection that it has given up", async (t) => {
    const { socket, log, pass, newest } = world(t);
    await pass(0);
    const first = newest();
    first.onopen?.();
    const { onmessage, onclose } = first;
    socket.restart();
    const before = [...log];
    first.onmessage?.({ data: "late" });
    first.onclose?.({ code: 1000, reason: "" });
    assert.deepEqual(log, before);
    assert.ok(onmessage !== null && onclose !== null);
  });

  it("ends for good when it is told to, or when it shall not come back", async (t) => {
    const { socket, made, log, pass, newest } = world(t, {}, () => false);
    await pass(0);
    newest().onclose?.({ code: 4410, reason: "" });
    await pass(10_000);
    assert.equal(made.length, 1);
    assert.deepEqual(log.slice(-2), ["close 4410", "closed"]);
    assert.equal(socket.send("x"), false);
    socket.close();
    assert.equal(log.at(-1), "closed");
  });

  it("asks again for a URL that could not be had", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    let asked = 0;
    const log: string[] = [];
    const socket = new ReconnectingSocket(
      async () => {
        if (++asked === 1) throw new Error("not now");
        return "ws://example.test/";
      },
      { minPauseMs: 10, makeSocket: () => new FakeSocket() },
      {
        onOpen() {},
        onMessage() {},
        onClose: (code, reason) => log.push(`${code} ${reason}`) > 0,
        onState: () => {},
        ping: () => "",
      },
    );
    t.after(() => socket.close());
    for (let i = 0; i < 5; i++) {
      t.mock.timers.tick(10);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    assert.equal(asked, 2);
    assert.deepEqual(log, ["1006 Error: not now"]);
  });
});
