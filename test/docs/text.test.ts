// What the pages say in words and tables, held against what is there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
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
    ...codesOf("engine/errors.ts", (code) => new PorticoError(code as PorticoErrorCode).status),
    ...codesOf("http1/http-error.ts", (code) => new HttpError(code as HttpErrorCode, "").status),
    ...codesOf(
      "websocket/websocket-error.ts",
      (code) => new WebSocketError(code as WebSocketErrorCode).closeCode,
    ),
  });
});
