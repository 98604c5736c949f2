// Other people's clients against the servers of the suite: the package ws, and Chromium.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import WebSocket from "ws";
import { launchBrowser } from "../support/browser.ts";
import { prose } from "../support/bytes.ts";
import { absent, chromium } from "../support/tools.ts";
import { within } from "../support/waiting.ts";
import { nextMessage, opened } from "../support/ws-client.ts";
import type { Target } from "./websocket-client.ts";
import { type Running, startEngine, startEvo, startFacil } from "./websocket-targets.ts";

const SIZES = [0, 1, 125, 126, 1_024, 65_535, 65_536, 200_000];
const OFFERS: readonly (readonly [string, WebSocket.PerMessageDeflateOptions | boolean])[] = [
  ["no compression", false],
  ["compression as it comes", true],
  ["everything compressed", { threshold: 0 }],
  ["no context kept", { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true }],
  ["windows of 10 and 11 bits", { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 11 }],
];
const CODES = [1000, 1001, 1011, 3000, 4999];

/** The package ws: text and bytes of all sizes, twice, so that what was kept of the first is used. */
async function echoesToWs(
  target: Target,
  perMessageDeflate: WebSocket.PerMessageDeflateOptions | boolean,
): Promise<void> {
  const socket = await opened(new WebSocket(target.url, { perMessageDeflate }));
  try {
    assert.equal(socket.extensions !== "", perMessageDeflate !== false && target.deflate);
    for (const size of [...SIZES, ...SIZES]) {
      for (const data of [prose(size), randomBytes(size)]) {
        const answer = within(nextMessage(socket), `${size} bytes`, 3_000);
        socket.send(data);
        const binary = typeof data !== "string";
        assert.deepEqual(await answer, { data: Buffer.from(data).toString("latin1"), binary }, `${size}`);
      }
    }
    const answer = within(nextMessage(socket), "a message in fragments");
    for (const [piece, fin] of [
      ["one \u20ac ", false],
      ["", false],
      ["two", true],
    ] as const) {
      socket.send(piece, { fin });
    }
    assert.equal(Buffer.from((await answer).data, "latin1").toString(), "one \u20ac two");
    const pong = within(once(socket, "pong"), "a pong");
    socket.ping("are you there");
    assert.equal(String((await pong)[0]), "are you there");
  } finally {
    socket.terminate();
  }
}

async function closesWs(target: Target, code: number): Promise<void> {
  const socket = await opened(new WebSocket(target.url));
  socket.close(code, "enough \u20ac");
  const [given] = await within(once(socket, "close"), "the close frame");
  assert.equal(given, code);
}

/** Runs in the page: sends everything at once and waits for all of it. */
interface Asked {
  readonly url: string;
  readonly sizes: readonly number[];
  readonly code: number;
}
interface Seen {
  readonly extensions: string;
  readonly wrong: readonly string[];
  readonly code: number;
  readonly clean: boolean;
}

function inPage({ url, sizes, code }: Asked): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const due: (string | Uint8Array)[] = [];
    const wrong: string[] = [];
    let extensions = "";
    // No named functions in here: tsx would mark them with a helper that the page does not have.
    socket.onopen = () => {
      extensions = socket.extensions;
      for (const size of sizes) {
        const text = "\u20ac and more words, ".repeat(size / 18 + 1).slice(0, size);
        const bytes = Uint8Array.from({ length: size }, (_, i) => (i * i * 31 + (i >> 3)) & 255);
        for (const data of [text, bytes]) {
          due.push(data);
          socket.send(data);
        }
      }
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      const wanted = due.shift();
      const same =
        typeof wanted === "string" || wanted === undefined
          ? data === wanted
          : data instanceof ArrayBuffer &&
            new Uint8Array(data).every((byte, i) => byte === wanted[i]) &&
            data.byteLength === wanted.length;
      if (!same) wrong.push(`message of ${wanted?.length}`);
      if (due.length === 0) socket.close(code, "enough");
    };
    socket.onclose = (event: { code: number; wasClean: boolean }) =>
      resolve({
        extensions,
        wrong: [...wrong, ...due.map((data) => `${data.length} missing`)],
        code: event.code,
        clean: event.wasClean,
      });
  });
}

for (const [name, start] of [
  ["the engine's own API", startEngine],
  ["portico/evo", startEvo],
  ["the example of portico/facil", startFacil],
] as const) {
  describe(`other clients of ${name}`, () => {
    let running: Running;
    before(async () => {
      running = await start();
    });
    after(() => running.stop());

    for (const [offer, options] of OFFERS) {
      it(`ws, ${offer}`, async () => {
        for (const target of running.targets) await echoesToWs(target, options);
      });
    }
    it("ws, close codes", async () => {
      for (const target of running.targets) for (const code of CODES) await closesWs(target, code);
    });

    describe("Chromium", { skip: absent(chromium, "chromium") }, () => {
      let site: HttpServer;
      let page: Page;
      let close: () => Promise<void> = async () => {};
      before(async () => {
        // A page from the loopback may open WebSockets there.
        site = createServer((_, response) => response.end("<title>suite</title>")).listen(0, "127.0.0.1");
        await once(site, "listening");
        const browser = await launchBrowser();
        close = browser.close;
        page = await browser.context.newPage();
        await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      });
      after(async () => {
        await close();
        site.closeAllConnections();
        site.close();
      });
      it("text and bytes of all sizes, compressed where that was agreed, and close codes", async () => {
        for (const { url, deflate } of running.targets) {
          for (const code of [1000, 3000, 4999]) {
            const asked = page.evaluate(inPage, { url, sizes: [...SIZES, ...SIZES], code });
            const seen = await within(asked, "the page", 20_000);
            assert.deepEqual(
              { ...seen, extensions: seen.extensions !== "" },
              { extensions: deflate, wrong: [], code, clean: true },
              url,
            );
          }
        }
      });
    });
  });
}
