import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { assertAnswer } from "../support/assert-answer.ts";
import { listOf } from "../support/bytes.ts";
import { temporaryFolder } from "../support/places.ts";
import { answer, type Service, serve } from "./helpers.ts";

const SECRET = "nobody may read this";

/** A public folder with something secret around it. */
async function site(t: TestContext): Promise<Service & { root: string; publicFolder: string }> {
  const root = temporaryFolder(t, {
    "public/page.html": "<p>page",
    "public/sub/two words.txt": "words",
    "public/empty": "",
    "public/large": Buffer.alloc(3_000_000, "0123456789"),
    secret: SECRET,
    "public-not/secret": SECRET,
  });
  const publicFolder = join(root, "public");
  const service = await serve(t, (request) => answer(request, `dynamic ${request.path}`), {
    public_folder: publicFolder,
  });
  return { ...service, root, publicFolder };
}

describe('start_http_server(on_request, public folder (a string), udata or null, { port = "3000", address?, threads = 1, processes = 1, public_folder?, timeout?, on_init?, on_finish?, … })', () => {
  it("serves the files of public_folder", async (t) => {
    const { connect } = await site(t);
    const client = await connect();
    const page = await client.get("/page.html").answer();
    assertAnswer(page, { status: 200, text: "<p>page", fields: { "content-length": "7" } });
    assert.equal((await client.get("/sub/two%20words.txt").answer()).text, "words");
    assert.equal((await client.get("/page.html?version=2").answer()).text, "<p>page");
    const empty = await client.get("/empty").answer();
    assert.equal(`${empty.status} ${empty.text}`, "200 ");
    const large = await client.get("/large").answer("GET", 4_000);
    assert.ok(large.body.equals(Buffer.alloc(3_000_000, "0123456789")));
  });

  it("answers one range, as it documents, and conditional requests", async (t) => {
    const { connect, publicFolder } = await site(t);
    writeFileSync(join(publicFolder, ".dot"), "dot");
    const client = await connect();
    const first = await client.get("/page.html").answer();
    const etag = first.header("etag") ?? "";
    const modified = first.header("last-modified") ?? "";
    assert.equal(first.header("accept-ranges"), "bytes");
    const rows: [target: string, lines: string, status: number, text: string, range?: string][] = [
      ["/page.html", "Range: bytes=3-4\r\n", 206, "pa", "bytes 3-4/7"],
      ["/page.html", "Range: bytes=-2\r\n", 206, "ge", "bytes 5-6/7"],
      ["/page.html", "Range: bytes=5-999999999999999999999\r\n", 206, "ge", "bytes 5-6/7"],
      ["/page.html", "Range: bytes=7-\r\n", 416, "", "bytes */7"],
      ["/page.html", "Range: bytes=0-0,2-2\r\n", 200, "<p>page"],
      ["/page.html", "Range: bytes=x\r\n", 200, "<p>page"],
      ["/page.html", `Range: bytes=0-0\r\nIf-Range: ${etag}\r\n`, 206, "<", "bytes 0-0/7"],
      ["/page.html", 'Range: bytes=0-0\r\nIf-Range: "other"\r\n', 200, "<p>page"],
      ["/page.html", `If-None-Match: ${etag}\r\n`, 304, ""],
      ["/page.html", `If-Modified-Since: ${modified}\r\n`, 304, ""],
      ["/page.html", 'If-Match: "other"\r\n', 412, ""],
      ["/empty", "Range: bytes=0-\r\n", 200, ""],
      ["/large", "Range: bytes=2999998-\r\n", 206, "89", "bytes 2999998-2999999/3000000"],
      ["/.dot", "", 200, "dot"],
      ["/other", "Range: bytes=0-0\r\n", 200, "dynamic /other"],
    ];
    for (const [target, lines, status, text, range] of rows) {
      const got = await client.get(target, lines).answer();
      const seen = [got.status, got.text, got.header("content-range")];
      assert.deepEqual(seen, [status, text, range], target + lines);
    }
    const most = await client.get("/large", "Range: bytes=10-2000009\r\n").answer("GET", 4_000);
    assert.ok(most.body.equals(Buffer.alloc(2_000_000, "0123456789")));
    const head = await client
      .send("HEAD /page.html HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n")
      .answer("HEAD");
    assert.deepEqual([head.status, head.header("content-length")], [200, "7"]);
  });

  it("gives what public_folder does not have to on_request", async (t) => {
    const { connect } = await site(t);
    const client = await connect();
    assert.equal((await client.get("/other").answer()).text, "dynamic /other");
    assert.equal((await client.get("/sub/none.txt").answer()).text, "dynamic /sub/none.txt");
    assert.equal((await client.get("/page.html").answer()).text, "<p>page");
  });

  it("lets nothing outside of public_folder be read through the path", async (t) => {
    const { connect, root } = await site(t);
    const targets = listOf(
      "/../secret¦/%2e%2e/secret¦/%2E%2E/secret¦/.%2e/secret¦/..%2fsecret¦/%2e%2e%2fsecret",
      "/sub/../../secret¦/sub/..%2f..%2fsecret¦/../public-not/secret¦/%2e%2e/public-not/secret",
      "/..%5csecret¦/%252e%252e/secret¦/page.html/../../secret¦/page.html%00/../../secret",
      `/../secret%00.html¦/${root}/secret¦//${root}/secret¦/%2f${root.slice(1)}/secret`,
      "/./../secret¦/.../secret",
    );
    for (const target of targets) {
      const client = await connect();
      const got = await client.get(target).answer();
      assert.ok(!got.text.includes(SECRET), target);
      assert.ok(got.status === 200 ? got.text.startsWith("dynamic") : got.status < 500, target);
      client.destroy();
    }
  });

  it("follows no symbolic link out of public_folder", async (t) => {
    const { connect, root, publicFolder } = await site(t);
    symlinkSync(join(root, "secret"), join(publicFolder, "link"));
    symlinkSync(root, join(publicFolder, "up"));
    symlinkSync("../secret", join(publicFolder, "relative"));
    symlinkSync("link", join(publicFolder, "chain"));
    for (const target of ["/link", "/up/secret", "/relative", "/chain", "/up/public-not/secret"]) {
      const got = await (await connect()).get(target).answer();
      assert.ok(!got.text.includes(SECRET), target);
    }
  });

  it("serves no directory", async (t) => {
    const { connect } = await site(t);
    const got = await (await connect()).get("/sub").answer();
    assert.ok(got.status >= 400 || got.text === "dynamic /sub", `${got.status} ${got.text}`);
  });
});
