// The programs in Lua that the console and the pages show.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ask, talk } from "./clients.ts";
import { run } from "./harness.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("the game of the console in Lua moves its players", async (t) => {
  const program = await run(t, "evo", read("src/console/programs/evo.lua"));
  const player = await talk(t, Number(await program.printed(/ws:\/\/127\.0\.0\.1:(\d+)/)));
  player.socket.send("right");
  for (;;) {
    const { step, edge, places } = JSON.parse(String(await player.data()));
    assert.ok(step > 0);
    assert.equal(edge, 50);
    if (places[0] > 1) break;
  }
});

test("the computer of the console in Lua answers", async (t) => {
  const program = await run(t, "craftos", read("src/console/programs/craftos.lua"));
  const port = Number(await program.printed(/http:\/\/127\.0\.0\.1:(\d+)/));
  assert.equal((await ask(port, "/", { method: "POST", body: "abc\n" })).text, "line 1, backwards: cba\n");
  assert.match((await ask(port, "/")).text, /^up for \d+ s, 1 lines so far\n$/);
});

test("the example of a game loop moves its players", async (t) => {
  const program = await run(t, "evo", read("examples/lua/game-loop.lua"), { parameters: ["0"] });
  const player = await talk(t, await program.port());
  player.socket.send("left");
  assert.match(String(await player.data()), /^[\da-f-]{36} -1$/);
});
