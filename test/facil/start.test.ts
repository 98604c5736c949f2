import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { type HttpRequest, Server, start_http_server, websocket_upgrade } from "../../src/facil/index.ts";
import { certificate } from "../support/certificates.ts";
import { codeOf } from "../support/harness.ts";
import { temporaryFolder } from "../support/places.ts";
import { tcpClient, tlsClient } from "../support/raw-client.ts";
import { signal, sleep, within } from "../support/waiting.ts";
import { exchanged, opened } from "../support/ws-client.ts";
import { answer, echo, serve, serveOne } from "./helpers.ts";

describe('start_http_server(on_request, public folder (a string), udata or null, { port = "3000", address?, threads = 1, processes = 1, public_folder?, timeout?, on_init?, on_finish?, … })', () => {
  it("starts serving; resolves when the server has stopped", async (t) => {
    const { client, server, port, stopped } = await serveOne(t, (request) => answer(request, "here"));
    let resolved = false;
    void stopped.then(() => {
      resolved = true;
    });
    assert.equal((await client.get("/").answer()).text, "here");
    assert.equal(resolved, false);
    server.stop();
    assert.equal(await within(stopped, "the server to stop"), undefined);
    await assert.rejects(tcpClient(port), (error) => codeOf(error) === "ECONNREFUSED");
  });

  it("gives the server's udata to each request, or null", async (t) => {
    const udata = { own: true };
    const seen: unknown[] = [];
    const one = await serve(t, (request) => answer(request, String(seen.push(request.udata))), {}, udata);
    const two = await serve(t, (request) => answer(request, String(seen.push(request.udata))), {}, null);
    await (await one.connect()).get("/").answer();
    await (await two.connect()).get("/").answer();
    assert.equal(seen[0], udata);
    assert.equal(seen[1], null);
    assert.equal(one.server.udata, udata);
  });

  it("a string in the place of udata is the public folder, and two folders are an error", async (t) => {
    const files = temporaryFolder(t, { "page.txt": "from the folder" });
    const on_request = (request: HttpRequest): void => answer(request, String(request.udata));
    const { client, server } = await serveOne(t, on_request, {}, files);
    assert.equal((await client.get("/page.txt").answer()).text, "from the folder");
    assert.equal((await client.get("/other").answer()).text, "null");
    assert.equal(Server.settings(server).public_folder, files);
    await assert.rejects(
      start_http_server(() => {}, files, { public_folder: files }),
      { name: "TypeError", message: /public folder is set twice/ },
    );
  });

  it('takes the port as text or as a number, "0" being any free one', async (t) => {
    const first = await serve(t, (request) => answer(request, "text"), { port: "0" });
    assert.ok(first.port > 0 && first.port < 65_536);
    first.server.stop();
    await within(first.stopped, "the first to stop");
    const again = await serve(t, (request) => answer(request, "same"), { port: String(first.port) });
    assert.equal(again.port, first.port);
    assert.equal((await (await again.connect()).get("/").answer()).text, "same");
    const numeric = await serve(t, (request) => answer(request, "number"), { port: 0 });
    assert.equal((await (await numeric.connect()).get("/").answer()).text, "number");
  });

  it("listens on port 3000 by default", async () => {
    const up = signal<number>();
    const stopped = start_http_server((request) => answer(request, "default"), null, {
      address: "127.0.0.1",
      signals: false,
      on_init(server) {
        up.give(server.port);
        server.stop();
      },
    });
    const port = stopped.then(
      () => up.promise,
      // Where something else has the port, the error tells that it was the one.
      (error: unknown) => {
        assert.equal(codeOf(error), "EADDRINUSE");
        return (error as { port?: number }).port;
      },
    );
    assert.equal(await within(port, "the port"), 3000);
  });

  it("listens at the address", async (t) => {
    const { server, connect } = await serve(t, (request) => answer(request, "at"), { address: "127.0.0.1" });
    assert.equal(server.address, "127.0.0.1");
    assert.equal((await (await connect()).get("/").answer()).text, "at");
  });

  it("rejects when the address cannot be bound or the port is none", async (t) => {
    const { port } = await serve(t, (request) => answer(request, ""));
    const start = async (taken: string): Promise<void> =>
      start_http_server(() => {}, null, { port: taken, address: "127.0.0.1", signals: false });
    await within(assert.rejects(start(String(port)), { code: "EADDRINUSE" }), "EADDRINUSE");
    for (const wrong of ["http", "70000", "-1"]) await within(assert.rejects(start(wrong)), wrong);
  });

  it("timeout is the seconds that a kept connection may be silent", async (t) => {
    const { client } = await serveOne(t, (request) => answer(request, "x"), { timeout: 1 });
    await client.get("/").answer();
    await sleep(400);
    assert.equal((await client.get("/").answer()).status, 200);
    const from = Date.now();
    await client.until(() => client.ended || client.closed, "the server to close", 5_000);
    const ms = Date.now() - from;
    assert.ok(ms > 500 && ms < 4_500, `closed after ${ms} ms`);
  });

  it("calls on_init before the first request and on_finish once at the end", async (t) => {
    const log: string[] = [];
    const { server, stopped, connect } = await serve(
      t,
      (request) => {
        log.push("request");
        answer(request, "");
      },
      {
        on_init: (given) => void log.push(`init ${given.port > 0}`),
        on_finish: (given) => void log.push(`finish ${given === server}`),
      },
    );
    await (await connect()).get("/").answer();
    server.stop();
    server.stop();
    await within(
      stopped.then(() => log.push("resolved")),
      "the server to stop",
    );
    await sleep(20);
    assert.deepEqual(log, ["init true", "request", "finish true", "resolved"]);
  });

  it("two servers may run side by side", async (t) => {
    const one = await serve(t, (request) => answer(request, "one"));
    const two = await serve(t, (request) => answer(request, "two"));
    one.server.stop();
    await within(one.stopped, "the first to stop");
    assert.equal((await (await two.connect()).get("/").answer()).text, "two");
  });

  it("serves over TLS", async (t) => {
    const { port } = await secure(t);
    const client = await tlsClient(port);
    t.after(() => client.destroy());
    assert.equal((await client.get("/").answer()).text, "private");
  });

  it("serves WebSockets over TLS", async (t) => {
    const { port } = await secure(t);
    const client = await opened(new WebSocket(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false }));
    assert.deepEqual(await exchanged(client, "hidden"), { data: "hidden", binary: false });
    client.terminate();
  });

  it("takes limits of the engine", async (t) => {
    let requests = 0;
    const { connect } = await serve(
      t,
      (request) => {
        requests++;
        answer(request, "");
      },
      { limits: { maxBodyBytes: 10 } },
    );
    assert.equal((await (await connect()).post("/", "a".repeat(11)).answer()).status, 413);
    assert.equal((await (await connect()).post("/", "a".repeat(10)).answer()).status, 200);
    assert.equal(requests, 1);
  });
});

function secure(t: TestContext): ReturnType<typeof serve> {
  return serve(
    t,
    (request) => {
      if (request.upgrade === undefined) return answer(request, "private");
      return websocket_upgrade({
        request,
        on_message: echo,
      });
    },
    { tls: certificate("localhost") },
  );
}
