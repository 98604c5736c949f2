import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { type Program, startProgram } from "../support/program.ts";
import { absent, chromium } from "../support/tools.ts";

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Runs in the page: the middle of all pixels of the canvas that have the colour of a player's entry in the scores. */
const findPlayer = new Function(
  "argument",
  `const [name, from] = argument;
  const item = [...document.querySelectorAll("#scores li")].find((li) => li.textContent.startsWith(name + " "));
  if (item === undefined) return undefined;
  const [red, green, blue] = getComputedStyle(item).color.match(/\\d+/g).map(Number);
  const canvas = document.querySelector("canvas");
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let [count, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== red || data[i + 1] !== green || data[i + 2] !== blue) continue;
    count++;
    x += (i / 4) % width;
    y += Math.floor(i / 4 / width);
  }
  // A disc of 18 pixels has about 1,000, some of which a name or another disc may cover.
  if (count < 300) return undefined;
  const middle = { x: x / count, y: y / count };
  return from === null || Math.hypot(middle.x - from.x, middle.y - from.y) > 50 ? middle : undefined;`,
) as (argument: readonly [name: string, from: Point | null]) => Point | undefined;

/** Waits until a player of this name is drawn, and more than 50 pixels away from a point. */
async function seen(page: Page, name: string, from: Point | null = null): Promise<Point> {
  await page.bringToFront(); // a tab in the background draws nothing
  const found = await page.waitForFunction(findPlayer, [name, from] as const, {
    timeout: 10_000,
    polling: 50,
  });
  return (await found.jsonValue()) as Point;
}

/** Plays under a name in a tab of its own. */
async function play(browser: BrowserContext, url: string, name: string, errors: string[]): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`${url}/`);
  await page.locator("#enter input").fill(name);
  await page.locator("#enter button").click();
  return page;
}

describe("examples/game in a real browser", { skip: absent(chromium, "chromium") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "portico-game-"));
  const startGame = (port: string): Promise<Program> =>
    startProgram("--import", "tsx", "examples/game/server.ts", port, join(folder, "seats.json"));
  let program: Program;
  let browser: BrowserContext;
  let close: () => Promise<void> = async () => {};

  before(async () => {
    program = await startGame("0");
    ({ context: browser, close } = await launchBrowser());
  });
  after(async () => {
    await close();
    await program.stop("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  it("two tabs move, see each other, and come back to their seats after a reload and a restart", {
    timeout: 120_000,
  }, async () => {
    const errors: string[] = [];
    const ann = await play(browser, program.url, "Ann", errors);
    const bob = await play(browser, program.url, "<b>Bob", errors);
    const ahead = (start: Point): number => (start.x > 800 ? -1 : 1);
    const byKey = async (start: Point): Promise<() => Promise<void>> => {
      const key = ahead(start) < 0 ? "ArrowLeft" : "KeyD";
      await ann.keyboard.down(key);
      return () => ann.keyboard.up(key);
    };
    const byPointer = async (start: Point): Promise<() => Promise<void>> => {
      await bob.mouse.move(400, 300);
      await bob.mouse.down();
      await bob.mouse.move(400 + 100 * ahead(start), 300);
      return () => bob.mouse.up();
    };
    for (const [name, page, other, push] of [
      ["Ann", ann, bob, byKey],
      ["<b>Bob", bob, ann, byPointer],
    ] as const) {
      const start = await seen(other, name);
      await page.bringToFront();
      const release = await push(start);
      await seen(page, name, start);
      await release();
      await seen(other, name, start);
    }

    // A reload keeps the seat, and does not make a second player.
    await ann.reload();
    await ann.locator("#enter button").click();
    await seen(ann, "Ann");
    assert.equal(await bob.locator("#scores li").count(), 2);

    assert.equal(await program.stop("SIGTERM"), 0);
    await ann.locator("#state", { hasText: "The server is stopping" }).waitFor();
    const seat = await bob.evaluate(`sessionStorage.getItem("seat")`);
    program = await startGame(new URL(program.url).port);
    for (const [page, name] of [
      [ann, "Ann"],
      [bob, "<b>Bob"],
    ] as const) {
      await page.bringToFront();
      await page.locator("#state").filter({ hasText: /^$/ }).waitFor({ state: "attached" });
      await seen(page, name);
    }
    assert.equal(await bob.evaluate(`sessionStorage.getItem("seat")`), seat);
    await bob.locator("#scores li").nth(1).waitFor();
    assert.equal(await bob.locator("#scores li").count(), 2);
    const others = errors.filter((text) => !text.includes("ERR_CONNECTION_REFUSED"));
    assert.deepEqual(others, []);
  });
});
