import assert from "node:assert/strict";
import { once } from "node:events";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { put, temporaryFolder } from "../support/places.ts";
import { sleep } from "../support/waiting.ts";
import { opened } from "../support/ws-client.ts";
import { inProcess } from "./in-process.ts";
import { keepAlive } from "./keep-alive.ts";
import { portico, type Running, start } from "./portico.ts";

const ESM = JSON.stringify({ type: "module" });

/** What a WebSocket answers to a message. */
async function asked(socket: WebSocket, text: string): Promise<string> {
  const next = once(socket, "message");
  socket.send(text);
  return String((await next)[0]);
}

async function runFiles(
  t: TestContext,
  files: Record<string, string>,
  ...args: string[]
): Promise<{ root: string; url: string; server: Running }> {
  const root = temporaryFolder(t, { "package.json": ESM, ...files });
  const server = start(t, ["run", "--port", "0", ...args], root);
  return { root, url: await server.url(), server };
}

describe("portico run", { concurrency: 2 }, () => {
  const forms: Record<string, { file: string; text: string }> = {
    "named exports": {
      file: "app.js",
      text: `export const routes = {
        "/hello/:name": (exchange) => exchange.end("hello " + exchange.params.name),
        "/users": { GET: (exchange) => exchange.end("all"), POST: (exchange) => exchange.end("made") },
      };
      export const websockets = { "/echo": { message: (socket, data) => socket.send("echo " + data) } };
      export const fetch = (request) => new Response("fetch " + new URL(request.url).pathname);
      export async function setup(server) {
        await null;
        server.onRequest((exchange) => exchange.setHeader("X-Setup", "done"));
      }`,
    },
    "a default object in TypeScript": {
      file: "app.ts",
      text: `import type { Handler } from "portico";
      const hello: Handler<{ name: string }> = (exchange) => exchange.end("hello " + exchange.params.name);
      export default {
        routes: { "/hello/:name": hello, "/users": { GET: (exchange: any): unknown => exchange.end("all"), POST: (exchange: any): unknown => exchange.end("made") } },
        websockets: { "/echo": { message: (socket: any, data: Buffer): unknown => socket.send("echo " + data) } },
        fetch: (request: Request): Response => new Response("fetch " + new URL(request.url).pathname),
        setup(server: any): void { server.onRequest((exchange: any) => exchange.setHeader("X-Setup", "done")); },
      };`,
    },
    CommonJS: {
      file: "app.cjs",
      text: `module.exports = {
        routes: { "/hello/:name": (exchange) => exchange.end("hello " + exchange.params.name),
          "/users": { GET: (exchange) => exchange.end("all"), POST: (exchange) => exchange.end("made") } },
        websockets: { "/echo": async (socket) => {
          for await (const { data } of socket.messages()) socket.send("echo " + data);
        } },
        fetch: (request) => new Response("fetch " + new URL(request.url).pathname),
        setup: (server) => void server.onRequest((exchange) => exchange.setHeader("X-Setup", "done")),
      };`,
    },
  };
  for (const [name, { file, text }] of Object.entries(forms)) {
    it(`takes ${name}`, async (t) => {
      const { url, server } = await runFiles(t, { [file]: text }, file);
      const hello = await fetch(`${url}/hello/Ada`);
      assert.deepEqual([await hello.text(), hello.headers.get("x-setup")], ["hello Ada", "done"]);
      assert.equal(await (await fetch(`${url}/users`)).text(), "all");
      assert.equal(await (await fetch(`${url}/users`, { method: "POST" })).text(), "made");
      assert.equal(await (await fetch(`${url}/other/path`)).text(), "fetch /other/path");
      const socket = await opened(new WebSocket(`${url.replace("http", "ws")}/echo`));
      assert.equal(await asked(socket, "hi"), "echo hi");
      socket.close();
      assert.equal((await server.stop()).code, 130);
    });
  }

  it("takes a program of a framework that has a method fetch", async (t) => {
    const text = `class App {
      routes = [];
      async fetch(request) { return new Response(this.constructor.name + " " + request.method); }
    }
    export default new App();`;
    const { url } = await runFiles(t, { "app.mjs": text }, "app.mjs");
    assert.equal(await (await fetch(`${url}/x`, { method: "PUT" })).text(), "App PUT");
  });

  it("goes on when hooks fail, and says so", async (t) => {
    const text = `export const routes = { "/": (exchange) => exchange.end("fine") };
      export function setup(server) {
        server.onRequest(async (exchange) => { throw new Error("request hook " + exchange.query); });
        server.onResponse(() => { throw new Error("response hook"); });
        server.onResponse((exchange) => console.log("seen " + exchange.query));
      }`;
    const { url, server } = await runFiles(t, { "app.js": text }, "app.js");
    for (const query of ["1", "2"]) {
      assert.equal((await fetch(`${url}/?${query}`)).status, 500);
      await server.printed(new RegExp(`request hook ${query}`));
      await server.printed(new RegExp(`seen ${query}`));
    }
    await server.printed(/GET \/: Error: response hook/, 1);
    assert.equal((await server.stop()).code, 130);
  });

  it("ends with 1 and the place of a syntax error", async (t) => {
    const text = "export const routes = {\n  '/': (e) => ;\n};";
    const root = temporaryFolder(t, { "package.json": ESM, "app.js": text });
    const { code, stdout, stderr } = await portico(t, ["run", "app.js", "--port", "0"], { cwd: root });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /SyntaxError/);
    assert.match(stderr, /app\.js:2\n.*\n *\^/);
    assert.doesNotMatch(stderr, /node:internal|portico-generation/);
  });

  it("tells the place of an unexpected end, too", async (t) => {
    const root = temporaryFolder(t, { "package.json": ESM, "app.js": "export const routes = {\n  '/': 1," });
    const { code, stderr } = await portico(t, ["run", "app.js", "--port", "0"], { cwd: root });
    assert.equal(code, 1);
    assert.match(stderr, /SyntaxError: Unexpected end of input\n.*app\.js:2\n +'\/': 1,\n$/);
  });
});

