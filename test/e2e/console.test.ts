import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { BrowserContext } from "playwright-core";
import { mountConsole } from "../../src/console/console.ts";
import { Server } from "../../src/engine/server.ts";
import { launchBrowser } from "./browser.ts";
import { certificate } from "./certificates.ts";
import { type Program, startProgram } from "./program.ts";
import { absent, chromium } from "./tools.ts";

describe("npm start: a page in a real browser", { skip: absent(chromium, "chromium") }, () => {
  let program: Program;
  let browser: BrowserContext;
  let close: () => Promise<void> = async () => {};

  before(async () => {
    program = await startProgram("dist/console/main.js", "0");
    ({ context: browser, close } = await launchBrowser());
  });
  after(() => close());

  it("shows the server's state over WebSocket, asks it over HTTP, and chats between two pages", async () => {
    const errors: string[] = [];
    const first = await browser.newPage();
    const second = await browser.newPage();
    for (const page of [first, second]) {
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(`${program.url}/`);
      await page.locator("#state.open").waitFor();
    }
    await first.locator("#webSockets", { hasText: "2" }).waitFor();

    await first.locator("#echo input").fill("grüß dich, 世界");
    await first.locator("#echo button").click();
    await first.locator("#answer", { hasText: "200: grüß dich, 世界" }).waitFor();

    await second.locator("#say input").fill("<b>hello</b> from the second page");
    await second.keyboard.press("Enter");
    await first.locator("#chat li", { hasText: "<b>hello</b> from the second page" }).waitFor();
    await second.locator("#chat li", { hasText: "(you)" }).waitFor();

    await second.close();
    await first.locator("#webSockets", { hasText: "1" }).waitFor();
    assert.deepEqual(errors, []);
  });

  it("refuses the WebSocket to a page of another site", async () => {
    const page = await browser.newPage();
    await page.goto("data:text/html,<title>elsewhere</title>");
    const code = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          new WebSocket(url).onclose = (event) => resolve(event.code);
        }),
      `${program.url.replace("http", "ws")}/live`,
    );
    assert.equal(code, 1006);
    await page.close();
  });

  it("works over TLS, too", async () => {
    await using server = new Server();
    const unmount = mountConsole(server);
    const { port } = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
    const page = await browser.newPage();
    await page.goto(`https://localhost:${port}/`);
    await page.locator("#state.open").waitFor();
    await page.locator("#echo button").click();
    await page.locator("#answer", { hasText: "200: Hello, Portico" }).waitFor();
    await page.locator("#say input").fill("through wss");
    await page.keyboard.press("Enter");
    await page.locator("#chat li", { hasText: "through wss" }).waitFor();
    await page.close();
    unmount();
  });

  it("stops cleanly with Ctrl-C while a page is connected, which then says so", async () => {
    const [page] = browser.pages().filter((open) => open.url().startsWith(program.url));
    assert.ok(page);
    assert.equal(await program.stop("SIGINT"), 0);
    assert.equal(program.lines.at(-1), "Portico has stopped.");
    await page.locator("#state", { hasText: "connection lost" }).waitFor();
  });
});
