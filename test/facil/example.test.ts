import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import WebSocket from "ws";
import { type Program, startProgram } from "../support/program.ts";
import { within } from "../support/waiting.ts";
import { exchanged, opened } from "../support/ws-client.ts";

describe("the example of the document", () => {
  it('says "Hello World", echoes, and goes down in order', async (t) => {
    const program: Program = await startProgram("--import", "tsx", "examples/facil/hello.ts", "0");
    t.after(() => program.stop("SIGKILL"));
    const http = program.url.replace("ws:", "http:");
    assert.match(await (await fetch(http)).text(), /Hello World/);
    const socket = await opened(new WebSocket(http.replace("http:", "ws:")));
    t.after(() => socket.terminate());
    assert.deepEqual(await exchanged(socket, "text"), { data: "text", binary: false });
    assert.deepEqual(await exchanged(socket, Buffer.from([1, 255])), { data: "\x01\xff", binary: true });
    const closed = once(socket, "close");
    const code = program.stop("SIGTERM");
    assert.equal((await within(closed, "the close", 5_000))[0], 1001);
    assert.equal(await within(code, "the end", 8_000), 0);
  });
});
