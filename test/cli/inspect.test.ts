import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Server } from "../../src/server/server.ts";
import { listening } from "./in-process.ts";
import { portico, start } from "./portico.ts";

async function target(t: TestContext, tls = false): Promise<string> {
  const server = new Server();
  server.websocket(
    "/echo",
    { message: (socket, data, binary) => socket.send(data, { binary }) },
    { compression: true },
  );
  server.websocket("/hostile", {
    open: (socket) => socket.send("\x1b[2J\n\u202e"),
    message: (socket) => socket.terminate(),
  });
  server.websocket("/leave/:code", {
    message: (socket, data) => socket.close(Number(socket.request?.params["code"]), data.toString()),
  });
  server.websocket(
    "/who",
    {
      upgrade: (exchange) => ({ who: exchange.header("x-who") ?? "nobody" }),
      open: (socket) => {
        socket.ping("are you there");
        socket.send(`${socket.data.who} by ${socket.protocol}`);
      },
    },
    { protocols: ["chat.v2"] },
  );
  return (await listening(t, server, tls)).replace("http", "ws");
}

/** Lines without their times. */
const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^[\d:.]+ /, ""));

describe("portico inspect", { concurrency: 2 }, () => {
  it("sends the lines of its input and shows what comes, with kind and size", async (t) => {
    const url = await target(t);
    const input = "hello\n/ping x\n/hex 00 ff\n//slash\n/nothing\n";
    const args = ["inspect", `${url}/echo`, "--commands", "--compress", "--wait", "0.3"];
    const { code, stdout, stderr } = await portico(t, args, { input });
    assert.equal(code, 0);
    assert.match(stderr, /^portico: \/nothing is not a command\. /);
    const shown = lines(stdout);
    assert.equal(shown[0], `connected to ${url}/echo, compressed`);
    const those = (arrow: string): string[] => shown.filter((line) => line.startsWith(arrow));
    assert.deepEqual(those("→"), [
      "→ text 5 B hello",
      "→ ping 1 B 78",
      "→ binary 2 B 00 ff",
      "→ text 6 B /slash",
      "→ close 1000",
    ]);
    assert.deepEqual(those("←"), [
      "← text 5 B hello",
      "← pong 1 B 78",
      "← binary 2 B 00 ff",
      "← text 6 B /slash",
      "← close 1000",
    ]);
  });

  it("prints JSON for programs", async (t) => {
    const url = await target(t);
    const { code, stdout } = await portico(t, ["inspect", `${url}/leave/1000`, "--json"], { input: "bye\n" });
    assert.equal(code, 0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of events) assert.ok(!Number.isNaN(Date.parse(event.time)));
    for (const event of events) delete event.time;
    assert.deepEqual(events, [
      { event: "open", url: `${url}/leave/1000`, protocol: "", compresses: false },
      { direction: "out", kind: "text", bytes: 3, text: "bye" },
      { direction: "in", kind: "close", code: 1000, reason: "bye" },
    ]);
  });

  it("sends fields, offers subprotocols, takes a self-signed certificate when told to, and shows pings", async (t) => {
    const url = await target(t, true);
    const refused = await portico(t, ["inspect", `${url}/who`]);
    assert.equal(refused.code, 1);
    const message =
      /^portico: Cannot open wss:.* its certificate is self-signed\. Add --insecure if you trust it\.\n$/;
    assert.match(refused.stderr, message);
    const fields = ["-H", "X-Who: Ada", "-H", "X-Who: Eve"];
    const options = "--insecure --wait 0.3 --protocol chat.v3 chat.v2".split(" ");
    const args = ["inspect", `${url}/who`, ...fields, ...options];
    const shown = lines((await portico(t, args)).stdout);
    assert.ok(shown.includes("← text 19 B Ada, Eve by chat.v2"), shown.join("\n"));
    assert.ok(shown.includes("← ping 13 B 61 72 65 20 79 6f 75 20 74 68 65 72 65"));
  });

  it("shows a hostile text as text, and ends with 1 when the connection is lost", async (t) => {
    const url = await target(t);
    const { code, stdout } = await portico(t, ["inspect", `${url}/hostile`], { input: "x\n" });
    assert.equal(code, 1);
    assert.ok(lines(stdout).includes("← text 8 B \\u{1b}[2J\\n\\u{202e}"), stdout);
    assert.equal(lines(stdout).at(-1), "the connection is lost");
  });

  it("ends with 1 for a close that is a complaint, and for an answer that opens nothing", async (t) => {
    const url = await target(t);
    const left = await portico(t, ["inspect", `${url}/leave/1011`], { input: "trouble\n" });
    assert.deepEqual([left.code, lines(left.stdout).at(-1)], [1, "← close 1011 trouble"]);
    const none = await portico(t, ["inspect", `${url}/none`]);
    const expected = [1, `portico: Cannot open ${url}/none: the server answered 404 instead of 101\n`];
    assert.deepEqual([none.code, none.stderr], expected);
  });

  it("closes when it is interrupted", async (t) => {
    const url = await target(t);
    const inspect = start(t, ["inspect", `${url}/echo`]);
    await inspect.printed(/connected/);
    const { code, stdout } = await inspect.stop("SIGINT");
    assert.equal(code, 130);
    assert.deepEqual(lines(stdout).slice(1), ["→ close 1000", "← close 1000"]);
  });
});
