import { tables } from "../http-tables/index.ts";
import { runOnBytes } from "../support/http-runner.ts";

runOnBytes(tables);
