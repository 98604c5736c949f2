import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHttp } from "../../src/craftos/index.ts";
import { WebSocketServer } from "../../src/evo/index.ts";
import { suiteBrowser } from "../support/browser.ts";
import { absent, chromium } from "../support/tools.ts";

/** Runs in the page: the subprotocol and the first message of a WebSocket that offers "chat". */
const connect = new Function(
  "url",
  `return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "chat");
    socket.onerror = () => reject(new Error("it does not open"));
    socket.onopen = () => socket.send("hello");
    socket.onmessage = ({ data }) => resolve([socket.protocol, data]);
  });`,
) as (url: string) => Promise<[protocol: string, message: string]>;

describe('new WebSocket(url, "chat") in a real browser', { skip: absent(chromium, "chromium") }, () => {
  const newPage = suiteBrowser();
  const open = async (port: number): Promise<[protocol: string, message: string]> =>
    (await newPage()).evaluate(connect, `ws://127.0.0.1:${port}/`);

  it("opens on portico/evo", async (t) => {
    const server = new WebSocketServer({ host: "127.0.0.1" });
    t.after(() => server.StopListening());
    server.SetEchoMode(true);
    assert.deepEqual(await open(server.StartListening(0)), ["chat", "hello"]);
  });

  it("opens on portico/craftos with the header Sec-WebSocket-Protocol", async (t) => {
    const http = createHttp({ host: "127.0.0.1" });
    t.after(() => http.close());
    const server = http.websocketServer(0, { "Sec-WebSocket-Protocol": "chat" });
    assert.ok(!Array.isArray(server));
    const opened = open(server.port);
    const client = await server.listen();
    const message = await client?.receive();
    client?.send(message?.[0] ?? "");
    assert.deepEqual(await opened, ["chat", "hello"]);
  });
});
