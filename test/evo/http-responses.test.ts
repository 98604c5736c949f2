import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { assertAnswer } from "../support/assert-answer.ts";
import { listOf } from "../support/bytes.ts";
import { httpClient, httpServer, nextFinished, request, requested, respond } from "./harness.ts";

describe('WriteStatus(id, "404 Not Found")', () => {
  it("sets the status line and returns true", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteStatus(id, "404 Not Found"), true);
    assert.equal(web.server.SendResponse(id, "nothing here"), 3);
    assertAnswer(await client.answer(), { status: 404, reason: "Not Found", text: "nothing here" });
  });

  it("a reason of the program's own is sent as it is", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteStatus(id, "299 Quite all right, thank you"), true);
    assert.match((await respond(web, client, id)).head, /^HTTP\/1\.1 299 Quite all right, thank you\r\n/);
  });

  it("a second one is true and has no effect, which onError reports once", async (t) => {
    const errors: unknown[] = [];
    const web = httpServer(t, { onError: (error) => errors.push(error) });
    const { client, id } = await request(web);
    assert.equal(web.server.WriteStatus(id, "201 Created"), true);
    assert.deepEqual(errors, []);
    assert.equal(web.server.WriteStatus(id, "202 Accepted"), true);
    assert.equal(web.server.WriteStatus(id, "203 Not Mine"), true);
    assert.equal(errors.length, 1);
    assert.match(String(errors[0]), /WriteStatus\("202 Accepted"\) had no effect/);
    for (const bad of ["202 A\r\nX: y", "OK", "999999 No"])
      assert.equal(web.server.WriteStatus(id, bad), false);
    assert.equal((await respond(web, client, id)).status, 201);
  });

  it("after headers it is true and has no effect", async (t) => {
    const web = httpServer(t, { onError: () => {} });
    const { client, id } = await request(web);
    assert.equal(web.server.WriteHeader(id, "X-First", "1"), true);
    assert.equal(web.server.WriteStatus(id, "201 Created"), true);
    assertAnswer(await respond(web, client, id), { status: 200, fields: { "x-first": "1" } });
  });

  it("after the body has begun it is true and has no effect", async (t) => {
    const web = httpServer(t, { onError: () => {} });
    const { client, id } = await request(web);
    web.server.WriteResponse(id, "body");
    assert.equal(web.server.WriteStatus(id, "201 Created"), true);
    assertAnswer(await respond(web, client, id), { status: 200, text: "body" });
  });

  it("an invalid status line or control characters are refused, and a valid one is still taken", async (t) => {
    const { web, client, id } = await requested(t);
    const lines = listOf(
      "¦OK¦20 OK¦2000 OK¦099 Low¦abc OK¦ 200 OK¦-200 OK¦2e2 OK¦200 OK\r\nX-Split: 1¦200 OK\nX-Split: 1",
      "200 OK\r¦200 O\0K¦200 O\x07K¦200 O\x7fK¦200\r\n\r\n¦200 OK \u{1f44b}¦200 OK \u010a",
    );
    for (const line of lines) assert.equal(web.server.WriteStatus(id, line), false, JSON.stringify(line));
    for (const line of [undefined, null, 404, {}]) {
      assert.equal(web.server.WriteStatus(id, line as never), false);
    }
    assert.equal(web.server.WriteStatus(id, "202 Accepted"), true);
    const answer = await respond(web, client, id);
    assertAnswer(answer, { status: 202, reason: "Accepted", fields: { "x-split": undefined } });
    assert.equal(client.rest, "");
  });

  it("an interim status is no status for a response", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteStatus(id, "100 Continue"), false);
    assert.equal(web.server.WriteStatus(id, "101 Switching Protocols"), false);
    assert.equal((await respond(web, client, id, "fine")).status, 200);
  });
});

