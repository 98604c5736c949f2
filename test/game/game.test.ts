import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Loop, startLoop } from "portico/loop";
import { type TestClient, type TestWebSocket, testClient } from "portico/testing";
import { Game } from "../../examples/game/game.ts";
import { decodeSnapshot, encodeInput, type Snapshot } from "../../examples/game/public/protocol.js";
import { rules } from "../../examples/game/public/rules.js";
import type { Player } from "../../examples/game/world.ts";

/** One player of a game in memory. */
class Client {
  readonly socket: TestWebSocket;
  snapshots: Snapshot[] = [];
  seat = "";
  you = 0;
  sent = 0;
  private received = 0;

  constructor(socket: TestWebSocket) {
    this.socket = socket;
  }

  get latest(): Snapshot {
    return this.snapshots.at(-1)!;
  }

  get names(): string[] {
    return this.latest.players.map(({ name }) => name);
  }

  send(count: number): void {
    for (let i = 0; i < count; i++) this.socket.send(encodeInput({ seq: ++this.sent, dx: 127, dy: 0 }));
  }

  /** Takes what has come. */
  async read(): Promise<void> {
    while (this.socket.waitingMessages > 0) {
      const message = await this.socket.next();
      if (typeof message === "string") ({ seat: this.seat, you: this.you } = JSON.parse(message));
      else {
        this.snapshots.push(decodeSnapshot(message));
        this.socket.send(`~a${++this.received}`);
      }
    }
  }
}

/** A game whose ticks come when the test says so. */
class Table implements AsyncDisposable {
  readonly game: Game;
  readonly client: TestClient;
  readonly loop: Loop;
  readonly clients: Client[] = [];

  constructor(game = new Game([])) {
    this.game = game;
    this.client = testClient(game.server);
    const step = (): void => game.step();
    this.loop = startLoop({ server: game.server, hz: rules.ticksPerSecond, step, isPaused: true });
  }

  async join(query: Record<string, string> = {}): Promise<Client> {
    const opening = this.client.webSocket(`/play?${new URLSearchParams(query)}`);
    await this.client.delivered();
    this.loop.stepOnce();
    const client = new Client(await opening);
    this.clients.push(client);
    await this.read();
    return client;
  }

  async ticks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.client.delivered();
      this.loop.stepOnce();
      await this.read();
    }
  }

  player(client: Client): Player {
    return this.game.seats.find(client.seat)!.data;
  }

  private async read(): Promise<void> {
    await this.client.delivered();
    for (const client of this.clients) await client.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.game.server.close();
  }
}

describe("players", () => {
  it("see each other come, move and go", async () => {
    await using table = new Table();
    const ann = await table.join({ name: "Ann" });
    const bob = await table.join({ name: "Bob" });
    await table.ticks(1);
    assert.deepEqual(
      [ann.names, bob.names],
      [
        ["Ann", "Bob"],
        ["Ann", "Bob"],
      ],
    );
    const before = table.player(ann).x;
    ann.send(1);
    await table.ticks(2);
    assert.equal(ann.latest.ack, 1);
    assert.equal(bob.latest.ack, 0);
    const seen = bob.latest.players.find(({ id }) => id === ann.you)!;
    assert.equal(seen.x, before + (rules.speed * rules.unitsPerPixel) / rules.ticksPerSecond);
    table.game.seats.leave(table.game.seats.find(ann.seat)!);
    await table.ticks(1);
    assert.deepEqual(bob.names, ["Bob"]);
  });

  it("get one snapshot in each tick, made after one poll", async () => {
    await using table = new Table();
    const client = await table.join();
    let polls = 0;
    const poll = table.game.server.poll.bind(table.game.server);
    table.game.server.poll = (...args) => {
      polls++;
      return poll(...args);
    };
    client.snapshots = [];
    for (let i = 0; i < 30; i++) {
      client.send(1);
      await table.ticks(1);
    }
    assert.equal(polls, 30);
    const first = client.snapshots[0]!.tick;
    assert.deepEqual(
      client.snapshots.map(({ tick, ack }) => [tick, ack]),
      Array.from({ length: 30 }, (_, i) => [first + i, i + 1]),
    );
  });

  it("see only players and coins that are near", async () => {
    await using table = new Table();
    const [ann, bob] = [await table.join({ name: "Ann" }), await table.join({ name: "Bob" })];
    Object.assign(table.player(ann), { x: 2_000, y: 2_000 });
    Object.assign(table.player(bob), { x: 2_000 + (rules.sight + 1) * rules.unitsPerPixel, y: 2_000 });
    await table.ticks(1);
    assert.deepEqual([ann.names, bob.names], [["Ann"], ["Bob"]]);
    Object.assign(table.player(bob), { x: 2_000 + (rules.sight - 1) * rules.unitsPerPixel });
    await table.ticks(1);
    assert.deepEqual(ann.names, ["Ann", "Bob"]);
    const { coins } = [...table.game.arenas.values()][0]!.world;
    assert.ok(ann.latest.coins.length < coins.length, "coins that are far away are seen");
  });

  it("meet only those of their arena, which goes with its last seat", async () => {
    await using table = new Table();
    const [ann, bob] = [await table.join({ arena: "a" }), await table.join({ arena: "b" })];
    await table.ticks(1);
    assert.deepEqual([ann.latest.players.length, bob.latest.players.length], [1, 1]);
    assert.deepEqual([...table.game.arenas.keys()], ["a", "b"]);
    table.game.seats.leave(table.game.seats.find(bob.seat)!);
    await table.ticks(1);
    assert.deepEqual([...table.game.arenas.keys()], ["a"]);
  });
});

