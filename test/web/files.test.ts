import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  promises,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Server } from "../../src/server/server.ts";
import type { FileOptions } from "../../src/web/serve-files.ts";
import { serveFiles } from "../../src/web/serve-files.ts";
import { listOf } from "../support/bytes.ts";
import { codeOf } from "../support/harness.ts";
import type { RawClient } from "../support/raw-client.ts";
import { LAST_MODIFIED, openFiles, partsOf, type Site, site } from "./site.ts";

const PAGE = "<!doctype html><p>page";
const DIGITS = "0123456789";
const LARGE = Buffer.alloc(1_500_011, "0123456789abcdef");

const FILES = {
  "index.html": PAGE,
  "page.html": PAGE,
  "digits.txt": DIGITS,
  empty: "",
  "two words ü.txt": "words",
  "100%.txt": "percent",
  "sub/index.html": "sub",
  "no-index/a.txt": "a",
  ".hidden": "hidden",
  ".well-known/x": "x",
  "x.constructor": "no type",
};

type Row = [
  target: string,
  /** Field lines, the last one without its end. */
  lines: string,
  status: number,
  text: string,
  fields?: Record<string, string | undefined>,
];

async function check(place: Site, rows: Row[], method = "GET"): Promise<void> {
  for (const [target, lines, status, text, fields = {}] of rows) {
    const answer = await place.ask(target, lines === "" ? "" : `${lines}\r\n`, method);
    const about = `${method} ${target} ${lines}`;
    assert.equal(answer.status, status, about);
    assert.equal(answer.text, status === 404 && method !== "HEAD" ? text || "Not Found\n" : text, about);
    for (const [name, value] of Object.entries(fields))
      assert.equal(answer.header(name), value, `${about}: ${name}`);
  }
}

/** A client that has the first bytes of its answer, and reads no more for now. */
async function begun(place: Site, target: string, lines = ""): Promise<RawClient> {
  const client = place.connect().get(target, lines);
  await client.until(() => client.rest.length > 0, "the first bytes");
  return client.pause();
}

