import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, promises, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { fileNames } from "../../src/web/file-path.ts";
import { MAX_COMPRESSORS } from "../../src/web/file-transfer.ts";
import { serveFiles } from "../../src/web/serve-files.ts";
import { listOf } from "../support/bytes.ts";
import { eventually, within } from "../support/waiting.ts";
import { openFiles, partsOf, type Site, site } from "./site.ts";

const SECRET = "nobody may read this";

function guarded(t: TestContext): Site {
  const place = site(t, {
    "index.html": "public index",
    "a.txt": "public a",
    "sub/b.txt": "public b",
    "sub/index.html": "public sub",
    "sub/deep/c.txt": "public c",
    "...": "public dots",
  });
  for (const name of ["secret", "index.html", "public-not/secret", "a.txt/secret"]) place.write(name, SECRET);
  place.write("public/.secret", SECRET);
  symlinkSync("../secret", join(place.root, "link"));
  symlinkSync("..", join(place.root, "up"));
  symlinkSync(join(place.outside, "secret"), join(place.root, "sub", "absolute"));
  return place;
}

describe("what a path means", () => {
  const cases: [path: string, names: string[] | null][] = [
    ["", [""]],
    ["a", ["a"]],
    ["a/", ["a", ""]],
    ["a/b%20c", ["a", "b c"]],
    ["%C3%BC", ["ü"]],
    ...listOf("...¦a%2Fb¦a%5Cb¦a\\b¦a%00¦..¦%2e%2E¦.¦a/./b¦a//b¦/a¦.a¦a/.b/c¦%¦%C3¦%zz").map(
      (path): [string, null] => [path, null],
    ),
  ];
  for (const [path, names] of cases) {
    it(`${JSON.stringify(path)}: ${JSON.stringify(names)}`, () =>
      assert.deepEqual(fileNames(path, false), names));
  }
  it("dot files where they are wanted, but never . and ..", () => {
    assert.deepEqual(fileNames(".a/...", true), [".a", "..."]);
    for (const path of [".", "..", "%2e", ".%2e", "a/.."]) assert.equal(fileNames(path, true), null);
  });
});

