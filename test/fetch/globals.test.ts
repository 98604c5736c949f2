import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { replaceFetchGlobals } from "../../src/fetch/fetch-globals.ts";
import { harness } from "../support/harness.ts";

const platform = { Request, Response, fetch };
const restore = replaceFetchGlobals();
const replaced = { Request, Response, fetch };
restore();

type ResponseClass = typeof Response;

/** What a function gives, or the kind of error that it throws or rejects with. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error instanceof Error ? `throws ${error.constructor.name}` : "throws something else";
  }
}

const text = (type: ResponseClass, init?: ResponseInit): Response => new type("abé", init);

const cases: Record<string, (type: ResponseClass) => unknown> = {
  text: (type) => text(type).text(),
  json: (type) => new type("[1]").json(),
  "json of what is none": (type) => text(type).json(),
  arrayBuffer: async (type) => Buffer.from(await text(type).arrayBuffer()).toString(),
  blob: async (type) => (await text(type).blob()).type,
  formData: async (type) => [...(await new type(new URLSearchParams({ a: "b" })).formData())],
  "formData of text": async (type) => [
    ...(await new type("a=b", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }).formData()),
  ],
  "a lone surrogate": (type) => new type("\ud800").text(),
  bytes: (type) => new type(new Uint8Array([97])).text(),
  "an ArrayBuffer": (type) => new type(new Uint8Array([97]).buffer).text(),
  "a Blob": (type) => new type(new Blob(["a"], { type: "x/y" })).headers.get("content-type"),
  "a number": (type) => new type(7 as unknown as string).text(),
  nothing: (type) => [new type().body, new type(null).bodyUsed, new type().status],
  async "its stream"(type) {
    let all = "";
    for await (const chunk of text(type).body ?? []) all += Buffer.from(chunk).toString("latin1");
    return all;
  },
  "its stream is the same each time"(type) {
    const response = text(type);
    const { body } = response;
    return response.body === body;
  },
  async "bodyUsed before and after"(type) {
    const response = text(type);
    const before = response.bodyUsed;
    await response.text();
    return [before, response.bodyUsed, response.body?.locked];
  },
  async "a look at the stream uses nothing"(type) {
    const response = text(type);
    return [response.body === null, response.bodyUsed, await response.text()];
  },
  async "reading twice"(type) {
    const response = text(type);
    await response.text();
    return response.text();
  },
  async "cancelling and reading"(type) {
    const response = text(type);
    await response.body?.cancel();
    return response.text();
  },
  async "a clone"(type) {
    const response = text(type, { status: 201, headers: { a: "b" } });
    const copy = response.clone();
    return [copy.status, copy.headers.get("a"), await copy.text(), await response.text()];
  },
  async "a clone of one whose stream was looked at"(type) {
    const response = text(type);
    void response.body;
    return [await response.clone().text(), await response.text()];
  },
  async "a clone of one that was read"(type) {
    const response = text(type);
    await response.text();
    return response.clone();
  },
  "a clone's fields are its own"(type) {
    const response = text(type);
    response.clone().headers.set("a", "b");
    return response.headers.has("a");
  },
  "made of another"(type) {
    const headers = new Headers([
      ["set-cookie", "a"],
      ["set-cookie", "b"],
    ]);
    const copy = new type("x", text(type, { status: 299, statusText: "Mine", headers }));
    return [copy.status, copy.statusText, copy.headers.getSetCookie(), copy.ok];
  },
  "types by default": (type) =>
    ["", "a", new Uint8Array(1), new URLSearchParams(), null].map((body) =>
      new type(body).headers.get("content-type"),
    ),
  "a type of its own": (type) =>
    text(type, { headers: { "Content-Type": "x/y" } }).headers.get("content-type"),
  "a status that none has": (type) => text(type, { status: 99 }),
  "a status without content": (type) => text(type, { status: 204 }),
  "a status without content, and none": (type) => new type(null, { status: 204 }).status,
  "a text of the status that may not be": (type) => text(type, { statusText: "a\nb" }),
  "fields that may not be": (type) => text(type, { headers: { "a b": "c" } }),
  async "Response.json"(type) {
    const response = type.json({ a: 1 }, { status: 202 });
    return [response.status, response.headers.get("content-type"), await response.text()];
  },
  "Response.json of nothing": (type) => type.json(undefined),
  "Response.error": (type) => [type.error().type, type.error().status],
  "Response.redirect": (type) => type.redirect("http://h/", 307).headers.get("location"),
  "what it is"(type) {
    const response = text(type);
    return [
      response.type,
      response.url,
      response.redirected,
      Object.prototype.toString.call(response),
      type.name,
    ];
  },
  instances: (type) => [
    text(type) instanceof type,
    new platform.Response() instanceof type,
    {} instanceof type,
  ],
  "a class of one's own"(type) {
    class Own extends type {}
    return [new Own("a") instanceof Own, new Own("a") instanceof type, new type("a") instanceof Own];
  },
  "a class of one's own, read"(type) {
    class Own extends type {}
    return new Own("abc").text();
  },
};

describe("the Response that replaceFetchGlobals installs behaves like the platform's", () => {
  for (const [name, run] of Object.entries(cases)) {
    test(name, async () => {
      assert.deepEqual(
        await outcome(() => run(replaced.Response)),
        await outcome(() => run(platform.Response)),
      );
    });
  }

  test("bytes", { skip: !("bytes" in Response.prototype) }, async () => {
    const read = (type: ResponseClass): unknown =>
      Reflect.apply(Reflect.get(type.prototype, "bytes"), text(type), []);
    assert.deepEqual(await read(replaced.Response), await read(platform.Response));
  });
});

describe("replaceFetchGlobals", () => {
  test("replaces and puts back", () => {
    assert.notEqual(replaced.Response, platform.Response);
    const undo = replaceFetchGlobals();
    assert.equal(Response, replaced.Response);
    replaceFetchGlobals()();
    assert.equal(Response, replaced.Response, "the second call changes nothing");
    undo();
    assert.deepEqual([Request, Response, fetch], [platform.Request, platform.Response, platform.fetch]);
  });

  test("Request stays what it is", async () => {
    const request = new replaced.Request("http://h/", { method: "POST", body: "abc" });
    assert.ok(request instanceof platform.Request && request instanceof replaced.Request);
    assert.ok(new platform.Request("http://h/") instanceof replaced.Request);
    assert.equal(await new replaced.Request(request).text(), "abc");
    class Own extends replaced.Request {}
    assert.ok(!(request instanceof Own));
    assert.throws(() => new replaced.Request("not a URL"), TypeError);
  });

  test("fetch stays what it is", async (t) => {
    const { server } = harness(t);
    server.get("/", (exchange) => exchange.end(exchange.header("x-one") ?? "none"));
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const answer = await replaced.fetch(url, { headers: { "x-one": "1" } });
    assert.ok(answer instanceof replaced.Response);
    assert.equal(await answer.text(), "1");
    await assert.rejects(replaced.fetch("not a URL"), TypeError);
  });
});
