// A game for browsers: node --import tsx examples/game/server.ts [port]
import { readFileSync } from "node:fs";
import { startLoop } from "portico/loop";
import { Game } from "./game.ts";
import { rules } from "./public/rules.js";

const game = new Game();
const { server } = game;

const files: [path: string, file: string, type: string][] = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/client.js", "client.js", "text/javascript"],
  ["/rules.js", "rules.js", "text/javascript"],
  ["/protocol.js", "protocol.js", "text/javascript"],
  ["/style.css", "style.css", "text/css"],
];
for (const [path, file, type] of files) {
  const content = readFileSync(new URL(`public/${file}`, import.meta.url));
  server.get(path, (exchange) => {
    exchange.setHeader("Content-Type", type).setHeader("X-Content-Type-Options", "nosniff");
    exchange.setHeader("Content-Security-Policy", "default-src 'self'; img-src data:");
    exchange.end(content);
  });
}

const { url } = await server.listen({ host: "127.0.0.1", port: Number(process.argv[2] ?? 9001) });
const loop = startLoop({ server, hz: rules.ticksPerSecond, step: () => game.step() });

server.get("/stats", () => {
  const players = game.world.players.length;
  return { players, tick: game.world.tick, ...game.stats, loop: loop.takeFigures() };
});

// The loop ends when the server has closed: until then clients are still answered.
const stop = (): Promise<void> => game.stop();
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
console.log(`The game is at ${url}/`);
