import { tables } from "../http-tables/index.ts";
import { runInMemory, runOverTcp } from "../support/http-runner.ts";

runInMemory(tables);
runOverTcp(tables);
