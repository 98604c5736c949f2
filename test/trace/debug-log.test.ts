import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./logged-program.ts", import.meta.url));

/** What the program prints to stderr, one line each, without Node's own warnings. */
function linesOf(names: string): string[] {
  const env = { ...process.env, NODE_DEBUG: names, NODE_NO_WARNINGS: "1", NODE_ENV: "production" };
  const { stderr, status } = spawnSync(process.execPath, ["--import", "tsx", program], {
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stderr.split("\n").filter((line) => line !== "");
}

/** The lines of one log without its name and the process's number. */
function textsOf(lines: readonly string[], name: string): string[] {
  const begin = new RegExp(`^${name} \\d+: `);
  return lines.filter((line) => begin.test(line)).map((line) => line.replace(begin, ""));
}

describe("NODE_DEBUG", () => {
  it("prints nothing of Portico without its names", () => {
    assert.deepEqual(linesOf(""), []);
  });

  it("portico-http prints heads and changes of state, one line each", () => {
    const lines = linesOf("portico-http");
    const texts = textsOf(lines, "PORTICO-HTTP");
    assert.equal(lines.length, texts.length);
    assert.deepEqual(texts.slice(0, 6), [
      "#1 = idle -> receiving",
      '#1 < GET /hello "Host: h\\r\\n"',
      '#1 > "HTTP/1.1 200 OK\\r\\nDate: x\\r\\nContent-Type: text/plain; charset=utf-8\\r\\nContent-Length: 2\\r\\n\\r\\n"',
      "#1 > 2 bytes of body",
      "#1 = receiving -> responding",
      "#1 = responding -> idle",
    ]);
    assert.ok(texts.includes("#2 < refused: HTTP_BAD_REQUEST_LINE"), texts.join("\n"));
    assert.ok(
      texts.some((text) => text.startsWith('#2 > "HTTP/1.1 400 Bad Request')),
      texts.join("\n"),
    );
    assert.ok(texts.includes("#3 = receiving -> upgraded"), texts.join("\n"));
  });

  it("portico-ws prints frames both ways and changes of state", () => {
    const texts = textsOf(linesOf("portico-ws"), "PORTICO-WS");
    assert.deepEqual(texts, [
      '#1 < TEXT "h\\u00e9\\n"',
      '#1 > TEXT "h\\u00e9\\n"',
      '#1 < PING ""',
      '#1 > PONG ""',
      '#1 < CLOSE 1000 "bye"',
      '#1 > CLOSE 1000 ""',
      "#1 = open -> closed",
    ]);
  });

  it("portico-transport prints bytes and ends", () => {
    const texts = textsOf(linesOf("portico-transport"), "PORTICO-TRANSPORT");
    assert.ok(texts.includes("#1 > end") || texts.includes("#1 < end"), texts.join("\n"));
    assert.ok(texts.some((text) => /^#\d < \d+ bytes$/.test(text)));
    assert.ok(texts.some((text) => /^#\d > \d+ bytes$/.test(text)));
    assert.ok(texts.some((text) => /^#\d = closed$/.test(text)));
  });
});
