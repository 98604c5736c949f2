import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { type Program, startProgram } from "../support/program.ts";
import { absent, chromium } from "../support/tools.ts";
import { started } from "../workers/running.ts";
import { type Demo, startDemo } from "./console-demo.ts";

/** All rules of axe, with those that are best practices. */
const RUN = `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) =>
  id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(" | ")))`;
const SECTIONS = "for (const details of document.querySelectorAll('main details')) details.open = true";

describe("the console and axe", { skip: absent(chromium, "chromium") }, () => {
  let context: BrowserContext;
  let close: () => Promise<void> = async () => {};
  let demo: Demo;
  let program: Program;

  before(async () => {
    demo = await startDemo();
    program = await startProgram("dist/console/main.js", "0");
    ({ context, close } = await launchBrowser());
  });
  after(async () => {
    await close();
    await demo.close();
    await program.stop("SIGKILL");
  });

  async function open(url: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    await page.locator("#status[data-state=open]").waitFor();
    await page.locator("#limits-near tbody tr").first().waitFor();
    // The page's policy allows no further script; this one comes from the browser.
    await page.evaluate(axe.source);
    return page;
  }

  async function check(page: Page, width: number, colorScheme: "light" | "dark"): Promise<void> {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(SECTIONS);
    const scrollWidth = await page.evaluate("document.documentElement.scrollWidth");
    assert.equal(scrollWidth, width, "nothing is wider than the window");
    assert.deepEqual(await page.evaluate(RUN), [], `${width} ${colorScheme}`);
  }

  const widths = [360, 768, 1_280];
  const schemes = ["light", "dark"] as const;

  it("has no violation with something in every panel", async () => {
    const page = await open(`${demo.url}/console/`);
    await page.locator("#errors-list li").first().waitFor();
    await page.locator("#topics-rows button").first().click();
    await page.locator("#members-rows li").first().waitFor();
    for (const width of widths) for (const scheme of schemes) await check(page, width, scheme);
    await page.locator("#connections-rows tr", { hasText: "a console" }).locator("button").click();
    await page.getByRole("dialog").waitFor();
    for (const scheme of schemes) await check(page, 360, scheme);
    await page.close();
  });

  it("has no violation with workers and a broker, and shows one worker that is chosen by the keyboard", async (t) => {
    const workers = started(t, {}, {}, "console-primary.ts");
    await workers.printed("ready", 2, 30_000);
    const page = await open(`http://127.0.0.1:${workers.port}/console/`);
    await page.locator("#workers-rows tr").nth(1).waitFor();
    await page.locator("#nodes-rows tr").nth(1).waitFor();
    for (const width of widths) for (const scheme of schemes) await check(page, width, scheme);
    await page.locator("#worker").focus();
    await page.keyboard.press("ArrowDown");
    assert.equal(await page.locator("#worker").inputValue(), "1");
    await page.locator("#worker option", { hasText: "Worker 2" }).waitFor({ state: "attached" });
    const ofOther = page.locator("#connections-rows td.worker", { hasText: "2" });
    await ofOther.first().waitFor({ state: "detached" });
    assert.equal(await page.locator("#workers-rows tr").count(), 2);
    await page.close();
  });

  it("has no violation with empty lists and the four programs", async () => {
    const page = await open(`${program.url}/`);
    await page.getByRole("button", { name: "Right", exact: true }).click();
    for (const width of widths) for (const scheme of schemes) await check(page, width, scheme);
    await page.close();
  });
});