describe("files", () => {
  it("are served with type, length, validators and nosniff", async (t) => {
    const place = site(t, FILES);
    place.serve();
    await check(place, [
      ["/page.html", "", 200, PAGE, { "content-type": "text/html; charset=utf-8", "content-length": "22" }],
      ["/page.html?a=b", "", 200, PAGE, { "x-content-type-options": "nosniff", "cache-control": "no-cache" }],
      [
        "/digits.txt",
        "",
        200,
        DIGITS,
        { "last-modified": LAST_MODIFIED, "accept-ranges": "bytes", vary: undefined },
      ],
      ["/empty", "", 200, "", { "content-length": "0", "content-type": "application/octet-stream" }],
      ["/two%20words%20%C3%BC.txt", "", 200, "words"],
      ["/100%25.txt", "", 200, "percent"],
      ["/x.constructor", "", 200, "no type", { "content-type": "application/octet-stream" }],
      ["/", "", 200, PAGE, { "content-type": "text/html; charset=utf-8" }],
      ["/sub/", "", 200, "sub"],
      ["/none", "", 404, "", { etag: undefined, "cache-control": undefined }],
    ]);
    const { header } = await place.ask("/digits.txt");
    assert.match(header("etag") ?? "", /^"[0-9a-z]+-[0-9a-z]+"$/);
    const head = await place.ask("/digits.txt", "", "HEAD");
    assert.equal(head.header("content-length"), "10");
    assert.equal(head.header("etag"), header("etag"));
  });

  it("are found below a prefix, and by a route without a wildcard", async (t) => {
    const place = site(t, FILES);
    place.server.get("/static/:version/*", serveFiles(place.root));
    place.server.get("/digits.txt", serveFiles(place.root));
    await check(place, [
      ["/static/1/digits.txt", "", 200, DIGITS],
      ["/static/a%2Fb/digits.txt", "", 200, DIGITS],
      ["/static/1/", "", 200, PAGE],
      ["/static/1/sub", "", 307, "", { location: "./sub/" }],
      ["/digits.txt", "", 200, DIGITS],
      ["/page.html", "", 404, ""],
    ]);
  });

  it("that are large come whole, at the speed of the peer, and the connection goes on", async (t) => {
    const place = site(t, { large: LARGE });
    place.serve();
    const client = await place.connectTcp();
    for (let i = 0; i < 2; i++) {
      assert.ok((await client.get("/large").answer("GET", 4_000)).body.equals(LARGE));
    }
  });

  it("wait for a peer that does not read, with one buffer", async (t) => {
    const place = site(t, { large: LARGE });
    place.serve();
    const client = await begun(place, "/large");
    const { bytesSent } = place.server.counters;
    // Each of these waits for the file system, too: time enough for all of the file to be read.
    for (let i = 0; i < 40; i++) await place.ask("/none");
    const more = place.server.counters.bytesSent - bytesSent;
    assert.ok(more <= 300_000, `${more} bytes were sent to a peer that does not read`);
    client.resume();
    assert.ok((await client.answer("GET", 4_000)).body.equals(LARGE));
  });

  it("are closed when the peer goes", async (t) => {
    const place = site(t, { large: LARGE });
    place.serve();
    for (let i = 0; i < 10; i++) {
      const client = await place.connectTcp();
      client.get("/large");
      await client.until(() => client.rest.length > i * 100_000, "bytes");
      client.destroy();
    }
    assert.equal(place.reports.length, 0);
  });

  it("that become shorter are broken off, and what they grow by is not sent", async (t) => {
    const place = site(t, { large: LARGE, grows: LARGE });
    place.serve();
    const shrunk = await begun(place, "/large");
    truncateSync(join(place.root, "large"), 500_000);
    shrunk.resume();
    await shrunk.over();
    assert.ok(shrunk.received.length < LARGE.length);

    const grown = await begun(place, "/grows");
    appendFileSync(join(place.root, "grows"), "more");
    grown.resume();
    assert.ok((await grown.answer("GET", 4_000)).body.equals(LARGE));
    assert.equal((await grown.get("/none").answer()).status, 404);
    assert.equal(place.reports.length, 0);
  });

  it("that are replaced while they are sent are sent as they were", async (t) => {
    const place = site(t, { large: LARGE, next: "next" });
    place.serve();
    const client = await begun(place, "/large");
    renameSync(join(place.root, "next"), join(place.root, "large"));
    client.resume();
    assert.ok((await client.answer("GET", 4_000)).body.equals(LARGE));
    assert.equal((await client.get("/large").answer()).text, "next");
  });

  it("have another ETag when they have changed", async (t) => {
    const place = site(t, { a: "1234" });
    place.serve();
    const first = (await place.ask("/a")).header("etag");
    writeFileSync(join(place.root, "a"), "4321");
    const second = (await place.ask("/a")).header("etag");
    assert.notEqual(first, second);
    assert.equal((await place.ask("/a", `If-None-Match: ${first}\r\n`)).text, "4321");
  });

  it("of the future are from now", async (t) => {
    const place = site(t, { a: "a" });
    place.serve();
    utimesSync(join(place.root, "a"), new Date("2999-01-01"), new Date("2999-01-01"));
    const answer = await place.ask("/a");
    assert.ok(Date.parse(answer.header("last-modified") ?? "") <= Date.parse(answer.header("date") ?? ""));
  });
});

describe("conditional requests, RFC 9110 §13", () => {
  it("are answered with 304 and 412", async (t) => {
    const place = site(t, FILES);
    place.serve({ cacheControl: "max-age=60" });
    const etag = (await place.ask("/digits.txt")).header("etag") ?? "";
    const kept = {
      etag,
      "cache-control": "max-age=60",
      "content-length": undefined,
      "content-type": undefined,
    };
    await check(place, [
      ["/digits.txt", `If-None-Match: ${etag}`, 304, "", kept],
      ["/digits.txt", `If-None-Match: "x"\r\nIf-None-Match: W/${etag}`, 304, "", kept],
      ["/digits.txt", `If-Modified-Since: ${LAST_MODIFIED}`, 304, "", kept],
      ["/digits.txt", `If-None-Match: "x"\r\nIf-Modified-Since: ${LAST_MODIFIED}`, 200, DIGITS],
      ["/digits.txt", 'If-Match: "x"', 412, ""],
      ["/digits.txt", `If-Match: ${etag}`, 200, DIGITS],
      ["/digits.txt", "If-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT", 412, ""],
      ["/digits.txt", `If-None-Match: ${etag}\r\nRange: bytes=0-1`, 304, "", kept],
      ["/none", "If-None-Match: *", 404, ""],
      ["/sub", "If-None-Match: *", 307, ""],
    ]);
    await check(place, [["/digits.txt", `If-None-Match: ${etag}`, 304, ""]], "HEAD");
  });
});

