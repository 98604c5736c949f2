import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import { absent, curl } from "../support/tools.ts";
import { type Site, site } from "./site.ts";

const LARGE = Buffer.alloc(3_000_000, "0123456789abcde");
const run = promisify(execFile);

async function listening(
  t: TestContext,
  files: Record<string, string | Uint8Array>,
): Promise<Site & { url: string }> {
  const place = site(t, files);
  place.serve({ compress: true });
  const { url } = await place.server.listen({ port: 0, host: "127.0.0.1" });
  return { ...place, url };
}

describe("curl", { skip: absent(curl, "curl") }, () => {
  const args = ["-sS", "--fail", "--max-time", "5"];

  it("gets ranges with -r", async (t) => {
    const { url } = await listening(t, { large: LARGE, "digits.txt": "0123456789" });
    const got = async (range: string): Promise<string> =>
      (await run("curl", [...args, "-r", range, `${url}/digits.txt`])).stdout;
    assert.equal(await got("0-3"), "0123");
    assert.equal(await got("-2"), "89");
    assert.equal(await got("7-"), "789");
    assert.match(
      await got("0-0,9-9"),
      /Content-Range: bytes 0-0\/10\r\n\r\n0\r\n--.*Content-Range: bytes 9-9\/10\r\n\r\n9\r\n--/s,
    );
    await assert.rejects(got("10-"), /416/);
  });

  it("resumes a download with -C, and begins anew where the file is another by now", async (t) => {
    const { url, outside } = await listening(t, { large: LARGE });
    const copy = join(outside, "copy");
    writeFileSync(copy, LARGE.subarray(0, 1_234_567));
    await run("curl", [...args, "-C", "-", "-o", copy, `${url}/large`]);
    assert.ok(readFileSync(copy).equals(LARGE));
  });

  it("takes compressed content", async (t) => {
    const text = "a line of text\n".repeat(10_000);
    const { url } = await listening(t, { "a.txt": text });
    const { stdout } = await run("curl", [...args, "--compressed", `${url}/a.txt`]);
    assert.equal(stdout, text);
  });

  it("asks again with an ETag", async (t) => {
    const { url, outside } = await listening(t, { "a.txt": "text" });
    const tag = join(outside, "etag");
    const ask = async (): Promise<string> => {
      const file = join(outside, "got");
      const options = ["--etag-save", tag, "--etag-compare", tag, "-o", file, "-w", "%{http_code}"];
      return (await run("curl", [...args, ...options, `${url}/a.txt`])).stdout;
    };
    writeFileSync(tag, "");
    assert.deepEqual([await ask(), await ask()], ["200", "304"]);
  });
});

describe("undici", () => {
  it("gets many files on few connections", async (t) => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`${i}.bin`, LARGE.subarray(0, i * 9_000)]),
    );
    const { url } = await listening(t, files);
    const dispatcher = new Agent({ connections: 4 });
    t.after(() => dispatcher.destroy());
    await Promise.all(
      Object.entries(files).map(async ([name, content]) => {
        const { statusCode, body } = await request(`${url}/${name}`, { dispatcher });
        assert.equal(statusCode, 200);
        assert.ok(Buffer.from(await body.arrayBuffer()).equals(content), name);
      }),
    );
  });

  it("sees a file that became shorter as an error, not as a shorter file", async (t) => {
    const { url, root } = await listening(t, { large: Buffer.alloc(30_000_000) });
    const dispatcher = new Agent();
    t.after(() => dispatcher.destroy());
    const { body } = await request(`${url}/large`, { dispatcher });
    writeFileSync(join(root, "large"), "short");
    await assert.rejects(body.arrayBuffer());
  });
});
