import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import WebSocket from "ws";
import { startProgram } from "../support/program.ts";
import { exchanged, opened } from "../support/ws-client.ts";

describe("examples/echo.ts", () => {
  it("has at most 15 lines", () => {
    const source = readFileSync(new URL("../../examples/echo.ts", import.meta.url), "utf8");
    assert.ok(source.trimEnd().split("\n").length <= 15);
  });

  it("starts, answers over HTTP and WebSocket, and stops", async () => {
    const program = await startProgram("--import", "tsx", "examples/echo.ts", "0");
    assert.match(await (await fetch(program.url)).text(), /everything comes back/);
    const socket = await opened(new WebSocket(program.url.replace("http", "ws")));
    assert.deepEqual(await exchanged(socket, "text"), { data: "text", binary: false });
    assert.deepEqual(await exchanged(socket, Buffer.from([1, 2, 3])), { data: "\x01\x02\x03", binary: true });
    socket.terminate();
    await program.stop("SIGTERM");
  });
});
