import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import fc from "fast-check";
import { Server, type WebSocket } from "portico";
import { Clock, GameSocket, type GameSocketOptions, Snapshots, type SocketLike } from "portico/client/game";
import { answerGameClient } from "portico/games";
import { WebSocket as WsSocket } from "ws";
import { uncaught } from "../support/failing.ts";
import { eventually, sleep } from "../support/waiting.ts";

describe("the clock of a game", () => {
  interface Network {
    /** Of the server's clock, in milliseconds and in parts per million. */
    readonly offsetMs: number;
    readonly driftPpm: number;
    /** For each way, in milliseconds. */
    readonly leastMs: number;
    /** Added to single ways at random. */
    readonly jitterMs: number;
  }

  /** Asks every five seconds for some minutes. @returns how wrong the clock was at the end, in milliseconds */
  function errorAfter(
    { offsetMs, driftPpm, leastMs, jitterMs }: Network,
    random: () => number,
    rounds: number,
  ): [number, Clock] {
    let now = 1_000;
    const serverMs = (): number => offsetMs + now * (1 + driftPpm / 1_000_000);
    const clock = new Clock(() => now);
    let last = Number.NEGATIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const sentMs = now;
      now += leastMs + random() * jitterMs;
      const answer = serverMs();
      now += leastMs + random() * jitterMs;
      clock.add(sentMs, answer);
      for (const endMs = sentMs + 5_000; now < endMs; now += 16) {
        const shown = clock.serverMs;
        assert.ok(shown > last, "the time ran backwards");
        last = shown;
      }
    }
    return [Math.abs(clock.serverMs - serverMs()), clock];
  }

  it("is right to within the jitter, whatever the offset, and never runs backwards", () => {
    const network = fc.record({
      offsetMs: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      driftPpm: fc.integer({ min: -100, max: 100 }),
      leastMs: fc.integer({ min: 0, max: 150 }),
      jitterMs: fc.integer({ min: 0, max: 80 }),
    });
    const property = fc.property(network, fc.integer(), (each, seed) => {
      let state = (seed >>> 0) % 2_147_483_646;
      const random = (): number => {
        state = (state * 48_271 + 11) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      const [error] = errorAfter(each, random, 24);
      assert.ok(error <= each.jitterMs / 2 + 5, `${error} ms wrong`);
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("prefers the quickest answer, and finds out how clocks drift", () => {
    let now = 0;
    const clock = new Clock(() => now);
    assert.deepEqual([clock.isSet, clock.offsetMs, clock.roundTripMs], [false, 0, 0]);
    now = 100;
    clock.add(0, 1_020); // 20 ms there, 80 ms back
    assert.equal(clock.offsetMs, 970);
    now = 120;
    clock.add(110, 1_115);
    assert.deepEqual([clock.isSet, clock.offsetMs, clock.roundTripMs], [true, 1_000, 10]);
    now = 220;
    clock.add(130, 1_140);
    assert.deepEqual([clock.offsetMs, clock.roundTripMs], [1_000, 10]);
    const [error, drifting] = errorAfter(
      { offsetMs: 0, driftPpm: 80, leastMs: 20, jitterMs: 2 },
      () => 0.5,
      60,
    );
    assert.ok(Math.abs(drifting.driftPpm - 80) < 1, `${drifting.driftPpm} ppm`);
    assert.ok(error < 0.1, `${error} ms wrong`);
  });

  it("follows small corrections slowly, and large ones at once", () => {
    let now = 0;
    const clock = new Clock(() => now);
    clock.add(0, 1_000);
    assert.equal(clock.serverMs, 1_000);
    clock.reset();
    assert.equal(clock.isSet, false);
    clock.add(0, 1_000);
    assert.equal(clock.serverMs, 1_000);
    // Better answers, by 100 ms: at most 5 % of the time that passes.
    for (let i = 0; i < 8; i++) clock.add(0, 1_100);
    now = 100;
    assert.equal(clock.serverMs, 1_105);
    now = 10_000;
    assert.equal(clock.serverMs, 11_100);
    for (let i = 0; i < 8; i++) clock.add(10_000, 50_000);
    assert.equal(clock.serverMs, 50_000);
  });

  it("passes over answers that cannot be", () => {
    const clock = new Clock(() => 0);
    clock.add(1, 5);
    clock.add(0, Number.NaN);
    clock.add(Number.NaN, 5);
    assert.equal(clock.isSet, false);
  });
});

describe("snapshots", () => {
  it("are found around a moment that lies behind the server's time", () => {
    const snapshots = new Snapshots<string>({ delayMs: 100 });
    assert.equal(snapshots.at(0), undefined);
    for (const timeMs of [1_000, 1_066, 1_033]) snapshots.add(timeMs, `at ${timeMs}`);
    assert.equal(snapshots.latest, "at 1066");
    assert.deepEqual(snapshots.at(1_100), { from: "at 1000", to: "at 1000", share: 1 });
    assert.deepEqual(snapshots.at(1_111), { from: "at 1000", to: "at 1033", share: 11 / 33 });
    assert.deepEqual(snapshots.at(1_150), { from: "at 1033", to: "at 1066", share: 17 / 33 });
    assert.deepEqual(snapshots.at(1_166), { from: "at 1033", to: "at 1066", share: 1 });
    assert.deepEqual(snapshots.at(9_999), { from: "at 1066", to: "at 1066", share: 1 });
    assert.deepEqual(snapshots.at(0), { from: "at 1000", to: "at 1000", share: 1 });
    snapshots.delayMs = 0;
    assert.equal(snapshots.at(1_033)?.share, 1);
    snapshots.clear();
    assert.equal(snapshots.latest, undefined);
  });

  it("are bounded", () => {
    const snapshots = new Snapshots<number>({ maxStates: 3, delayMs: 0 });
    for (let i = 0; i < 10; i++) snapshots.add(i, i);
    assert.deepEqual(snapshots.at(0), { from: 7, to: 7, share: 1 });
    assert.throws(() => new Snapshots({ maxStates: 1 }), RangeError);
    assert.throws(() => new Snapshots({ delayMs: Number.NaN }), RangeError);
  });
});

describe("the socket of a game", () => {
  /** The runtime's own from Node 22 on. */
  const makeSocket: GameSocketOptions =
    "WebSocket" in globalThis ? {} : { makeSocket: (url) => new WsSocket(url) as unknown as SocketLike };

  interface Table {
    readonly server: Server;
    readonly url: string;
    readonly sockets: WebSocket[];
    /** What the program's handler `message` got. */
    readonly got: string[];
    /** Runs the handlers of all that waits, tick by tick, until something has come. */
    polled(condition: () => boolean, what: string): Promise<void>;
  }

  async function serve(t: TestContext, delivery: "deferred" | "immediate" = "deferred"): Promise<Table> {
    const server = new Server({ delivery });
    const sockets: WebSocket[] = [];
    const got: string[] = [];
    server.websocket(
      "/play",
      {
        open: (socket) => {
          sockets.push(socket as WebSocket);
          socket.send(JSON.stringify({ seat: `seat-${sockets.length}` }));
        },
        onEnqueue: answerGameClient,
        message: (socket, data, binary) => {
          if (delivery === "deferred" || answerGameClient(socket, data, binary)) got.push(`${data}`);
        },
      },
      { window: { maxUnacked: 2, acknowledgedBy: "program" } },
    );
    const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
    t.after(() => server.close({ graceMs: 0 }));
    const polled = (condition: () => boolean, what: string): Promise<void> =>
      eventually(() => {
        if (delivery === "deferred") server.poll();
        return condition();
      }, what);
    return { server, url: `ws://127.0.0.1:${port}/play?name=Ann`, sockets, got, polled };
  }

  function play(t: TestContext, url: string, options: GameSocketOptions): GameSocket {
    const socket = new GameSocket(url, { ...makeSocket, minPauseMs: 1, ...options });
    t.after(() => socket.close());
    return socket;
  }

  for (const delivery of ["deferred", "immediate"] as const) {
    it(`knows the server's time although nobody polls, with ${delivery} delivery`, async (t) => {
      const { url, sockets, got, polled, server } = await serve(t, delivery);
      const socket = play(t, url, {});
      await polled(() => sockets.length === 1, "the client");
      // From here on nobody polls.
      await eventually(() => socket.clock.isSet, "the time");
      const error = socket.clock.serverMs - performance.now();
      assert.ok(Math.abs(error) <= socket.clock.roundTripMs, `${error} ms wrong`);
      assert.equal(server.waitingEvents, 0);
      assert.deepEqual(got, []);
      socket.send("move");
      // None of these is a message of the module.
      const own = ["~tomorrow", "~a", "~a1x", "~a/", "~a12345678901", "~b1"];
      for (const text of own) socket.send(text);
      await polled(() => got.length === 1 + own.length, "the program's own messages");
      assert.deepEqual(got, ["move", ...own]);
    });
  }

  it("acknowledges snapshots once they are handled", async (t) => {
    const { url, sockets, polled } = await serve(t);
    const seen: number[] = [];
    play(t, url, {
      onMessage: (data) => void (typeof data !== "string" && seen.push(new Uint8Array(data)[0] ?? -1)),
    });
    await polled(() => sockets.length === 1, "the client");
    const [server] = sockets;
    for (let tick = 1; tick <= 6; tick++) server?.sendLatest("world", Buffer.from([tick]));
    await polled(() => seen.length === 3, "the snapshots");
    assert.deepEqual(seen, [1, 2, 6]);
    await eventually(() => server?.sendLatest("world", Buffer.from([7])) === "sent", "the acknowledgement");
  });

  it("acknowledges nothing when that is not wanted", async (t) => {
    const { url, sockets, polled } = await serve(t);
    let handled = 0;
    const silent = play(t, url, { acknowledges: false, onMessage: () => void handled++ });
    await polled(() => sockets.length === 1 && handled === 1, "the client");
    sockets[0]?.sendLatest("a", Buffer.from([1]));
    await eventually(() => handled === 2, "the snapshot");
    await eventually(() => silent.clock.isSet, "an answer behind it");
    assert.ok((sockets[0]?.lagMs ?? 0) > 0);
  });

  it("comes back to its seat", async (t) => {
    const { url, sockets, polled } = await serve(t);
    const states: string[] = [];
    const socket = play(t, url, {
      onState: (state) => void states.push(state),
      onMessage: (data) => {
        if (typeof data === "string") socket.seat = JSON.parse(data).seat;
      },
    });
    for (let round = 1; round <= 3; round++) {
      await polled(() => sockets.length === round && socket.seat === `seat-${round}`, `connection ${round}`);
      const query = sockets[round - 1]?.request?.searchParams;
      assert.equal(query?.get("name"), "Ann");
      assert.equal(query?.get("seat"), round === 1 ? null : `seat-${round - 1}`);
      sockets[round - 1]?.terminate();
    }
    assert.deepEqual(states.slice(0, 4), ["connecting", "open", "waiting", "connecting"]);
  });

  it("does not come back when another tab has its seat, or when it is closed", async (t) => {
    const { url, sockets, polled } = await serve(t);
    for (const end of [
      (_client: GameSocket) => sockets.at(-1)?.close(4001, "replaced"),
      (client: GameSocket) => client.close(),
    ]) {
      const count = sockets.length;
      const socket = play(t, url, { seat: "mine" });
      await polled(() => sockets.length === count + 1, "the client");
      end(socket);
      await eventually(() => socket.state === "closed", "the end");
      assert.equal(socket.send("late"), false);
    }
    assert.equal(sockets.length, 2);
  });

  it("goes on although functions of the program throw", async (t) => {
    const errors = uncaught(t);
    const boom = (): never => {
      throw new Error("mine");
    };
    const { url, sockets, polled } = await serve(t);
    const socket = play(t, url, { onState: boom, onMessage: boom, onClose: boom });
    for (let round = 1; round <= 2; round++) {
      await polled(() => sockets.length === round && socket.clock.isSet, `connection ${round}`);
      sockets[round - 1]?.terminate();
    }
    // Nothing throws after the mock has been removed.
    socket.close();
    assert.ok(errors.length >= 5 && errors.every((error) => String(error) === "Error: mine"), `${errors}`);
  });

  it("asks for the time no more when the program wants that, and refuses times that cannot be", async (t) => {
    const { server, url } = await serve(t, "immediate");
    const socket = play(t, url, { clockEveryMs: Number.POSITIVE_INFINITY });
    await eventually(() => server.counters.messagesReceived === 5, "the first questions");
    await sleep(30);
    assert.equal(server.counters.messagesReceived, 5);
    assert.ok(socket.clock.isSet);
    assert.throws(() => play(t, url, { clockEveryMs: Number.NaN }), RangeError);
    assert.throws(() => play(t, "not a URL", {}), TypeError);
  });
});

it("portico/client/game has less than 4 kB", () => {
  const file = new URL("../../dist/browser/game/index.js", import.meta.url);
  const { code } = transformSync(readFileSync(file, "utf8"), { minify: true, format: "esm" });
  const bytes = gzipSync(code).length;
  assert.ok(bytes < 4_000, `${bytes} bytes`);
  assert.doesNotMatch(code, /\bfrom ?"|\bimport\b|\brequire\b|\bprocess\b|\bBuffer\b/);
});
