import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { connect } from "../../src/client/client.ts";
import { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";
import { listenOn } from "../support/places.ts";
import { signal } from "../support/waiting.ts";

describe("the signal of connect()", () => {
  it("gives up a handshake that is not answered", async (t) => {
    const silent = createServer();
    const port = await listenOn(t, silent);
    const controller = new AbortController();
    const accepted = once(silent, "connection");
    const attempt = connect(`ws://127.0.0.1:${port}/`, {}, { signal: controller.signal });
    const [socket] = await accepted;
    await once(socket, "data");
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    socket.on("error", () => {});
    await once(socket, "close");
  });

  it("does not connect when it is aborted already", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await assert.rejects(connect("ws://127.0.0.1:1/", {}, { signal }), /too late/);
  });

  it("changes nothing once the WebSocket is open", async () => {
    await using server = new Server();
    server.websocket("/", { message: (socket, data) => socket.send(data.toString()) });
    const { url } = await server.listen({ host: "127.0.0.1" });
    const controller = new AbortController();
    const got = signal<string>();
    const handlers = { message: (_socket: unknown, data: Buffer) => got.give(data.toString()) };
    const socket = await connect(url, handlers, { signal: controller.signal });
    controller.abort();
    assert.equal(socket.send("still here"), "sent");
    assert.equal(await got.wait("the message"), "still here");
    socket.terminate();
  });

  it("keeps no listener on the signal, however the attempt ends", async (t) => {
    await using server = new Server();
    server.websocket("/", {});
    server.websocket("/closes", { upgrade: (exchange) => exchange.abort() });
    const plain = await server.listen({ host: "127.0.0.1" });
    const secure = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
    const closed = createServer();
    const unused = await listenOn(t, closed);
    await once(closed.close(), "close");
    const silent = createServer();
    const silentPort = await listenOn(t, silent);

    const controller = new AbortController();
    const attempts: [url: string, outcome: RegExp | "open"][] = [
      [plain.url, "open"],
      [`ws://127.0.0.1:${unused}/`, /ECONNREFUSED/],
      [secure.url, /self-signed|certificate/],
      [plain.url.replace("http", "https"), /SSL|EPROTO/],
      [`${plain.url}/none`, /404/],
      [`${plain.url}/closes`, /connection closed before/],
    ];
    for (const [url, outcome] of attempts) {
      const attempt = connect(url, {}, { signal: controller.signal });
      if (outcome === "open") (await attempt).terminate();
      else await assert.rejects(attempt, outcome);
      assert.deepEqual(getEventListeners(controller.signal, "abort"), [], url);
    }
    const accepted = once(silent, "connection");
    const attempt = connect(`wss://127.0.0.1:${silentPort}/`, {}, { signal: controller.signal });
    const [socket] = await accepted;
    socket.on("error", () => {});
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    assert.deepEqual(getEventListeners(controller.signal, "abort"), []);
    socket.destroy();
  });
});
