// The documentation's site as `npm run site` has built it: its search, what axe finds, and llms.txt.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { Server } from "portico";
import { serveFiles } from "portico/web";
import { launchBrowser } from "../support/browser.ts";
import { absent, chromium } from "../support/tools.ts";

const out = fileURLToPath(new URL("../../site/out/", import.meta.url));
const isBuilt = existsSync(join(out, "llms-full.txt"));
const unbuilt = isBuilt || process.env["CI"] ? false : "SKIPPED: needs the site, which `npm run site` builds";

/**
 * All rules of axe, with those that are best practices. TypeDoc's trees have links in the summaries that fold them, which
 * browsers and screen readers handle, but which the rule "nested-interactive" forbids.
 */
const RUN = `axe.run(document, { rules: { "nested-interactive": { enabled: false } } })
  .then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(" | ")))`;

const LOOKS = [
  [360, "light"],
  [768, "dark"],
  [1_280, "light"],
  [1_280, "dark"],
] as const;

describe("llms.txt", { skip: unbuilt }, () => {
  const text = isBuilt ? readFileSync(join(out, "llms.txt"), "utf8") : "";
  const links = [...text.matchAll(/^- \[[^\]]+\]\(([^)]+)\)/gm)].map(([, link = ""]) => link);

  it("has the form of llmstxt.org: a title, a summary, and sections of links", () => {
    assert.match(text, /^# Portico\n\n> .+\n\n/);
    assert.deepEqual(
      text.split("\n").filter((line) => !/^(?:$|# |## |> |- \[|\[llms-full)/.test(line)),
      [],
    );
    assert.match(text, /\n## Optional\n/);
  });

  it("leads to a Markdown file for each page, with a line that says what it is about", () => {
    assert.ok(
      links.includes("websockets.md") && links.includes("reference.md") === false && links.length > 60,
    );
    for (const link of links) assert.ok(existsSync(join(out, link)), link);
    // The list of changes has no text of which the first sentence says so.
    for (const line of text.split("\n## Optional")[0]?.match(/^- .*$/gm) ?? [])
      assert.match(line, /^- \[.+\]\(\S+\): \S.{10,}$|^- \[Changes\]\(changelog\.md\)$/);
  });

  it("leads to pages whose links lead to files", () => {
    for (const link of links) {
      const markdown = readFileSync(join(out, link), "utf8").replace(/```[\s\S]*?```|`[^`\n]*`/g, "");
      for (const [, target = ""] of markdown.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        assert.ok(existsSync(join(out, posix.join(dirname(link), target))), `${link} links to ${target}`);
      }
    }
  });

  it("has all pages in llms-full.txt", () => {
    const full = readFileSync(join(out, "llms-full.txt"), "utf8");
    assert.ok(
      full.startsWith("# Portico\n") && full.includes("\n# WebSockets\n") && full.includes("\n# Limits\n"),
    );
  });
});

describe("the site in a browser", { skip: unbuilt || absent(chromium, "chromium") }, () => {
  let context: BrowserContext;
  let close: () => Promise<void> = async () => {};
  let url: string;
  const server = new Server();

  before(async () => {
    server.get("/*", serveFiles(out));
    ({ url } = await server.listen({ host: "127.0.0.1", port: 0 }));
    ({ context, close } = await launchBrowser());
  });
  after(async () => {
    await close();
    await server.close({ graceMs: 0 });
  });

  async function open(path: string, base = url): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${base}/${path}`);
    return page;
  }

  async function search(page: Page, query: string): Promise<string[]> {
    const field = page.locator("#tsd-search-input");
    if (!(await field.isVisible())) await page.keyboard.press("Control+k");
    const shown = page.locator("#tsd-search-results > a, #tsd-search-status:not(:empty)").first();
    await field.fill("");
    await shown.waitFor({ state: "detached" });
    await field.fill(query);
    await shown.waitFor();
    return page.evaluate<string[]>(
      "[...document.querySelectorAll('#tsd-search-results > a')].map((one) => one.getAttribute('href'))",
    );
  }

  it("finds sections of pages, names of the reference, and words with a letter missing", async () => {
    const page = await open("index.html");
    const expected: [query: string, result: string][] = [
      ["redis", "./brokers.html#redis-and-valkey"],
      ["cookies", "./files.html#cookies"],
      ["graceful shutdown", "./operations.html#shutdown"],
      ["backpresure", "./backpressure.html"],
      ["maxBodyBytes", "./reference/portico/Limits.html#maxbodybytes"],
      ["body bytes", "./reference/portico/Limits.html#maxbodybytes"],
      ["serveFiles", "./reference/portico/web/serveFiles.html"],
    ];
    for (const [query, result] of expected) {
      const found = await search(page, query);
      assert.ok(found.includes(result), `${query}: ${found.join(" ")}`);
    }
    await page.close();
  });

  it("says when there is nothing, and shows markup as text", async () => {
    const page = await open("index.html");
    assert.deepEqual(await search(page, "<img src=x>zzqq"), []);
    assert.equal(
      await page.locator("#tsd-search-status").textContent(),
      'Nothing found for "<img src=x>zzqq".',
    );
    await page.close();
  });

  it("opens a result by the keyboard, from a folder without a server as well", async () => {
    const page = await open("reference/portico/Server.html", `file://${out}`);
    await search(page, "backpressure");
    await page.keyboard.press("ArrowDown");
    const first = page.locator("#tsd-search-results > a").first();
    assert.equal(await first.getAttribute("aria-selected"), "true");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/backpressure\.html$/);
    await page.close();
  });

  for (const path of ["index", "cli", "reference/portico/Server"]) {
    it(`has no violation on ${path}, and nothing wider than the window`, async () => {
      const page = await open(`${path}.html`);
      await page.evaluate(axe.source);
      for (const [width, colorScheme] of LOOKS) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
        assert.deepEqual(await page.evaluate(RUN), [], `${width} ${colorScheme}`);
      }
      await page.close();
    });
  }

  it("has no violation with results of the search", async () => {
    const page = await open("index.html");
    await page.emulateMedia({ reducedMotion: "reduce" });
    await search(page, "limits");
    await page.evaluate(axe.source);
    for (const width of [360, 768, 1_280]) {
      await page.setViewportSize({ width, height: 900 });
      assert.deepEqual(await page.evaluate(RUN), [], `${width}`);
    }
    await page.close();
  });
});
