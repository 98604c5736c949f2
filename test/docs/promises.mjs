// What issue after issue has found that an API can let its users down with, each tried as a user would: by a small program
// against the installed package. Prints one line of JSON for each, [name, what came of it]; promises.test.ts has what is
// to come.
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, replaceFetchGlobals, Server } from "portico";
import { accessLog } from "portico/operations";
import { formParts, readForm, setCookie } from "portico/web";

const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const reports = [];

/** A server that listens, and a function that sends it bytes and gives all that comes back until it closes. */
async function serving(options = {}) {
  reports.length = 0;
  const server = new Server({ onError: (error) => void reports.push(String(error)), ...options });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  const ask = async (text, { end = false } = {}) => {
    const socket = dial({ port, host: "127.0.0.1", allowHalfOpen: true });
    let got = "";
    socket.setEncoding("latin1").on("data", (chunk) => (got += chunk));
    socket.on("error", () => {});
    socket.write(text);
    if (end) socket.end();
    await Promise.race([once(socket, "end"), once(socket, "close"), turn(3_000)]);
    socket.destroy();
    return got;
  };
  const get = (path, fields = "") =>
    ask(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields}\r\n`);
  const post = (path, body, fields = "") =>
    ask(
      `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`,
    );
  return { server, port, ask, get, post };
}

const status = (text) => Number(text.slice(9, 12));
const field = (text, name) => new RegExp(`^${name}: (.*?)\r$`, "im").exec(text)?.[1] ?? null;
const content = (text) => text.slice(text.indexOf("\r\n\r\n") + 4);
const UPGRADE =
  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const handshake = (path) => `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\n${UPGRADE}\r\n`;

/** What a call throws, by name. */
function thrown(call) {
  try {
    call();
    return "nothing";
  } catch (error) {
    return error.name === "PorticoError" ? error.code : error.name;
  }
}

const promises = {
  async "a guard that waits keeps everybody out"() {
    const { server, ask } = await serving();
    let ran = false;
    server.onRequest(async (exchange) => {
      await turn(5);
      exchange.status(401).end();
    });
    server.delete("/all", (exchange) => {
      ran = true;
      return exchange.end();
    });
    return [status(await ask("DELETE /all HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), ran];
  },
  async "guard and router read the same path"() {
    const { server, get } = await serving();
    server.onRequest((exchange) => {
      if (exchange.path.startsWith("/admin")) exchange.status(403).end();
    });
    server.get("/admin/users", (exchange) => exchange.end("inside"));
    return [status(await get("/%61dmin/users")), status(await get("/x/../admin/users"))];
  },
  async "upgrade refuses by a status, by false and by a promise of it"() {
    const { server, ask } = await serving();
    server.websocket("/status", { upgrade: (exchange) => void exchange.status(403) });
    server.websocket("/false", { upgrade: () => false });
    server.websocket("/later", { upgrade: async () => false });
    server.websocket("/typed", { upgrade: (exchange) => exchange.refuse(401) });
    const all = ["/status", "/false", "/later", "/typed"].map(async (path) =>
      status(await ask(handshake(path))),
    );
    return Promise.all(all);
  },
  async "messages stay as they are after await"() {
    const { server, port } = await serving();
    const got = [];
    server.websocket("/", {
      message: async (_socket, data) => {
        await turn(20);
        got.push(data.toString());
      },
    });
    const socket = await connect(`ws://127.0.0.1:${port}/`);
    for (const text of ["first", "other", "third"]) socket.send(text);
    await turn(100);
    socket.terminate();
    return got;
  },
  async "text and bytes have a type"() {
    const { server, get } = await serving();
    server.get("/text", (exchange) => exchange.end("Grüße"));
    server.get("/bytes", (exchange) => exchange.end(Buffer.from("x")));
    server.get("/none", (exchange) => exchange.setHeader("Content-Type", null).end("x"));
    return [
      field(await get("/text"), "Content-Type"),
      field(await get("/bytes"), "Content-Type"),
      field(await get("/none"), "Content-Type"),
    ];
  },
  async "what a handler returns is its answer"() {
    const { server, get } = await serving();
    server.get("/text", () => "hello");
    server.get("/json", () => ({ a: 1 }));
    server.get("/response", () => new Response("x", { status: 201 }));
    server.get("/nothing", async () => {});
    return [
      content(await get("/text")),
      content(await get("/json")),
      status(await get("/response")),
      status(await get("/nothing")),
    ];
  },
  async "a handler that never answers is ended"() {
    const { server, get } = await serving({ limits: { handlerTimeoutMs: 100 } });
    server.get("/", () => {});
    return [status(await get("/")), reports.length];
  },
  async "failures have content, and can be shaped"() {
    const { server, get, post } = await serving();
    server.post("/", async (exchange) => exchange.end(String(await exchange.json())));
    const json = "Content-Type: application/json\r\n";
    const plain = [content(await get("/no")), content(await get("/no", "Accept: application/json\r\n"))];
    const bad = status(await post("/", "{", json));
    server.onFailure((exchange, code) => void exchange.end(`mine ${code}`));
    return [...plain, bad, content(await get("/no"))];
  },
  async "a 413 by the head passes by every hook"() {
    const { server, ask } = await serving({ limits: { maxBodyBytes: 10 } });
    let ended = 0;
    server.onRequest((exchange) => void exchange.setHeader("X-Request", "1"));
    server.onResponse(() => void ended++);
    server.post("/", (exchange) => exchange.end());
    const answer = await ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n");
    return [status(answer), field(answer, "X-Request"), ended];
  },
  async "content that nobody takes after the answer has a deadline"() {
    const { server, ask } = await serving({ limits: { bodyTimeoutMs: 100, maxDiscardBytes: 1_000_000 } });
    server.post("/", async (exchange) => {
      await exchange.body[Symbol.asyncIterator]().next();
      return exchange.end("early");
    });
    const before = performance.now();
    const answer = await ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nx");
    return [status(answer), performance.now() - before < 2_500];
  },
  async "an early answer reaches a client that sends on"() {
    const { server, port } = await serving({ limits: { closeTimeoutMs: 100 } });
    server.post("/", (exchange) => exchange.status(401).end("no"), { maxBodyBytes: 100_000_000 });
    const socket = dial(port, "127.0.0.1").on("error", () => {});
    let got = "";
    socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90000000\r\n\r\n");
    for (let i = 0; i < 10; i++) {
      socket.write(Buffer.alloc(50_000));
      await turn(40);
    }
    socket.on("data", (chunk) => (got += chunk));
    await turn(50);
    socket.destroy();
    return status(got);
  },
  async "a callback of onBody that throws is called once"() {
    const { server, ask } = await serving();
    let calls = 0;
    server.post("/", (exchange) => {
      exchange.onBody(() => {
        calls++;
        throw new Error("mine");
      });
    });
    const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n";
    return [status(await ask(head + "x".repeat(300_000))), calls, reports.length];
  },
  async "a client that ends its half gets an answer where that is allowed"() {
    const { server, ask } = await serving({ allowHalfOpen: true });
    server.get("/", async (exchange) => {
      await turn(20);
      return exchange.end("late");
    });
    return content(await ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", { end: true }));
  },
  async "connect skips interim responses"() {
    const { server, port } = await serving();
    server.websocket("/", {});
    const between = createServer((socket) => {
      socket.on("error", () => {}).write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
      const to = dial(port, "127.0.0.1").on("error", () => {});
      socket.pipe(to).pipe(socket);
    });
    between.listen(0, "127.0.0.1");
    await once(between, "listening");
    const socket = await connect(`ws://127.0.0.1:${between.address().port}/`);
    const { readyState } = socket;
    socket.terminate();
    between.close();
    return readyState;
  },
  async "values of fields are what they look like"() {
    const { server, get } = await serving();
    const errors = [];
    server.get("/", (exchange) => {
      exchange.setHeader("Set-Cookie", ["a=1", "b=2"]);
      errors.push(thrown(() => exchange.setHeader("Location", undefined)));
      errors.push(thrown(() => setCookie(exchange, "a", "b", { sameSite: "none", secure: false })));
      return exchange.end();
    });
    const lines = (await get("/")).split("\r\n").filter((line) => line.startsWith("Set-Cookie"));
    return [...lines, ...errors];
  },
  async "unknown names of options are errors"() {
    const { server } = await serving();
    const listener = await server.listen(0);
    return [
      await server.listen({ prot: 80 }).then(
        () => "nothing",
        (error) => error.name,
      ),
      thrown(() => new Server({ onEror() {} })),
      thrown(() => server.websocket("/", {}, { compresion: true })),
      listener.port > 0,
    ];
  },
  async "routes that look like something else are errors"() {
    const { server } = await serving();
    return ["/:id?", "/:id(\\d+)", "/*rest", "/a*", "/file.:ext", "/?x=1"].map((path) =>
      thrown(() => server.get(path, () => "")),
    );
  },
  async "forms are read as they were, and never as JSON"() {
    const { server, post } = await serving();
    const body = '--b\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n1\r\n--b--\r\n';
    const type = "Content-Type: multipart/form-data; boundary=b\r\n";
    server.post("/form", async (exchange) =>
      Object.keys(Object.fromEntries((await readForm(exchange)).fields)),
    );
    server.post("/parts", async (exchange) => {
      const names = [];
      for await (const part of formParts(exchange)) {
        names.push(part.name);
        if ("bytes" in part) await part.bytes();
      }
      return names;
    });
    server.post("/json", async (exchange) => ({ got: await exchange.json() }));
    server.post("/any", async (exchange) => ({ got: await exchange.json({ anyType: true }) }));
    return [
      content(await post("/form", body, type)),
      content(await post("/parts", body, type)),
      status(await post("/json", "1", "Content-Type: text/plain\r\n")),
      content(await post("/any", "1", "Content-Type: text/plain\r\n")),
    ];
  },
  async "zeros before a chunk size, and empty lines before a request, are valid"() {
    const { server, ask } = await serving();
    server.post("/", async (exchange) => exchange.text());
    const head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    return content(await ask(`\r\n\r\n${head}${"0".repeat(20)}2\r\nok\r\n0\r\n\r\n`));
  },
  async "a path of a Unix socket that is too long is an error"() {
    const { server } = await serving();
    const path = join(tmpdir(), "x".repeat(120));
    return server.listen({ path }).then(
      () => "listens",
      (error) => error.name,
    );
  },
  async "bodies, streams and contexts"() {
    const { server, get, post } = await serving();
    const storage = new AsyncLocalStorage();
    server.get("/locked", () => {
      const response = new Response("x");
      response.body?.getReader();
      return response;
    });
    server.get("/stream", (exchange) => exchange.stream(Buffer.from("bytes")));
    server.post("/context", (exchange) =>
      storage.run("mine", () => {
        exchange.onBody((_chunk, last) => void (last && exchange.end(String(storage.getStore()))));
      }),
    );
    return [
      status(await get("/locked")),
      content(await get("/stream")).includes("bytes"),
      content(await post("/context", "x")),
    ];
  },
  async "idle connections outlast those of load balancers"() {
    const { server } = await serving();
    return server.limits.keepAliveTimeoutMs > 60_000;
  },
  async "what a waiting hook rejects with is a 500, and nothing runs, deferred as well"() {
    let ran = false;
    const one = async (options) => {
      const { server, get } = await serving(options);
      server.onRequest(async () => {
        await turn(5);
        throw new Error("no database");
      });
      server.get("/", () => {
        ran = true;
        return "inside";
      });
      const poll = options.delivery === "deferred" ? setInterval(() => server.poll(), 5) : undefined;
      const answer = status(await get("/"));
      clearInterval(poll);
      return answer;
    };
    return [await one({}), await one({ delivery: "deferred" }), ran];
  },
  async "exchange.upgrade() and upgrade of fetch handlers ask upgrade, too"() {
    const { server, ask } = await serving();
    const handlers = { upgrade: async () => false };
    server.get("/exchange", (exchange) => exchange.upgrade(handlers));
    server.get("/asks", (exchange) => exchange.upgrade({ upgrade: (x) => x.refuse(401) }));
    server.fetch((_request, { upgrade }) => upgrade(handlers));
    return [
      status(await ask(handshake("/exchange"))),
      status(await ask(handshake("/asks"))),
      status(await ask(handshake("/fetch"))),
    ];
  },
  async "streams and iterables that a handler returns are its answer"() {
    const { server, get } = await serving();
    async function* words() {
      yield "one ";
      yield "two";
    }
    server.get("/iterable", () => words());
    server.get("/stream", () => new Blob(["bytes"]).stream());
    const decoded = (text) => content(text).replace(/^[0-9a-f]+\r\n/gim, "");
    return [
      decoded(await get("/iterable")).replaceAll("\r\n", ""),
      decoded(await get("/stream")).includes("bytes"),
    ];
  },
  async "in development a 500 shows its stack, and 4xx are told once"() {
    const { server, ask, get } = await serving();
    server.get("/", () => {
      throw new Error("visible here");
    });
    const browser = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/html\r\n\r\n";
    const { warn } = console;
    const told = [];
    console.warn = (text) => told.push(text);
    process.env.NODE_ENV = "development";
    const page = await ask(browser);
    await get("/nowhere");
    await get("/nowhere");
    process.env.NODE_ENV = "production";
    console.warn = warn;
    const plain = await ask(browser);
    const count = told.filter((text) => text.includes("404")).length;
    return [page.includes("visible here"), plain.includes("visible here"), count];
  },
  async "content that is read in part does not hold the connection"() {
    const { server, ask } = await serving({ limits: { bodyTimeoutMs: 100 } });
    server.post("/paused", async (exchange) => {
      exchange.onBody(() => exchange.pauseBody());
      await turn(20);
      return exchange.end("early");
    });
    server.post("/parts", async (exchange) => {
      await formParts(exchange).next();
      return "early";
    });
    server.fetch(async (request) => {
      const { url, body } = request;
      const part = url.endsWith("/clone")
        ? request.clone().body
        : url.endsWith("/tee")
          ? body.tee()[0]
          : body;
      await part.getReader().read();
      return new Response("early");
    });
    const part = '--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n';
    const head = "Host: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n";
    const paths = ["/reader", "/paused", "/parts", "/clone", "/tee"];
    const before = performance.now();
    const all = paths.map(async (path) => status(await ask(`POST ${path} HTTP/1.1\r\n${head}${part}xx`)));
    return [...(await Promise.all(all)), performance.now() - before < 2_900];
  },
  async "a loop over content that ends early says that the connection closes"() {
    const { server, ask } = await serving();
    server.post("/", async (exchange) => {
      for await (const _chunk of exchange.body) break;
      return "early";
    });
    const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n";
    return field(await ask(`${head}${"x".repeat(100)}`), "Connection");
  },
  async "a client that disconnects while its WebSocket is paused is noticed"() {
    const { server, port } = await serving({ limits: { webSocketIdleTimeoutMs: 200 } });
    let noticed = () => {};
    const closed = new Promise((resolve) => (noticed = resolve));
    server.websocket("/", { open: (socket) => socket.pause(), close: () => noticed(true) });
    const socket = dial(port, "127.0.0.1").on("error", () => {});
    socket.write(handshake("/"));
    await once(socket, "data");
    socket.destroy();
    return Promise.race([closed, turn(5_000)]);
  },
  async "connect goes through a proxy"() {
    const { server, port } = await serving();
    server.websocket("/", {});
    const tunnels = [];
    const proxy = createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", (head) => {
          tunnels.push(String(head).split(" ")[0]);
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          const to = dial(port, "127.0.0.1").on("error", () => {});
          socket.pipe(to).pipe(socket);
        });
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const socket = await connect(
      "ws://nowhere.invalid/",
      {},
      {
        proxy: `http://127.0.0.1:${proxy.address().port}`,
      },
    );
    const { readyState } = socket;
    socket.terminate();
    proxy.close();
    return [...tunnels, readyState];
  },
  async "a cookie for other sites is secure without being told so"() {
    const { server, get } = await serving();
    server.get("/", (exchange) => {
      setCookie(exchange, "a", "b", { sameSite: "none" });
      return "";
    });
    return /; Secure/i.test(field(await get("/"), "Set-Cookie"));
  },
  async "a socket that was accepted elsewhere is served"() {
    const { server } = await serving();
    server.get("/", () => "served");
    const other = createServer((socket) => server.accept(socket));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const text = await fetch(`http://127.0.0.1:${other.address().port}/`).then((answer) => answer.text());
    other.close();
    return text;
  },
  async "secrets in logs are known by their meaning"() {
    const { server, get } = await serving();
    const lines = [];
    server.mount(accessLog((record) => lines.push(JSON.stringify(record)), { query: true }));
    const names = [
      "accessToken",
      "api-key",
      "password[]",
      "clientSecret",
      "refresh-token",
      "private_key",
      "otp",
      "sessionid",
    ];
    await get(`/?${names.map((name) => `${name}=hidden`).join("&")}&page=shown`);
    return [lines.length, lines.join("").includes("hidden"), lines.join("").includes("shown")];
  },
  async "the file of a Unix socket is replaced when its server is dead, and only then"() {
    if (process.platform === "win32") return ["listens", "EADDRINUSE", "660"];
    const folder = mkdtempSync(join(tmpdir(), "portico-promises-"));
    const path = join(folder, "s.sock");
    const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", program]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    const { server } = await serving();
    const listens = () =>
      server.listen({ path, mode: 0o660 }).then(
        () => "listens",
        (error) => error.code,
      );
    const found = [await listens(), await listens(), (statSync(path).mode & 0o777).toString(8)];
    await server.close({ graceMs: 0 });
    rmSync(folder, { recursive: true, force: true });
    return found;
  },
  async "content that is cut off rejects with an AbortError"() {
    const { server, port } = await serving();
    let settle = () => {};
    const name = new Promise((resolve) => (settle = resolve));
    server.post("/", (exchange) => exchange.bytes().catch((error) => settle(error.name)));
    const socket = dial(port, "127.0.0.1").on("error", () => {});
    socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nx");
    await turn(50);
    socket.destroy();
    return Promise.race([name, turn(3_000)]);
  },
  async "names of files in extended notation are read"() {
    const { server, post } = await serving();
    const body = `--b\r\nContent-Disposition: form-data; name="f"; filename*=UTF-8''%e2%82%ac.txt\r\n\r\n1\r\n--b--\r\n`;
    server.post("/", async (exchange) =>
      (await readForm(exchange)).files.map((file) => escape(file.filename)),
    );
    return content(await post("/", body, "Content-Type: multipart/form-data; boundary=b\r\n"));
  },
  async "content stays as it was in onBody after await"() {
    const { server, ask } = await serving();
    const got = [];
    server.post("/", (exchange) => {
      exchange.onBody(async (chunk, last) => {
        await turn(20);
        got.push(String(chunk));
        if (last) exchange.end();
      });
    });
    const request = (text) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n${text}`;
    await Promise.all([
      ask(`${request("first")}`, { end: true }),
      turn(10).then(() => ask(request("other"), { end: true })),
    ]);
    await turn(50);
    return got.join("").replaceAll("\0", "") === "firstother";
  },
  async "a Response of a Blob has its length, with the platform's class and with the light one"() {
    const { server, get } = await serving();
    server.get("/", () => new Response(new Blob(["12345"])));
    server.get("/large", () => new Response(new Blob([new Uint8Array(1_048_576)])));
    const lengths = async () => [
      field(await get("/"), "Content-Length"),
      field(await get("/large"), "Content-Length"),
    ];
    const platform = await lengths();
    const restore = replaceFetchGlobals();
    const light = await lengths();
    restore();
    return [platform, light];
  },
  async "the time of an idle connection is told"() {
    const { server, ask } = await serving();
    server.get("/", () => "x");
    return field(
      await ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", { end: true }),
      "Keep-Alive",
    );
  },
};

for (const [name, keep] of Object.entries(promises)) {
  const value = await Promise.race([
    keep().catch((error) => `failed: ${error?.stack ?? error}`),
    turn(10_000).then(() => "hangs"),
  ]);
  console.log(JSON.stringify([name, value]));
}
process.exit(0);
