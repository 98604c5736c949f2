// Makes the pictures of the console in docs/images: npm run screenshots
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { startProgram } from "./program.ts";

const SECONDS_OF_TRAFFIC = 6;
const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

async function say(page: Page, panel: string, text: string): Promise<void> {
  await page.locator(`#panel-${panel} input`).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(`#panel-${panel} .log div`, { hasText: text }).last().waitFor();
}

mkdirSync(folder, { recursive: true });
const program = await startProgram("dist/console/main.js", "0");
const { context, close } = await launchBrowser();
try {
  const page = await context.newPage();
  await page.setViewportSize({ width: 1120, height: 960 });
  await page.goto(program.url);
  await page.locator("#status[data-state=open]").waitFor();
  await press(page, "Steady traffic");
  const other = await context.newPage();
  await other.goto(program.url);
  for (const [index, text] of [
    "Is the new build up?",
    "Yes, since two minutes.",
    "Then I look at p99.",
  ].entries()) {
    const from = index % 2 === 0 ? page : other;
    await from.locator("#chat-form input").fill(text);
    await from.locator("#chat-form input").press("Enter");
    await page.locator("#chat-list div", { hasText: text }).waitFor();
  }
  await press(page, "Right");
  await press(other, "Left");
  await press(page, "Status");
  await say(page, "craftos", "Hello");
  await say(page, "daslang", "a line");
  await press(page, "Reload the script");
  await say(page, "daslang", "another line");
  await say(other, "facil", "hello from the other page");
  await say(page, "facil", "hello");
  await other.close();
  for (let i = 0; i < 3; i++) {
    await press(page, "100 requests");
    await press(page, "1,000 messages");
    await page.waitForTimeout((SECONDS_OF_TRAFFIC * 1_000) / 3);
  }
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await page.evaluate("scrollTo(0, 0)");
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    await page.screenshot({ path: `${folder}console-${theme}.png` });
  }
} finally {
  await close();
  await program.stop("SIGINT");
}
