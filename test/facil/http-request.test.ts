import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { type HttpRequest, HttpResponse } from "../../src/facil/index.ts";
import { temporaryFolder } from "../support/places.ts";
import { eventually } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { answer, heldRequest, serve, serveOne } from "./helpers.ts";

describe("on_request(request)", () => {
  it("request.upgrade is set when the client asks for an upgrade", async (t) => {
    const seen: (string | undefined)[] = [];
    const { client, connect } = await serveOne(t, (request) =>
      answer(request, String(seen.push(request.upgrade))),
    );
    await client.get("/").answer();
    await client.send(handshake("/")).answer();
    await (await connect()).get("/", "Connection: Upgrade\r\nUpgrade: something/2\r\n").answer();
    assert.deepEqual(seen, [undefined, "websocket", "something/2"]);
  });

  it("request has method, path, query and version", async (t) => {
    const seen: unknown[] = [];
    const { client, connect } = await serveOne(t, (request) => {
      seen.push(`${request.method} ${request.path} <${request.query}>`);
      answer(request, request.version);
    });
    assert.match((await client.get("/a/b?x=1&y=%20z").answer()).text, /^(HTTP\/)?1\.1$/);
    await client.send("DELETE /thing? HTTP/1.1\r\nHost: h\r\n\r\n").answer("DELETE");
    await client.send("PROPFIND /?? HTTP/1.1\r\nHost: h\r\n\r\n").answer("PROPFIND");
    await client.get("/%61%2fb").answer();
    const others = ["DELETE /thing <>", "PROPFIND / <?>", "GET /%61%2fb <>"];
    assert.deepEqual(seen, ["GET /a/b <x=1&y=%20z>", ...others]);
    const old = await connect();
    assert.match((await old.send("GET / HTTP/1.0\r\n\r\n").answer()).text, /^(HTTP\/)?1\.0$/);
  });

  it("request has no query where the target has none", async (t) => {
    const { connect } = await serve(t, (request) => answer(request, `<${request.query ?? ""}>`));
    assert.equal((await (await connect()).get("/").answer()).text, "<>");
  });

  it("request has host, content_length, content_type and body_str", async (t) => {
    const seen: unknown[] = [];
    const { client } = await serveOne(
      t,
      (request) => {
        const { host, content_length, content_type, body_str } = request;
        seen.push([host, content_length, content_type, body_str]);
        answer(request, "");
      },
      { max_body_in_memory: 10 },
    );
    await client.get("/").answer();
    const post = (text: string, lines: string): Promise<unknown> =>
      client
        .send(Buffer.from(`POST / HTTP/1.1\r\nHost: example.com:1\r\n${lines}\r\n${text}`))
        .answer("POST");
    await post("grüße", "Content-Type: text/plain\r\nContent-Length: 7\r\n");
    await post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n");
    await post("0123456789abc", "Content-Length: 13\r\n");
    assert.deepEqual(seen, [
      [seen.length > 0 ? (seen[0] as unknown[])[0] : "", 0, undefined, null],
      ["example.com:1", 7, "text/plain", "grüße"],
      ["example.com:1", 3, undefined, "abc"],
      ["example.com:1", 13, undefined, null],
    ]);
  });

  it("headers are looked up by name, in any case", async (t) => {
    let request: HttpRequest | undefined;
    const { connect } = await serve(t, (given) => {
      request = given;
      answer(given, "");
    });
    await (await connect()).get("/", "X-One:  first \r\nX-Two: a\r\nx-two: b\r\n").answer();
    assert.equal(request?.header("x-one"), "first");
    assert.equal(request?.header("X-ONE"), "first");
    assert.equal(request?.header("x-two"), "a, b");
    assert.equal(request?.header("x-three"), undefined);
    assert.equal(request?.header("constructor"), undefined);
    assert.equal(request?.headers["x-one"], "first");
    assert.equal(request?.headers["host"], "h");
    assert.equal(request?.headers["x-two"], "a, b");
  });

  it("a request without content has neither a body nor a file", async (t) => {
    const { connect } = await serve(t, (request) =>
      answer(request, `${request.body?.length ?? 0} ${request.body_file}`),
    );
    assert.equal((await (await connect()).get("/").answer()).text, "0 null");
  });

  it("the body is a buffer that is complete, however it came", async (t) => {
    const { client } = await serveOne(t, (request) => {
      assert.ok(Buffer.isBuffer(request.body));
      assert.equal(request.body_file, null);
      answer(request, request.body.toString());
    });
    assert.equal((await client.post("/", "some content").answer("POST")).text, "some content");
    const chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(`${chunked}3\r\nabc\r\n`);
    client.send("2\r\nde\r\n0\r\n\r\n");
    assert.equal((await client.answer("POST")).text, "abcde");
  });

  it("a client that waits for 100 before it sends its content gets it", async (t) => {
    const { client } = await serveOne(t, (request) => answer(request, String(request.body)));
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert.equal((await client.answer("POST")).status, 100);
    client.send("abc");
    assert.equal((await client.answer("POST")).text, "abc");
  });

  it("the body is a file when it is large, and the file is removed afterwards", async (t) => {
    const paths: string[] = [];
    const { client } = await serveOne(
      t,
      (request) => {
        const path = request.body_file;
        if (path === null) return answer(request, `memory ${request.body?.length}`);
        assert.equal(request.body, null);
        paths.push(path);
        return answer(request, `file ${readFileSync(path, "latin1")}`);
      },
      { max_body_in_memory: 100 },
    );
    assert.equal((await client.post("/", "a".repeat(100)).answer("POST")).text, "memory 100");
    const large = "0123456789".repeat(20_000);
    for (const content of ["b".repeat(101), large, "c".repeat(150)])
      assert.equal((await client.post("/", content).answer("POST")).text, `file ${content}`);
    const half = large.length.toString(16);
    client.send(
      `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${half}\r\n${large}\r\n${half}\r\n`,
    );
    client.send(`${large}\r\n0\r\n\r\n`);
    assert.equal((await client.answer("POST")).text, `file ${large}${large}`);
    assert.equal(new Set(paths).size, 4);
    await eventually(() => !paths.some((path) => existsSync(path)), "the files to be removed");
  });

  it("the file stays until the response is complete", async (t) => {
    const { client, request } = await heldRequest(t, (one) => one.post("/", "a".repeat(1_000)), {
      max_body_in_memory: 10,
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(readFileSync(String(request.body_file), "latin1"), "a".repeat(1_000));
    const path = String(request.body_file);
    answer(request, "late");
    assert.equal((await client.answer("POST")).text, "late");
    await eventually(() => !existsSync(path), "the file to be removed");
  });

  it("the file is removed when the client goes away, before and after the body is complete", async (t) => {
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temporaryFolder(t);
    t.after(() => {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    });
    const { connect, client, request } = await heldRequest(t, (one) => one.post("/", "a".repeat(1_000)), {
      max_body_in_memory: 10,
    });
    const path = String(request.body_file);
    assert.ok(existsSync(path));
    client.destroy();
    await eventually(() => !existsSync(path), "the file to be removed");
    assert.ok(path.startsWith(process.env["TMPDIR"]), path);
    const files = (): number => readdirSync(process.env["TMPDIR"] ?? "", { recursive: true }).length;
    const idle = files();
    const part = await connect();
    part.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n${"a".repeat(100_000)}`);
    await eventually(() => files() > idle, "the file to be begun");
    part.destroy();
    await eventually(() => files() === idle, "the begun file to be removed");
    assert.ok(dirname(path).length > 1);
  });

  it("content up to 512 KiB stays in memory by default", async (t) => {
    const { client } = await serveOne(t, (request) =>
      answer(request, request.body_file === null ? "memory" : "file"),
    );
    assert.equal((await client.post("/", "a".repeat(524_288)).answer("POST", 4_000)).text, "memory");
    assert.equal((await client.post("/", "a".repeat(524_289)).answer("POST", 4_000)).text, "file");
  });

  it("udata may be set, for this request only", async (t) => {
    const seen: unknown[] = [];
    const { client } = await serveOne(
      t,
      (request) => {
        seen.push(request.udata);
        request.udata = "own";
        answer(request, String(request.udata));
      },
      {},
      Buffer.from("server's"),
    );
    assert.equal((await client.get("/").answer()).text, "own");
    assert.equal((await client.get("/").answer()).text, "own");
    assert.deepEqual(seen.map(String), ["server's", "server's"]);
  });

  it("one that throws is answered with 500 and the server goes on", async (t) => {
    t.mock.method(console, "error", () => {});
    const { connect } = await serve(t, (request) => {
      if (request.path === "/bad") throw new Error("on purpose");
      const response = HttpResponse.create(request);
      HttpResponse.destroy(response);
    });
    assert.equal((await (await connect()).get("/bad").answer()).status, 500);
    assert.equal((await (await connect()).get("/good").answer()).status, 200);
  });
});
