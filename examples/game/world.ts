// The simulation: no clock, no network. The same players, inputs and random numbers always give the same world.
import type { Input } from "./public/protocol.js";
import { isNear, move, type Point, rules } from "./public/rules.js";

const COINS = 40;
/** Ticks that a player can save while no input comes, and make up for when the network delivers several at once. */
const MAX_SAVED_TICKS = 10;

/** Plain data, so that a player can be saved. */
export interface Player extends Point {
  readonly name: string;
  readonly arena: string;
  readonly id: number;
  score: number;
  seq: number;
  savedTicks: number;
}

export class World {
  readonly players = new Set<Player>();
  readonly coins: Point[] = [];
  tick = 0;
  random = Math.random; // from 0 up to 1

  /** A new player near the middle, not in the world yet. The point comes last: then V8 has one hidden class for all. */
  createPlayer(name: string, arena: string): Player {
    const id = 1 + Math.max(0, ...[...this.players].map((player) => player.id));
    return { name, arena, id, score: 0, seq: 0, savedTicks: 0, ...this.point(0.3) };
  }

  /** Moves a player, if a step is left: surplus inputs have no effect. @returns false for a wrong number */
  input(player: Player, { seq, dx, dy }: Input): boolean {
    if (seq !== player.seq + 1) return false;
    player.seq = seq;
    if (player.savedTicks === 0) return true;
    player.savedTicks--;
    Object.assign(player, move(player, dx, dy));
    const taken = this.coins.findIndex((coin) => isNear(player, coin, rules.playerRadius + rules.coinRadius));
    if (taken >= 0) player.score = (player.score + this.coins.splice(taken, 1).length) % 65_536;
    return true;
  }

  step(): void {
    this.tick++;
    while (this.coins.length < COINS) this.coins.push(this.point(1));
    for (const player of this.players) player.savedTicks = Math.min(player.savedTicks + 1, MAX_SAVED_TICKS);
  }

  /** @param share of the arena, around its middle */
  private point(share: number): Point {
    const at = (size: number): number => (0.5 + (this.random() - 0.5) * share) * size * rules.unitsPerPixel;
    return { x: Math.floor(at(rules.width)), y: Math.floor(at(rules.height)) };
  }
}
