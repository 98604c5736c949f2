// The programs that the pages show. A block that begins with an import is a program; the blocks without one that
// follow on that page go on with it. How a page says what becomes of a program:
//
//   ```ts                          compiled, and run
//   ```ts no-run: needs a browser  compiled only, and why; a block of JavaScript is only parsed then
//   ```sh                          below a program: each line that begins with curl is run beside it,
//   curl http://127.0.0.1:9001/    and the comments below that line are what it must print
//   # Hello
//
//   ```js file: chat.js            a file of the tutorial, which tutorial.test.ts follows; no program by itself
//
// Ports need no care: whatever a program asks for, it is given a free one, and curl is sent there. A program finds in its
// folder index.html in public, dist and well-known, key.pem and cert.pem.
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

/** A command of a page, and the lines that it must print; none: it must only succeed. */
export interface Ask {
  readonly command: string;
  readonly prints: readonly string[];
}

export interface Program {
  /** Such as "docs/guide.md:12". */
  readonly place: string;
  /** Such as "docs_guide_12.ts". */
  readonly file: string;
  /** All that must compile; each line has the number that it has on its page. */
  readonly text: string;
  /** Why it is not run. */
  readonly noRun: string | undefined;
  readonly asks: readonly Ask[];
}

/** A fenced block of a page. */
export interface Block {
  /** The line of its first line, from 1 on. */
  readonly line: number;
  readonly language: string;
  /** The rest of the line that opens it. */
  readonly info: string;
  readonly text: string;
  /** The last line above it that is not empty. */
  readonly above: string;
}

/** The pages at the root of the repository and all of docs/, by their path. */
export function pages(): Map<string, string> {
  const docs = readdirSync(new URL("docs/", root), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".md"));
  const paths = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...docs.sort().map((name) => `docs/${name}`)];
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, root), "utf8")]));
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^( *)```(\w+)[ \t]*(.*)\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, indent = "", language = "", info = "", text = ""] = match;
    const before = page.slice(0, match.index);
    return {
      line: before.split("\n").length + 1,
      language,
      info,
      text: text.replace(new RegExp(`^${indent}`, "gm"), ""),
      above: before.trimEnd().split("\n").at(-1) ?? "",
    };
  });
}

/** The lines of `blocks` where they stand on their page. */
function inPlace(blocks: readonly Block[]): string {
  const lines: string[] = [];
  for (const { line, text } of blocks) {
    while (lines.length < line - 1) lines.push("");
    lines.push(...text.trimEnd().split("\n"));
  }
  return `${lines.join("\n")}\n`;
}

function asksOf(shell: string): Ask[] {
  const lines = shell.trimEnd().split("\n");
  return lines.flatMap((command, at) => {
    if (!command.startsWith("curl ")) return [];
    const rest = lines.slice(at + 1);
    const end = rest.findIndex((line) => !line.startsWith("#"));
    const prints = rest.slice(0, end < 0 ? undefined : end).map((line) => line.replace(/^# ?/, ""));
    return [{ command, prints }];
  });
}

/**
 * The programs of a page, in order.
 * @throws Error for a block that belongs to no program, and one that does not say why it is not run
 */
export function programsOf(path: string, page: string): Program[] {
  const found: { blocks: Block[]; asks: Ask[] }[] = [];
  for (const block of blocksOf(page)) {
    if (block.language === "sh") found.at(-1)?.asks.push(...asksOf(block.text));
    if (!["ts", "js"].includes(block.language) || block.info.startsWith("file: ")) continue;
    if (/^no-run\b(?!: \S)|^(?!no-run\b)\S/.test(block.info)) {
      throw new Error(`${path}:${block.line - 1}: write "no-run: why" behind \`\`\`${block.language}`);
    }
    const before = found.findLast(({ blocks }) => blocks[0]?.language === "ts");
    if (/^import\b/m.test(block.text) || block.language === "js") found.push({ blocks: [block], asks: [] });
    else if (before !== undefined) before.blocks.push(block);
    else throw new Error(`${path}:${block.line}: no block with imports stands before this one`);
  }
  return found.map(({ blocks, asks }) => programFrom(path, blocks, asks));
}

function programFrom(path: string, blocks: readonly Block[], asks: readonly Ask[]): Program {
  const { line = 0, language = "ts" } = blocks[0] ?? {};
  const noRun = blocks.map(({ info }) => /^no-run: (.+)/.exec(info)?.[1]).find((why) => why !== undefined);
  const parseOnly = language === "js" && noRun !== undefined ? "// @ts-nocheck\n" : "";
  return {
    place: `${path}:${line}`,
    file: `${path.replace(".md", "").replaceAll("/", "_")}_${line}.${language}`,
    text: inPlace(blocks).replace(/^\n/, parseOnly || "\n"),
    noRun,
    asks,
  };
}
