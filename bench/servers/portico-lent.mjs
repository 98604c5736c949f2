// Portico with data that is lent to its handlers.
import { Server } from "../../dist/index.js";
import { serve } from "../lib/portico-program.mjs";

console.log(await serve(new Server(), { lent: true }));
