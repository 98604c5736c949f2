// Builds Portico and starts the console: npm start, npm start -- --port 9002.
import { spawnSync } from "node:child_process";

const began = performance.now();
process.stdout.write("Building Portico, which takes a few seconds … ");
const { status, error } = spawnSync("npm run --silent build", {
  shell: true,
  stdio: ["ignore", "inherit", "inherit"],
});
if (status !== 0) {
  console.error(error?.message ?? "The build failed: see the messages above.");
  process.exit(status ?? 1);
}
console.log(`done in ${((performance.now() - began) / 1_000).toFixed(1)} s.`);
await import("../dist/console/main.js");
