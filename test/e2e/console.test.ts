import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Server } from "portico";
import { type ConsoleOptions, console as consolePart } from "portico/console";
import { launchBrowser } from "../support/browser.ts";
import { listOf } from "../support/bytes.ts";
import { certificate } from "../support/certificates.ts";
import { type Program, startProgram } from "../support/program.ts";
import { absent, chromium } from "../support/tools.ts";
import { within } from "../support/waiting.ts";

const TOKEN = "a token of the tests";

/** Opens pages, and keeps what they complain of; what a test expects is excused by a pattern. */
class Tabs {
  readonly errors: string[] = [];
  excused = /^$/;
  readonly context: BrowserContext;

  constructor(context: BrowserContext) {
    this.context = context;
  }

  async open(url: string): Promise<Page> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(5_000);
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  /** Fails when a page has complained since the last call. */
  check(): void {
    const errors = this.errors.splice(0).filter((error) => !this.excused.test(error));
    this.excused = /^$/;
    assert.deepEqual(errors, []);
  }

  async closeAll(): Promise<void> {
    const [first, ...others] = this.context.pages();
    await first?.goto("about:blank");
    for (const page of others) await page.close();
  }
}

const connected = (page: Page): Promise<void> => page.locator("#status[data-state=open]").waitFor();
const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

