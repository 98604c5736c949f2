import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Loop, startLoop } from "portico/loop";
import { type TestClient, type TestWebSocket, testClient } from "portico/testing";
import { Game, MAX_WAITING_INPUTS, nameFrom, SLOW_BYTES } from "../../examples/game/game.ts";
import { decodeSnapshot, encodeInput, type Snapshot } from "../../examples/game/public/protocol.js";
import { rules } from "../../examples/game/public/rules.js";

interface News {
  type: string;
  you: number;
  id: number;
  name: string;
  names: [number, string][];
}

/** One player of a game in memory. */
class Seat {
  readonly socket: TestWebSocket;
  readonly news: News[] = [];
  snapshots: Snapshot[] = [];
  sent = 0;

  constructor(socket: TestWebSocket) {
    this.socket = socket;
  }

  get you(): number {
    return this.news.find(({ type }) => type === "welcome")!.you;
  }

  /** The player's own state in the last snapshot. */
  get own(): Snapshot["players"][number] {
    return this.snapshots.at(-1)!.players.find(({ id }) => id === this.you)!;
  }

  send(count: number): void {
    for (let i = 0; i < count; i++) this.socket.send(encodeInput({ seq: ++this.sent, dx: 127, dy: 0 }));
  }

  /** Takes what has come. */
  async read(): Promise<void> {
    while (this.socket.waitingMessages > 0) {
      const message = await this.socket.next();
      if (typeof message === "string") this.news.push(JSON.parse(message));
      else this.snapshots.push(decodeSnapshot(message));
    }
  }
}

/** A game whose ticks come when the test says so. */
class Table implements AsyncDisposable {
  readonly game = new Game();
  readonly client: TestClient = testClient(this.game.server);
  readonly loop: Loop = startLoop({
    server: this.game.server,
    hz: rules.ticksPerSecond,
    step: () => this.game.step(),
    isPaused: true,
  });
  readonly seats: Seat[] = [];

  async join(name = ""): Promise<Seat> {
    const opening = this.client.webSocket(`/play?${new URLSearchParams({ name })}`);
    await this.client.delivered();
    this.loop.stepOnce();
    const seat = new Seat(await opening);
    this.seats.push(seat);
    await this.read();
    return seat;
  }

  async ticks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.client.delivered();
      this.loop.stepOnce();
      await this.read();
    }
  }

  async read(): Promise<void> {
    await this.client.delivered();
    for (const seat of this.seats) await seat.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.game.stop();
  }
}

describe("players", () => {
  it("see each other come, move and go", async () => {
    await using table = new Table();
    const ann = await table.join("Ann");
    const bob = await table.join("Bob");
    await table.ticks(1);
    assert.deepEqual(
      ann.news.map(({ type, name }) => [type, name]),
      [
        ["welcome", undefined],
        ["join", "Bob"],
      ],
    );
    assert.deepEqual(bob.news[0]?.names, [
      [ann.you, "Ann"],
      [bob.you, "Bob"],
    ]);
    const before = bob.snapshots.at(-1)!.players.find(({ id }) => id === ann.you)!;
    ann.send(1);
    await table.ticks(2);
    const after = bob.snapshots.at(-1)!.players.find(({ id }) => id === ann.you)!;
    assert.equal(after.ack, 1);
    assert.ok(after.x > before.x || before.x > 50_000, "the player has not moved");
    assert.deepEqual(ann.snapshots.at(-1), bob.snapshots.at(-1));
    await ann.socket.close();
    await table.ticks(1);
    assert.deepEqual(bob.news.at(-1), { type: "leave", id: ann.you });
    assert.equal(bob.snapshots.at(-1)!.players.length, 1);
  });

  it("get one snapshot in each tick, and the queue is polled once for it", async () => {
    await using table = new Table();
    const seat = await table.join();
    let polls = 0;
    const poll = table.game.server.poll.bind(table.game.server);
    table.game.server.poll = (...args) => {
      polls++;
      return poll(...args);
    };
    const first = table.game.world.tick;
    seat.snapshots = [];
    for (let i = 0; i < 30; i++) {
      seat.send(1);
      await table.ticks(1);
    }
    assert.equal(polls, 30);
    assert.deepEqual(
      seat.snapshots.map(({ tick }) => tick),
      Array.from({ length: 30 }, (_, i) => first + i + 1),
    );
    assert.equal(seat.own.ack, 30);
  });

  it("are no more than fit", async () => {
    await using table = new Table();
    const openings = Array.from({ length: 251 }, () => table.client.webSocket("/play"));
    await table.client.delivered();
    // So many cost more than the events of one tick.
    while (table.game.server.waitingEvents > 0) table.loop.stepOnce();
    const sockets = await Promise.all(openings);
    assert.deepEqual(await sockets[250]!.closed, { code: 1013, reason: "the game is full" });
    assert.equal(table.game.world.players.length, 250);
  });

  const nonsense: [name: string, message: string | Uint8Array][] = [
    ["text", "hello"],
    ["bytes", Buffer.from([9, 9])],
    ["an input out of order", encodeInput({ seq: 5, dx: 0, dy: 0 })],
  ];
  for (const [name, message] of nonsense) {
    it(`who send ${name} are out, and nobody else`, async () => {
      await using table = new Table();
      const [bad, good] = [await table.join(), await table.join()];
      bad.socket.send(message);
      await table.ticks(2);
      assert.equal((await bad.socket.closed).code, 1008);
      assert.equal(good.socket.readyState, "open");
      assert.equal(good.snapshots.at(-1)!.players.length, 1);
    });
  }
});

