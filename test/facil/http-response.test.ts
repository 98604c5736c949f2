import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type HttpRequest, HttpResponse } from "../../src/facil/index.ts";
import { signal, sleep } from "../engine/harness.ts";
import type { Answer } from "../engine/raw-client.ts";
import { folder, serve } from "./helpers.ts";

type Response = ReturnType<typeof HttpResponse.create>;

/** Has one request answered by `respond`, and destroys the response at its end. */
async function exchange(
  t: TestContext,
  respond: (response: Response, request: HttpRequest) => void,
  method = "GET",
): Promise<Answer> {
  let error: unknown;
  const { connect } = await serve(t, (request) => {
    const response = HttpResponse.create(request);
    try {
      respond(response, request);
    } catch (thrown) {
      error = thrown;
    }
    HttpResponse.destroy(response);
  });
  const client = await connect();
  const got = await client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`).answer(method, 4_000);
  if (error !== undefined) throw error;
  await sleep(20);
  assert.equal(client.rest, "", "more than one response");
  return got;
}

/** The parts of a cookie line, names of attributes in lower case. */
function parts(line: string | undefined): string[] {
  const [pair = "", ...attributes] = (line ?? "").split(/; */);
  return [pair, ...attributes.map((text) => text.replace(/^[^=]*/, (name) => name.toLowerCase())).sort()];
}

const cookiesOf = (got: Answer): string[] =>
  got.lines.filter((line) => /^set-cookie:/i.test(line)).map((line) => line.slice(11).trim());

describe("HttpResponse.create(request), .write_header, .set_cookie, .write_body, .sendfile, .status, .send, .destroy(response)", () => {
  it("create makes a response with status 200 and nothing in it", async (t) => {
    const got = await exchange(t, (response) => assert.equal(response.status, 200));
    assert.equal(got.status, 200);
    assert.equal(got.header("content-length"), "0");
  });

  it("status may be set", async (t) => {
    const got = await exchange(t, (response) => {
      response.status = 404;
    });
    assert.equal(got.status, 404);
    assert.match(got.head, /^HTTP\/1\.1 404 Not Found\r\n/);
  });

  it("write_header writes fields", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_header(response, "Content-Type", "text/plain"), 0);
      assert.equal(HttpResponse.write_header(response, "X-Own", "some value"), 0);
    });
    assert.equal(got.header("content-type"), "text/plain");
    assert.equal(got.header("x-own"), "some value");
  });

  it("write_header answers -1 to what would break the head, and writes nothing of it", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_header(response, "X-Own", "a\r\nX-Injected: b"), -1);
      assert.equal(HttpResponse.write_header(response, "X-Own: a\r\nX-Injected", "b"), -1);
      assert.equal(HttpResponse.write_header(response, "", "b"), -1);
    });
    assert.equal(got.status, 200);
    assert.equal(got.header("x-injected"), undefined);
    assert.equal(got.header("x-own"), undefined);
  });

  it("set_cookie writes a field for each cookie, with all attributes", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.set_cookie(response, { name: "plain", value: "1" }), 0);
      const all = {
        name: "all",
        value: "two",
        path: "/sub",
        domain: "example.com",
        max_age: 60,
        secure: true,
        http_only: true,
        same_site: "Strict",
      } as const;
      assert.equal(HttpResponse.set_cookie(response, all), 0);
    });
    const [plain, all] = cookiesOf(got);
    assert.equal(cookiesOf(got).length, 2);
    assert.equal(parts(plain)[0], "plain=1");
    assert.ok(!/secure|httponly|max-age|domain/i.test(String(plain)), plain);
    assert.deepEqual(parts(all), [
      "all=two",
      "domain=example.com",
      "httponly",
      "max-age=60",
      "path=/sub",
      "samesite=Strict",
      "secure",
    ]);
  });

  it("set_cookie lets nobody add attributes or fields", async (t) => {
    const got = await exchange(t, (response) => {
      HttpResponse.set_cookie(response, { name: "a", value: "1; Domain=evil.example" });
      HttpResponse.set_cookie(response, { name: "b", value: "1\r\nX-Injected: 1" });
      HttpResponse.set_cookie(response, { name: "c", value: "1", path: "/; Domain=evil.example" });
      HttpResponse.set_cookie(response, { name: "d", value: "1", domain: "x; Secure" });
      assert.equal(HttpResponse.set_cookie(response, { name: "e e=1; HttpOnly", value: "1" }), -1);
      assert.equal(HttpResponse.set_cookie(response, { name: "", value: "1" }), -1);
    });
    assert.equal(got.header("x-injected"), undefined);
    for (const cookie of cookiesOf(got)) {
      const names = parts(cookie).slice(1);
      assert.ok(!names.some((name) => /^(domain=evil|secure|httponly)/.test(name)), cookie);
    }
  });

  it("write_body takes text and bytes, and several calls append", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_body(response, "é"), 0);
      assert.equal(HttpResponse.write_body(response, Uint8Array.of(0x2c, 0xff)), 0);
      assert.equal(HttpResponse.write_body(response, ""), 0);
    });
    assert.deepEqual([...got.body], [0xc3, 0xa9, 0x2c, 0xff]);
    assert.equal(got.header("content-length"), "4");
  });

  it("write_body cuts at the length", async (t) => {
    const got = await exchange(t, (response) => {
      HttpResponse.write_body(response, "Hello World!", 5);
      HttpResponse.write_body(response, Buffer.from(" there"), 3);
    });
    assert.equal(got.text, "Hello th");
  });

  it("a large body arrives as it is", async (t) => {
    const body = Buffer.alloc(3_000_000, "abcdefghijk");
    const got = await exchange(t, (response) => {
      for (let at = 0; at < body.length; at += 500_000)
        HttpResponse.write_body(response, body.subarray(at, at + 500_000));
    });
    assert.ok(got.body.equals(body));
  });

  it("nothing is on the wire before send or destroy", async (t) => {
    const made = signal<Response>();
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_header(response, "X-Own", "1");
      HttpResponse.write_body(response, "waits");
      made.give(response);
    });
    const client = await connect();
    client.get("/");
    const response = await made.wait("the request");
    await sleep(50);
    assert.equal(client.rest, "");
    assert.equal(HttpResponse.write_body(response, " no more"), 0);
    assert.equal(HttpResponse.send(response), 0);
    assert.equal((await client.answer()).text, "waits no more");
    HttpResponse.destroy(response);
  });

  it("send sends once", async (t) => {
    const got = await exchange(t, (response) => {
      HttpResponse.write_body(response, "once");
      assert.equal(HttpResponse.send(response), 0);
      assert.equal(HttpResponse.send(response), -1);
      assert.equal(HttpResponse.write_body(response, "late"), -1);
      assert.equal(HttpResponse.write_header(response, "X-Late", "1"), -1);
      assert.equal(HttpResponse.set_cookie(response, { name: "late", value: "1" }), -1);
      assert.equal(HttpResponse.sendfile(response, new URL(import.meta.url).pathname), -1);
    });
    assert.equal(got.text, "once");
    assert.equal(got.header("x-late"), undefined);
    assert.equal(got.header("set-cookie"), undefined);
  });

  it("destroying an unsent response sends it", async (t) => {
    const made = signal<Response>();
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      response.status = 201;
      HttpResponse.write_body(response, "unsent");
      made.give(response);
    });
    const client = await connect();
    client.get("/");
    const response = await made.wait("the request");
    HttpResponse.destroy(response);
    const got = await client.answer();
    assert.equal(`${got.status} ${got.text}`, "201 unsent");
    HttpResponse.destroy(response);
    client.get("/");
    await sleep(30);
    assert.equal(client.rest, "");
  });

  it("sendfile sends a file, or a part of it", async (t) => {
    const path = join(folder(t), "file");
    const content = Buffer.alloc(2_000_000, "0123456789");
    writeFileSync(path, content);
    const whole = await exchange(t, (response) => assert.equal(HttpResponse.sendfile(response, path), 0));
    assert.ok(whole.body.equals(content));
    assert.equal(whole.header("content-length"), "2000000");
    const rest = await exchange(t, (response) => {
      HttpResponse.write_header(response, "Content-Type", "application/x-own");
      assert.equal(HttpResponse.sendfile(response, path, 1_999_995), 0);
    });
    assert.equal(rest.text, "56789");
    assert.equal(rest.header("content-type"), "application/x-own");
    const part = await exchange(t, (response) => HttpResponse.sendfile(response, path, 3, 4));
    assert.equal(part.text, "3456");
  });

  it("sendfile answers -1 where there is no such file, and the response can still be another", async (t) => {
    const path = folder(t);
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.sendfile(response, join(path, "none")), -1);
      assert.equal(HttpResponse.sendfile(response, path), -1);
      response.status = 404;
      HttpResponse.write_body(response, "none");
    });
    assert.equal(`${got.status} ${got.text}`, "404 none");
  });

  it("an answer to HEAD has the length and no content", async (t) => {
    const got = await exchange(t, (response) => void HttpResponse.write_body(response, "12345"), "HEAD");
    assert.equal(got.header("content-length"), "5");
  });

  it("calls for a client that has gone do not throw", async (t) => {
    const made = signal<Response>();
    const { connect } = await serve(t, (request) => made.give(HttpResponse.create(request)));
    const client = await connect();
    client.get("/");
    const response = await made.wait("the request");
    client.destroy();
    await sleep(50);
    HttpResponse.write_header(response, "X-Own", "1");
    HttpResponse.write_body(response, "for nobody");
    assert.equal(HttpResponse.send(response), -1);
    HttpResponse.destroy(response);
  });

  it("pipelined requests are answered in their order", async (t) => {
    const held: Response[] = [];
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_body(response, request.path);
      if (request.path === "/1") held.push(response);
      else HttpResponse.destroy(response);
    });
    const client = await connect();
    client.get("/1").get("/2").get("/3");
    await sleep(30);
    HttpResponse.destroy(held[0] as Response);
    for (const path of ["/1", "/2", "/3"]) assert.equal((await client.answer()).text, path);
  });
});
