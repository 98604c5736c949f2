// Portico with deferred delivery, polled whenever something has happened, as its documents show it.
import { Server } from "../../dist/index.js";
import { serve } from "../lib/portico-program.mjs";

const server = new Server({ delivery: "deferred" });
console.log(await serve(server));
async function poll() {
  while (await server.waitForEvent()) server.poll();
}
void poll();
