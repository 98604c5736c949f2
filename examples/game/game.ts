// The world on the network: its players, their inputs, and one snapshot for all of them in each tick.
import { type Exchange, Server, type WebSocket } from "portico";
import { decodeInput, encodeSnapshot } from "./public/protocol.js";
import { World } from "./world.ts";

const TOPIC = "everybody";
const MAX_PLAYERS = 250;
/** The number of inputs of one player that can wait. A player who sends more is paused until some have been applied. */
export const MAX_WAITING_INPUTS = 16;
/** From here on a player is slow: about ten snapshots of a full game. */
export const SLOW_BYTES = 32_768;
const MAX_NAME_LENGTH = 16;

/** What is kept for each connection. */
interface Seat {
  readonly name: string;
  /** In the world; 0 before the player has joined it. */
  id: number;
  /** Inputs that have arrived and have not been applied. */
  waiting: number;
  /** The last `ack` of the world. */
  applied: number;
  held: boolean;
}

export interface GameStats {
  inputs: number;
  /** The most inputs that waited for one player. */
  mostWaiting: number;
  /** How often a player was too slow for snapshots. */
  slow: number;
}

export class Game {
  readonly server: Server;
  readonly world: World;
  readonly stats: GameStats = { inputs: 0, mostWaiting: 0, slow: 0 };
  private readonly sockets = new Map<number, WebSocket<Seat>>();

  constructor(world: World = new World()) {
    this.world = world;
    this.server = new Server({
      delivery: "deferred",
      limits: {
        maxMessageBytes: 64,
        // The server keeps no more data than this for a player. It does not send more.
        maxBackpressureBytes: 262_144,
        // Disconnect a player that reads nothing.
        writeTimeoutMs: 10_000,
        webSocketIdleTimeoutMs: 20_000,
        pongTimeoutMs: 10_000,
      },
    });
    this.server.websocket<Seat>("/play", {
      upgrade: (exchange) => ({ name: nameFrom(exchange), id: 0, waiting: 0, applied: 0, held: false }),
      open: (socket) => this.join(socket),
      onEnqueue: (socket) => this.count(socket),
      message: (socket, data, binary) => this.take(socket, binary ? decodeInput(data) : undefined),
      close: (socket) => this.leave(socket),
    });
  }

  /** What a tick does after the events: one step of the world, and one snapshot for all. */
  step(): void {
    this.world.step();
    for (const player of this.world.players) this.readOn(player.id, player.ack);
    for (const socket of this.sockets.values()) this.look(socket);
    this.server.publish(TOPIC, encodeSnapshot(this.world.snapshot()));
  }

  /** Notifies the players, and closes. The loop continues meanwhile. @returns when all connections have ended */
  async stop(): Promise<void> {
    const farewell = JSON.stringify({ type: "stop" });
    for (const socket of this.sockets.values()) socket.send(farewell);
    await this.server.close({ graceMs: 2_000 });
  }

  private join(socket: WebSocket<Seat>): void {
    if (this.sockets.size >= MAX_PLAYERS) {
      socket.close(1013, "the game is full");
      return;
    }
    const seat = socket.data;
    seat.id = this.world.join(seat.name);
    this.sockets.set(seat.id, socket);
    this.server.publish(TOPIC, JSON.stringify({ type: "join", id: seat.id, name: seat.name }));
    this.admit(socket);
  }

  /** Sends a player everything that snapshots do not contain, and then snapshots: at first, and after being slow. */
  private admit(socket: WebSocket<Seat>): void {
    const { id } = socket.data;
    const names = this.world.players.map((player) => [player.id, player.name]);
    socket.send(JSON.stringify({ type: "welcome", you: id, names }));
    socket.subscribe(TOPIC);
  }

  /** Runs when a message comes, long before the tick: the only moment to stop one who sends too many. */
  private count(socket: WebSocket<Seat>): void {
    const seat = socket.data;
    seat.waiting++;
    this.stats.mostWaiting = Math.max(this.stats.mostWaiting, seat.waiting);
    if (seat.waiting < MAX_WAITING_INPUTS) return;
    seat.held = true;
    socket.pause();
  }

  private take(socket: WebSocket<Seat>, input: ReturnType<typeof decodeInput>): void {
    if (input !== undefined && this.world.input(socket.data.id, input)) this.stats.inputs++;
    else socket.closeNow(1008, "that is no input of this game");
  }

  private readOn(id: number, ack: number): void {
    const socket = this.sockets.get(id);
    if (socket === undefined) return;
    const seat = socket.data;
    seat.waiting -= ack - seat.applied;
    seat.applied = ack;
    if (!seat.held || seat.waiting > MAX_WAITING_INPUTS / 2) return;
    seat.held = false;
    socket.resume();
  }

  /** A player who is slow gets nothing until everything has been taken: only the latest snapshot counts. */
  private look(socket: WebSocket<Seat>): void {
    if (socket.isSubscribed(TOPIC)) {
      if (socket.pendingBytes <= SLOW_BYTES) return;
      socket.unsubscribe(TOPIC);
      this.stats.slow++;
    } else if (socket.pendingBytes === 0) this.admit(socket);
  }

  private leave(socket: WebSocket<Seat>): void {
    const { id } = socket.data;
    if (!this.sockets.delete(id)) return;
    this.world.leave(id);
    this.server.publish(TOPIC, JSON.stringify({ type: "leave", id }));
  }
}

/** What a player is called: short, and without characters that are not seen or that change how others are. */
export function nameFrom(exchange: Pick<Exchange, "searchParams">): string {
  const given = exchange.searchParams.get("name") ?? "";
  const shown = given
    .normalize("NFC")
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .trim();
  return [...shown].slice(0, MAX_NAME_LENGTH).join("") || "nobody";
}
