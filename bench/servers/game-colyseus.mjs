// The world of lib/game-world.mjs on Colyseus: a room with a simulation interval, and the same bytes for each player.
import "express"; // the transport loads it, and does not install it
import { createServer } from "node:http";
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { ARENA_PLAYERS, GameWorld, HZ } from "../lib/game-world.mjs";

class Arena extends Room {
  /** @override */
  maxClients = ARENA_PLAYERS;
  world = new GameWorld();

  /** @override */
  onCreate() {
    this.onMessageBytes("i", (client, input) => this.world.input(client.userData, input));
    this.setSimulationInterval(() => {
      this.world.step();
      for (const client of this.clients) client.sendBytes("s", this.world.snapshot(client.userData));
    }, 1_000 / HZ);
  }

  /** @override @param {import("@colyseus/core").Client} client */
  onJoin(client) {
    client.userData = this.world.join();
  }

  /** @override @param {import("@colyseus/core").Client} client */
  onLeave(client) {
    this.world.players.delete(client.userData);
  }
}

const http = createServer();
const server = new Server({ greet: false, transport: new WebSocketTransport({ server: http }) });
server.define("game", Arena);
await server.listen(0, "127.0.0.1");
const address = http.address();
console.log(address !== null && typeof address === "object" ? address.port : 0);
