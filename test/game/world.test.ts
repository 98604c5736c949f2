import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeInput,
  decodeSnapshot,
  encodeInput,
  encodeSnapshot,
} from "../../examples/game/public/protocol.js";
import { move, rules } from "../../examples/game/public/rules.js";
import { World } from "../../examples/game/world.ts";
import { Random } from "../support/random.ts";

/** The same numbers each time. */
const seeded =
  (random = new Random(1)) =>
  () =>
    random.next();

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
  /** A world with one player, and what to call for inputs. */
  function one(): { world: World; id: number; send: (count: number) => void; ack: () => number } {
    const world = new World(seeded());
    const id = world.join("a");
    let seq = 0;
    const send = (count: number): void => {
      for (let i = 0; i < count; i++) assert.equal(world.input(id, { seq: ++seq, dx: 1, dy: 0 }), true);
    };
    return { world, id, send, ack: () => world.players[0]!.ack };
  }

  it("applies one input in each tick, in order", () => {
    const { world, send, ack } = one();
    for (let tick = 1; tick <= 20; tick++) {
      send(1);
      world.step();
      assert.equal(ack(), tick);
    }
  });

  it("lets nobody be faster than time, and lets late inputs be made up for", () => {
    const { world, send, ack } = one();
    send(100);
    for (let tick = 1; tick <= 10; tick++) {
      world.step();
      assert.equal(ack(), tick);
    }
    const late = one();
    for (let tick = 0; tick < 100; tick++) late.world.step();
    late.send(20);
    late.world.step();
    assert.equal(late.ack(), 6);
    late.world.step();
    assert.equal(late.ack(), 7);
  });

  it("takes only the input that follows", () => {
    const { world, id } = one();
    for (const [seq, taken] of [
      [2, false],
      [1, true],
      [1, false],
      [3, false],
      [2, true],
    ] as const) {
      assert.equal(world.input(id, { seq, dx: 0, dy: 0 }), taken);
    }
    assert.equal(world.input(id + 1, { seq: 1, dx: 0, dy: 0 }), false);
  });

  it("gives a coin to who touches it, and a new one to the arena", () => {
    const { world, id } = one();
    const before = world.snapshot().coins.length;
    for (let seq = 1; world.players[0]!.score === 0; seq++) {
      assert.ok(seq < 2_000, "the player reaches no coin");
      const [player, [coin]] = [world.players[0]!, world.snapshot().coins];
      const towards = (to: number, from: number): number => Math.max(-127, Math.min(127, to - from));
      world.input(id, { seq, dx: towards(coin!.x, player.x), dy: towards(coin!.y, player.y) });
      world.step();
    }
    assert.equal(world.snapshot().coins.length, before);
  });

  it("gives ids that nobody has, also when they begin anew", () => {
    const world = new World(seeded());
    const kept = world.join("kept");
    const ids = new Set<number>();
    for (let i = 0; i < 70_000; i++) {
      const id = world.join("x");
      assert.ok(id !== kept && id > 0 && id < 65_536);
      ids.add(id);
      world.leave(id);
    }
    assert.equal(ids.size, 65_534);
  });

  it("is the same for the same joins, inputs and random numbers", () => {
    const play = (): Uint8Array => {
      const world = new World(seeded());
      const random = new Random(1);
      const ids = [world.join("a"), world.join("b"), world.join("c")];
      for (let seq = 1; seq <= 500; seq++) {
        for (const id of ids) {
          world.input(id, {
            seq,
            dx: random.whole(-127, 127),
            dy: random.whole(-127, 127),
          });
        }
        world.step();
      }
      return encodeSnapshot(world.snapshot());
    };
    assert.deepEqual(play(), play());
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
    const snapshot = {
      tick: 4_000_000_000,
      players: [{ id: 65_535, ack: 7, x: 51_199, y: 0, score: 65_535 }],
      coins: [{ x: 1, y: 28_799 }],
    };
    // In the middle of a larger buffer, as bytes come from the network.
    const bytes = Buffer.concat([Buffer.alloc(3), encodeSnapshot(snapshot)]).subarray(3);
    assert.deepEqual(decodeSnapshot(bytes), snapshot);
  });

  const wrong = [[], [1], [2, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]];
  for (const bytes of wrong) {
    it(`[${bytes}] is no input`, () => assert.equal(decodeInput(Uint8Array.from(bytes)), undefined));
  }
});