describe("no path leaves the root", () => {
  it("by names that are known for it", async (t) => {
    const place = guarded(t);
    place.server.get("/*", serveFiles(place.root, { dotFiles: false, listing: true, symbolicLinks: true }));
    place.server.get("/x/*", serveFiles(place.root));
    const up = listOf("..¦%2e%2e¦%2E.¦..%2f¦..%5c¦%252e%252e¦..;¦..%00¦...¦link¦up¦%c0%ae%c0%ae");
    for (const a of up) {
      for (const rest of listOf(`secret¦index.html¦public-not/secret¦../secret¦${place.outside}/secret¦`)) {
        for (const before of ["", "/", "/x", `/sub/${a}`]) {
          const target = `${before}/${a}/${rest}`;
          const answer = await place.ask(target);
          assert.ok(!answer.text.includes(SECRET) && answer.status < 500, `${target}: ${answer.status}`);
          assert.ok(!answer.text.includes("public-not"), target);
        }
      }
    }
  });

  it("by any combination of names, separators and encodings", async (t) => {
    const place = guarded(t);
    place.serve({ symbolicLinks: true, listing: true });
    const client = place.connect();
    const token = fc.constantFrom(
      ..."/ / / .. . ... %2e %2F %5C \\ %00 %25 %c0%af : ; ~ % sub deep link up absolute secret .secret public-not a.txt b.txt index.html".split(
        " ",
      ),
      place.outside,
      place.root,
      "?",
      "//",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 8 }), async (tokens) => {
        const answer = await client.get(`/${tokens.join("")}`).answer();
        assert.ok([200, 307, 400, 404].includes(answer.status), String(answer.status));
        assert.ok(!answer.text.includes(SECRET));
        if (answer.status === 200)
          assert.match(answer.text, /^public |<title>\/(?:sub|.*\/sub|.*deep|)\/*<\/title>/);
        if (answer.status === 307) assert.match(answer.header("location") ?? "", /^\.\/[^/?]+\/(?:\?.*)?$/);
      }),
      { numRuns: 400 },
    );
  });

  it("by a folder that becomes a link while it is asked for", async (t) => {
    const place = guarded(t);
    place.serve();
    mkdirSync(join(place.root, "turn"));
    place.write("public/turn/secret", "public turn");
    const turn = join(place.root, "turn");
    const answers = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const asked = place.ask("/turn/secret");
      if (i % 2 === 0) {
        renameSync(turn, `${turn}.old`);
        symlinkSync("..", turn);
      } else {
        rmSync(turn);
        renameSync(`${turn}.old`, turn);
      }
      const { status, text } = await asked;
      answers.add(`${status} ${text}`);
    }
    for (const answer of answers) assert.ok(["200 public turn", "404 Not Found\n"].includes(answer), answer);
  });

  it("by links, where the system does not tell the place of an open file", async (t) => {
    const place = guarded(t);
    t.mock.method(promises, "readlink", () => Promise.reject(new Error("ENOENT")));
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    place.server.get("/no/*", serveFiles(place.root));
    place.server.get("/yes/*", serveFiles(place.root, { symbolicLinks: true }));
    for (const name of ["link", "up/secret", "up/public/a.txt", "sub/absolute"]) {
      assert.equal((await place.ask(`/no/${name}`)).status, 404, name);
    }
    assert.equal((await place.ask("/no/sub/b.txt")).text, "public b");
    assert.equal((await place.ask("/no/")).text, "public index");
    assert.equal((await place.ask("/yes/up/secret")).status, 404);
    assert.equal((await place.ask("/yes/up/public/a.txt")).text, "public a");
  });

  it("by a link that was there only when the file was opened", async (t) => {
    const place = guarded(t);
    place.serve({ symbolicLinks: true });
    const secret = join(place.outside, "secret");
    const { open } = promises;
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    t.mock.method(promises, "open", () => open(secret));
    for (const linux of [true, false]) {
      if (!linux) t.mock.method(promises, "readlink", () => Promise.reject(new Error("ENOENT")));
      syncBuiltinESMExports();
      assert.equal((await place.ask("/a.txt")).status, 404);
    }
  });

  it("by any link at any place", async (t) => {
    const place = guarded(t);
    place.serve({ symbolicLinks: true });
    const names = readdirSync(place.root);
    assert.ok(names.includes("link") && names.includes("up"));
    for (const target of ["/link", "/up/secret", "/up/index.html", "/sub/absolute", "/up/public/secret"]) {
      assert.equal((await place.ask(target)).status, 404, target);
    }
    assert.equal((await place.ask("/up/public/a.txt")).text, "public a");
  });
});

describe("what is no file", {
  skip: process.platform === "win32" && "Windows has neither pipes nor sockets in folders",
}, () => {
  it("pipes, sockets, devices and folders are refused at once", async (t) => {
    const place = site(t);
    place.serve({ symbolicLinks: true });
    execFileSync("mkfifo", [join(place.root, "pipe")]);
    symlinkSync("/dev/zero", join(place.root, "zero"));
    symlinkSync("/proc/self/environ", join(place.root, "environ"));
    const listener = createServer().listen(join(place.root, "socket"));
    await new Promise((resolve) => listener.once("listening", resolve));
    t.after(() => listener.close());
    mkdirSync(join(place.root, "folder"));
    for (const name of ["pipe", "zero", "environ", "socket", "folder", "folder/"]) {
      assert.equal((await within(place.ask(`/${name}`), name)).status, 404, name);
    }
    assert.equal(place.reports.length, 0);
  });

  it("devices and pipes are refused where the root itself has them", async (t) => {
    const place = site(t);
    place.server.get("/*", serveFiles("/dev"));
    for (const name of ["null", "zero", "tty", "random"]) {
      assert.equal((await within(place.ask(`/${name}`), name)).status, 404, name);
    }
  });
});

describe("compression", () => {
  it("is for so many at a time; peers that do not read keep others from it, but not from the file", async (t) => {
    // What cannot be compressed: most of it has to wait for the peer.
    const noise = randomBytes(400_000);
    const place = site(t, { "a.txt": noise });
    place.serve({ compress: true });
    const lines = "Accept-Encoding: gzip\r\n";
    const idle = Array.from({ length: MAX_COMPRESSORS }, () => place.connect().get("/a.txt", lines));
    for (const client of idle) {
      await client.until(() => client.rest.length > 0, "the first bytes");
      client.pause();
      assert.match(client.rest, /\r\nContent-Encoding: gzip\r\n/);
    }
    const plain = await place.ask("/a.txt", lines);
    assert.deepEqual(
      [plain.header("content-encoding"), plain.header("vary")],
      [undefined, "Accept-Encoding"],
    );
    assert.ok(plain.body.equals(noise));
    for (const client of idle) client.destroy();
    await eventually(() => openFiles(place.root).length === 0, "all files to be closed");
    assert.equal((await place.ask("/a.txt", lines)).header("content-encoding"), "gzip");
  });
});

describe("any Range field", () => {
  it("gives a response whose framing holds and whose parts are of the file", async (t) => {
    const content = Array.from({ length: 300 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
    const place = site(t, { file: content, empty: "" });
    place.serve();
    const client = place.connect();
    const number = fc.oneof(
      fc.nat(320),
      fc.constantFrom("", "0", "299", "300", "99999999999999999999", "-1", "x"),
    );
    const range = fc.oneof(
      fc
        .array(
          fc.tuple(number, number).map(([a, b]) => `${a}-${b}`),
          { maxLength: 20 },
        )
        .map((r) => `bytes=${r.join(",")}`),
      fc.string({ unit: fc.constantFrom(..."bytes=0123456789-, ;"), maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(range, fc.constantFrom("/file", "/empty"), async (value, target) => {
        const whole = target === "/file" ? content : "";
        const answer = await client.get(target, `Range: ${value}\r\n`).answer();
        const told = answer.header("content-range");
        if (answer.status === 200) assert.equal(answer.text, whole);
        else if (answer.status === 416) assert.equal(`${told} ${answer.text}`, `bytes */${whole.length} `);
        else {
          assert.equal(answer.status, 206);
          const parts = told === undefined ? partsOf(answer) : [{ range: told, text: answer.text }];
          for (const part of parts) {
            const [, first = "", last = "", size = ""] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(part.range) ?? [];
            assert.equal(Number(size), whole.length);
            assert.ok(part.text.length > 0);
            assert.equal(part.text, whole.slice(Number(first), Number(last) + 1));
          }
        }
        // Nothing came behind it, and nothing was missing.
        assert.equal(client.rest, "");
      }),
      { numRuns: 400 },
    );
    assert.equal((await client.get("/file").answer()).text, content);
  });
});

describe("names on this machine", () => {
  it("of every file in a folder lead to its content", async (t) => {
    const names = ["ü", "a b", "%", "#", "?", "&", "'", '"', "<", "+", "a=b", "~", "a;b", "😀", "-", "$"];
    const place = site(t, Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
    place.serve();
    for (const name of names) {
      const answer = await place.ask(`/${encodeURIComponent(name)}`);
      assert.equal(answer.body.toString(), readFileSync(join(place.root, name), "utf8"), name);
    }
  });
});
