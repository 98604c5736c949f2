// Each way in which the API once let a program down in silence, tried on the installed package: see promises.mjs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { installedProject, ownPackages, type Project } from "./installed.ts";

const PATIENCE_MS = 60_000;

const expected: Readonly<Record<string, unknown>> = {
  "a guard that waits keeps everybody out": [401, false],
  "guard and router read the same path": [403, 400],
  "upgrade refuses by a status, by false and by a promise of it": [403, 403, 403, 401],
  "messages stay as they are after await": ["first", "other", "third"],
  "text and bytes have a type": ["text/plain; charset=utf-8", "application/octet-stream", null],
  "what a handler returns is its answer": ["hello", '{"a":1}', 201, 500],
  "a handler that never answers is ended": [503, 1],
  "failures have content, and can be shaped": [
    "Not Found\n",
    '{"status":404,"code":"HTTP_NOT_FOUND","message":"Not Found"}',
    400,
    "mine 404",
  ],
  "a 413 by the head passes by every hook": [413, "1", 1],
  "content that nobody takes after the answer has a deadline": [200, true],
  "an early answer reaches a client that sends on": 401,
  "a callback of onBody that throws is called once": [500, 1, 1],
  "a client that ends its half gets an answer where that is allowed": "late",
  "connect skips interim responses": "open",
  "values of fields are what they look like": [
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "FieldError",
    "FieldError",
  ],
  "unknown names of options are errors": ["TypeError", "TypeError", "TypeError", true],
  "routes that look like something else are errors": Array.from({ length: 6 }, () => "ERR_ROUTE"),
  "forms are read as they were, and never as JSON": ['["a\\"b"]', '["a\\"b"]', 415, '{"got":1}'],
  "zeros before a chunk size, and empty lines before a request, are valid": "ok",
  "a path of a Unix socket that is too long is an error": "RangeError",
  "bodies, streams and contexts": [500, true, "mine"],
  "idle connections outlast those of load balancers": true,
  "what a waiting hook rejects with is a 500, and nothing runs, deferred as well": [500, 500, false],
  "exchange.upgrade() and upgrade of fetch handlers ask upgrade, too": [403, 401, 403],
  "streams and iterables that a handler returns are its answer": ["one two", true],
  "in development a 500 shows its stack, and 4xx are told once": [true, false, 1],
  "content that is read in part does not hold the connection": [200, 200, 200, 200, 200, true],
  "a loop over content that ends early says that the connection closes": "close",
  "a client that disconnects while its WebSocket is paused is noticed": true,
  "connect goes through a proxy": ["CONNECT", "open"],
  "a cookie for other sites is secure without being told so": true,
  "a socket that was accepted elsewhere is served": "served",
  "secrets in logs are known by their meaning": [1, false, true],
  "the file of a Unix socket is replaced when its server is dead, and only then": [
    "listens",
    "EADDRINUSE",
    "660",
  ],
  "content that is cut off rejects with an AbortError": "AbortError",
  "names of files in extended notation are read": '["%u20AC.txt"]',
  "content stays as it was in onBody after await": true,
  "a Response of a Blob has its length, with the platform's class and with the light one": [
    ["5", "1048576"],
    ["5", "1048576"],
  ],
  "the time of an idle connection is told": "timeout=74",
};

describe("what the installed package keeps to", () => {
  let project: Project;
  let found: Map<string, unknown>;
  before(async () => {
    project = await installedProject(ownPackages);
    project.write("promises.mjs", readFileSync(new URL("./promises.mjs", import.meta.url), "utf8"));
    const env = { ...process.env, NODE_ENV: "production" };
    const options = { cwd: project.folder, timeout: PATIENCE_MS, env };
    const { stdout } = await promisify(execFile)(process.execPath, ["promises.mjs"], options);
    const lines = stdout.trim().split("\n");
    found = new Map(lines.map((line) => JSON.parse(line) as [string, unknown]));
  });
  after(() => project?.remove());

  it("is all that it was tried for", () => {
    assert.deepEqual([...found.keys()], Object.keys(expected));
  });
  for (const [name, value] of Object.entries(expected)) {
    it(name, () => assert.deepEqual(found.get(name), value));
  }
});
