// Portico with its defaults.
import { Server } from "../../dist/index.js";
import { serve } from "../lib/portico-program.mjs";

console.log(await serve(new Server()));
