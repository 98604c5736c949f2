#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";
import { tolerateClosedPipes } from "./stopping.ts";

tolerateClosedPipes();
const failed = await runCommandLine(process.argv.slice(2));
if (failed !== undefined) process.exitCode = failed;
// Wait for output to be printed, but not for a user's timers and connections.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit();
