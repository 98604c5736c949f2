import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Channels, channel } from "../../src/channels/index.ts";
import { Server } from "../../src/server/server.ts";
import { launchBrowser } from "../support/browser.ts";
import { absent, chromium } from "../support/tools.ts";
import { eventually } from "../support/waiting.ts";

const client = readFileSync(new URL("../../dist/browser/index.js", import.meta.url));
const page = `<!doctype html><title>Client</title><pre></pre><script type="module">
import { Client } from "/client.js";
const log = (text) => { document.querySelector("pre").textContent += text + "\\n"; };
const client = new Client(location.origin.replace("http", "ws") + "/channels", {
  token: "anna",
  minPauseMs: 20,
  maxPauseMs: 60_000,
  onState: (state) => log(state),
});
client.subscribe("news", { onMessage: (message) => log(message), onMissed: () => log("missed") });
</script>`;

describe("portico/client in Chromium", { skip: absent(chromium, "chromium") }, () => {
  const channels = new Channels({
    authenticate: (token) => (token === undefined ? undefined : { user: token }),
    channels: { news: channel({ authorize: "everyone", history: { maxMessages: 10 } }) },
  });
  const server = new Server();
  let browser: BrowserContext;
  let close: () => Promise<void> = async () => {};
  let tab: Page;

  before(async () => {
    server.mount(channels.part);
    server.get("/client.js", (exchange) => exchange.setHeader("Content-Type", "text/javascript").end(client));
    server.get("/", (exchange) => exchange.setHeader("Content-Type", "text/html").end(page));
    const { url } = await server.listen({ host: "127.0.0.1" });
    ({ context: browser, close } = await launchBrowser());
    tab = await browser.newPage();
    await tab.goto(url);
  });
  after(async () => {
    await close();
    await server.close({ graceMs: 0 });
  });

  const shows = async (wanted: readonly string[]): Promise<void> => {
    const read = () => tab.locator("pre").textContent();
    const end = Date.now() + 20_000;
    let text = await read();
    while (text?.trim() !== wanted.join("\n") && Date.now() < end) text = await read();
    assert.deepEqual(text?.trim().split("\n"), wanted);
  };

  it("waits while the browser is offline, and recovers when it is online", async () => {
    await shows(["connecting", "open"]);
    await eventually(() => [...channels.subscribers()].length === 1, "the subscription");
    await channels.publish("news", "one");
    await shows(["connecting", "open", "one"]);
    await browser.setOffline(true);
    for (const socket of server.webSockets) socket.terminate();
    await shows(["connecting", "open", "one", "offline"]);
    await channels.publish("news", "two");
    await browser.setOffline(false);
    await shows(["connecting", "open", "one", "offline", "waiting", "connecting", "open", "two"]);
  });
});
