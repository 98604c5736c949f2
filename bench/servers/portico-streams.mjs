// Portico by Node's documented streams alone.
import { Server } from "../../dist/index.js";
import { serve } from "../lib/portico-program.mjs";

console.log(await serve(new Server({ directIo: false })));
