import assert from "node:assert/strict";
import { createServer as createSecureServer } from "node:https";
import { createServer as createNetServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { certificate } from "../support/certificates.ts";
import { freePort } from "../support/places.ts";
import { signal, sleep } from "../support/waiting.ts";
import { finished, newHttpClient, requested, serve, serveRaw } from "./http-recorder.ts";
import { listening } from "./peer.ts";
import { settle, tickOn, tickUntil } from "./recorder.ts";

// The HTTP client: what fails and what is given up.
describe("class Client", () => {
  it("a refused connection: onError with the system's number, in a tick", async (t) => {
    const port = await freePort();
    const { client, id } = requested(t, "GET", `http://127.0.0.1:${port}`);
    await settle();
    assert.equal(client.outcomes.size, 0);
    const { order, end } = await client.finish(id);
    assert.deepEqual([order, end], [["error"], "ECONNREFUSED"]);
    assert.equal(client.pending, 0);
  });

  it("a host that does not exist: onError in a tick", async (t) => {
    const { order } = await finished(t, "GET", "http://no-such-host.invalid/");
    assert.deepEqual(order, ["error"]);
  });

  it("a reset in the middle: what came, then onError, and no onComplete", async (t) => {
    const sockets: Socket[] = [];
    const url = await serveRaw(t, (socket) => {
      sockets.push(socket);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    });
    const { client, id } = requested(t, "GET", url);
    await tickUntil(client, () => client.body(id).length === 9, "the first part");
    sockets[0]?.resetAndDestroy();
    await settle();
    assert.equal(client.outcome(id).end, undefined, "not before a tick");
    const { order, end } = await client.finish(id);
    assert.deepEqual(order, ["response", "data", "error"]);
    assert.ok(end === "ECONNRESET" || end === "-1", end);
    assert.equal(client.pending, 0);
    await tickOn(client);
  });

  for (const [what, answer] of [
    ["a response that ends too early", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"],
    [
      "a chunked response that ends too early",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this",
    ],
  ] as const) {
    it(`${what}: what came, then onError`, async (t) => {
      const url = await serveRaw(t, (socket) => socket.end(answer));
      const client = newHttpClient(t);
      const id = client.request("GET", url);
      const { order } = await client.finish(id);
      assert.deepEqual(order, ["response", "data", "error"]);
      assert.equal(client.body(id).toString(), "only this");
    });
  }

  for (const [what, method, answer] of [
    [
      "a switch of protocols that nobody asked for",
      "GET",
      "101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade",
    ],
    ["a tunnel", "CONNECT", "200 OK"],
    ["only an interim response", "GET", "103 Early Hints"],
  ] as const) {
    it(`${what} ends in onError`, async (t) => {
      const url = await serveRaw(t, (socket) => socket.end(`HTTP/1.1 ${answer}\r\n\r\n`));
      const client = newHttpClient(t);
      const { end } = await client.finish(client.request(method, url));
      assert.notEqual(end, "complete");
      assert.equal(client.pending, 0);
      await settle();
      await tickOn(client);
    });
  }

  it("an answer that comes before the body was read, and a reset after it: one end", async (t) => {
    const url = await serveRaw(t, (socket) => {
      socket.write("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    const { client, id, order, status } = await finished(t, "POST", url, {}, Buffer.alloc(16 * 1_048_576));
    assert.deepEqual([order[0], status], ["response", 413]);
    assert.equal(client.body(id).toString(), "no");
    await sleep(50);
    await tickOn(client);
  });

  it("an error for which the system has no number: onError with -1", async (t) => {
    const url = await serveRaw(t, (socket) => socket.end("this is not HTTP\r\n\r\n"));
    const { order, end } = await finished(t, "GET", url);
    assert.deepEqual([order, end], [["error"], "-1"]);
  });

  it("https: a certificate that nobody has signed is an error", async (t) => {
    const server = createSecureServer(certificate("localhost"), (_, response) => response.end("secret"));
    server.on("tlsClientError", () => {});
    const port = await listening(t, server);
    const { order, end } = await finished(t, "GET", `https://localhost:${port}/`);
    assert.deepEqual([order, end], [["error"], "-1"]);
  });

  it("one that fails does not touch the others", async (t) => {
    const url = await serve(t, (request, response) => {
      if (request.url === "/bad") request.socket.resetAndDestroy();
      else setTimeout(() => response.end("fine"), 20);
    });
    const client = newHttpClient(t);
    const ids = ["/good", "/bad", "/good"].map((path) => client.request("GET", url + path));
    for (const id of ids) await client.finish(id);
    const ends = ids.map((id) => client.outcome(id).end);
    assert.deepEqual([ends[0], ends[1] === "complete", ends[2]], ["complete", false, "complete"]);
  });

  for (const [what, method, url, headers] of [
    ["an address that is none", "GET", "nonsense", {}],
    ["a scheme that is not HTTP", "GET", "ftp://127.0.0.1/", {}],
    ["a method that is none", "G T", "http://127.0.0.1:1/", {}],
    ["a header that is none", "GET", "http://127.0.0.1:1/", { "a b": "c" }],
  ] as const) {
    it(`${what}: onError with -1, in a tick`, async (t) => {
      const client = newHttpClient(t);
      const id = client.request(method, url, headers);
      await settle();
      assert.equal(client.outcomes.size, 0);
      const { order, end } = await client.finish(id);
      assert.deepEqual([order, end], [["error"], "-1"]);
      assert.equal(client.pending, 0);
    });
  }

  for (const [method, times] of Object.entries({ GET: 2, POST: 1 })) {
    it(`a kept connection that is gone when a ${method} uses it: the server sees it ${times === 1 ? "once" : "again"}`, async (t) => {
      const seen: string[] = [];
      const server = createNetServer((socket) => {
        let first = true;
        socket.on("data", () => {
          if (!first) {
            seen.push("gone");
            socket.resetAndDestroy();
            return;
          }
          first = false;
          seen.push("answered");
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
      });
      const url = `http://127.0.0.1:${await listening(t, server)}`;
      const client = newHttpClient(t);
      await client.finish(client.request("GET", url));
      await settle();
      const { end } = await client.finish(client.request(method, url));
      if (times === 1) assert.notEqual(end, "complete");
      else assert.equal(end, "complete");
      assert.deepEqual(seen, ["answered", "gone", "answered"].slice(0, times + 1));
    });
  }

  it("cancel before the answer: nothing is told, and the server sees the connection go", async (t) => {
    const arrived = signal();
    const gone = signal();
    const url = await serve(t, (_, response) => {
      response.on("close", () => gone.give());
      arrived.give();
    });
    const { client, id } = requested(t, "GET", url);
    await arrived.wait("the request");
    assert.equal(client.cancel(id), true);
    assert.equal(client.pending, 0);
    assert.equal(client.cancel(id), false, "it is not pending any more");
    await gone.wait("the connection to go");
    await settle();
    await tickOn(client);
    assert.equal(client.outcomes.size, 0);
  });

  it("cancel with an answer that has arrived and was not delivered: nothing is told", async (t) => {
    const answered = signal();
    const url = await serve(t, (_, response) => response.end("late", () => answered.give()));
    const { client, id } = requested(t, "GET", url);
    await answered.wait("the answer to be sent");
    await settle();
    assert.equal(client.cancel(id), true);
    await tickOn(client);
    assert.equal(client.outcomes.size, 0);
  });

  it("cancel from within onData: nothing more of that request, all of the others", async (t) => {
    const url = await serve(t, async (_, response) => {
      for (let i = 0; i < 10 && !response.destroyed; i++) {
        response.write("x".repeat(1_000));
        await sleep(1);
      }
      response.end();
    });
    const client = newHttpClient(t);
    const [first, second] = [client.request("GET", url), client.request("GET", url)];
    const told: string[] = [];
    client.reaction = (id, what) => {
      if (id === first) told.push(what);
      if (id === first && what === "data") assert.equal(client.cancel(id), true);
    };
    const { end } = await client.finish(second);
    await tickOn(client);
    assert.equal(end, "complete");
    assert.deepEqual(told, ["response", "data"]);
    assert.equal(client.pending, 0);
  });

  it("cancel: false for an id that is unknown or has ended", async (t) => {
    const url = await serve(t, (_, response) => response.end());
    const client = newHttpClient(t);
    assert.equal(client.cancel(12_345), false);
    const id = client.request("GET", url);
    await client.finish(id);
    assert.equal(client.cancel(id), false);
  });
});
