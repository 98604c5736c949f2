// Which pages the site has and in what order its navigation shows them.
import { readdirSync, readFileSync } from "node:fs";

/**
 * Sections of the navigation: files below docs/ without ".md". One that is not there is left out, and a page that no
 * section names comes under the last one, so that a new page is never lost.
 * @type {readonly [title: string, pages: readonly string[]][]}
 */
const sections = [
  ["First steps", ["start", "guide", "programming-models", "migrating"]],
  [
    "Guide",
    [
      "routes",
      "exchanges",
      "websockets",
      "channels",
      "backpressure",
      "delivery",
      "loop",
      "games",
      "game",
      "fetch",
      "files",
      "testing",
    ],
  ],
  [
    "In production",
    [
      "shutdown",
      "operations",
      "workers",
      "brokers",
      "scaling",
      "console",
      "cli",
      "limits",
      "errors",
      "security",
    ],
  ],
  ["Other models", ["evo", "craftos", "daslang", "facil", "lua"]],
  ["How it is made", ["architecture", "glossary", "performance"]],
];

/** Folders of docs/ whose pages are a section; their README.md comes first and has the name of the folder. */
const folders = { decisions: "Decisions" };

/** Pages outside of docs/, by the name of their page. */
const others = { SECURITY: "security-policy", CHANGELOG: "changelog" };

/** @typedef {{ file: string, page: string, title: string }} Page a file of the repository, and what becomes of it */

/**
 * All pages that are written in Markdown, by section.
 * @param {URL} root of the repository
 * @returns {[title: string, pages: Page[]][]}
 */
export function guidePages(root) {
  /** @param {string} file @param {string} page @returns {Page} */
  const pageOf = (file, page) => ({ file, page, title: titleOf(new URL(file, root)) });
  const names = readdirSync(new URL("docs/", root)).filter((name) => name.endsWith(".md"));
  const left = new Set(names.map((name) => name.slice(0, -3)).sort());
  /** @type {[string, Page[]][]} */
  const found = sections.map(([title, wanted]) => [
    title,
    wanted.filter((name) => left.delete(name)).map((name) => pageOf(`docs/${name}.md`, name)),
  ]);
  const last = found[found.length - 1]?.[1];
  for (const name of left) last?.push(pageOf(`docs/${name}.md`, name));
  for (const [folder, title] of Object.entries(folders)) {
    const inside = readdirSync(new URL(`docs/${folder}/`, root)).map((name) => name.replace(/\.md$/, ""));
    const pages = inside.filter((name) => name !== "README").sort();
    const files = pages.map((name) => pageOf(`docs/${folder}/${name}.md`, `${folder}/${name}`));
    found.push([title, [pageOf(`docs/${folder}/README.md`, folder), ...files]]);
  }
  for (const [name, page] of Object.entries(others)) last?.push(pageOf(`${name}.md`, page));
  return found.filter(([, pages]) => pages.length > 0);
}

/**
 * The programs in examples/, each of which becomes a page that shows it.
 * @param {URL} root of the repository
 * @returns {Page[]}
 */
export function examplePages(root) {
  const names = readdirSync(new URL("examples/", root), { recursive: true, encoding: "utf8" });
  const sources = names.map((name) => name.replaceAll("\\", "/")).filter((name) => /\.ts$/.test(name));
  return sources
    .sort()
    .map((name) => ({ file: `examples/${name}`, page: `examples/${name.slice(0, -3)}`, title: name }));
}

/** @param {URL} file */
function titleOf(file) {
  const title = /^# (.+)$/m.exec(readFileSync(file, "utf8"))?.[1];
  if (title === undefined) throw new Error(`${file.pathname} has no heading: begin it with "# Title"`);
  return title.replaceAll("`", "");
}