describe("the console in a real browser", { skip: absent(chromium, "chromium") }, () => {
  let tabs: Tabs;
  let close: () => Promise<void> = async () => {};

  /** That of npm start, which begins while the browser does. */
  let program: Program;

  before(async () => {
    const starting = startProgram("dist/console/main.js", "0");
    try {
      const browser = await launchBrowser();
      close = browser.close;
      tabs = new Tabs(browser.context);
    } finally {
      program = await starting;
    }
  });
  afterEach(() => tabs.check());
  after(async () => {
    await close();
    await program.stop("SIGKILL");
  });

  describe("mounted in a server", () => {
    const servers: Server[] = [];

    /** A server with the console at /console/. */
    async function serve(options: ConsoleOptions = {}): Promise<{ server: Server; url: string }> {
      const server = new Server();
      servers.push(server);
      server.get("/slow", () => {});
      server.mount(consolePart(options));
      const { url } = await server.listen({ host: "127.0.0.1", port: 0 });
      return { server, url };
    }

    /** The address of a page of another site: for a browser localhost is another one than 127.0.0.1. */
    async function elsewhere(content: string): Promise<string> {
      const server = new Server();
      servers.push(server);
      server.get("/", (exchange) => {
        exchange.setHeader("Content-Type", "text/html");
        exchange.end(`<link rel="icon" href="data:,">${content}`);
      });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      return `http://localhost:${port}/`;
    }

    afterEach(async () => {
      await tabs.closeAll();
      for (const server of servers.splice(0)) await server.close({ graceMs: 0 });
    });

    it("closes a connection that the filter has found, with the keyboard alone", async () => {
      const { url, server } = await serve();
      const peer = connect(Number(new URL(url).port), "127.0.0.1");
      peer.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
      const answer = new Promise<string>((resolve) => peer.once("data", (data) => resolve(String(data))));
      const page = await tabs.open(`${url}/console/`);
      await page.locator("tr", { hasText: "/slow" }).waitFor();
      await page.locator("#connections-filter").focus();
      await page.keyboard.type("/SLOW");
      await page.locator("#connections-count", { hasText: /^1 of \d+ open$/ }).waitFor();
      assert.equal(await page.locator("#connections-rows tr").count(), 1);
      // The headings of eight columns can be sorted; then comes the button of the row.
      for (let i = 0; i < 9; i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      assert.match(await within(answer, "the answer", 5_000), /^HTTP\/1\.1 503 /);
      await page.locator("#connections-count", { hasText: /^0 of/ }).waitFor();
      // The button that had the focus is gone: the keyboard goes on from the filter.
      assert.equal(await page.evaluate("document.activeElement.id"), "connections-filter");
      assert.equal(server.exchanges.length, 0);
      peer.destroy();
    });

    it("puts nothing that a peer has sent into the page as HTML", async () => {
      const { url } = await serve();
      const page = await tabs.open(`${url}/console/`);
      await connected(page);
      const peer = connect(Number(new URL(url).port), "127.0.0.1");
      // A path has no "<" any more: it is encoded when it is read.
      peer.write("GET /&lt;img HTTP/1.1\r\nHost: h\r\n\r\n");
      await page.locator("#events-list [data-kind=response]", { hasText: "&lt;img" }).waitFor();
      assert.equal(await page.locator("#events-list img").count(), 0);
      assert.equal(await page.title(), "Portico console");
      assert.equal(await page.locator("#interfaces").isVisible(), false);
      peer.destroy();
    });

    it("asks for the token once, by a form or a link, and keeps it from scripts and addresses", async () => {
      tabs.excused = /403 \(Forbidden\)/;
      const { url } = await serve({ token: TOKEN });
      const page = await tabs.open(`${url}/console/`);
      await page.getByLabel("Token").fill("not the token at all");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("That is not the token.").waitFor();
      await page.getByLabel("Token").fill(TOKEN);
      await page.keyboard.press("Enter");
      await connected(page);
      assert.equal(await page.evaluate("document.cookie"), "");
      await page.reload();
      await connected(page);

      await tabs.context.clearCookies();
      const link = `${url}/console?token=${encodeURIComponent(TOKEN)}`;
      const other = await tabs.open(await elsewhere(`<a href="${link}">to the console</a>`));
      await other.getByText("to the console").click();
      await connected(other);
      assert.equal(other.url(), `${url}/console/`);
    });

    it("refuses its WebSocket to a page of another site", async () => {
      tabs.excused = /WebSocket connection to .* failed/;
      const { url } = await serve();
      const live = JSON.stringify(`${url.replace("http", "ws")}/console/live`);
      const script = `new Promise((resolve) => { new WebSocket(${live}).onclose = ({ code }) => resolve(code); })`;
      for (const site of ["data:text/html,<title>elsewhere</title>", await elsewhere("")]) {
        const page = await tabs.open(site);
        assert.equal(await within(page.evaluate(script), "the close", 5_000), 1006, site);
      }
    });

    it("asks before it closes a connection of a console, and does so only when told to", async () => {
      const { url } = await serve();
      const page = await tabs.open(`${url}/console/`);
      const own = page.locator("#connections-rows tr", { hasText: "a console" }).locator("button");
      await own.click();
      await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      assert.equal(await page.locator("#status").textContent(), "Connected");
      await own.click();
      await page.getByRole("dialog").getByRole("button", { name: "Close it" }).click();
      await page.locator("#status", { hasText: "Connected again" }).waitFor();
    });

    it("works over TLS", async () => {
      const { server } = await serve();
      const { port } = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
      const page = await tabs.open(`https://localhost:${port}/console/`);
      await connected(page);
      await page.locator("#connections-rows tr", { hasText: "a console" }).waitFor();
    });
  });

  describe("of npm start", () => {
    /** One page for all tests: to load it takes longer than most of them. */
    let page: Page;

    before(async () => {
      page = await tabs.open(`${program.url}/`);
      await connected(page);
    });

    const pictures = (): Promise<string[]> =>
      page.evaluate("[...document.querySelectorAll('.plot canvas')].map((canvas) => canvas.toDataURL())");

    /** Asks for 100 answers, and waits for them. */
    async function hundredRequests(): Promise<void> {
      await press(page, "100 requests");
      await page.locator("#notice", { hasText: "100 requests were answered" }).waitFor();
    }

    it("is usable with the keyboard alone: everything is reached, in order, and visible when it is", async () => {
      const reached: string[] = [];
      for (let i = 0; i < 160; i++) {
        await page.keyboard.press("Tab");
        const [name, outline] = (await page.evaluate(`(() => {
        const at = document.activeElement;
        const name = at === document.body ? "" : at.id || at.querySelector("h2")?.id || at.getAttribute("aria-label") || at.name || at.textContent.trim();
        return [name, getComputedStyle(at).outlineStyle];
      })()`)) as [string, string];
        if (name === "") break; // after the last one
        assert.notEqual(outline, "none", `${name} does not show that it has the focus`);
        reached.push(name);
      }
      const expected = listOf(
        "Skip to the figures¦Figures¦interfaces-link¦theme¦figures-title¦1 min¦traffic-requests",
        "traffic-steady¦Route¦connections-filter¦Kind¦events-filter¦events-pause¦events-list¦chat-list",
        "text¦Left¦Source of portico/evo¦Answers of portico/craftos¦Status¦Text for portico/craftos",
        "Reload the script¦Text for portico/facil¦Source of portico/facil",
      );
      let at = -1;
      for (const name of expected) {
        const next = reached.indexOf(name, at + 1);
        assert.ok(next > at, `${name} is not reached after ${reached[at]}: ${reached.join(", ")}`);
        at = next;
      }
    });

    it("shows what the server runs on", async () => {
      await page.locator("#runtime-title", { hasText: /^Node \d/ }).click();
      await page.locator("#runtime-lines li", { hasText: "writes: to the handle of the socket" }).waitFor();
    });

    it("draws plots that move, and totals that grow", async () => {
      await page.locator("#totals dd", { hasText: /\d/ }).first().waitFor();
      const first = await pictures();
      assert.equal(first.length, 9);
      await hundredRequests();
      await press(page, "1,000 messages");
      await page.locator("#total-messagesSent", { hasText: "1,000" }).waitFor();
      const later = await pictures();
      const hasMoved = later.every((picture, index) => picture !== first[index]);
      assert.ok(hasMoved, "a plot has not moved");
      // The lines are there: pixels in the colours of their swatches. A line takes answers in two samples in a row.
      const end = performance.now() + 10_000;
      for (;;) {
        const [responses = 0, , durations = 0] = (await page.evaluate(COLOURED)) as number[];
        if (responses > 10 && durations > 2) break;
        assert.ok(performance.now() < end, `${responses} and ${durations} pixels`);
        // One batch after the other: of too many events at once the next test would see a sample only.
        await page.evaluate("document.querySelector('#notice').textContent = ''");
        await hundredRequests();
      }
    });

    it("shows another time when it is told to, zooms, and comes back to live", async () => {
      await press(page, "10 min");
      assert.equal(await page.getByRole("button", { name: "10 min" }).getAttribute("aria-pressed"), "true");
      await press(page, "1 min");
      const box = await page.locator(".plot .u-over").first().boundingBox();
      assert.ok(box);
      await page.mouse.move(box.x + box.width * 0.6, box.y + 30);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.8, box.y + 30, { steps: 4 });
      await page.mouse.up();
      await page.locator("#plots-live").waitFor();
      await page.mouse.move(0, 0);
      await page.evaluate(
        "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))",
      );
      const zoomed = await pictures();
      await page.evaluate(`new Promise((changed) => {
        const options = { childList: true };
        new MutationObserver(changed).observe(document.querySelector("#total-uptimeSeconds"), options);
      })`);
      assert.deepEqual((await pictures())[0], zoomed[0], "what is zoomed stays");
      await press(page, "Back to live");
      await page.locator("#plots-live").waitFor({ state: "hidden" });
      assert.notEqual((await pictures())[0], zoomed[0]);
    });

    it("takes notices away after a while", async () => {
      await hundredRequests();
      await page.locator("#notice", { hasText: /^$/ }).waitFor({ state: "attached", timeout: 10_000 });
    });

    it("shows events, sifts them, and waits while it is paused", async () => {
      const responses = page.locator("#events-list [data-kind=response]");
      await page.evaluate("fetch('/hello/one')");
      await responses.filter({ hasText: "/hello/one: 200" }).waitFor();
      await press(page, "Pause");
      await page.evaluate("fetch('/hello/two')");
      await page.getByRole("button", { name: /^Paused, [1-9]\d* wait$/ }).waitFor();
      assert.equal(await responses.filter({ hasText: "/hello/two" }).count(), 0);
      await page.locator("#events-pause").click();
      await responses.filter({ hasText: "/hello/two" }).waitFor();
      await page.locator("#events-filter").fill("HELLO/TWO");
      await responses.filter({ hasText: "/hello/one" }).waitFor({ state: "hidden" });
      assert.equal(await responses.filter({ hasText: "/hello/two" }).isVisible(), true);
      await page.locator("#events-filter").fill("");
    });

    it("chats between two tabs", async () => {
      const two = await tabs.open(`${program.url}/`);
      await connected(two);
      await two.locator("#chat-form input").fill("<b>hello</b> from the second tab");
      await two.keyboard.press("Enter");
      await page.locator("#chat-list div", { hasText: "<b>hello</b> from the second tab" }).waitFor();
      await two.locator("#chat-list div", { hasText: "(you)" }).waitFor();
      await two.close();
    });

    it("has four programs that answer, with their sources", async () => {
      for (const name of ["evo", "craftos", "daslang", "facil"]) {
        const source = page.locator(`#panel-${name} pre`).first();
        assert.match((await source.textContent()) ?? "", new RegExp(`from "portico/${name}"`));
      }
      await press(page, "Right");
      await page.locator("#panel-evo output", { hasText: /players at [1-9]/ }).waitFor();
      const say = async (panel: string, text: string, answer: string): Promise<void> => {
        await page.locator(`#panel-${panel} input`).fill(text);
        await page.keyboard.press("Enter");
        await page.locator(`#panel-${panel} .answer`, { hasText: answer }).waitFor();
      };
      await say("craftos", "abc", "backwards: cba");
      await press(page, "Status");
      await page.locator("#panel-craftos .answer", { hasText: "lines so far" }).waitFor();
      await say("daslang", "one", "version 1, line 1: one");
      await press(page, "Reload the script");
      await page.locator("#panel-daslang .answer", { hasText: "now version 2" }).waitFor();
      await say("daslang", "two", "version 2, line 2: two");
      await say("facil", "hello", "sent to 0 others");
    });

    it("is light or dark as the system is, or as the button says, with enough contrast", async () => {
      await page.evaluate("fetch('/hello/contrast')");
      await page.locator("#events-list b").first().waitFor();
      const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const seen: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        seen.push(await ground());
        const poor = await page.evaluate(CONTRASTS);
        assert.deepEqual(poor, [], colorScheme);
      }
      const [light, dark] = seen;
      assert.notEqual(light, dark);
      await press(page, "Theme: automatic");
      assert.equal(await ground(), light);
      await page.reload();
      await press(page, "Theme: light");
      assert.equal(await ground(), dark);
      await press(page, "Theme: dark");
      await page.getByRole("button", { name: "Theme: automatic" }).waitFor();
    });

    it("fits a phone, and keeps still for those who ask for it", async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.evaluate("fetch('/hello/' + 'a-long-path'.repeat(30))");
      await page.locator("#events-list", { hasText: "a-long-path" }).waitFor();
      await page.locator("#connections-rows tr").first().waitFor();
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
      assert.equal(await page.locator("#connections-rows button").first().isVisible(), true);
      await press(page, "Stop");
      await page.locator(".lane i").waitFor();
      const transition = "getComputedStyle(document.querySelector('.lane i')).transitionDuration";
      assert.equal(await page.evaluate(transition), "0.1s");
      await page.emulateMedia({ reducedMotion: "reduce" });
      assert.equal(await page.evaluate(transition), "0s");
    });

    it("stops with Ctrl-C while pages are open, which find the next server at that port by themselves", async () => {
      tabs.excused = /ERR_CONNECTION_REFUSED|WebSocket connection to .* failed/;
      assert.equal(await program.stop("SIGINT"), 0);
      assert.equal(program.lines.at(-1), "Portico has stopped.");
      await page.locator("#status", { hasText: /^Connection lost, trying again/ }).waitFor();
      assert.equal(await page.locator("#chat-form button").isDisabled(), true);
      program = await startProgram("dist/console/main.js", new URL(program.url).port);
      await page.locator("#status", { hasText: "Connected again: the server has been restarted" }).waitFor();
      await page.locator("#total-consoles", { hasText: /^1$/ }).waitFor();
      assert.equal(await page.locator("#panel-evo").count(), 1);
    });
  });
});

/** For each plot the number of pixels in the colour of its first series. */
const COLOURED = `[...document.querySelectorAll("#plots figure")].map((figure) => {
  const [r, g, b] = getComputedStyle(figure.querySelector(".s1")).color.match(/\\d+/g).map(Number);
  const canvas = figure.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const distance = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b);
    if (distance < 30 && data[i + 3] > 100) count++;
  }
  return count;
})`;

/** The texts whose contrast to what is behind them is less than WCAG's 4.5. */
const CONTRASTS = `(() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const colour = rgb(getComputedStyle(element).backgroundColor);
    return colour[3] === 255 || !element.parentElement ? colour : behind(element.parentElement);
  };
  const texts = "h1, h2, h3, p, a, button, dt, dd, th, td, time, b, li, code, .comment, label, output, input";
  const poor = new Set();
  for (const element of document.querySelectorAll(texts)) {
    if (!element.checkVisibility() || element.matches(":disabled, .skip")) continue;
    const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(element.tagName + " " + element.textContent.slice(0, 30) + " " + ratio.toFixed(1));
  }
  return [...poor];
})()`;
