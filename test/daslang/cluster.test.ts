import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/places.ts";
import { within } from "../support/waiting.ts";
import { LONG_MS } from "./peer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const library = new URL("../../src/daslang/index.ts", import.meta.url).href;

/** The main process holds a port; its worker tries that port, then listens, and serves a client of the main process. */
const program = `
import cluster from "node:cluster";
import { connect, createServer } from "node:net";

if (cluster.isPrimary) {
  const taken = createServer().listen(0, "127.0.0.1", () => {
    const worker = cluster.fork({ TAKEN_PORT: taken.address().port });
    worker.on("message", ({ port, ...report }) => {
      console.log(JSON.stringify(report));
      const socket = connect(port, "127.0.0.1").setEncoding("utf8");
      socket.on("data", (text) => {
        console.log(JSON.stringify(text));
        worker.kill();
        process.exit();
      });
    });
  });
} else {
  const { Server } = await import(${JSON.stringify(library)});
  const errors = [];
  class Own extends Server {
    onConnect() {
      this.send("hello from the worker");
    }
    onError(msg, code) {
      errors.push(msg);
    }
  }
  const server = new Own({ host: "127.0.0.1" });
  server.make_server_adapter();
  const first = server.init(Number(process.env.TAKEN_PORT));
  const second = server.init(0);
  process.send({ first, errors, second, open: server.is_open(), port: server.port });
  setInterval(() => server.tick(), 5);
}
`;

describe("init(port)", () => {
  it("answers before it returns in a cluster worker, too", async (t) => {
    const path = join(temporaryFolder(t, { "program.mjs": program }), "program.mjs");
    const child = spawn(process.execPath, ["--import", "tsx", path], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill());
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await within(once(child, "close"), "the program to end", LONG_MS);
    assert.deepEqual(
      output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
      [{ first: false, errors: ["can't bind"], second: true, open: true }, "hello from the worker"],
    );
  });
});
