import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { answers, type BrokerServer, redis, startRedis } from "../support/broker-server.ts";
import { launchBrowser } from "../support/browser.ts";
import { freePort } from "../support/places.ts";
import { type Program, startProgram } from "../support/program.ts";
import { absent, chromium, nginx } from "../support/tools.ts";
import { sleep, within } from "../support/waiting.ts";

const conf = readFileSync(new URL("../../examples/channels/nginx.conf", import.meta.url), "utf8");

function startNode(port: number): Promise<Program> {
  return startProgram("--import", "tsx", "examples/channels/server.ts", `${port}`);
}

/** Starts nginx with the example's configuration on other ports. @returns what ends it */
async function startNginx(folder: string, ports: readonly number[]): Promise<() => Promise<void>> {
  const [own = 0] = ports;
  const text = conf.replace(/\b808([012])\b/g, (_, digit: string) => `${ports[Number(digit)]}`);
  writeFileSync(join(folder, "nginx.conf"), text);
  const child = spawn(nginx ?? "nginx", ["-p", folder, "-c", "nginx.conf", "-e", "stderr"], {
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  while (!(await answers(own))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    await sleep(10);
  }
  return async () => {
    child.kill("SIGTERM");
    await within(exited, "nginx to end");
  };
}

class Chatter {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async say(text: string): Promise<void> {
    await this.page.locator("#text").fill(text);
    await this.page.locator("form button").click();
  }

  /** Waits for the lists of messages and of members. */
  async sees(selector: "#messages" | "#members", wanted: readonly string[]): Promise<void> {
    const items = this.page.locator(`${selector} li`);
    const look = new Function(
      "argument",
      "const [selector, wanted] = argument;" +
        'return [...document.querySelectorAll(selector + " li")].map((li) => li.textContent).join("|") === wanted;',
    ) as (argument: readonly [string, string]) => boolean;
    try {
      await this.page.waitForFunction(look, [selector, wanted.join("|")] as const, {
        timeout: 20_000,
        polling: 50,
      });
    } catch {
      assert.deepEqual(await items.allTextContents(), wanted);
    }
  }

  async isConnected(): Promise<void> {
    await this.page.locator('#state[data-state="open"]').waitFor({ timeout: 20_000 });
  }

  async choose(room: string): Promise<void> {
    await this.page.locator("#room").selectOption(room);
  }
}

const missing = absent(chromium, "chromium") || absent(nginx, "nginx-light") || absent(redis, "redis-server");

describe("examples/channels on two nodes behind nginx, in a real browser", { skip: missing }, () => {
  let server: BrokerServer;
  let browser: BrowserContext;
  let close: () => Promise<void> = async () => {};
  let folder: string;
  const nodes: Program[] = [];
  const ports: number[] = [];
  let stopNginx: () => Promise<void>;
  const errors: string[] = [];

  before(async () => {
    server = await startRedis();
    process.env["REDIS_URL"] = `redis://127.0.0.1:${server.port}`;
    folder = mkdtempSync(join(tmpdir(), "portico-nginx-"));
    ports.push(await freePort(), await freePort(), await freePort());
    for (const port of ports.slice(1)) nodes.push(await startNode(port));
    stopNginx = await startNginx(folder, ports);
    ({ context: browser, close } = await launchBrowser());
  });
  after(async () => {
    await close();
    await stopNginx?.();
    await Promise.all(nodes.map((node) => node.stop("SIGKILL")));
    await server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function enter(name: string): Promise<Chatter> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${ports[0]}/?name=${name}`);
    const chatter = new Chatter(page);
    await chatter.isConnected();
    return chatter;
  }

  it("loses nothing while nodes and nginx are stopped and started", { timeout: 120_000 }, async () => {
    const anna = await enter("anna");
    const ben = await enter("ben");
    for (const one of [anna, ben]) await one.sees("#members", ["anna", "ben"]);
    const said: string[] = [];
    const say = async (who: Chatter, name: string, text: string): Promise<void> => {
      await who.isConnected();
      await who.say(text);
      said.push(`${name}: ${text}`);
      for (const one of [anna, ben]) await one.sees("#messages", said);
    };
    await say(anna, "anna", "hello");
    await say(ben, "ben", "hello to you");
    for (const index of [0, 1]) {
      await nodes[index]?.stop("SIGKILL");
      await say(anna, "anna", `node ${index} is gone`);
      nodes[index] = await startNode(ports[index + 1] ?? 0);
      await say(ben, "ben", `node ${index} is back`);
    }
    await stopNginx();
    stopNginx = await startNginx(folder, ports);
    await say(anna, "anna", "through another nginx");
    for (const index of [0, 1]) {
      await nodes[index]?.stop("SIGTERM");
      nodes[index] = await startNode(ports[index + 1] ?? 0);
    }
    await say(ben, "ben", "after a restart of all");
    const cleo = await enter("cleo");
    await cleo.sees("#messages", said);
    await cleo.choose("games");
    await cleo.sees("#messages", []);
    await cleo.say("nobody here");
    await cleo.sees("#messages", ["cleo: nobody here"]);
    await anna.sees("#members", ["anna", "ben"]);
    await anna.sees("#messages", said);
    assert.deepEqual(errors, []);
  });
});