describe("portico run: what is wrong with a file", () => {
  const broken: [name: string, text: string, message: RegExp][] = [
    [
      "no handlers",
      "export const x = 1;",
      /exports no handlers\. Export some of routes, websockets, fetch, setup,.* Not used: x\./,
    ],
    [
      "routes of another form",
      "export const routes = { '/': 1 };",
      /The export routes of .* is not an object of paths/,
    ],
    ["a path that is none", "export const routes = { x: () => {} };", /must begin with "\/"/],
    ["an error while it is loaded", "throw new Error('not today');", /Error: not today\n.*app\.js:1/],
    ["an import of nothing", "import './gone.js';", /Cannot find module .*gone\.js/],
    ["a failing setup", "export const setup = async () => { throw new Error('no data'); };", /no data/],
  ];
  for (const [name, text, message] of broken) {
    it(`ends with 1 for ${name}`, async (t) => {
      const root = temporaryFolder(t, { "package.json": ESM, "app.js": text });
      const { code, stdout, stderr } = await inProcess(t, ["run", join(root, "app.js"), "--port", "0"]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /node:internal|portico-generation/);
    });
  }
});

describe("portico run: exports without a meaning", () => {
  const routes = 'routes: { "/": (exchange) => exchange.end("fine") }';
  const files: [name: string, text: string, notice: RegExp][] = [
    [
      "by name",
      `export const ${routes.replace(": {", " = {")}; export const route = {};`,
      /Not used: route\. Did you mean routes\?\n/,
    ],
    ["in a default object", `export default { ${routes}, help: 1, more: 2 };`, /Not used: help, more\.\n/],
    [
      "in CommonJS",
      `module.exports = { ${routes}, webSockets: {} };`,
      /Not used: webSockets\. Did you mean websockets\?\n/,
    ],
  ];
  for (const [name, text, notice] of files) {
    it(`are named, and the rest is served: ${name}`, async (t) => {
      const file = text.startsWith("module") ? "app.cjs" : "app.mjs";
      const { url, server } = await runFiles(t, { [file]: text }, file);
      await server.printed(notice);
      assert.equal(await (await fetch(url)).text(), "fine");
    });
  }
});

const WATCHED = `import { word } from "./word.js";
let count = 0;
export const routes = { "/": (exchange) => exchange.end(word + " " + ++count) };
export const websockets = {
  "/ws": {
    open: (socket) => { socket.data = { opened: word }; },
    message: (socket, data) => socket.send(word + " " + data + ", opened by " + socket.data.opened),
    compression: true,
  },
  "/loop": async (socket) => {
    for await (const { data } of socket.messages()) socket.send(word + " " + data);
  },
};
export function setup(server) {
  server.onRequest((exchange) => exchange.setHeader("X-Word", word));
  server.onClose(() => console.log("left " + word));
}`;

