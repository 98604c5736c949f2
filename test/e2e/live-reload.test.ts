import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { launchBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/places.ts";
import { startProgram } from "../support/program.ts";
import { absent, chromium } from "../support/tools.ts";

const page = (text: string): string =>
  `<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><body><p>${text}</p></body>`;

it("portico serve --live: a real browser loads again what has changed, and after a restart", {
  skip: absent(chromium, "chromium"),
}, async (t) => {
  const root = temporaryFolder(t);
  const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
  write("index.html", page("one"));
  write("style.css", "p { width: 100px }");
  const serve = (port: string) =>
    startProgram("dist/cli/main.js", "serve", root, "--live", "--no-log", "--port", port);
  let program = await serve("0");
  t.after(() => program.stop("SIGKILL"));
  const browser = await launchBrowser();
  t.after(browser.close);
  const tab = await browser.context.newPage();
  tab.setDefaultTimeout(5_000);
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(String(error)));

  await tab.goto(`${program.url}/`);
  await tab.getByText("one", { exact: true }).waitFor();
  write("index.html", page("two"));
  await tab.getByText("two", { exact: true }).waitFor();
  write("style.css", "p { width: 200px }");
  await tab.waitForFunction("document.querySelector('p')?.offsetWidth === 200");

  assert.equal(await program.stop("SIGINT"), 130);
  write("index.html", page("three"));
  program = await serve(new URL(program.url).port);
  await tab.getByText("three", { exact: true }).waitFor();
  assert.deepEqual(errors, []);
});
