// What the pages say in words and tables, held against what is there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  defaultLimits,
  HttpError,
  type HttpErrorCode,
  PorticoError,
  type PorticoErrorCode,
  WebSocketError,
  type WebSocketErrorCode,
} from "portico";
import { rooms } from "../architecture/rooms.ts";
import { manifest } from "./installed.ts";
import { pages } from "./programs.ts";

const texts = pages();
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Each page with what a pattern captures in it. */
function mentions(pattern: RegExp): [place: string, name: string][] {
  return [...texts].flatMap(([path, text]) =>
    [...text.matchAll(pattern)].map(([, name = ""]): [string, string] => [path, name]),
  );
}

describe("commands that the documentation names", () => {
  it("are scripts of package.json", () => {
    const named = mentions(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g);
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter(([, script]) => manifest.scripts[script] === undefined),
      [],
    );
  });

  it("are commands of portico", (test) => {
    const named = mentions(/\bnpx portico ([a-z][a-z-]*)/g);
    if (named.length === 0) return test.skip("no page names one");
    assert.ok(existsSync(cli), "pages name commands of a program that is not there");
    const help = execFileSync(process.execPath, [cli, "--help"], { encoding: "utf8", timeout: 20_000 });
    const commands = new Set([...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name));
    assert.deepEqual(
      named.filter(([, command]) => !commands.has(command)),
      [],
    );
  });
});

it("links of the documentation lead to files of the repository", () => {
  const links = [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)].map(([, link = ""]) =>
      posix.join(posix.dirname(path), link),
    ),
  );
  assert.ok(links.length > 0);
  assert.deepEqual(
    links.filter((link) => !existsSync(new URL(`../../${link}`, import.meta.url))),
    [],
  );
});

it("anchors of links are those of headings without code, which each renderer numbers alike", () => {
  const links = [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\]\((?!https?:)([^)\s#]*\.md)?#([^)\s]+)\)/g)].map(
      ([, page, anchor = ""]): [string, string] => [
        page === undefined ? path : posix.join(posix.dirname(path), page),
        anchor,
      ],
    ),
  );
  assert.ok(links.length > 0);
  const anchors = (page: string) =>
    [...(texts.get(page) ?? "").matchAll(/^#+ ([^`\n]+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
  assert.deepEqual(
    links.filter(([page, anchor]) => !anchors(page).includes(anchor)),
    [],
  );
});

it("docs/guide.md lists every page once", () => {
  const named = [...(texts.get("docs/guide.md") ?? "").matchAll(/\]\((\w[\w-]*\.md)\)/g)].map(
    ([, name]) => `docs/${name}`,
  );
  const all = [...texts.keys()].filter((path) => /^docs\/[^/]+$/.test(path) && path !== "docs/guide.md");
  assert.deepEqual(named.sort(), all.sort());
});

it("docs/decisions/README.md lists every decision", () => {
  const files = [...texts.keys()].filter((path) => /^docs\/decisions\/\d/.test(path));
  const listed = [...(texts.get("docs/decisions/README.md") ?? "").matchAll(/\]\((\d[^)]+)\)/g)];
  assert.deepEqual(
    listed.map(([, name]) => `docs/decisions/${name}`),
    files.sort(),
  );
});

it("docs/glossary.md has its words in alphabetical order, each once", () => {
  const [, things = "", verbs = ""] = texts.get("docs/glossary.md")?.split("\n## ") ?? [];
  for (const section of [things, verbs]) {
    const cells = [...section.matchAll(/^\| (.+?) \|/gm)].map(([, cell = ""]) => cell.replaceAll("`", ""));
    const words = cells.slice(1); // without the heading
    assert.ok(words.length > 10);
    assert.deepEqual(
      words,
      [...new Set(words)].sort((a, b) => a.localeCompare(b, "en")),
    );
  }
});

/** A value as the table of limits writes it. */
function valueIn(text: string): number | boolean {
  if (text === "none") return Number.POSITIVE_INFINITY;
  if (text === "false") return false;
  const [, digits = "", unit = ""] = /^([\d,]+) ?(KiB|MiB|GiB|s)?$/.exec(text) ?? [];
  const units: Record<string, number> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, s: 1000 };
  return Number(digits.replaceAll(",", "")) * (units[unit] ?? Number.NaN);
}

it("docs/limits.md has every limit, with its default", () => {
  const rows = texts.get("docs/limits.md")?.matchAll(/^\| `(\w+)` \| (.+?) \|/gm) ?? [];
  const told = Object.fromEntries([...rows].map(([, name = "", value = ""]) => [name, valueIn(value)]));
  // 0 stands for none where the limit is an age.
  assert.deepEqual(told, { ...defaultLimits, webSocketLifetimeMs: Number.POSITIVE_INFINITY });
});

/** The codes that a module of the sources defines, with the number of each. */
function codesOf(module: string, numberOf: (code: string) => number): Record<string, string> {
  const source = readFileSync(new URL(`../../src/${module}`, import.meta.url), "utf8");
  const codes = new Set([...source.matchAll(/^ {2}((?:ERR|HTTP|WS)_\w+):/gm)].map(([, code = ""]) => code));
  return Object.fromEntries([...codes].map((code) => [code, String(numberOf(code))]));
}

it("docs/errors.md has every code, with its status or close code", () => {
  const rows = texts.get("docs/errors.md")?.matchAll(/^\| `(\w+)` \| (\d+) \|/gm) ?? [];
  assert.deepEqual(Object.fromEntries([...rows].map(([, code, number]) => [code, number])), {
    ...codesOf("exchange/errors.ts", (code) => new PorticoError(code as PorticoErrorCode).status),
    ...codesOf("protocol/http/http-error.ts", (code) => new HttpError(code as HttpErrorCode, "").status),
    ...codesOf(
      "protocol/websocket/websocket-error.ts",
      (code) => new WebSocketError(code as WebSocketErrorCode).closeCode,
    ),
  });
});

describe("docs/architecture.md", () => {
  const text = texts.get("docs/architecture.md") ?? "";

  it("has the rooms of the architecture test, from the top down", () => {
    const rows = [...text.matchAll(/^\| (\d+) \| `([^`]+)` \| (.+) \|$/gm)];
    const told = rows.map(([, floor, path, idea]) => ({ floor: Number(floor), path, idea }));
    const sorted = [...rooms].sort((a, b) => b.floor - a.floor);
    assert.deepEqual(
      told,
      sorted.map(({ floor, path, idea }) => ({ floor, path, idea })),
    );
  });

  it("answers where something is with files that have the words to look for", () => {
    const section = /^## Where is it\?\n(.*?)^## /ms.exec(text)?.[1] ?? "";
    const rows = [...section.matchAll(/^\| (Where .*?) \| (.*?) \| (.*?) \|$/gm)];
    assert.ok(rows.length >= 6);
    for (const [, question, places = "", words = ""] of rows) {
      const files = [...places.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = ""]) => path);
      assert.ok(files.length > 0, question);
      const wanted = [...words.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
      for (const path of files) {
        const source = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
        assert.ok(
          wanted.some((word) => source.includes(word)),
          `${question} ${path} has none of ${wanted.join(", ")}`,
        );
      }
    }
  });
});
