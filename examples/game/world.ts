// The simulation: no clock, no network. The same joins, inputs and random numbers always give the same world.
import type { Input, PlayerState, Snapshot } from "./public/protocol.js";
import { move, type Point, rules } from "./public/rules.js";

const COINS = 40;
/**
 * The number of ticks that a player can save while no input arrives, and use when the network delivers several at once.
 */
const MAX_SAVED_TICKS = 6;
const MAX_ID = 65_535;
const MAX_SCORE = 65_535;

export interface Player extends PlayerState {
  readonly name: string;
  /** Inputs that wait for their tick. */
  readonly waiting: number;
}

interface Body {
  readonly id: number;
  readonly name: string;
  position: Point;
  score: number;
  /** The last input that has been applied. */
  ack: number;
  /** The last input that has arrived. */
  seq: number;
  savedTicks: number;
  readonly inputs: Input[];
}

export class World {
  private readonly random: () => number;
  private readonly bodies = new Map<number, Body>();
  private readonly coins: Point[] = [];
  private lastId = 0;
  private ticks = 0;

  /** @param random numbers from 0 up to 1 */
  constructor(random: () => number = Math.random) {
    this.random = random;
    for (let i = 0; i < COINS; i++) this.coins.push(this.randomPoint(rules.coinRadius));
  }

  /** Ticks that have passed. */
  get tick(): number {
    return this.ticks;
  }

  get players(): Player[] {
    return [...this.bodies.values()].map(({ id, name, position, score, ack, inputs }) => {
      return { id, name, score, ack, ...position, waiting: inputs.length };
    });
  }

  /** @returns the id, which nobody else has */
  join(name: string): number {
    do this.lastId = (this.lastId % MAX_ID) + 1;
    while (this.bodies.has(this.lastId));
    const id = this.lastId;
    const position = this.freePoint();
    this.bodies.set(id, { id, name, position, score: 0, ack: 0, seq: 0, savedTicks: 0, inputs: [] });
    return id;
  }

  leave(id: number): void {
    this.bodies.delete(id);
  }

  /** Keeps an input for the next tick. @returns false when it is not the one that follows */
  input(id: number, input: Input): boolean {
    const body = this.bodies.get(id);
    if (body === undefined || input.seq !== body.seq + 1) return false;
    body.seq = input.seq;
    body.inputs.push(input);
    return true;
  }

  /** One tick: each player is moved by one input, or by a few more that came late; never faster than time. */
  step(): void {
    this.ticks++;
    for (const body of this.bodies.values()) {
      body.savedTicks = Math.min(body.savedTicks + 1, MAX_SAVED_TICKS);
      while (body.savedTicks > 0) {
        const input = body.inputs.shift();
        if (input === undefined) break;
        body.savedTicks--;
        body.ack = input.seq;
        body.position = move(body.position, input.dx, input.dy);
        this.collect(body);
      }
    }
  }

  snapshot(): Snapshot {
    return { tick: this.ticks, players: this.players, coins: this.coins };
  }

  private collect(body: Body): void {
    const reach = (rules.playerRadius + rules.coinRadius) * rules.unitsPerPixel;
    for (const [i, coin] of this.coins.entries()) {
      if (Math.hypot(coin.x - body.position.x, coin.y - body.position.y) >= reach) continue;
      body.score = Math.min(body.score + 1, MAX_SCORE);
      this.coins[i] = this.randomPoint(rules.coinRadius);
    }
  }

  /** Of several points the one that is farthest from everybody. */
  private freePoint(): Point {
    const room = (point: Point): number =>
      Math.min(
        ...[...this.bodies.values()].map(({ position: { x, y } }) => Math.hypot(point.x - x, point.y - y)),
      );
    const points = Array.from({ length: 8 }, () => this.randomPoint(rules.playerRadius));
    return points.reduce((best, point) => (room(point) > room(best) ? point : best));
  }

  private randomPoint(margin: number): Point {
    const { width, height, unitsPerPixel } = rules;
    const between = (size: number): number =>
      Math.floor((margin + this.random() * (size - 2 * margin)) * unitsPerPixel);
    return { x: between(width), y: between(height) };
  }
}
