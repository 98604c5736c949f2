import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { type BrowserContext, type Page, chromium as playwright } from "playwright-core";
import { chromium } from "./tools.ts";

/** Chromium with a profile of its own, that takes any certificate and looks nothing up elsewhere. */
export async function launchBrowser(): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), "portico-browser-"));
  const context = await playwright.launchPersistentContext(profile, {
    executablePath: chromium ?? "chromium",
    ignoreHTTPSErrors: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** The same for the tests of a suite, in which it is called. @returns what opens a tab */
export function suiteBrowser(): (url?: string) => Promise<Page> {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());
  return async (url) => {
    const page = await browser.context.newPage();
    if (url !== undefined) await page.goto(url);
    return page;
  };
}
