// One world for all servers of `npm run bench -- game`: players who walk about in an arena and see who is near. Its
// messages are the same bytes in all of them.

export const HZ = 30;
/** Players of one arena. */
export const ARENA_PLAYERS = 50;
const SIZE = 1_000;
const SIGHT = 400;
const SPEED = 10;
/** A snapshot begins with its tick and the number of players; 10 bytes follow for each. */
const HEAD_BYTES = 6;
const PLAYER_BYTES = 10;

/** @typedef {{ id: number, x: number, y: number, score: number }} Player */

export class GameWorld {
  tick = 0;
  /** @type {Set<Player>} */
  players = new Set();
  #lastId = 0;

  /** @returns {Player} */
  join() {
    const id = ++this.#lastId;
    const player = { id, x: (id * 137) % SIZE, y: (id * 211) % SIZE, score: 0 };
    this.players.add(player);
    return player;
  }

  /** @param {Player} player @param {Buffer} input two signed bytes: where to */
  input(player, input) {
    player.x = Math.max(0, Math.min(SIZE, player.x + (input.readInt8(0) * SPEED) / 127));
    player.y = Math.max(0, Math.min(SIZE, player.y + (input.readInt8(1) * SPEED) / 127));
  }

  step() {
    this.tick++;
    for (const player of this.players) player.score += this.tick % HZ === 0 ? 1 : 0;
  }

  /** The players that a player sees. @param {Player} of */
  seenBy(of) {
    const seen = [];
    for (const player of this.players) {
      if (Math.hypot(player.x - of.x, player.y - of.y) < SIGHT) seen.push(player);
    }
    return seen;
  }

  /** A snapshot for one player in memory of its own. @param {Player} of */
  snapshot(of) {
    const seen = this.seenBy(of);
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + seen.length * PLAYER_BYTES);
    bytes.writeUInt32LE(this.tick, 0);
    bytes.writeUInt16LE(seen.length, 4);
    let at = HEAD_BYTES;
    for (const { id, x, y, score } of seen) {
      bytes.writeUInt32LE(id, at);
      bytes.writeUInt16LE(x, at + 4);
      bytes.writeUInt16LE(y, at + 6);
      bytes.writeUInt16LE(score, at + 8);
      at += PLAYER_BYTES;
    }
    return bytes;
  }
}
