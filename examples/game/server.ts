// A game for browsers: node --import tsx examples/game/server.ts [port [file that keeps the seats]]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { startLoop } from "portico/loop";
import { serveFiles } from "portico/web";
import { Game } from "./game.ts";
import { rules } from "./public/rules.js";

const [, , port = "9001", file = ""] = process.argv;
const game = new Game(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []);
const { server, seats } = game;
server.get("/*", serveFiles(`${import.meta.dirname}/public`));
server.get("/client/*", serveFiles(new URL(".", import.meta.resolve("portico/client/game")).pathname));
server.get("/stats", () => ({ seats: seats.size, cpu: process.cpuUsage(), loop: loop.takeFigures() }));
const { url } = await server.listen({ host: "127.0.0.1", port: Number(port) });
const loop = startLoop({ server, hz: rules.ticksPerSecond, step: () => game.step() });
console.log(`The game is at ${url}/`);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await server.close({ graceMs: 2_000 });
    if (file !== "") writeFileSync(file, JSON.stringify(seats.save()), { mode: 0o600 });
  });
}
