// Portico with deferred delivery, polled in a loop that does nothing else.
import { Server } from "../../dist/index.js";
import { serve } from "../lib/portico-program.mjs";

const server = new Server({ delivery: "deferred" });
console.log(await serve(server));
setImmediate(function loop() {
  server.poll();
  setImmediate(loop);
});
