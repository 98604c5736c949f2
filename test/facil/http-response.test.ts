import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type HttpRequest, HttpResponse } from "../../src/facil/index.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import { listOf } from "../support/bytes.ts";
import type { Answer } from "../support/http-response.ts";
import { temporaryFolder } from "../support/places.ts";
import { sleep } from "../support/waiting.ts";
import { heldRequest, serve, serveOne } from "./helpers.ts";

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

describe("HttpResponse.create(request), .write_header and .write_header1/2 (C's argument orders), .set_cookie, .write_body, .write_body_move, .printf, .sendfile, .sendfile2, .status, .status_str, .content_length, .date, .last_modified, .reset, .close, .send, .destroy(response)", () => {
  it("create makes a response with status 200 and nothing in it", async (t) => {
    const got = await exchange(t, (response) => assert.equal(response.status, 200));
    assertAnswer(got, { status: 200, fields: { "content-length": "0" } });
  });

  it("status may be set", async (t) => {
    const got = await exchange(t, (response) => {
      response.status = 404;
    });
    assertAnswer(got, { status: 404, reason: "Not Found" });
  });

  it("write_header, write_header1 and write_header2 accept C's orders of arguments", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_header(response, "X-One and more", 5, "value and more", 5), 0);
      assert.equal(HttpResponse.write_header1(response, "X-Two", Buffer.from("value and more"), 5), 0);
      assert.equal(HttpResponse.write_header2(response, "X-Three", "value"), 0);
      assert.equal(HttpResponse.write_header(response, "X-Four", "value"), 0);
      assert.equal(HttpResponse.write_header1(response, "X-Five", "a\r\nX: y", 8), -1);
      assert.equal(HttpResponse.write_header2(response, "X Six", "value"), -1);
    });
    for (const name of ["one", "two", "three", "four"]) assert.equal(got.header(`x-${name}`), "value");
    assert.equal(got.header("x-five"), undefined);
  });

  it("printf adds a field from a format", async (t) => {
    const got = await exchange(t, (response) => {
      const { printf } = HttpResponse;
      assert.equal(
        printf(
          response,
          "X-All: %s %5.2s| %-4d|%04d %+i %u %lu %x %X %o %.2f %c %%",
          "text",
          "cut",
          7,
          -42,
          5,
          6,
          7n,
          255,
          255,
          8,
          1.005,
          "z",
        ),
        0,
      );
      assert.equal(printf(response, "X-Plain:value"), 0);
      assert.equal(printf(response, "no field"), -1);
      assert.equal(printf(response, "X-Split: %s", "a\r\nX-Y: b"), -1);
    });
    assert.equal(got.header("x-all"), "text    cu| 7   |-042 +5 6 7 ff FF 10 1.00 z %");
    assert.equal(got.header("x-plain"), "value");
    assert.equal(got.header("x-split"), undefined);
  });

  it("status_str, date, last_modified and content_length", async (t) => {
    const got = await exchange(t, (response) => {
      response.status = 404;
      assert.equal(HttpResponse.status_str(response), "Not Found");
      response.status = 299;
      assert.equal(HttpResponse.status_str(response), "");
      response.status = 200;
      response.date = 784_111_777;
      response.last_modified = 0;
      response.content_length = 1;
      HttpResponse.write_body_move(response, "longer than that", 6);
    });
    assert.equal(got.header("date"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert.equal(got.lines.filter((line) => /^date:/i.test(line)).length, 1);
    assert.equal(got.header("last-modified"), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert.equal(got.header("content-length"), "6", "the length of the body is counted");
    assert.equal(got.text, "longer");
  });

  it("content_length counts for HEAD, and -1 sends chunks", async (t) => {
    const set = (length: number) => (response: Response) => {
      response.content_length = length;
      if (length < 0) HttpResponse.write_body(response, "chunks");
    };
    assert.equal((await exchange(t, set(77), "HEAD")).header("content-length"), "77");
    const got = await exchange(t, set(-1));
    assert.equal(got.header("transfer-encoding"), "chunked");
    assert.equal(got.header("content-length"), undefined);
    assert.equal(got.text, "chunks");
  });

  it("a time that cannot be sent is a failure, and a 500 in the end", async (t) => {
    const got = await exchange(t, (response) => {
      response.date = Number.NaN;
      assert.equal(HttpResponse.send(response), -1);
    });
    assert.equal(got.status, 500);
  });

  it("sendfile2 sends a whole file", async (t) => {
    const path = join(temporaryFolder(t, { file: "the whole file" }), "file");
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.sendfile2(response, `${path}-missing`), -1);
      assert.equal(HttpResponse.sendfile2(response, path), 0);
    });
    assert.equal(got.text, "the whole file");
  });

  it("reset begins again", async (t) => {
    const got = await exchange(t, (response, request) => {
      response.status = 404;
      response.last_modified = 1;
      HttpResponse.write_header(response, "X-Old", "1");
      HttpResponse.write_body(response, "old");
      HttpResponse.reset(response, request);
      HttpResponse.write_body(response, "new");
    });
    assert.equal(got.status, 200);
    assert.equal(got.header("x-old"), undefined);
    assert.equal(got.header("last-modified"), undefined);
    assert.equal(got.text, "new");
  });

  it("close sends what was written and closes, and without a body it only closes", async (t) => {
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      if (request.path === "/body") HttpResponse.write_body(response, "last words");
      HttpResponse.close(response);
      assert.equal(HttpResponse.send(response), -1);
      HttpResponse.destroy(response);
    });
    const client = (await connect()).get("/body");
    assertAnswer(await client.answer(), { text: "last words", fields: { connection: "close" } });
    await client.over();
    const other = (await connect()).get("/nothing");
    await other.over();
    assert.equal(other.received.length, 0);
  });

  it("write_header writes fields", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_header(response, "Content-Type", "text/plain"), 0);
      assert.equal(HttpResponse.write_header(response, "X-Own", "some value"), 0);
    });
    assertAnswer(got, { fields: { "content-type": "text/plain", "x-own": "some value" } });
  });

  it("write_header answers -1 to what would break the head, and writes nothing of it", async (t) => {
    const got = await exchange(t, (response) => {
      assert.equal(HttpResponse.write_header(response, "X-Own", "a\r\nX-Injected: b"), -1);
      assert.equal(HttpResponse.write_header(response, "X-Own: a\r\nX-Injected", "b"), -1);
      assert.equal(HttpResponse.write_header(response, "", "b"), -1);
    });
    assertAnswer(got, { status: 200, fields: { "x-injected": undefined, "x-own": undefined } });
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
    const expected = listOf(
      "all=two¦domain=example.com¦httponly¦max-age=60¦path=/sub¦samesite=Strict¦secure",
    );
    assert.deepEqual(parts(all), expected);
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
    const { client, request } = await heldRequest(t);
    const response = HttpResponse.create(request);
    HttpResponse.write_header(response, "X-Own", "1");
    HttpResponse.write_body(response, "waits");
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
    assertAnswer(got, { text: "once", fields: { "x-late": undefined, "set-cookie": undefined } });
  });

  it("destroying an unsent response sends it", async (t) => {
    const { client, request } = await heldRequest(t);
    const response = HttpResponse.create(request);
    response.status = 201;
    HttpResponse.write_body(response, "unsent");
    HttpResponse.destroy(response);
    const got = await client.answer();
    assert.equal(`${got.status} ${got.text}`, "201 unsent");
    HttpResponse.destroy(response);
    client.get("/");
    await sleep(30);
    assert.equal(client.rest, "");
  });

  it("sendfile sends a file, or a part of it", async (t) => {
    const content = Buffer.alloc(2_000_000, "0123456789");
    const path = join(temporaryFolder(t, { file: content }), "file");
    const whole = await exchange(t, (response) => assert.equal(HttpResponse.sendfile(response, path), 0));
    assert.ok(whole.body.equals(content));
    assert.equal(whole.header("content-length"), "2000000");
    const rest = await exchange(t, (response) => {
      HttpResponse.write_header(response, "Content-Type", "application/x-own");
      assert.equal(HttpResponse.sendfile(response, path, 1_999_995), 0);
    });
    assert.equal(rest.text, "56789");
    assert.equal(rest.header("content-type"), "application/x-own");
    assert.equal((await exchange(t, (response) => HttpResponse.sendfile(response, path, 3, 4))).text, "3456");
  });

  it("sendfile answers -1 where there is no such file, and the response can still be another", async (t) => {
    const path = temporaryFolder(t);
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
    const { client, request } = await heldRequest(t);
    const response = HttpResponse.create(request);
    client.destroy();
    await sleep(50);
    HttpResponse.write_header(response, "X-Own", "1");
    HttpResponse.write_body(response, "for nobody");
    assert.equal(HttpResponse.send(response), -1);
    HttpResponse.destroy(response);
  });

  it("pipelined requests are answered in their order", async (t) => {
    const held: Response[] = [];
    const { client } = await serveOne(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_body(response, request.path);
      if (request.path === "/1") held.push(response);
      else HttpResponse.destroy(response);
    });
    client.get("/1").get("/2").get("/3");
    await sleep(30);
    HttpResponse.destroy(held[0] as Response);
    for (const path of ["/1", "/2", "/3"]) assert.equal((await client.answer()).text, path);
  });
});
