import { runTables } from "./http-runner.ts";
import { tables } from "./http-tables/index.ts";

runTables(tables);