describe("ranges, RFC 9110 §14", () => {
  it("are sent alone, and ignored where they should be", async (t) => {
    const place = site(t, FILES);
    place.serve();
    const etag = (await place.ask("/digits.txt")).header("etag") ?? "";
    const whole = { "content-range": undefined, "content-length": "10" };
    await check(place, [
      [
        "/digits.txt",
        "Range: bytes=2-4",
        206,
        "234",
        { "content-range": "bytes 2-4/10", "content-length": "3" },
      ],
      ["/digits.txt", "Range: bytes=-3", 206, "789", { "content-range": "bytes 7-9/10", etag }],
      ["/digits.txt", "Range: bytes=8-", 206, "89", { "content-type": "text/plain; charset=utf-8" }],
      ["/digits.txt", "Range: bytes=0-1,2-3", 206, "0123", { "content-range": "bytes 0-3/10" }],
      ["/digits.txt", "Range: bytes=10-", 416, "", { "content-range": "bytes */10", "content-length": "0" }],
      ["/digits.txt", "Range: lines=1-2", 200, DIGITS, whole],
      ["/digits.txt", "Range: bytes=4-2", 200, DIGITS, whole],
      ["/digits.txt", `Range: bytes=${"0-0,2-2,".repeat(20)}`, 200, DIGITS, whole],
      ["/empty", "Range: bytes=0-", 200, "", { "content-range": undefined }],
      ["/digits.txt", `Range: bytes=2-4\r\nIf-Range: ${etag}`, 206, "234"],
      ["/digits.txt", 'Range: bytes=2-4\r\nIf-Range: "x"', 200, DIGITS, whole],
      ["/digits.txt", `Range: bytes=2-4\r\nIf-Range: ${LAST_MODIFIED}`, 206, "234"],
      ["/digits.txt", 'If-Range: "x"', 200, DIGITS, whole],
      ["/digits.txt", 'Range: bytes=20-\r\nIf-Range: "x"', 200, DIGITS, whole],
      ["/digits.txt", 'Range: bytes=2-4\r\nIf-Match: "x"', 412, ""],
    ]);
    await check(place, [["/digits.txt", "Range: bytes=2-4", 200, "", whole]], "HEAD");
  });

  it("are sent as multipart/byteranges where there are several", async (t) => {
    const place = site(t, { ...FILES, large: LARGE });
    place.serve();
    const answer = await place.ask("/digits.txt", "Range: bytes=8-9,0-1,-5\r\n");
    assert.equal(answer.status, 206);
    assert.equal(answer.header("content-range"), undefined);
    assert.deepEqual(partsOf(answer), [
      { range: "bytes 5-9/10", text: "56789" },
      { range: "bytes 0-1/10", text: "01" },
    ]);
    const client = await place.connectTcp();
    const large = await client.get("/large", "Range: bytes=1-600000,900000-\r\n").answer("GET", 4_000);
    const [first, second] = partsOf(large);
    assert.ok(first?.text === LARGE.toString("latin1", 1, 600_001));
    assert.ok(second?.text === LARGE.toString("latin1", 900_000));
    assert.equal((await client.get("/digits.txt").answer()).text, DIGITS);
  });
});