describe("a flood of inputs", () => {
  it("waits at its sender, loses nothing and makes nobody faster", async () => {
    await using table = new Table();
    const [flooder, other] = [await table.join(), await table.join()];
    await table.ticks(10);
    const start = table.game.world.tick;
    flooder.send(300);
    while (flooder.own.ack < 300) {
      other.send(1);
      await table.ticks(1);
      assert.ok(table.game.server.waitingEvents <= MAX_WAITING_INPUTS + 1);
      const elapsed = table.game.world.tick - start;
      assert.ok(flooder.own.ack <= elapsed + 6, "the flooder is faster than time");
      assert.equal(other.own.ack, other.sent);
      assert.ok(elapsed < 400, "inputs are lost");
    }
    assert.equal(table.game.stats.mostWaiting, MAX_WAITING_INPUTS);
    assert.equal(table.game.stats.inputs, 300 + other.sent);
  });
});

describe("a player who does not read", () => {
  it("costs little memory, holds up nobody, and is told everything anew when reading goes on", async () => {
    await using table = new Table();
    const [slow, other] = [await table.join("slow"), await table.join("other")];
    await table.ticks(1);
    slow.socket.pause();
    await table.join("third");
    const gone = await table.join("gone");
    await table.ticks(300);
    const socket = table.game.server.webSockets[0]!;
    assert.ok(socket.pendingBytes > SLOW_BYTES && socket.pendingBytes < 2 * SLOW_BYTES);
    assert.equal(table.game.stats.slow, 1);
    assert.equal(other.snapshots.at(-1)!.tick, table.game.world.tick);
    await gone.socket.close();
    await table.ticks(1);
    slow.socket.resume();
    await table.ticks(3);
    const welcome = slow.news.at(-1)!;
    assert.equal(welcome.type, "welcome");
    assert.deepEqual(
      welcome.names.map(([, name]) => name),
      ["slow", "other", "third"],
    );
    assert.deepEqual(slow.snapshots.at(-1), other.snapshots.at(-1));
    const ticks = slow.snapshots.map(({ tick }) => tick);
    assert.deepEqual(
      ticks,
      [...ticks].sort((a, b) => a - b),
    );
  });
});

describe("the end", () => {
  it("is told to all players", async () => {
    await using table = new Table();
    const seats = [await table.join(), await table.join()];
    await table.game.stop();
    for (const { socket, news } of seats) {
      assert.equal((await socket.closed).code, 1001);
      await table.read();
      assert.equal(news.at(-1)!.type, "stop");
    }
    assert.equal(table.game.world.players.length, 0);
  });
});

it("a request that waits when the game stops is answered", async () => {
  const table = new Table();
  table.game.server.get("/status", (exchange) => exchange.end("here"));
  const answer = table.client.fetch("/status");
  await table.client.delivered();
  const stopped = table.game.stop();
  assert.equal((await answer).status, 200);
  await table.client.close();
  await stopped;
});

describe("names", () => {
  const names: [given: string, shown: string][] = [
    ["Ann", "Ann"],
    ["  Ann  ", "Ann"],
    ["", "nobody"],
    ["\u202e\u0000\n", "nobody"],
    ["a\u202eb\u200bc", "abc"],
    ["<b>x</b>", "<b>x</b>"],
    ["x".repeat(100), "x".repeat(16)],
    ["😀".repeat(20), "😀".repeat(16)],
    [`z${"\u0335".repeat(50)}`, "z\u0335\u0335"],
  ];
  for (const [given, shown] of names) {
    it(`${JSON.stringify(given.slice(0, 20))} is shown as ${JSON.stringify(shown)}`, () => {
      assert.equal(nameFrom({ searchParams: new URLSearchParams({ name: given }) }), shown);
    });
  }
});
