// The world on the network: arenas, seats, and for each player a snapshot of what that player sees.
import { Server, type WebSocket } from "portico";
import { answerGameClient, type ByteWriter, Room, type SavedSeat, type Seat, Seats } from "portico/games";
import { decodeInput } from "./public/protocol.js";
import { isNear, rules } from "./public/rules.js";
import { type Player, World } from "./world.ts";

/** Players meet only those of their arena. */
class Arena extends Room<Seat<Player>> {
  readonly world = new World();
}

export class Game {
  readonly server = new Server({ delivery: "deferred", limits: { maxMessageBytes: 64 } });
  readonly arenas = new Map<string, Arena>();
  readonly seats = new Seats<Player>({
    graceMs: 30_000,
    maxSeats: 2_000,
    onFree: ({ data }) => this.arena(data.arena).world.players.delete(data),
  });

  constructor(saved: readonly SavedSeat<Player>[]) {
    this.seats.restore(saved);
    for (const { data } of this.seats) this.arena(data.arena).world.players.add(data);
    this.server.websocket<Seat<Player>>(
      "/play",
      { open: (s) => this.enter(s), onEnqueue: answerGameClient, message: (s, data) => this.play(s, data) },
      { window: { maxUnacked: 4, acknowledgedBy: "program" }, budget: { perSecond: 90 } },
    );
  }

  step(): void {
    this.seats.update();
    for (const [name, arena] of this.arenas) {
      arena.world.step();
      arena.sendLatest("world", (socket, writer) => writeSnapshot(writer, arena.world, socket.data.data));
      if (arena.world.players.size === 0) this.arenas.delete(name);
    }
  }

  private enter(socket: WebSocket<Seat<Player>>): unknown {
    const ask = (key: string): string => socket.request?.searchParams.get(key) ?? "";
    const name =
      ask("name")
        .replace(/[\p{C}\p{M}\p{Z}]/gu, "")
        .slice(0, 16) || "nobody";
    const player = this.arena(ask("arena")).world.createPlayer(name, ask("arena"));
    const seat = this.seats.resume(ask("seat"), socket) ?? this.seats.take(socket, player);
    if (seat === undefined) return socket.close(1013, "the game is full");
    socket.data = seat;
    seat.data.seq = 0; // each connection counts its inputs from 1
    const arena = this.arena(seat.data.arena);
    arena.world.players.add(seat.data);
    arena.add(socket);
    return socket.send(JSON.stringify({ seat: seat.token, you: seat.data.id }));
  }

  private play(socket: WebSocket<Seat<Player>>, data: Uint8Array): void {
    const input = decodeInput(data);
    const player = socket.data.data;
    if (input === undefined || !this.arena(player.arena).world.input(player, input))
      socket.closeNow(1008, "that is not an input of this game");
  }

  private arena(name: string): Arena {
    const arena = this.arenas.get(name) ?? new Arena();
    this.arenas.set(name, arena);
    return arena;
  }
}

/** The part of the world that a player sees. */
export function writeSnapshot(writer: ByteWriter, { tick, players, coins }: World, player: Player): void {
  const seen = [...players].filter((other) => isNear(player, other, rules.sight));
  writer.u32(tick).f64(performance.now()).u32(player.seq).u16(seen.length);
  for (const { id, name, x, y, score } of seen) writer.u32(id).u16(x).u16(y).u16(score).text(name);
  for (const coin of coins) if (isNear(player, coin, rules.sight)) writer.u16(coin.x).u16(coin.y);
}