describe("portico run --watch", { concurrency: 2 }, () => {
  it("gives open connections the new handlers, and keeps the old ones while there are errors", async (t) => {
    const files = { "app.js": WATCHED, "word.js": 'export const word = "one";' };
    const { root, url, server } = await runFiles(t, files, "app.js", "--watch");
    const ask = keepAlive(t);
    const first = await ask(url);
    assert.equal(first.text, "one 1");
    const socket = await opened(new WebSocket(`${url.replace("http", "ws")}/ws`));
    assert.equal(await asked(socket, "a"), "one a, opened by one");
    const openLoop = (): Promise<WebSocket> => opened(new WebSocket(`${url.replace("http", "ws")}/loop`));
    const loop = await openLoop();
    assert.equal(await asked(loop, "a"), "one a");

    put(root, "word.js", 'export const word = "two";');
    await server.printed(/Reloaded app\.js/);
    await server.printed(/left one/);
    const second = await ask(url);
    assert.deepEqual([second.text, second.localPort], ["two 1", first.localPort]);
    assert.equal(await asked(socket, "b"), "two b, opened by one");
    assert.equal(await asked(loop, "b"), "one b", "a function that runs goes on");
    assert.equal(await asked(await openLoop(), "b"), "two b");
    assert.equal((await fetch(url)).headers.get("x-word"), "two");

    put(root, "word.js", "export const word = ;");
    assert.match(await server.printed(/app\.js keeps its previous handlers. ([\s\S]*\^)/), /word\.js:1\n/);
    assert.equal((await ask(url)).text, "two 3");
    assert.equal(await asked(socket, "c"), "two c, opened by one");

    put(root, "word.js", 'export { word } from "./lib/new.js";');
    await server.printed(/Cannot find module/);
    put(root, "lib/new.js", 'export const word = "three";');
    put(root, "word.js", 'export { word } from "./lib/new.js"; // there now');
    await server.printed(/Reloaded app\.js/, 1);
    const third = await ask(url);
    assert.deepEqual([third.text, third.localPort], ["three 1", first.localPort]);
    assert.equal(await asked(socket, "d"), "three d, opened by one");

    put(root, "app.js", 'export const routes = { "/other": (exchange) => exchange.end("only") };');
    await server.printed(/Reloaded app\.js/, 2);
    assert.equal((await ask(url)).status, 404);
    assert.equal((await ask(`${url}/other`)).text, "only");
    const kept = await asked(socket, "e");
    assert.equal(kept, "three e, opened by one", "a path that is gone keeps its handlers");
    const closed = once(socket, "close");
    assert.equal((await server.stop()).code, 130);
    assert.equal((await closed)[0], 1001);
  });

  it("goes on after builds that make the folder of the program again", async (t) => {
    const build = (root: string, word: string, to = "dist"): void => {
      put(root, `${to}/app.js`, `export { routes } from "./sub/routes.js";`);
      const text = `export const routes = { "/": (exchange) => exchange.end("${word}") };`;
      put(root, `${to}/sub/routes.js`, text);
    };
    const root = temporaryFolder(t, { "package.json": ESM });
    build(root, "one");
    const server = start(t, ["run", "--port", "0", "--watch", "dist/app.js"], root);
    const url = await server.url();
    const answers = async (word: string): Promise<void> => {
      const deadline = AbortSignal.timeout(20_000);
      while ((await (await fetch(url)).text()) !== word) {
        assert.ok(!deadline.aborted, `${word} never came:\n${server.stdout}\n${server.stderr}`);
        await sleep(10);
      }
    };
    await answers("one");

    rmSync(join(root, "dist"), { recursive: true });
    build(root, "two");
    await answers("two");

    rmSync(join(root, "dist"), { recursive: true });
    await server.printed(/Cannot find module .*app\.js/);
    put(root, "dist/app.js", 'export { routes } from "./sub/routes.js"; // not all of it yet');
    await server.printed(/Cannot find module .*routes\.js/);
    await answers("two");
    build(root, "three");
    await answers("three");

    build(root, "four", "next");
    renameSync(join(root, "dist"), join(root, "former"));
    renameSync(join(root, "next"), join(root, "dist"));
    await answers("four");

    put(root, "next.js", 'export const routes = { "/": (exchange) => exchange.end("five") };');
    renameSync(join(root, "next.js"), join(root, "dist/app.js"));
    await answers("five");
    build(root, "six");
    await answers("six");
    assert.equal((await server.stop()).code, 130);
  });

  it("loads TypeScript and what it imports anew", async (t) => {
    const text = `import { word } from "./word.ts";
      export const routes = { "/": (exchange: any): unknown => exchange.end(word) };`;
    const files = { "app.ts": text, "word.ts": 'export const word: string = "one";' };
    const { root, url, server } = await runFiles(t, files, "app.ts", "-w");
    assert.equal(await (await fetch(url)).text(), "one");
    put(root, "word.ts", 'export const word: string = "two";');
    await server.printed(/Reloaded/);
    assert.equal(await (await fetch(url)).text(), "two");
  });

  it("loads CommonJS anew, but no packages", async (t) => {
    const files = {
      "app.cjs":
        'const { word } = require("./word.cjs"); const { id } = require("pack"); exports.routes = { "/": (exchange) => exchange.end(word + id) };',
      "word.cjs": 'exports.word = "one";',
      "node_modules/pack/index.js": "exports.id = Math.random();",
    };
    const { root, url, server } = await runFiles(t, files, "app.cjs", "--watch");
    const first = await (await fetch(url)).text();
    put(root, "word.cjs", 'exports.word = "two";');
    await server.printed(/Reloaded/);
    assert.equal(await (await fetch(url)).text(), first.replace("one", "two"));
  });

  it("waits for a file that is broken at the beginning", async (t) => {
    const files = { "app.js": "export const routes = {" };
    const { root, url, server } = await runFiles(t, files, "app.js", "--watch", "--json");
    assert.match(server.stderr, /has no handlers until you fix this: SyntaxError/);
    assert.equal((await fetch(url)).status, 404);
    put(root, "app.js", 'export const routes = { "/": (exchange) => exchange.end("mended") };');
    await server.printed(/\{"event":"reload","ok":true\}/);
    assert.equal(await (await fetch(url)).text(), "mended");
  });
});
