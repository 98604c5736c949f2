import type { Point } from "./rules.js";

/** One tick of one player: the push of the stick, -127 to 127, and a number that grows by one. */
export interface Input {
  readonly seq: number;
  readonly dx: number;
  readonly dy: number;
}

export interface PlayerState extends Point {
  readonly id: number;
  readonly name: string;
  readonly score: number;
}

/** What one player sees. */
export interface Snapshot {
  readonly tick: number;
  /** The server's time, in milliseconds. */
  readonly timeMs: number;
  /** The `seq` of the last input that has been applied. */
  readonly ack: number;
  readonly players: readonly PlayerState[];
  readonly coins: readonly Point[];
}

export function encodeInput(input: Input): Uint8Array;
export function decodeInput(bytes: Uint8Array): Input | undefined;
export function decodeSnapshot(bytes: Uint8Array): Snapshot;