describe("a seat", () => {
  it("is kept for a player whose connection breaks", async () => {
    await using table = new Table();
    const [ann, bob] = [await table.join({ name: "Ann" }), await table.join({ name: "Bob" })];
    ann.send(1);
    await table.ticks(1);
    const { x } = table.player(ann);
    await ann.socket.close();
    await table.ticks(2);
    assert.deepEqual(bob.names, ["Ann", "Bob"]);
    const again = await table.join({ name: "other", seat: ann.seat });
    assert.deepEqual([again.you, again.seat, table.player(again).x], [ann.you, ann.seat, x]);
    again.send(1);
    await table.ticks(1);
    assert.equal(again.latest.ack, 1);
    assert.notEqual(table.player(again).x, x);
  });

  it("belongs to the newest tab", async () => {
    await using table = new Table();
    const first = await table.join();
    const second = await table.join({ seat: first.seat });
    assert.equal((await first.socket.closed).code, 4001);
    await table.ticks(1);
    assert.equal(second.you, first.you);
    assert.equal(second.latest.players.length, 1);
  });

  it("is not given to a client that guesses", async () => {
    await using table = new Table();
    const first = await table.join();
    const other = first.seat.startsWith("a") ? "b" : "a";
    const second = await table.join({ seat: other + first.seat.slice(1) });
    assert.notEqual(second.you, first.you);
    assert.equal(first.socket.readyState, "open");
  });

  it("is there again after a restart", async () => {
    let saved = "";
    let seat = "";
    let score = 0;
    {
      await using table = new Table();
      const ann = await table.join({ name: "Ann", arena: "a" });
      table.player(ann).score = score = 7;
      ({ seat } = ann);
      await table.game.server.close();
      saved = JSON.stringify(table.game.seats.save());
    }
    await using table = new Table(new Game(JSON.parse(saved)));
    const bob = await table.join({ name: "Bob", arena: "a" });
    const ann = await table.join({ seat });
    await table.ticks(1);
    assert.deepEqual(bob.names, ["Ann", "Bob"]);
    assert.equal(table.player(ann).score, score);
    assert.notEqual(bob.you, ann.you);
  });
});

describe("hostile clients", () => {
  const nonsense: [name: string, message: string | Uint8Array, code: number][] = [
    ["text", "hello", 1008],
    ["bytes", Buffer.from([9, 9]), 1008],
    ["an input out of order", encodeInput({ seq: 5, dx: 0, dy: 0 }), 1008],
    ["a large message", Buffer.alloc(65), 1009],
  ];
  for (const [name, message, code] of nonsense) {
    it(`that send ${name} are closed, and nobody else`, async () => {
      await using table = new Table();
      const [bad, good] = [await table.join(), await table.join()];
      bad.socket.send(message);
      await table.ticks(2);
      assert.equal((await bad.socket.closed).code, code);
      assert.equal(good.socket.readyState, "open");
    });
  }

  it("that flood are slowed down, move no faster than time, and delay nobody", async () => {
    await using table = new Table();
    const [flooder, other] = [await table.join(), await table.join()];
    Object.assign(table.player(flooder), { x: 5_000 });
    await table.ticks(10);
    flooder.send(2_000);
    for (let i = 1; i <= 10; i++) {
      other.send(1);
      await table.ticks(1);
      assert.equal(other.latest.ack, i);
      assert.ok(table.game.server.waitingEvents < 100, `${table.game.server.waitingEvents} inputs wait`);
    }
    assert.ok(flooder.latest.ack >= 6 && flooder.latest.ack < 100);
    // Ten saved ticks, and one for each of the ten.
    const most = ((rules.speed * rules.unitsPerPixel) / rules.ticksPerSecond) * 20;
    const moved = table.player(flooder).x - 5_000;
    assert.ok(moved > 0 && moved <= most, `it moved by ${moved}`);
  });

  it("that do not read cost a window of snapshots, and get the newest one when they read again", async () => {
    await using table = new Table();
    const slow = await table.join();
    await table.ticks(1);
    slow.socket.pause();
    slow.snapshots = [];
    await table.ticks(300);
    const [socket] = table.game.server.webSockets;
    assert.ok(socket!.bufferedBytes < 4 * 1_024, `${socket!.bufferedBytes} bytes wait`);
    slow.socket.resume();
    await table.ticks(2);
    const [arena] = table.game.arenas.values();
    const { tick } = arena!.world;
    assert.equal(slow.latest.tick, tick);
    const old = slow.snapshots.filter((snapshot) => snapshot.tick < tick - 2);
    assert.ok(old.length <= 4, `${old.length} old snapshots came`);
  });
});

it("clients learn of the end, and a request that waits is answered", async () => {
  await using table = new Table();
  table.game.server.get("/status", () => "here");
  const client = await table.join();
  const answer = table.client.fetch("/status");
  await table.client.delivered();
  const closed = table.game.server.close();
  assert.equal((await answer).status, 200);
  assert.equal((await client.socket.closed).code, 1001);
  await closed;
  await table.loop.stopped;
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
    [`e${"\u0335".repeat(50)}`, "e"],
  ];
  for (const [name, shown] of names) {
    it(`${JSON.stringify(name.slice(0, 20))} is shown as ${JSON.stringify(shown)}`, async () => {
      await using table = new Table();
      const client = await table.join({ name });
      await table.ticks(1);
      assert.deepEqual(client.names, [shown]);
    });
  }
});