describe("WriteHeader(id, name, value)", () => {
  it("any number, before the body", async (t) => {
    const { web, client, id } = await requested(t);
    for (let i = 0; i < 40; i++) assert.equal(web.server.WriteHeader(id, `X-Number-${i}`, `${i}`), true);
    assert.equal(web.server.WriteHeader(id, "Set-Cookie", "a=1"), true);
    assert.equal(web.server.WriteHeader(id, "Set-Cookie", "b=2"), true);
    const { lines } = await respond(web, client, id);
    const numbers = Array.from({ length: 40 }, (_, i) => `X-Number-${i}: ${i}`);
    assert.deepEqual(lines.slice(0, 42), [...numbers, "Set-Cookie: a=1", "Set-Cookie: b=2"]);
  });

  it("not after the body has begun", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "begun");
    assert.equal(web.server.WriteHeader(id, "X-Late", "1"), false);
    assertAnswer(await respond(web, client, id), { text: "begun", fields: { "x-late": undefined } });
  });

  it("CR, LF and NUL are refused (response splitting)", async (t) => {
    const { web, client, id } = await requested(t);
    for (const bad of listOf("\r\nX-Split: 1¦a\rX-Split: 1¦a\nX-Split: 1¦a\0b¦\r\n\r\nHTTP/1.1 200 OK")) {
      assert.equal(web.server.WriteHeader(id, "X-Value", bad), false, JSON.stringify(bad));
      assert.equal(web.server.WriteHeader(id, `X-Name${bad}`, "1"), false, JSON.stringify(bad));
    }
    // U+010A ends in the byte of LF and must not become one.
    for (const sly of ["a\u010aX-Split: 1", "a\u010d\u010aX-Split: 1"]) {
      web.server.WriteHeader(id, "X-Sly", sly);
    }
    assert.equal(web.server.WriteHeader(id, "X-Good", "1"), true);
    assertAnswer(await respond(web, client, id, "body"), {
      status: 200,
      text: "body",
      fields: { "x-split": undefined, "x-value": undefined, "x-good": "1" },
    });
    assert.equal(client.rest, "");
  });

  it("what is no name of a field is refused", async (t) => {
    const { web, client, id } = await requested(t);
    for (const name of ["", " ", "X Y", "X:", "X(", "\u00dcber"]) {
      assert.equal(web.server.WriteHeader(id, name, "1"), false, name);
    }
    assert.equal((await respond(web, client, id)).lines.length, 2);
  });
});

describe("WriteResponse(id, chunk)", () => {
  it("sends a chunk with chunked transfer coding, keeps the response open", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteStatus(id, "202 Accepted"), true);
    assert.equal(web.server.WriteHeader(id, "X-Name", "value"), true);
    assert.equal(web.server.WriteResponse(id, "hello"), 3);
    await client.until(() => client.rest.endsWith("hello\r\n"), "the first chunk");
    const [head, wire] = client.rest.split("\r\n\r\n");
    assert.match(head!, /^HTTP\/1\.1 202 Accepted\r\nX-Name: value\r\n/);
    assert.match(head!, /\r\nTransfer-Encoding: chunked(\r\n|$)/);
    assert.doesNotMatch(head!, /Content-Length/i);
    assert.equal(wire, "5\r\nhello\r\n");
    assert.equal(web.server.HasRequestDetails(id), true);
    assert.equal(web.server.WriteResponse(id, Buffer.from("x".repeat(16))), 3);
    await client.until(() => client.rest.endsWith(`10\r\n${"x".repeat(16)}\r\n`), "the second chunk");
    assert.equal(web.server.SendResponse(id, ""), 3);
    await client.until(() => client.rest.endsWith("0\r\n\r\n"), "the last chunk");
    assert.equal((await client.answer()).text, `hello${"x".repeat(16)}`);
    assert.equal(client.rest, "");
  });

  it("SendResponse with a body is the last chunk", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "one, ");
    web.server.SendResponse(id, "two");
    await client.until(() => client.rest.endsWith("0\r\n\r\n"), "the last chunk");
    assert.doesNotMatch(client.rest, /Content-Length/i);
    assert.equal((await client.answer()).text, "one, two");
    assert.equal(web.server.HasRequestDetails(id), false);
  });

  it("an empty chunk does not end the response", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "");
    web.server.WriteResponse(id, "one");
    web.server.WriteResponse(id, Buffer.alloc(0));
    web.server.WriteResponse(id, "two");
    assert.equal((await respond(web, client, id)).text, "onetwo");
    assert.equal(client.rest, "");
  });

  it("text is sent as UTF-8, and its bytes are counted", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "grüße");
    web.server.SendResponse(id, "");
    await client.until(() => client.rest.endsWith("0\r\n\r\n"), "the last chunk");
    assert.match(client.rest, /\r\n\r\n7\r\n/);
    assert.equal((await client.answer()).text, "grüße");
  });

  it("the program may reuse its buffer at once", async (t) => {
    const { web, client, id } = await requested(t);
    const chunk = Buffer.alloc(8);
    for (let i = 0; i < 4; i++) web.server.WriteResponse(id, chunk.fill(`${i}`));
    chunk.fill("!");
    assert.equal(
      (await respond(web, client, id)).text,
      "0".repeat(8) + "1".repeat(8) + "2".repeat(8) + "3".repeat(8),
    );
  });

  it("0 for backpressure, and the chunk is kept in the buffer; 3 again when the client has taken it", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    const sent: Buffer[] = [];
    const write = (): number => {
      const chunk = Buffer.alloc(64 << 10, `chunk ${sent.length} `);
      sent.push(chunk);
      return web.server.WriteResponse(id, chunk);
    };
    const first = write();
    assert.equal(first, 3);
    let status: number = first;
    while (status === 3 && sent.length < 1_000) {
      status = write();
      await turn();
    }
    assert.equal(status, 0);
    assert.equal(write(), 0);
    assert.equal(web.server.HasRequestDetails(id), true);
    client.resume();
    const size = sent.reduce((sum, chunk) => sum + chunk.length, 0);
    await client.until(() => client.received.length > size, "what was kept", 10_000);
    assert.equal(write(), 3);
    web.server.SendResponse(id, "");
    assert.equal((await client.answer("GET", 10_000)).body.compare(Buffer.concat(sent)), 0);
  });

  it("a HEAD request gets no chunks", async (t) => {
    const { web, client } = await httpClient(t, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    const id = await nextFinished(web);
    web.server.WriteResponse(id, "not for HEAD");
    web.server.SendResponse(id, "");
    assert.equal((await client.answer("HEAD")).status, 200);
    await web.received();
    assert.equal(client.rest, "");
  });
});

