// Takes the pictures of the console in docs/images, and pictures to look at: of all states of the console, of the pages that
// `portico serve` makes, and of the documentation's site when it has been built: npm run screenshots [folder]
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { Server } from "portico";
import { console as consolePart } from "portico/console";
import { serveFiles } from "portico/web";
import { launchBrowser } from "../support/browser.ts";
import { startProgram } from "../support/program.ts";
import { startDemo } from "./console-demo.ts";

const SECONDS_OF_TRAFFIC = 55;
const THEMES = ["light", "dark"] as const;
const WIDTHS = [360, 768, 1_280];
const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const site = fileURLToPath(new URL("../../site/out/", import.meta.url));
const states = process.argv[2] ?? mkdtempSync(join(tmpdir(), "portico-screenshots-"));

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

async function say(page: Page, panel: string, text: string): Promise<void> {
  await page.locator(`#panel-${panel} input`).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(`#panel-${panel} .log div`, { hasText: text }).last().waitFor();
}

async function open(context: BrowserContext, url: string, width: number, height = 900): Promise<Page> {
  const page = await context.newPage();
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" });
  await page.goto(url);
  return page;
}

const connected = (page: Page): Promise<void> => page.locator("#status[data-state=open]").waitFor();

/** A picture when all is drawn. */
async function take(page: Page, path: string, fullPage = false): Promise<void> {
  await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
  await page.screenshot({ path, fullPage });
}

async function inThemes(page: Page, folder: string, name: string, fullPage = false): Promise<void> {
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await take(page, join(folder, `${name}-${colorScheme}.png`), fullPage);
  }
}

/** What a program has in its own server: all panels with something in them, at all widths. */
async function picturesOfPanels(context: BrowserContext): Promise<void> {
  const demo = await startDemo();
  try {
    const url = `${demo.url}/console/`;
    const page = await open(context, url, 1_280);
    await connected(page);
    await page.waitForTimeout(SECONDS_OF_TRAFFIC * 1_000);
    await press(page, "1 min");
    await inThemes(page, images, "console");
    await page.locator("#topics-rows button").first().click();
    await page.locator("#errors-list summary").first().click();
    await page.getByText("All limits").click();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate("scrollTo(0, 0)");
      await inThemes(page, states, `panels-${width}`, true);
    }
    await press(page, "Save the world");
    await page.locator("#notice", { hasText: "the disk is full" }).waitFor();
    await take(page, join(states, "notice.png"));
    await page.locator("#connections-rows tr", { hasText: "a console" }).locator("button").click();
    await take(page, join(states, "question.png"));
    await page.keyboard.press("Escape");
    const phone = await open(context, url, 360);
    await connected(phone);
    await inThemes(phone, states, "folded-360", true);
    await phone.close();
    await demo.server.close({ graceMs: 0 });
    await page.locator("#status[data-state=lost]").waitFor();
    await page.evaluate("scrollTo(0, 0)");
    await take(page, join(states, "lost.png"));
    await page.close();
  } finally {
    await demo.close();
  }
}

/** What `npm start` shows, empty at first and then with its programs at work. */
async function picturesOfStart(context: BrowserContext): Promise<void> {
  const program = await startProgram("dist/console/main.js", "0");
  try {
    const page = await open(context, program.url, 1_280);
    await connected(page);
    await inThemes(page, states, "empty", true);
    const other = await open(context, program.url, 1_280);
    for (const [index, text] of [
      "Is the new build running?",
      "Yes, for two minutes.",
      "Then I check p99.",
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
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.locator("#interfaces").scrollIntoViewIfNeeded();
      await inThemes(page, states, `start-${width}`, true);
    }
    await page.close();
  } finally {
    await program.stop("SIGINT");
  }
}

/** Has a server listen while pictures are taken of its pages. */
async function served(server: Server, run: (url: string) => Promise<void>): Promise<void> {
  try {
    await run((await server.listen({ host: "127.0.0.1", port: 0 })).url);
  } finally {
    await server.close({ graceMs: 0 });
  }
}

async function picturesOfToken(context: BrowserContext): Promise<void> {
  const server = new Server();
  server.mount(consolePart({ token: "a token of the pictures" }));
  await served(server, async (url) => {
    const page = await open(context, `${url}/console/`, 768, 500);
    await page.getByLabel("Token").fill("not the token");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("That is not the token.").waitFor();
    await inThemes(page, states, "token");
    await page.close();
  });
}

/** The pages that `portico serve` makes itself: a list of files, and errors. */
async function picturesOfServe(context: BrowserContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portico-served-"));
  mkdirSync(join(folder, "images"));
  for (const [name, bytes] of [
    ["report.pdf", 1_250_000],
    ["notes.md", 2_300],
    ["a name that is too long to fit into one line of the list on a small screen.txt", 12],
  ] as const)
    writeFileSync(join(folder, name), Buffer.alloc(bytes));
  const program = await startProgram("dist/cli/main.js", "serve", folder, "--listing", "--port", "0");
  try {
    for (const width of WIDTHS) {
      const page = await open(context, `${program.url}/`, width, 500);
      await inThemes(page, states, `folder-${width}`);
      await page.goto(`${program.url}/missing`);
      await inThemes(page, states, `missing-${width}`);
      await page.close();
    }
  } finally {
    await program.stop("SIGINT");
    rmSync(folder, { recursive: true });
  }
}

async function picturesOfSite(context: BrowserContext): Promise<void> {
  const server = new Server();
  server.get("/*", serveFiles(site));
  await served(server, async (url) => {
    for (const width of WIDTHS) {
      const page = await open(context, url, width);
      for (const [name, path] of [
        ["site", "index.html"],
        ["site-page", "limits.html"],
        ["site-reference", "reference/portico/Server.html"],
      ]) {
        await page.goto(`${url}/${path}`);
        await inThemes(page, states, `${name}-${width}`);
      }
      await page.locator("#tsd-search-trigger").click();
      await page.locator("#tsd-search-input").fill("upload");
      await page.locator("#tsd-search-results > a").first().waitFor();
      await inThemes(page, states, `site-search-${width}`);
      await page.close();
    }
  });
}

mkdirSync(images, { recursive: true });
mkdirSync(states, { recursive: true });
const { context, close } = await launchBrowser();
try {
  await picturesOfServe(context);
  if (existsSync(site)) await picturesOfSite(context);
  else console.log("There are no pictures of the site: run `npm run site` before.");
  await picturesOfToken(context);
  await picturesOfPanels(context);
  await picturesOfStart(context);
  console.log(`The pictures of all states are in ${states}.`);
} finally {
  await close();
}
