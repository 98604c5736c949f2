import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { createEventStream, getRequestIP, H3, HTTPError, readBody, setCookie } from "h3";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { getCookie, setCookie as setHonoCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { methodOverride } from "hono/method-override";
import { stream, streamSSE, streamText } from "hono/streaming";
import { Agent, FormData, request as send } from "undici";
import { WebSocket as WsClient } from "ws";
import type { FetchHandler, FetchInfo } from "../../src/fetch/fetch-handler.ts";
import { harness } from "../support/harness.ts";
import { eventually, signal } from "../support/waiting.ts";
import { inBothModes } from "./modes.ts";

type Options = NonNullable<Parameters<typeof send>[1]>;

interface Seen {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Serves an application; asks it with undici. */
async function serving(t: TestContext, handler: FetchHandler) {
  const { server, reports } = harness(t);
  server.fetch(handler);
  const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  const raw = (path: string, options: Options = {}) => send(new URL(path, url), { dispatcher, ...options });
  const ask = async (path: string, options: Options = {}): Promise<Seen> => {
    const { statusCode, headers, body } = await raw(path, options);
    return { status: statusCode, headers, text: await body.text() };
  };
  return { server, reports, url, raw, ask };
}

type Row = [
  name: string,
  path: string,
  options: Options | (() => Options),
  expected: [status: number, text: string],
];

interface Env {
  Bindings: FetchInfo;
}

function honoApp(): Hono<Env> {
  const app = new Hono<Env>();
  app.get("/", (c) => c.text("Hello"));
  app.get("/json", (c) => c.json({ hello: "world" }, 201));
  app.get("/html", (c) => c.html("<p>é</p>"));
  app.get("/users/:id/items/:item", (c) => {
    const { id, item } = c.req.param();
    return c.text(`${id} ${item} ${c.req.query("q")} ${c.req.header("x-one")}`);
  });
  app.post("/text", async (c) => c.text(await c.req.text()));
  app.post("/json", async (c) => c.json(await c.req.json()));
  app.post("/form", async (c) => {
    const { name, file } = await c.req.parseBody();
    return c.text(`${name} ${file instanceof File ? `${file.name} ${await file.text()}` : "none"}`);
  });
  app.post("/bytes", async (c) => c.body(await c.req.arrayBuffer()));
  app.post("/twice", async (c) => c.text((await c.req.text()) + JSON.stringify(await c.req.json())));
  app.post("/copy", async (c) => c.text(await new Request(c.req.raw).text()));
  app.post("/limited", bodyLimit({ maxSize: 5 }), async (c) => c.text(await c.req.text()));
  app.get("/cookies", (c) => {
    setHonoCookie(c, "a", "1");
    setHonoCookie(c, "b", "2");
    return c.text(JSON.stringify(getCookie(c)));
  });
  app.get("/nothing", (c) => c.body(null, 204));
  app.get("/elsewhere", (c) => c.redirect("/", 303));
  app.get("/throws", () => {
    throw new Error("mine");
  });
  app.get("/exception", () => {
    throw new HTTPException(418, { message: "short" });
  });
  app.use("/cors/*", cors({ origin: "http://other" }));
  app.get("/cors/x", (c) => c.text("shared"));
  app.use("/etag/*", etag());
  app.get("/etag/x", (c) => c.text("tagged"));
  app.use("/compressed/*", compress());
  app.get("/compressed/x", (c) => c.text("x".repeat(5_000)));
  app.use("/late/*", async (c, next) => {
    await next();
    c.header("x-late", "1");
  });
  app.get("/late/x", (c) => c.text("late"));
  app.use("/override/*", methodOverride({ app, header: "x-method" }));
  app.delete("/override/x", async (c) => c.text(`deleted ${await c.req.text()}`));
  app.post("/override/x", (c) => c.text("posted"));
  app.mount("/mounted", async (request: Request) => {
    return new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`);
  });
  app.get("/stream", (c) =>
    streamText(c, async (out) => {
      await out.write("one ");
      await out.sleep(1);
      await out.write("two");
    }),
  );
  app.get("/events", (c) =>
    streamSSE(c, async (out) => {
      await out.writeSSE({ data: "a", id: "1" });
    }),
  );
  app.get("/peer", (c) => c.json([c.env.remoteAddress, typeof c.env.remotePort, c.env.exchange.path]));
  app.get("/ws", (c) =>
    c.env.upgrade(async (socket) => {
      for await (const { data, binary } of socket.messages()) socket.send(data, { binary });
    }),
  );
  return app;
}

const type = (name: string): Options => ({ method: "POST", headers: { "content-type": name } });

function multipart(): Options {
  const form = new FormData();
  form.append("name", "é");
  form.append("file", new File(["inside"], "a.txt"));
  return { method: "POST", body: form };
}

const honoRows: Row[] = [
  ["text", "/", {}, [200, "Hello"]],
  ["JSON", "/json", {}, [201, '{"hello":"world"}']],
  ["HTML", "/html", {}, [200, "<p>é</p>"]],
  [
    "parameters, query and header fields",
    "/users/a%20b/items/2?q=%C3%A9",
    { headers: { "X-One": "1" } },
    [200, "a b 2 é 1"],
  ],
  ["HEAD", "/", { method: "HEAD" }, [200, ""]],
  ["what it does not have", "/no", {}, [404, "404 Not Found"]],
  ["content as text", "/text", { method: "POST", body: "é" }, [200, "é"]],
  ["content as JSON", "/json", { ...type("application/json"), body: '{"a":1}' }, [200, '{"a":1}']],
  ["a form", "/form", { ...type("application/x-www-form-urlencoded"), body: "name=x+y" }, [200, "x y none"]],
  ["a form with a file", "/form", multipart(), [200, "é a.txt inside"]],
  ["bytes", "/bytes", { method: "POST", body: Buffer.from([97, 98]) }, [200, "ab"]],
  ["content that is read twice", "/twice", { method: "POST", body: "[1]" }, [200, "[1][1]"]],
  ["a copy of the request", "/copy", { method: "POST", body: "abc" }, [200, "abc"]],
  ["content within a limit", "/limited", { method: "POST", body: "abc" }, [200, "abc"]],
  ["content above it", "/limited", { method: "POST", body: "too long" }, [413, "Payload Too Large"]],
  [
    "chunked content within a limit",
    "/limited",
    () => ({ method: "POST", body: Readable.from(["ab", "c"]) }),
    [200, "abc"],
  ],
  ["204", "/nothing", {}, [204, ""]],
  ["a handler that throws", "/throws", {}, [500, "Internal Server Error"]],
  ["an HTTPException", "/exception", {}, [418, "short"]],
  ["a response that is changed later", "/late/x", {}, [200, "late"]],
  [
    "another method",
    "/override/x",
    { method: "POST", body: "abc", headers: { "x-method": "DELETE" } },
    [200, "deleted abc"],
  ],
  ["another application below a path", "/mounted/a", { method: "POST", body: "abc" }, [200, "POST /a abc"]],
  ["a stream", "/stream", {}, [200, "one two"]],
  ["events", "/events", {}, [200, "data: a\nid: 1\n\n"]],
  ["the peer", "/peer", {}, [200, '["127.0.0.1","number","/peer"]']],
];

function h3App(): H3 {
  const app = new H3();
  app.get("/", () => "Hello");
  app.get("/json", () => ({ hello: "world" }));
  app.get("/users/:id", (event) => `${event.context.params?.["id"]} ${event.url.searchParams.get("q")}`);
  app.post("/text", (event) => event.req.text());
  app.post("/body", async (event) => ({ got: await readBody(event) }));
  app.post("/form", async (event) => [...(await event.req.formData()).keys()].join());
  app.get("/cookies", (event) => {
    setCookie(event, "a", "1");
    setCookie(event, "b", "2");
    event.res.headers.set("x-one", "1");
    return "set";
  });
  app.get("/teapot", () => {
    throw new HTTPError({ status: 418, message: "short" });
  });
  app.get("/response", () => new Response("own", { status: 202 }));
  app.get(
    "/stream",
    () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from("one "));
          controller.enqueue(Buffer.from("two"));
          controller.close();
        },
      }),
  );
  app.get("/events", (event) => {
    const events = createEventStream(event);
    void events.push("a").then(() => events.close());
    return events.send();
  });
  app.get("/peer", (event) => getRequestIP(event) ?? "unknown");
  return app;
}

const h3Rows: Row[] = [
  ["text", "/", {}, [200, "Hello"]],
  ["HEAD", "/", { method: "HEAD" }, [200, ""]],
  ["parameters and query", "/users/7?q=%C3%A9", {}, [200, "7 é"]],
  ["content as text", "/text", { method: "POST", body: "é" }, [200, "é"]],
  [
    "content that is parsed",
    "/body",
    { ...type("application/json"), body: '{"a":1}' },
    [200, '{"got":{"a":1}}'],
  ],
  ["a form with a file", "/form", multipart(), [200, "name,file"]],
  ["a Response", "/response", {}, [202, "own"]],
  ["a stream", "/stream", {}, [200, "one two"]],
  ["events", "/events", {}, [200, "data: a\n\n"]],
  ["the peer", "/peer", {}, [200, "127.0.0.1"]],
];

const h3Handler =
  (app: H3): FetchHandler =>
  (request, info) =>
    app.fetch(Object.assign(request, { ip: info.remoteAddress }));

inBothModes(() => {
  describe("a Hono application", () => {
    for (const [name, path, options, expected] of honoRows) {
      test(name, async (t) => {
        const logged = t.mock.method(console, "error", () => {});
        const { ask, reports } = await serving(t, honoApp().fetch);
        const seen = await ask(path, typeof options === "function" ? options() : options);
        assert.deepEqual([seen.status, seen.text], expected);
        assert.deepEqual([reports, logged.mock.callCount()], [[], name === "a handler that throws" ? 1 : 0]);
      });
    }

    test("cookies come in lines of their own", async (t) => {
      const { ask } = await serving(t, honoApp().fetch);
      const seen = await ask("/cookies", { headers: { cookie: "x=y" } });
      assert.deepEqual(
        [seen.text, seen.headers["set-cookie"]],
        ['{"x":"y"}', ["a=1; Path=/", "b=2; Path=/"]],
      );
    });

    test("its middleware works: CORS, ETag, compression, later fields, redirects", async (t) => {
      const { ask } = await serving(t, honoApp().fetch);
      assert.equal(
        (await ask("/cors/x", { headers: { origin: "http://other" } })).headers[
          "access-control-allow-origin"
        ],
        "http://other",
      );
      assert.equal((await ask("/cors/x", { method: "OPTIONS" })).status, 204);
      const tagged = await ask("/etag/x");
      assert.equal(tagged.text, "tagged");
      const again = await ask("/etag/x", { headers: { "if-none-match": String(tagged.headers["etag"]) } });
      assert.deepEqual([again.status, again.text], [304, ""]);
      const compressed = await ask("/compressed/x", { headers: { "accept-encoding": "gzip" } });
      assert.equal(compressed.headers["content-encoding"], "gzip");
      assert.equal((await ask("/late/x")).headers["x-late"], "1");
      const moved = await ask("/elsewhere");
      assert.deepEqual([moved.status, moved.headers["location"]], [303, "/"]);
    });

    test("a stream ends when the peer goes", async (t) => {
      const aborted = signal();
      const app = new Hono();
      app.get("/", (c: Context) =>
        stream(c, async (out) => {
          out.onAbort(() => aborted.give());
          while (!out.aborted) {
            await out.write("x".repeat(1_000));
            await out.sleep(1);
          }
        }),
      );
      const { raw, server } = await serving(t, app.fetch);
      const { body } = await raw("/");
      for await (const _ of body) break;
      await aborted.wait("the application to be told");
      await eventually(() => server.exchanges.length === 0, "the exchange to end");
    });

    test("WebSockets by c.env.upgrade", async (t) => {
      const { url, reports } = await serving(t, honoApp().fetch);
      const client = new WsClient(new URL("/ws", url));
      t.after(() => client.terminate());
      const echoed = signal<string>();
      client.on("open", () => client.send("hello"));
      client.on("message", (data) => echoed.give(String(data)));
      assert.equal(await echoed.wait("the echo"), "hello");
      assert.deepEqual(reports, []);
    });
  });

  describe("an H3 application", () => {
    for (const [name, path, options, expected] of h3Rows) {
      test(name, async (t) => {
        const { ask, reports } = await serving(t, h3Handler(h3App()));
        const seen = await ask(path, typeof options === "function" ? options() : options);
        assert.deepEqual([seen.status, seen.text], expected);
        assert.deepEqual(reports, []);
      });
    }

    test("JSON, cookies and header fields", async (t) => {
      const { ask } = await serving(t, h3Handler(h3App()));
      const { text, headers } = await ask("/json");
      assert.deepEqual(JSON.parse(text), { hello: "world" });
      assert.match(String(headers["content-type"]), /^application\/json/);
      const set = await ask("/cookies");
      assert.deepEqual(set.headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/"]);
      assert.equal(set.headers["x-one"], "1");
    });

    test("its errors are answered by itself", async (t) => {
      const { ask, reports } = await serving(t, h3Handler(h3App()));
      const seen = await ask("/teapot");
      assert.deepEqual([seen.status, JSON.parse(seen.text).message], [418, "short"]);
      assert.equal((await ask("/no")).status, 404);
      assert.deepEqual(reports, []);
    });
  });
});
