#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";
import { tolerateClosedPipes } from "./stopping.ts";

tolerateClosedPipes();
const failed = await runCommandLine(process.argv.slice(2));
if (failed !== undefined) process.exitCode = failed;
// What was printed is waited for; a user's timers and connections are not.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit();
