// Prints how an echo server does in the suite: `npm run conformance [url]`; without a url Portico's engine is asked.
import type { Target } from "./websocket-client.ts";
import { Client } from "./websocket-client.ts";
import { CASES, type Result, runCase, sections } from "./websocket-suite.ts";
import { type Running, startEngine } from "./websocket-targets.ts";

/** What can be found out from outside. */
async function describe(url: string): Promise<Target> {
  const target = { name: url, url, deflate: false, protocols: [], maxMessageBytes: undefined };
  const client = new Client(target);
  try {
    const offer = { fields: { "Sec-WebSocket-Extensions": "permessage-deflate" } };
    return { ...target, deflate: (await client.open(offer)).agreed !== null };
  } finally {
    client.dispose();
  }
}

type Counts = Record<Result["verdict"], number>;

function count(results: readonly Result[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, informational: 0, skipped: 0 };
  for (const result of results) counts[verdictOf(result)]++;
  return counts;
}

// A practice that a server does not have is no failure: the RFC leaves it open.
function verdictOf({ verdict, weight }: Result): Result["verdict"] {
  return verdict === "failed" && weight === "practice" ? "informational" : verdict;
}

function row(title: string, cells: readonly (string | number)[]): string {
  return title.padEnd(64) + cells.map((cell) => String(cell).padStart(14)).join("");
}

async function report(target: Target): Promise<number> {
  const started = performance.now();
  const results: Result[] = [];
  console.log(`\n${target.name} (${target.url})\n`);
  console.log(row("", Object.keys(count([]))));
  for (const section of sections()) {
    const own: Result[] = [];
    for (const given of CASES) if (given.section === section) own.push(await runCase(given, target));
    console.log(row(section, Object.values(count(own))));
    results.push(...own);
  }
  const all = count(results);
  console.log(
    row(`all ${results.length} in ${Math.round(performance.now() - started)} ms`, Object.values(all)),
  );
  for (const verdict of ["failed", "informational"] as const) {
    const those = results.filter((result) => verdictOf(result) === verdict);
    if (those.length > 0) console.log(`\n${verdict}:`);
    for (const { section, name, note } of those)
      console.log(`  ${section}: ${name}\n    ${note.split("\n")[0]}`);
  }
  return all.failed;
}

const url = process.argv[2];
const running: Running =
  url === undefined ? await startEngine() : { targets: [await describe(url)], stop: async () => {} };
let failed = 0;
for (const target of running.targets) failed += await report(target);
await running.stop();
process.exitCode = failed > 0 ? 1 : 0;