describe("options", () => {
  it("index", async (t) => {
    const place = site(t, { "a/main.htm": "main", "a/index.html": "index" });
    place.server.get("/other/*", serveFiles(place.root, { index: "main.htm" }));
    place.server.get("/none/*", serveFiles(place.root, { index: false }));
    await check(place, [
      ["/other/a/", "", 200, "main"],
      ["/other/a", "", 307, ""],
      ["/none/a/", "", 404, ""],
      ["/none/a", "", 404, ""],
    ]);
  });

  it("fallback, for navigations only", async (t) => {
    const place = site(t, FILES);
    place.serve({ fallback: "page.html" });
    await check(place, [
      ["/users/7", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", 200, PAGE, { vary: "Accept" }],
      ["/../../etc/passwd", "Accept: text/html", 400, "Bad Request\n"],
      ["/..%2F..%2Fetc/passwd", "Accept: text/html", 200, PAGE],
      [
        "/api",
        "Accept: application/json",
        404,
        '{"status":404,"code":"HTTP_NOT_FOUND","message":"Not Found"}',
      ],
      ["/app.js", "Accept: */*", 404, "", { vary: "Accept" }],
      ["/users/7", "Accept: text/html;q=0", 404, ""],
      ["/users/7", "", 404, ""],
      ["/digits.txt", "Accept: text/html", 200, DIGITS, { vary: undefined }],
    ]);
  });

  it("dotFiles", async (t) => {
    const place = site(t, FILES);
    place.server.get("/no/*", serveFiles(place.root));
    place.server.get("/yes/*", serveFiles(place.root, { dotFiles: true }));
    await check(place, [
      ["/no/.hidden", "", 404, ""],
      ["/no/%2ehidden", "", 404, ""],
      ["/no/.well-known/x", "", 404, ""],
      ["/yes/.hidden", "", 200, "hidden"],
      ["/yes/.well-known/x", "", 200, "x"],
      ["/yes/../public/.hidden", "", 400, "Bad Request\n"],
      ["/yes/..%2Fpublic/.hidden", "", 404, ""],
    ]);
  });

  it("symbolicLinks", async (t) => {
    const place = site(t, FILES);
    place.write("secret", "secret");
    for (const [name, target] of [
      ["inside", "digits.txt"],
      ["folder", "sub"],
      ["out", "../secret"],
      ["up", ".."],
      ["chain", "out"],
      ["loop", "loop"],
    ] as const) {
      symlinkSync(target, join(place.root, name));
    }
    place.server.get("/no/*", serveFiles(place.root));
    place.server.get("/yes/*", serveFiles(place.root, { symbolicLinks: true }));
    const outside: Row[] = ["out", "up/secret", "chain", "loop", "up/", "up"].flatMap((name): Row[] => [
      [`/no/${name}`, "", 404, ""],
      [`/yes/${name}`, "", 404, ""],
    ]);
    await check(place, [
      ...outside,
      ["/no/inside", "", 404, ""],
      ["/no/folder/", "", 404, ""],
      ["/no/folder/index.html", "", 404, ""],
      ["/yes/inside", "", 200, DIGITS],
      ["/yes/folder/", "", 200, "sub"],
      ["/yes/folder/index.html", "", 200, "sub"],
    ]);
  });

  it("a root that is a link, and that is changed while the server runs", async (t) => {
    const place = site(t, { "a.txt": "old" });
    place.write("next/a.txt", "new");
    place.write("next/index.html", "index");
    const current = join(place.outside, "current");
    symlinkSync("public", current);
    place.server.get("/*", serveFiles(current, { listing: true }));
    assert.equal((await place.ask("/a.txt")).text, "old");
    assert.match((await place.ask("/")).text, /a\.txt/);
    symlinkSync("next", `${current}.new`);
    renameSync(`${current}.new`, current);
    await check(place, [
      ["/a.txt", "", 200, "new"],
      ["/", "", 200, "index"],
    ]);
  });

  it("precompressed", async (t) => {
    const place = site(t, {
      "a.js": "js",
      "a.js.br": "brotli",
      "a.js.gz": "gzip",
      "b.js": "js",
      "c.js": "js",
    });
    place.write("public/c.js.br/x", "a folder");
    place.serve({ precompressed: true });
    const type = "text/javascript; charset=utf-8";
    await check(place, [
      [
        "/a.js",
        "Accept-Encoding: gzip, br",
        200,
        "brotli",
        { "content-encoding": "br", "content-type": type },
      ],
      ["/a.js", "Accept-Encoding: gzip, br;q=0.5", 200, "gzip", { "content-encoding": "gzip" }],
      ["/a.js", "Accept-Encoding: zstd, gzip;q=0.1", 200, "gzip", { vary: "Accept-Encoding" }],
      ["/a.js", "", 200, "js", { "content-encoding": undefined, vary: "Accept-Encoding" }],
      [
        "/b.js",
        "Accept-Encoding: gzip",
        200,
        "js",
        { "content-encoding": undefined, vary: "Accept-Encoding" },
      ],
      ["/c.js", "Accept-Encoding: br", 200, "js", { "content-encoding": undefined }],
      ["/none.js", "Accept-Encoding: br", 404, "", { vary: "Accept" }],
      ["/a.js", "Accept-Encoding: br\r\nRange: bytes=0-2", 206, "bro", { "content-range": "bytes 0-2/6" }],
    ]);
    const tags = await Promise.all(
      ["", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip\r\n"].map((l) => place.ask("/a.js", l)),
    );
    assert.equal(new Set(tags.map((answer) => answer.header("etag"))).size, 3);
  });

  it("compress", async (t) => {
    const text = "some text that repeats. ".repeat(20_000);
    const place = site(t, { "a.txt": text, "small.txt": "small", "a.png": text });
    place.serve({ compress: true });
    const gzip = await place.ask("/a.txt", "Accept-Encoding: gzip\r\n");
    assert.equal(gunzipSync(gzip.body).toString(), text);
    const brotli = await place.ask("/a.txt", "Accept-Encoding: gzip, br\r\n");
    assert.equal(brotliDecompressSync(brotli.body).toString(), text);
    const plain = await place.ask("/a.txt");
    assert.equal(plain.text, text);
    assert.equal(brotli.header("etag"), `W/${plain.header("etag")}`);
    assert.equal(brotli.header("content-encoding"), "br");
    assert.equal(brotli.header("accept-ranges"), undefined);
    const coded = { vary: "Accept-Encoding", "content-encoding": undefined };
    await check(place, [
      ["/a.txt", "Accept-Encoding: br\r\nRange: bytes=0-3", 206, "some", coded],
      ["/a.txt", `Accept-Encoding: br\r\nIf-None-Match: ${plain.header("etag")}`, 304, ""],
      ["/small.txt", "Accept-Encoding: br", 200, "small", { "content-encoding": undefined, vary: undefined }],
      ["/a.png", "Accept-Encoding: br", 200, text, { "content-encoding": undefined, vary: undefined }],
    ]);
    const head = await place.ask("/a.txt", "Accept-Encoding: br\r\n", "HEAD");
    assert.deepEqual([head.header("content-encoding"), head.header("content-length")], ["br", undefined]);
  });

  it("compress, for files that become shorter and for peers that go", async (t) => {
    // What cannot be compressed: most of it has to wait for the peer.
    const noise = randomBytes(3_000_000);
    const place = site(t, { "a.txt": noise });
    place.serve({ compress: true });
    const shrunk = await begun(place, "/a.txt", "Accept-Encoding: gzip\r\n");
    truncateSync(join(place.root, "a.txt"), 10);
    shrunk.resume();
    await shrunk.over();
    assert.ok(!shrunk.rest.endsWith("0\r\n\r\n"));
    writeFileSync(join(place.root, "a.txt"), noise);
    (await begun(place, "/a.txt", "Accept-Encoding: gzip\r\n")).destroy();
    assert.equal(place.reports.length, 0);
  });

  it("cacheControl, by path", async (t) => {
    const place = site(t, { ...FILES, "assets/app.1f3c.js": "app" });
    const seen: string[] = [];
    place.serve({
      cacheControl: (path) => {
        seen.push(path);
        return path.startsWith("assets/") ? "max-age=31536000, immutable" : "no-cache";
      },
    });
    await check(place, [
      ["/assets/app.1f3c.js", "", 200, "app", { "cache-control": "max-age=31536000, immutable" }],
      ["/", "", 200, PAGE, { "cache-control": "no-cache" }],
    ]);
    assert.deepEqual(seen, ["assets/app.1f3c.js", "index.html"]);
  });

  it("listing, with names that are harmless in HTML", async (t) => {
    const place = site(t, {
      "a/<img src=x onerror=alert(1)>": "",
      "a/javascript:alert(1)": "",
      "a/50%&\"'.txt": "",
      "a/sub/x": "",
      "a/.hidden": "",
      "a/b.txt": "",
      "b/index.html": "index",
    });
    symlinkSync("b.txt", join(place.root, "a", "link"));
    place.serve({ listing: true });
    const { status, text, header } = await place.ask("/a/");
    assert.equal(status, 200);
    assert.equal(header("content-type"), "text/html; charset=utf-8");
    assert.ok(!/<img|hidden|link"/.test(text), text);
    const links = [...text.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? "");
    assert.deepEqual(links, [
      "../",
      "./sub/",
      "./50%25%26%22&#39;.txt",
      "./%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
      "./b.txt",
      "./javascript%3Aalert(1)",
    ]);
    for (const link of links) {
      const url = new URL(link.replaceAll("&#39;", "'"), "http://h/a/");
      assert.ok([200, 307].includes((await place.ask(url.pathname)).status), link);
    }
    await check(place, [
      ["/a", "", 307, "", { location: "./a/" }],
      ["/b/", "", 200, "index"],
      ["/c/", "", 404, ""],
    ]);
    assert.equal((await place.ask("/a/", "", "HEAD")).header("content-length"), String(text.length));
    const top = (await place.ask("/")).text;
    assert.ok(!top.includes("../") && top.includes('href="./a/"'), "there is no folder above the first");
  });

  it("notFound", async (t) => {
    const place = site(t, FILES);
    place.serve({ notFound: (exchange) => exchange.status(404).end(`no ${exchange.path}`) });
    await check(place, [
      ["/nothing", "", 404, "no /nothing"],
      ["/page.html", "", 200, PAGE],
    ]);
  });

  it("transformHtml", async (t) => {
    const place = site(t, { ...FILES, "long.html": Buffer.alloc(4_194_305, "x") });
    place.serve({ transformHtml: (html, { path }) => `${html}<script>${path}</script>`, listing: true });
    await check(place, [
      ["/page.html", "Range: bytes=0-1", 200, `${PAGE}<script>/page.html</script>`, { etag: undefined }],
      ["/", "If-Modified-Since: Mon, 06 May 2044 07:08:09 GMT", 200, `${PAGE}<script>/</script>`],
      ["/digits.txt", "", 200, DIGITS],
    ]);
    assert.match((await place.ask("/no-index/")).text, /<script>\/no-index\/<\/script>$/);
    assert.equal((await place.ask("/long.html")).body.length, 4_194_305);
  });

  it("a root that is no folder is refused at once", (t) => {
    const place = site(t, FILES);
    assert.throws(() => serveFiles(join(place.root, "none")), /ENOENT/);
    assert.throws(() => serveFiles(join(place.root, "digits.txt")), TypeError);
  });
});

describe("redirects to folders", () => {
  it("stay on the host, keep the query and mean the folder", async (t) => {
    const place = site(t, {
      "evil.example/index.html": "",
      "javascript:alert(1)/index.html": "",
      "a b/index.html": "",
      "c/d/index.html": "",
    });
    place.serve();
    const rows = ["/evil.example", "/javascript:alert(1)", "/a%20b?q=%2F", "/c/d?x#y", "/c/d?//evil.example"];
    for (const target of rows) {
      const answer = await place.ask(target.replace(/#.*/, ""));
      const location = new URL(answer.header("location") ?? "", `http://good.example${target}`);
      const [path = "", query = ""] = target.replace(/#.*/, "").split(/\?(.*)/s);
      assert.equal(answer.status, 307, target);
      assert.equal(location.href, `http://good.example${path}/${query === "" ? "" : `?${query}`}`);
      assert.match(answer.header("location") ?? "", /^\.\/[^/]+\//);
    }
    const elsewhere = listOf(
      "//evil.example¦/%2Fevil.example¦/\\evil.example¦/%5Cevil.example¦//evil.example/",
    );
    for (const target of elsewhere) {
      const answer = await place.ask(target);
      assert.equal(answer.header("location"), undefined, target);
      assert.ok(answer.status >= 400, target);
    }
  });
});

describe("errors of the system", () => {
  const failing = async (t: TestContext, code: string, options: FileOptions = {}): Promise<Site> => {
    const place = site(t, FILES);
    place.serve(options);
    const failure = Object.assign(new Error(code), { code });
    t.mock.method(promises, "open", () => Promise.reject(failure));
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    return place;
  };
  const rows: [codes: string, status: number, reported: boolean][] = [
    ["ENOENT¦ENOTDIR¦ENAMETOOLONG¦ELOOP¦ENXIO¦EISDIR", 404, false],
    ["EACCES¦EPERM", 403, false],
    ["EMFILE¦ENFILE", 503, true],
    ["EIO", 500, true],
  ];
  for (const [codes, status, reported] of rows) {
    for (const code of listOf(codes)) {
      it(`${code}: ${status}`, async (t) => {
        const place = await failing(t, code);
        assert.equal((await place.ask("/page.html")).status, status);
        assert.deepEqual(
          place.reports.map((report) => codeOf(report.error)),
          reported ? [code] : [],
        );
      });
    }
  }

  it("while a file is read break the response off and are reported", async (t) => {
    const place = site(t, { large: LARGE });
    place.serve();
    const client = await begun(place, "/large");
    const opened = await promises.open(join(place.root, "large"));
    t.mock.method(Object.getPrototypeOf(opened), "read", () =>
      Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })),
    );
    await opened.close();
    client.resume();
    await client.over();
    assert.deepEqual(
      place.reports.map((report) => codeOf(report.error)),
      ["EIO"],
    );
    assert.deepEqual(openFiles(place.root), []);
  });
});

describe("a server that is closed", () => {
  it("lets a file that is being sent come to its end", async (t) => {
    const place = site(t, { large: LARGE });
    const server = new Server();
    server.get("/*", serveFiles(place.root));
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const response = await fetch(`${url}/large`);
    const closed = server.close({ graceMs: 5_000 });
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(LARGE));
    await closed;
  });
});
