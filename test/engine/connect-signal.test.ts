import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { connect } from "../../src/client/client.ts";
import { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";

describe("the signal of connect()", () => {
  it("gives up a handshake that is not answered", async (t) => {
    const silent = createServer();
    t.after(() => silent.close());
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const controller = new AbortController();
    const accepted = once(silent, "connection");
    const attempt = connect(`ws://127.0.0.1:${port}/`, {}, { signal: controller.signal });
    const [socket] = await accepted;
    await once(socket, "data");
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    await once(
      socket.on("error", () => {}),
      "close",
    );
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
    const { promise, resolve } = withResolvers<string>();
    const handlers = { message: (_socket: unknown, data: Buffer) => resolve(data.toString()) };
    const socket = await connect(url, handlers, { signal: controller.signal });
    controller.abort();
    assert.equal(socket.send("still here"), "sent");
    assert.equal(await promise, "still here");
    socket.terminate();
  });

  it("keeps no listener on the signal, however the attempt ends", async (t) => {
    await using server = new Server();
    server.websocket("/", {});
    server.websocket("/closes", { upgrade: (exchange) => exchange.abort() });
    const plain = await server.listen({ host: "127.0.0.1" });
    const secure = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
    const closed = createServer();
    await once(closed.listen(0, "127.0.0.1"), "listening");
    const { port: unused } = closed.address() as AddressInfo;
    await once(closed.close(), "close");
    const silent = createServer();
    t.after(() => silent.close());
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port: silentPort } = silent.address() as AddressInfo;

    const controller = new AbortController();
    const { signal } = controller;
    const attempts: [url: string, outcome: RegExp | "open"][] = [
      [plain.url, "open"],
      [`ws://127.0.0.1:${unused}/`, /ECONNREFUSED/],
      [secure.url, /self-signed|certificate/],
      [plain.url.replace("http", "https"), /SSL|EPROTO/],
      [`${plain.url}/none`, /404/],
      [`${plain.url}/closes`, /connection closed before/],
    ];
    for (const [url, outcome] of attempts) {
      const attempt = connect(url, {}, { signal });
      if (outcome === "open") (await attempt).terminate();
      else await assert.rejects(attempt, outcome);
      assert.deepEqual(getEventListeners(signal, "abort"), [], url);
    }
    const accepted = once(silent, "connection");
    const attempt = connect(`wss://127.0.0.1:${silentPort}/`, {}, { signal });
    const [socket] = await accepted;
    socket.on("error", () => {});
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    assert.deepEqual(getEventListeners(signal, "abort"), []);
    socket.destroy();
  });
});

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((give) => {
    resolve = give;
  });
  return { promise, resolve };
}
