// The world of lib/game-world.mjs on Portico: a loop, rooms, and the newest snapshot for each player.
import { Room } from "../../dist/games/index.js";
import { Server } from "../../dist/index.js";
import { startLoop } from "../../dist/loop/index.js";
import { ARENA_PLAYERS, GameWorld, HZ } from "../lib/game-world.mjs";

/** @typedef {import("../lib/game-world.mjs").Player} Player */
/** @typedef {{ world: GameWorld, player: Player }} Place */
/** @typedef {{ world: GameWorld, room: Room<Place> }} Arena */

const server = new Server({ delivery: "deferred" });
/** @type {Arena[]} */
const arenas = [];

server.websocket(
  "/play",
  {
    upgrade: () => {
      let arena = arenas.at(-1);
      if (arena === undefined || arena.world.players.size >= ARENA_PLAYERS) {
        arena = { world: new GameWorld(), room: new Room() };
        arenas.push(arena);
      }
      return { world: arena.world, player: arena.world.join(), room: arena.room };
    },
    open: (socket) => socket.data.room.add(socket),
    message: (socket, data) => socket.data.world.input(socket.data.player, data),
    close: (socket) => socket.data.world.players.delete(socket.data.player),
  },
  { window: { maxUnacked: 4 }, budget: { perSecond: 60 } },
);
console.log((await server.listen({ port: 0, host: "127.0.0.1" })).port);

startLoop({
  server,
  hz: HZ,
  step() {
    for (const { world, room } of arenas) {
      world.step();
      room.sendLatest("world", (socket, writer) => {
        const seen = world.seenBy(socket.data.player);
        writer.u32(world.tick).u16(seen.length);
        for (const { id, x, y, score } of seen) writer.u32(id).u16(x).u16(y).u16(score);
      });
    }
  },
});
