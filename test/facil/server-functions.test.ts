import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type HttpRequest,
  HttpResponse,
  Server,
  Websocket,
  websocket_upgrade,
} from "../../src/facil/index.ts";
import { eventually, signal, sleep } from "../support/waiting.ts";
import { answer, heldRequest, serve, serveOne } from "./helpers.ts";

const write = (request: HttpRequest, data: string | Uint8Array, length?: number): 0 | -1 =>
  Server.write(request.server, request.sockfd, data, length);

/** The head of an answer, whose date the test's client wants. */
const head = (bytes: number): string =>
  `HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: ${bytes}\r\n\r\n`;
const raw = (text: string): string => head(text.length) + text;

describe("Server.set_udata/get_udata/settings/run_every, raw Server.read/write", () => {
  it("Server.set_udata and get_udata keep data of the server (0) and of a connection", async (t) => {
    const { connect, server } = await serve(t, (request) => {
      const before = Server.set_udata(request.server, request.sockfd, request.path);
      answer(request, `${String(before)} ${String(Server.get_udata(request.server, request.sockfd))}`);
    });
    const [one, two] = [await connect(), await connect()];
    assert.equal((await one.get("/1").answer()).text, "undefined /1");
    assert.equal((await two.get("/2").answer()).text, "undefined /2");
    assert.equal((await one.get("/3").answer()).text, "/1 /3");
    assert.equal(Server.set_udata(server, 0, "all"), null);
    assert.equal(Server.get_udata(server, 0), "all");
    assert.equal(server.udata, "all");
  });

  it("Server.settings has what start_http_server got, and Server.run_every repeats a task until the server stops", async (t) => {
    const { server, stopped } = await serve(t, () => {}, { timeout: 7 });
    assert.equal(Server.settings(server).timeout, 7);
    const calls: string[] = [];
    const log = (name: string): void => void calls.push(name);
    assert.equal(Server.run_every(server, 1, 2, log, "twice"), 0);
    assert.equal(Server.run_every(server, 1, 0, log, "for ever"), 0);
    assert.equal(Server.run_every(server, -1, 0, log, "never"), -1);
    assert.equal(Server.run_every(server, 1, 0.5, log, "never"), -1);
    await eventually(() => calls.filter((name) => name === "for ever").length >= 5, "five calls");
    assert.equal(calls.filter((name) => name === "twice").length, 2);
    server.stop();
    await stopped;
    const { length } = calls;
    assert.equal(Server.run_every(server, 1, 0, log, "late"), -1);
    await sleep(20);
    assert.equal(calls.length, length);
  });

  it("Server.write sends bytes as they are, and the connection goes on with its next request", async (t) => {
    const { client } = await serveOne(t, (request) => {
      if (request.path === "/response") return answer(request, "with a response");
      return [write(request, head(10)), write(request, Buffer.from("0123456789abc"), 10)];
    });
    // Pipelined: each answer is whole before the next begins.
    client.get("/raw").get("/response").get("/raw");
    assert.equal((await client.answer()).text, "0123456789");
    assert.equal((await client.answer()).text, "with a response");
    assert.equal((await client.answer()).text, "0123456789");
    client.send("GET /raw HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert.equal((await client.answer()).text, "0123456789");
    await client.over();
  });

  it("Server.write can answer later, and answers -1 when that is too late", async (t) => {
    const { client, stopped, server, request } = await heldRequest(t);
    assert.equal(write(request, raw("late")), 0);
    const response = HttpResponse.create(request);
    assert.equal(HttpResponse.write_body(response, "twice"), -1);
    HttpResponse.destroy(response);
    assert.equal((await client.answer()).text, "late");
    assert.equal(write(request, raw("unasked")), 0);
    assert.equal((await client.answer()).text, "unasked");
    client.destroy();
    await eventually(() => write(request, "gone") === -1, "-1 after the end");
    assert.equal(Server.read(request.server, request.sockfd, Buffer.alloc(8)), -1);
    assert.equal(Server.write(server, {}, "no connection"), -1);
    server.stop();
    await stopped;
  });

  it("Server.read takes what follows the request, up to max_len, before it is read as a request", async (t) => {
    const seen: [number, string][] = [];
    const read = (request: HttpRequest, max_len?: number): void => {
      const buffer = Buffer.alloc(16);
      const count = Server.read(request.server, request.sockfd, buffer, max_len);
      seen.push([count, buffer.toString("latin1", 0, Math.max(0, count))]);
    };
    const held = signal<HttpRequest>();
    const { client } = await serveOne(t, (request) => {
      if (request.path === "/later") return held.give(request);
      read(request, 3);
      read(request);
      read(request);
      return write(request, raw("read"));
    });
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n\0\x01\xff not HTTP");
    assert.equal((await client.answer()).text, "read");
    assert.deepEqual(seen, [
      [3, "\0\x01\xff"],
      [9, " not HTTP"],
      [0, ""],
    ]);
    seen.length = 0;
    client.get("/later");
    const request = await held.wait("the request");
    read(request);
    client.send("more of it");
    await eventually(() => {
      read(request);
      return seen.at(-1)?.[0] !== 0;
    }, "the bytes");
    assert.deepEqual(seen.at(-1), [10, "more of it"]);
    write(request, raw("done"));
    assert.equal((await client.answer()).text, "done");
    assert.equal((await client.get("/").answer()).text, "read");
  });

  it("Server.read makes room: more than a head's limit can be read in pieces", async (t) => {
    const total = 1_000_000;
    const { client } = await serveOne(t, async (request) => {
      const buffer = Buffer.alloc(5_000);
      let count = 0;
      await eventually(() => {
        count += Server.read(request.server, request.sockfd, buffer);
        return count >= total;
      }, "all bytes");
      write(request, raw(String(count)));
    });
    client.get("/").send(Buffer.alloc(total, 0));
    assert.equal((await client.answer()).text, String(total));
  });

  it("neither works past a response that is being sent, or on a WebSocket; too much waiting is refused", async (t) => {
    const seen: number[] = [];
    const { client, open } = await serveOne(
      t,
      (request) => {
        if (request.upgrade) {
          websocket_upgrade({ request, on_message: (ws) => void Websocket.write(ws, "hello") });
          seen.push(write(request, "raw"), Server.read(request.server, request.sockfd, Buffer.alloc(1)));
        } else if (request.path === "/large") {
          seen.push(write(request, Buffer.alloc(20_000)), write(request, "x", -1));
          answer(request, "an answer");
        } else {
          const response = HttpResponse.create(request);
          HttpResponse.sendfile(response, import.meta.filename);
          seen.push(write(request, "raw"));
        }
      },
      { limits: { maxBackpressureBytes: 10_000, writeHighWaterBytes: 5_000 } },
    );
    assert.equal((await client.get("/large").answer()).text, "an answer");
    assert.match((await client.get("/file").answer()).text, /^import/);
    await open();
    assert.deepEqual(seen, [-1, -1, -1, -1, -1]);
  });

  it("the file with a large body is removed when Server.write has answered", async (t) => {
    const paths: string[] = [];
    const { client } = await serveOne(
      t,
      (request) => {
        write(request, raw("stored"));
        assert.ok(existsSync(String(request.body_file)));
        paths.push(String(request.body_file));
      },
      { max_body_in_memory: 10 },
    );
    assert.equal((await client.post("/", "a".repeat(100)).answer("POST")).text, "stored");
    await eventually(() => !existsSync(String(paths[0])), "the file to be removed");
  });

  it("a callback that throws after Server.write ends the connection, not the server", async (t) => {
    t.mock.method(console, "error", () => {});
    const { connect } = await serve(t, (request) => {
      write(request, `${head(10)}half`);
      if (request.path === "/bad") throw new Error("on purpose");
      write(request, "+other");
    });
    const bad = await connect();
    await bad.get("/bad").over();
    assert.equal((await (await connect()).get("/good").answer()).text, "half+other");
  });
});