describe("SendResponse(id, body)", () => {
  it("ends the response with Content-Length; returns 3", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.SendResponse(id, "grüße"), 3);
    const answer = await client.answer();
    assert.equal(answer.header("content-length"), "7");
    assert.equal(answer.header("transfer-encoding"), undefined);
    assert.equal(answer.text, "grüße");
  });

  it("bytes and an empty body", async (t) => {
    const { web, client, id } = await requested(t);
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    assert.equal((await respond(web, client, id, bytes)).body.compare(bytes), 0);
    client.get("/");
    web.server.SendResponse(await nextFinished(web), "");
    assertAnswer(await client.answer(), { text: "", fields: { "content-length": "0" } });
  });

  it("a large body arrives whole, and the connection stays for the next request", async (t) => {
    const { web, client, id } = await requested(t);
    const body = Buffer.alloc(8 << 20, "0123456789abcdef!");
    assert.equal(web.server.SendResponse(id, body), 3);
    assert.equal((await client.answer("GET", 5_000)).body.compare(body), 0);
    client.get("/next");
    web.server.SendResponse(await nextFinished(web), "next");
    assert.equal((await client.answer()).text, "next");
  });

  it("a HEAD request gets the length and no body", async (t) => {
    const { web, client } = await httpClient(t, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    web.server.SendResponse(await nextFinished(web), "12345");
    assert.equal((await client.answer("HEAD")).header("content-length"), "5");
    await web.received();
    assert.equal(client.rest, "");
  });

  it("there is one Content-Length, also where the program wrote it", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteHeader(id, "Content-Length", "4");
    assertAnswer(await respond(web, client, id, "four"), { text: "four", fields: { "content-length": "4" } });
  });
});

describe("expected wire format", () => {
  it("a 200 with one header and a body: status line, that header, Date, Content-Length, empty line, body", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteHeader(id, "X-Test", "value");
    web.server.SendResponse(id, "hello");
    await client.until(() => client.rest.endsWith("hello"), "the response");
    const date = "[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT";
    const expected = `^HTTP/1\\.1 200 OK\\r\\nX-Test: value\\r\\nDate: ${date}\\r\\nContent-Length: 5\\r\\n\\r\\nhello$`;
    assert.match(client.rest, new RegExp(expected));
  });

  it("Date is now", async (t) => {
    const { web, client, id } = await requested(t);
    const date = Date.parse((await respond(web, client, id)).header("date")!);
    assert.ok(Math.abs(Date.now() - date) < 3_000);
  });

  it("header names keep the case given", async (t) => {
    const { web, client, id } = await requested(t);
    for (const name of ["x-lower", "X-UPPER", "X-MiXeD"]) web.server.WriteHeader(id, name, "v");
    const { lines } = await respond(web, client, id);
    assert.deepEqual(lines.slice(0, 3), ["x-lower: v", "X-UPPER: v", "X-MiXeD: v"]);
  });
});
