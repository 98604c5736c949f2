import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ByteWriter } from "portico/games";
import { writeSnapshot } from "../../examples/game/game.ts";
import { decodeInput, decodeSnapshot, encodeInput } from "../../examples/game/public/protocol.js";
import { isNear, move, rules } from "../../examples/game/public/rules.js";
import { type Player, World } from "../../examples/game/world.ts";
import { Random } from "../support/random.ts";

/** The same numbers each time. */
const seeded =
  (random = new Random(1)) =>
  () =>
    random.next();

function seededWorld(): World {
  const world = new World();
  world.random = seeded();
  return world;
}

const middle = { x: (rules.width / 2) * rules.unitsPerPixel, y: (rules.height / 2) * rules.unitsPerPixel };
const stepUnits = (rules.speed * rules.unitsPerPixel) / rules.ticksPerSecond;

describe("a move", () => {
  const cases: [push: [number, number], x: number, y: number][] = [
    [[0, 0], 0, 0],
    [[127, 0], stepUnits, 0],
    [[0, -127], 0, -stepUnits],
    [[127, 127], Math.round(stepUnits / Math.SQRT2), Math.round(stepUnits / Math.SQRT2)],
    [[-64, 0], Math.round((-64 * stepUnits) / 127), 0],
  ];
  for (const [[dx, dy], x, y] of cases) {
    it(`with a push of ${dx}, ${dy}`, () => {
      assert.deepEqual(move(middle, dx, dy), { x: middle.x + x, y: middle.y + y });
    });
  }

  it("ends at the edge", () => {
    const margin = rules.playerRadius * rules.unitsPerPixel;
    let [low, high] = [middle, middle];
    for (let i = 0; i < 1_000; i++) [low, high] = [move(low, -127, -127), move(high, 127, 127)];
    assert.deepEqual(low, { x: margin, y: margin });
    assert.deepEqual(high, {
      x: rules.width * rules.unitsPerPixel - margin,
      y: rules.height * rules.unitsPerPixel - margin,
    });
  });
});

describe("the world", () => {
  /** A world with one player in the middle, and what sends inputs to it. */
  function one(): { world: World; player: Player; send: (count: number) => void; moved: () => number } {
    const world = seededWorld();
    const player = world.createPlayer("a", "");
    Object.assign(player, middle);
    world.players.add(player);
    const send = (count: number): void => {
      for (let i = 0; i < count; i++)
        assert.equal(world.input(player, { seq: player.seq + 1, dx: 127, dy: 0 }), true);
    };
    return { world, player, send, moved: () => (player.x - middle.x) / stepUnits };
  }

  it("lets nobody be faster than time, and lets late inputs be made up for", () => {
    const { world, player, send, moved } = one();
    send(1);
    assert.equal(moved(), 0);
    for (let tick = 1; tick <= 10; tick++) {
      world.step();
      send(10);
      assert.equal(moved(), tick);
    }
    assert.equal(player.seq, 101);
    for (let tick = 0; tick < 100; tick++) world.step();
    send(20);
    assert.equal(moved(), 20);
  });

  it("takes only the input that follows", () => {
    const { world, player } = one();
    for (const [seq, taken] of [
      [2, false],
      [1, true],
      [1, false],
      [3, false],
      [2, true],
    ] as const) {
      assert.equal(world.input(player, { seq, dx: 0, dy: 0 }), taken);
    }
  });

  it("gives a coin to the player who touches it, and a new one to the arena", () => {
    const { world, player } = one();
    for (let seq = 1; player.score === 0; seq++) {
      assert.ok(seq < 2_000, "the player reaches no coin");
      world.step();
      const coin = world.coins[0]!;
      const towards = (to: number, from: number): number => Math.max(-127, Math.min(127, to - from));
      world.input(player, { seq, dx: towards(coin.x, player.x), dy: towards(coin.y, player.y) });
    }
    assert.equal(world.coins.length, 39);
    world.step();
    assert.equal(world.coins.length, 40);
  });

  it("gives ids that nobody has, also after players were restored", () => {
    const world = seededWorld();
    world.players.add({ ...world.createPlayer("restored", ""), id: 41 });
    assert.equal(world.createPlayer("new", "").id, 42);
  });

  it("is the same for the same players, inputs and random numbers", () => {
    const play = (): string => {
      const world = seededWorld();
      const random = seeded();
      const push = (): number => Math.round(random() * 254 - 127);
      for (const name of ["a", "b", "c"]) world.players.add(world.createPlayer(name, ""));
      for (let seq = 1; seq <= 500; seq++) {
        world.step();
        for (const player of world.players) world.input(player, { seq, dx: push(), dy: push() });
      }
      return JSON.stringify([[...world.players], world.coins]);
    };
    assert.equal(play(), play());
  });
});

describe("the messages", () => {
  it("come back as they were", () => {
    for (const input of [
      { seq: 1, dx: -127, dy: 127 },
      { seq: 4_294_967_295, dx: 0, dy: 1 },
    ]) {
      assert.deepEqual(decodeInput(encodeInput(input)), input);
    }
    const world = seededWorld();
    world.step();
    const [a, b] = [world.createPlayer("ä", ""), { ...world.createPlayer("b", ""), id: 2, score: 65_535 }];
    for (const player of [a, b]) world.players.add(player);
    // In the middle of a larger buffer, as bytes come from the network.
    const writer = new ByteWriter().raw(Buffer.alloc(3));
    world.tick = 4_000_000_000;
    const whole = new ByteWriter();
    writeSnapshot(whole, world, a);
    const { tick, ack, players, coins } = decodeSnapshot(writer.raw(whole.bytes).bytes.subarray(3));
    assert.deepEqual([tick, ack], [4_000_000_000, 0]);
    const shown = [a, b].map(({ id, x, y, score, name }) => ({ id, x, y, score, name }));
    assert.deepEqual(players, shown);
    assert.deepEqual(
      coins,
      world.coins.filter((coin) => isNear(a, coin, rules.sight)),
    );
  });

  const wrong = [[], [1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]];
  for (const bytes of wrong) {
    it(`[${bytes}] is not an input`, () => assert.equal(decodeInput(Uint8Array.from(bytes)), undefined));
  }
});
