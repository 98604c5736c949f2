import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Ask, Reply } from "../support/ask.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import { sleep } from "../support/waiting.ts";
import {
  addPort,
  answer,
  CLOSED,
  listeningRoom,
  pullRequest,
  type RequestHandle,
  type ResponseHandle,
  rawRoom,
  room,
  serves,
} from "./computer.ts";

interface Pulled {
  request: RequestHandle;
  response: ResponseHandle;
  reply: Promise<Reply>;
}

/** A request with content, pulled. */
async function post(t: TestContext, body: string | Buffer, how: Ask = {}, target = "/"): Promise<Pulled> {
  const { http, ask } = room(t);
  const reply = ask(addPort(http), target, { method: "POST", body, ...how });
  return { ...(await pullRequest(http)), reply };
}

describe("request handle", () => {
  it("read() gives one byte, null at the end", async (t) => {
    const { request } = await post(t, "abc");
    assert.deepEqual([request.read(), request.read(), request.read()], ["a", "b", "c"]);
    assert.equal(request.read(), null);
    assert.equal(request.read(), null);
  });

  it("read(count) gives so many bytes, one character each, fewer at the end, then null", async (t) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const { request } = await post(t, bytes);
    assert.equal(request.read(), "\0");
    assert.equal(request.read(200), bytes.toString("latin1", 1, 201));
    assert.equal(request.read(100), bytes.toString("latin1", 201));
    assert.equal(request.read(1), null);
  });

  it("readCharacters() gives whole characters of several bytes", async (t) => {
    const { request } = await post(t, "aé€😀z");
    const characters = Array.from({ length: 6 }, () => request.readCharacters());
    assert.deepEqual(characters, ["a", "é", "€", "😀", "z", null]);
  });

  it("readCharacters(count) gives so many characters, fewer at the end, then null", async (t) => {
    const { request } = await post(t, "aé€xyzé");
    assert.equal(request.readCharacters(3), "aé€");
    assert.equal(request.readCharacters(2), "xy");
    assert.equal(request.readCharacters(100), "zé");
    assert.equal(request.readCharacters(1), null);
  });

  it("a request without content is at its end", async (t) => {
    const { http, ask } = room(t);
    void ask(addPort(http));
    const { request } = await pullRequest(http);
    assert.equal(request.read(), null);
    assert.equal(request.read(5), null);
    assert.equal(request.readCharacters(5), null);
    assert.equal(request.readLine(), null);
    assert.equal(request.readBytes(5), null);
    assert.equal(request.readAll(), "");
    assert.equal(request.readAllBytes().length, 0);
  });

  it("readLine() takes only LF off, null after the last line", async (t) => {
    const { request } = await post(t, "one\ntwo\r\n\n\r\nfünf\nlast");
    const lines = Array.from({ length: 7 }, () => request.readLine());
    assert.deepEqual(lines, ["one", "two\r", "", "\r", "fünf", "last", null]);
  });

  it("readLine() gives no empty line after an end of line at the end", async (t) => {
    const { request } = await post(t, "one\r\n");
    assert.equal(request.readLine(), "one\r");
    assert.equal(request.readLine(), null);
  });

  it("readLine(true) keeps the ends as they were sent", async (t) => {
    const { request } = await post(t, "one\ntwo\r\n\nlast");
    const lines = Array.from({ length: 5 }, () => request.readLine(true));
    assert.deepEqual(lines, ["one\n", "two\r\n", "\n", "last", null]);
  });

  it("readLine(false) is readLine()", async (t) => {
    const { request } = await post(t, "one\r\ntwo");
    assert.equal(request.readLine(false), "one\r");
  });

  it("readAll() gives everything, then the empty string", async (t) => {
    const text = "Zeile 1\r\nZeile 2 äöü€😀\n".repeat(1_000);
    const { request } = await post(t, text);
    assert.equal(request.readAll(), text);
    assert.equal(request.readAll(), "");
    assert.equal(request.read(), null);
    assert.equal(request.readLine(), null);
  });

  it("all reads go on where the last one ended", async (t) => {
    const { request } = await post(t, "é1 rest of line\r\nsecond\n€tail");
    assert.equal(request.readCharacters(), "é");
    assert.equal(request.read(2), "1 ");
    assert.equal(request.readLine(), "rest of line\r");
    assert.deepEqual(request.readBytes(3), Buffer.from("sec"));
    assert.equal(request.readLine(true), "ond\n");
    assert.equal(request.readCharacters(), "€");
    assert.equal(request.readAll(), "tail");
  });

  it("binary reads give the bytes as they were sent", async (t) => {
    const bytes = Buffer.from(Array.from({ length: 1_024 }, (_, i) => i % 256));
    const { request } = await post(t, bytes);
    assert.deepEqual(request.readBytes(4), Buffer.from([0, 1, 2, 3]));
    assert.deepEqual(request.readBytes(1), Buffer.from([4]));
    assert.deepEqual(request.readAllBytes(), bytes.subarray(5));
    assert.equal(request.readBytes(1), null);
    assert.equal(request.readAllBytes().length, 0);
  });

  it("readBytes(count) gives fewer bytes at the end, then null", async (t) => {
    const { request } = await post(t, Buffer.from([255, 0, 128]));
    assert.deepEqual(request.readBytes(100), Buffer.from([255, 0, 128]));
    assert.equal(request.readBytes(100), null);
  });

  it("the content is complete when the event is pulled", async (t) => {
    const { http, raw, ask, port } = listeningRoom(t);
    const slow = (await raw(port)).send("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
    const reply = ask(port, "/quick", { method: "POST", body: "all" });
    const quick = await pullRequest(http);
    assert.equal(quick.request.getURL(), "/quick");
    answer(quick.response, quick.request.readAll());
    assert.equal((await reply).text, "all");
    slow.send("67890");
    const { request } = await pullRequest(http);
    assert.equal(request.getURL(), "/slow");
    assert.equal(request.readAll(), "1234567890");
  });

  it("content that is no UTF-8 can be read to its end, and as bytes", async (t) => {
    const bytes = Buffer.from([0xff, 0x41, 0xe2, 0x82, 0x42, 0xc3]);
    const { request } = await post(t, Buffer.concat([bytes, bytes]));
    assert.deepEqual(request.readBytes(6), bytes);
    let text = "";
    for (let i = 0; i < 10; i++) text += request.readCharacters() ?? "";
    assert.equal(request.read(), null);
    assert.equal(text.replaceAll("\ufffd", ""), "AB");
  });

  it("a client that waits for 100 Continue is told to go on", async (t) => {
    const { http, client } = await rawRoom(t);
    const pulling = pullRequest(http);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert.equal((await client.answer()).status, 100);
    client.send("abc");
    const { request, response } = await pulling;
    answer(response, request.readAll());
    assert.equal((await client.answer()).text, "abc");
  });

  it("content of any size and framing can be read", async (t) => {
    const { http, raw, ask, port } = listeningRoom(t);
    const large = Buffer.alloc(3_000_000, "0123456789");
    void ask(port, "/large", { method: "PUT", body: large });
    assert.ok((await pullRequest(http)).request.readAllBytes().equals(large));
    const chunked = await raw(port);
    chunked.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    chunked.send(Buffer.from("2\r\na\xc3\r\n1\r\n\xa9\r\n0\r\n\r\n", "latin1"));
    assert.equal((await pullRequest(http)).request.readAll(), "aé");
  });

  it("getURL() is the path with query, getMethod() the method", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    for (const [method, url] of [
      ["GET", "/"],
      ["POST", "/a/b%20c?x=1&y=%C3%A9&x=2"],
      ["DELETE", "/a//b/c?q=/?&a=%2F"],
      ["GET", "/%61%2fb"],
      ["OPTIONS", "/options"],
    ] as const) {
      void ask(port, url, { method });
      const { request } = await pullRequest(http);
      assert.equal(request.getURL(), url);
      assert.equal(request.getMethod(), method);
    }
  });

  it("getRequestHeaders() keeps the names as they were sent", async (t) => {
    const { http, client } = await rawRoom(t);
    const fields = "Content-TYPE: text/plain\r\nX-Twice: one\r\nAccept: */*\r\nx-twice: two\r\n";
    client.get("/", `${fields}Cookie: a\r\nCookie: b\r\n`);
    const { request } = await pullRequest(http);
    const { Host, ...others } = request.getRequestHeaders();
    assert.ok(Host !== undefined);
    const lines = Object.entries(others).map(([name, value]) => `${name}: ${value}`);
    assert.deepEqual(lines, ["Content-TYPE: text/plain", "X-Twice: one, two", "Accept: */*", "Cookie: a; b"]);
  });

  it("getRequestHeader(name) finds a field in any case", async (t) => {
    const { request } = await post(t, "a=1", {
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
    for (const name of ["Content-Type", "content-type", "CONTENT-TYPE"]) {
      assert.equal(request.getRequestHeader(name), "application/x-www-form-urlencoded");
    }
    assert.equal(request.getRequestHeader("X-Missing"), undefined);
  });

  it("getRequestHeaders() is a record of names and values", async (t) => {
    const { request } = await post(t, "x", { headers: { "X-Computer": "7", "Content-Type": "text/plain" } });
    const headers = request.getRequestHeaders();
    const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(lower.get("x-computer"), "7");
    assert.equal(lower.get("content-type"), "text/plain");
    assert.equal(lower.get("content-length"), "1");
    assert.match(lower.get("host") ?? "", /^127\.0\.0\.1:\d+$/);
    assert.equal(lower.get("x-missing"), undefined);
  });

  it("after close(): attempt to use a closed file", async (t) => {
    const { request, response, reply } = await post(t, "one\ntwo");
    assert.equal(request.readLine(), "one");
    request.close();
    assert.throws(() => request.read(3), CLOSED);
    assert.throws(() => request.readBytes(3), CLOSED);
    for (const name of ["read", "readLine", "readAll", "readAllBytes", "readCharacters"] as const) {
      assert.throws(() => request[name](), CLOSED, name);
    }
    assert.equal(request.getURL(), "/");
    assert.equal(request.getMethod(), "POST");
    assert.ok(Object.keys(request.getRequestHeaders()).length > 0);
    assert.equal(request.getRequestHeader("content-length"), "7");
    answer(response, "the response is a handle of its own");
    assert.equal((await reply).text, "the response is a handle of its own");
  });

  it("can be read after the response was closed", async (t) => {
    const { request, response, reply } = await post(t, "still here");
    response.close();
    await reply;
    assert.equal(request.readAll(), "still here");
  });
});

describe("response handle", () => {
  it("write takes text and bytes", async (t) => {
    const { response, reply } = await post(t, "");
    response.write("tëxt ");
    response.write(Buffer.from([0, 255, 10]));
    response.write(new Uint8Array([65, 66]).subarray(1));
    response.write("");
    response.write("€");
    response.close();
    const expected = Buffer.concat([Buffer.from("tëxt "), Buffer.from([0, 255, 10, 66]), Buffer.from("€")]);
    assert.deepEqual((await reply).body, expected);
  });

  it("numbers and booleans become text as in Lua", async (t) => {
    const { response, reply } = await post(t, "");
    const numbers = [5, -0.5, 0.1, 1 / 3, 1e14, 123456789012346, 2 ** 53, 1e-5, 1e100, 99999999999999.5, 0];
    const texts =
      "5 -0.5 0.1 0.33333333333333 1e+14 1.2345678901235e+14 9.007199254741e+15 1e-05 1e+100 1e+14 0 true false";
    for (const value of [...numbers, true, false]) {
      response.write(value);
      response.write(" ");
    }
    response.writeLine(Number.POSITIVE_INFINITY);
    response.writeLine(Buffer.from([0xff]));
    response.close();
    assert.deepEqual((await reply).body, Buffer.from(`${texts} inf\n\xff\n`, "latin1"));
  });

  it("other values are refused, and nothing is lost", async (t) => {
    const { response, reply } = await post(t, "");
    response.write("kept");
    for (const wrong of [null, undefined, {}, [1], () => {}, Symbol("s"), 5n]) {
      assert.throws(() => response.write(wrong as never), TypeError);
      assert.throws(() => response.writeLine(wrong as never), TypeError);
    }
    response.close();
    assert.equal((await reply).text, "kept");
  });

  it("setStatusCode takes a numeral, and a reason", async (t) => {
    const { http, raw } = room(t);
    const client = (await raw(addPort(http))).get("/");
    const { response } = await pullRequest(http);
    response.setStatusCode("418", "Short and stout");
    for (const wrong of ["", "teapot", "99", 1000]) assert.throws(() => response.setStatusCode(wrong));
    response.close();
    assert.match((await client.answer()).head, /^HTTP\/1\.1 418 Short and stout\r\n/);
  });

  it("keeps what was written, whatever becomes of the program's buffer", async (t) => {
    const { response, reply } = await post(t, "");
    const small = Buffer.from("small");
    const large = Buffer.alloc(200_000, "x");
    response.write(small);
    response.write(large);
    small.fill("-");
    large.fill("-");
    response.close();
    assert.equal((await reply).text, `small${"x".repeat(200_000)}`);
  });

  it("writeLine ends the text with a line end", async (t) => {
    const { response, reply } = await post(t, "");
    response.writeLine("one");
    response.writeLine("");
    response.writeLine("drei €");
    response.close();
    assert.equal((await reply).text, "one\n\ndrei €\n");
  });

  it("setStatusCode(code) and setResponseHeader(name, value)", async (t) => {
    const { response, reply } = await post(t, "");
    response.setResponseHeader("X-Computer", "7");
    response.setResponseHeader("Content-Type", "text/x-lua");
    response.write("not here");
    response.setStatusCode(404);
    response.setResponseHeader("X-Late", "set after a write");
    response.close();
    const fields = { "x-computer": "7", "content-type": "text/x-lua", "x-late": "set after a write" };
    assertAnswer(await reply, { status: 404, text: "not here", fields });
  });

  it("a field that is set again has the last value", async (t) => {
    const { response, reply } = await post(t, "");
    response.setResponseHeader("X-Twice", "one");
    response.setResponseHeader("x-twice", "two");
    response.close();
    assert.equal((await reply).headers["x-twice"], "two");
  });

  it("the status is 200 by default", async (t) => {
    const { response, reply } = await post(t, "");
    response.close();
    assertAnswer(await reply, { status: 200, text: "", fields: { "content-length": "0" } });
  });

  it("nothing is sent before close(), with flush() neither; close() sends it with Content-Length", async (t) => {
    const { http, raw } = room(t);
    const client = (await raw(addPort(http))).get("/");
    const { response } = await pullRequest(http);
    response.setStatusCode(201);
    response.write("é".repeat(100_000));
    response.flush();
    response.writeLine("€");
    response.flush();
    await sleep(50);
    assert.equal(client.rest, "");
    response.close();
    const fields = { "content-length": "200004", "transfer-encoding": undefined };
    assertAnswer(await client.answer(), { status: 201, text: `${"é".repeat(100_000)}€\n`, fields });
  });

  it("close() sends once, and the connection can be used again", async (t) => {
    const { http, client } = await rawRoom(t);
    for (const text of ["one", "two", "three"]) {
      client.get(`/${text}`);
      answer((await pullRequest(http)).response, text);
      assert.equal((await client.answer()).text, text);
      assert.equal(client.rest, "");
    }
  });

  it("HEAD has the Content-Length and no content", async (t) => {
    const { http, raw } = room(t);
    const client = (await raw(addPort(http))).send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    answer((await pullRequest(http)).response, "four");
    assert.equal((await client.answer("HEAD")).header("content-length"), "4");
    await serves(http, "next", client.get("/next").answer());
  });

  it("writing after close: attempt to use a closed file", async (t) => {
    const { response, reply } = await post(t, "");
    answer(response, "in time");
    assert.throws(() => response.write("late"), CLOSED);
    assert.throws(() => response.write(new Uint8Array(1)), CLOSED);
    assert.throws(() => response.writeLine("late"), CLOSED);
    assert.throws(() => response.flush(), CLOSED);
    assert.throws(() => response.setStatusCode(500), CLOSED);
    assert.throws(() => response.setResponseHeader("X-Late", "1"), CLOSED);
    assertAnswer(await reply, { status: 200, text: "in time" });
  });

  it("a client that has gone does not disturb the program", async (t) => {
    const { http, raw, ask, port } = listeningRoom(t);
    const client = (await raw(port)).get("/");
    const { response } = await pullRequest(http);
    client.destroy();
    await client.over();
    await sleep(20);
    response.setStatusCode(201);
    response.write("for nobody");
    response.close();
    await serves(http, "for somebody", ask(port));
  });
});
