import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { answer, folder, type Service, serve } from "./helpers.ts";

const SECRET = "nobody may read this";

/** A public folder with something secret around it. */
async function site(t: TestContext): Promise<Service & { root: string; publicFolder: string }> {
  const root = folder(t);
  const publicFolder = join(root, "public");
  mkdirSync(join(publicFolder, "sub"), { recursive: true });
  mkdirSync(join(root, "public-not"));
  writeFileSync(join(publicFolder, "page.html"), "<p>page");
  writeFileSync(join(publicFolder, "sub", "two words.txt"), "words");
  writeFileSync(join(publicFolder, "empty"), "");
  writeFileSync(join(publicFolder, "large"), Buffer.alloc(3_000_000, "0123456789"));
  writeFileSync(join(root, "secret"), SECRET);
  writeFileSync(join(root, "public-not", "secret"), SECRET);
  const service = await serve(t, (request) => answer(request, `dynamic ${request.path}`), {
    public_folder: publicFolder,
  });
  return { ...service, root, publicFolder };
}

describe('start_http_server(on_request, udata or null, { port = "3000", address?, threads = 1, processes = 1, public_folder?, timeout?, on_init?, on_finish?, … })', () => {
  it("serves the files of public_folder", async (t) => {
    const { connect } = await site(t);
    const client = await connect();
    const page = await client.get("/page.html").answer();
    assert.equal(page.status, 200);
    assert.equal(page.text, "<p>page");
    assert.equal(page.header("content-length"), "7");
    assert.equal((await client.get("/sub/two%20words.txt").answer()).text, "words");
    assert.equal((await client.get("/page.html?version=2").answer()).text, "<p>page");
    const empty = await client.get("/empty").answer();
    assert.equal(`${empty.status} ${empty.text}`, "200 ");
    const large = await client.get("/large").answer("GET", 4_000);
    assert.ok(large.body.equals(Buffer.alloc(3_000_000, "0123456789")));
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
    const targets = [
      "/../secret",
      "/%2e%2e/secret",
      "/%2E%2E/secret",
      "/.%2e/secret",
      "/..%2fsecret",
      "/%2e%2e%2fsecret",
      "/sub/../../secret",
      "/sub/..%2f..%2fsecret",
      "/../public-not/secret",
      "/%2e%2e/public-not/secret",
      "/..%5csecret",
      "/%252e%252e/secret",
      "/page.html/../../secret",
      "/page.html%00/../../secret",
      "/../secret%00.html",
      `/${root}/secret`,
      `//${root}/secret`,
      `/%2f${root.slice(1)}/secret`,
      "/./../secret",
      "/.../secret",
    ];
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
