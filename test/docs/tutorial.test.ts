// Follows docs/tutorial.md from its first step to its last, also in a browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { redis } from "../support/broker-server.ts";
import { launchBrowser } from "../support/browser.ts";
import { absent, chromium, nginx } from "../support/tools.ts";
import { allPackages, installedProject, type Project } from "./installed.ts";
import { pages } from "./programs.ts";
import { needs, type Step, stepsOf, Terminal, writeFiles } from "./tutorial.ts";

const PATIENCE_MS = 20_000;
const steps = await stepsOf(pages().get("docs/tutorial.md") ?? "");

let project: Project;
let browser: Awaited<ReturnType<typeof launchBrowser>> | undefined;
before(async () => {
  project = await installedProject(allPackages);
  if (chromium !== undefined) browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  project?.remove();
});

/** Opens a page of the chat and waits until it can send. */
async function open(address: string | undefined): Promise<Page> {
  const page = await browser?.context.newPage();
  assert.ok(page !== undefined && address !== undefined);
  page.setDefaultTimeout(PATIENCE_MS);
  const opened = page.waitForEvent("websocket");
  await page.goto(address);
  await opened;
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("input[name=text]:enabled", text);
  // The page keeps the text until its WebSocket is open, so a reader would press the button again.
  const end = Date.now() + PATIENCE_MS;
  do await page.click("button");
  while ((await page.inputValue("input[name=text]")) !== "" && Date.now() < end);
  await sees(page, text);
}

function sees(page: Page, text: string): Promise<void> {
  return page.locator("li", { hasText: text }).waitFor();
}

async function online(page: Page): Promise<void> {
  await page.locator('input[placeholder="Message"]:enabled').waitFor();
}

/** "You should see" of the steps that a reader looks at in a browser. */
const looks: Record<string, (step: Step, terminal: Terminal) => Promise<void>> = {
  "2": async ({ addresses }) => {
    const [one, other] = [await open(addresses[0]), await open(addresses[0])];
    await say(one, "from one window");
    await sees(other, "from one window");
  },
  "3": async ({ addresses }) => {
    const [one, other] = [await open(addresses[0]), await open(addresses[0])];
    const elsewhere = await open(addresses[1]);
    await say(elsewhere, "only coffee");
    await say(one, "only tea");
    await sees(other, "only tea");
    assert.deepEqual(await elsewhere.locator("li").allTextContents(), ["only coffee"]);
  },
  "4": async ({ addresses }) => {
    await say(await open(addresses[0]), "is Bob here?");
    await sees(await open(addresses[1]), "Ada: is Bob here?");
  },
  "7": async ({ addresses }) => {
    const page = await open(addresses[0]);
    assert.match(await page.title(), /Portico/);
  },
  "8": async (_step, terminal) => {
    const page = await open(steps[1]?.addresses[0]);
    await online(page);
    await page.fill("input[name=text]", "a draft");
    const { code, again } = await terminal.interrupt("node server.js");
    assert.equal(code, 0);
    await page.locator('input[placeholder^="Connecting again"]:disabled').waitFor();
    await page.click("button");
    assert.equal(await page.inputValue("input[name=text]"), "a draft");
    await again();
    await online(page);
  },
  "9": async () => {
    const pages = await Promise.all([1, 2, 3].map(() => open(steps[1]?.addresses[0])));
    for (const page of pages) await online(page);
    for (const [at, page] of pages.entries()) await say(page, `from window ${at}`);
    for (const page of pages) await sees(page, "from window 2");
  },
  "10": async ({ addresses }, terminal) => {
    const [ada, bob] = [await open(addresses[0]), await open(addresses[1])];
    for (const page of [ada, bob]) await online(page);
    await say(ada, "from the first machine");
    await sees(bob, "Ada: from the first machine");
    await say(bob, "from the second machine");
    await sees(ada, "Bob: from the second machine");
    const { again } = await terminal.interrupt("PORT=");
    await again();
    await ada.reload();
    await sees(ada, "Bob: from the second machine");
  },
  "11": async ({ addresses }, terminal) => {
    const windows = await Promise.all([1, 2, 3, 4].map(() => open(addresses[0])));
    for (const page of windows) await online(page);
    const [first, second] = windows;
    assert.ok(first !== undefined && second !== undefined);
    await say(first, "through the proxy");
    await terminal.interrupt("PORT=");
    await second.reload();
    await online(second);
    await sees(second, "Ada: through the proxy");
    await say(second, "through the other one");
    for (const page of windows) await sees(page, "through the other one");
  },
};

describe("the tutorial", () => {
  assert.ok(steps.length >= 12, "it has twelve steps");
  for (const step of steps) {
    const number = step.title.slice(0, step.title.indexOf("."));
    const look = looks[number];
    it(step.title, { timeout: 120_000 }, async (t) => {
      writeFiles(project, step);
      const missing = [
        needs(step, "redis-server") && absent(redis, "redis-server"),
        needs(step, "nginx") && absent(nginx, "nginx"),
      ].find((why) => why !== false);
      if (missing !== undefined) return t.skip(missing);
      const terminal = new Terminal(project.folder);
      try {
        await terminal.run(step);
        if (look === undefined) return;
        await t.test("in a browser", { skip: absent(chromium, "chromium") }, () => look(step, terminal));
      } finally {
        for (const page of browser?.context.pages() ?? []) await page.close();
        await terminal.close();
      }
    });
  }
});
