import { tables } from "../http-tables/index.ts";

// Prints how many cases there are of each area and of each section: npm run conformance:http

const bySection = new Map<string, number>();
let total = 0;
for (const { area, cases } of tables) {
  const kinds = new Map<string, number>();
  for (const [section, , , outcome] of cases) {
    kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1);
    for (const part of section.split(", ")) bySection.set(part, (bySection.get(part) ?? 0) + 1);
  }
  total += cases.length;
  const detail = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
  console.log(`${String(cases.length).padStart(5)}  ${area}: ${detail}`);
}
console.log(`${String(total).padStart(5)}  in all`);
for (const [section, count] of [...bySection].sort(([a], [b]) =>
  a.localeCompare(b, "en", { numeric: true }),
)) {
  console.log(`${String(count).padStart(5)}  ${section}`);
}
