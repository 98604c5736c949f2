// What a hostile reading found: peers and programs that do the unusual.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { HttpResponse, Websocket } from "../../src/facil/index.ts";
import { temporaryFolder } from "../support/places.ts";
import { eventually, signal, sleep } from "../support/waiting.ts";
import { answer, serve, servePair, setForTest } from "./helpers.ts";

describe("on_request(request)", () => {
  it("a file is removed although the peer goes as soon as its content is sent", async (t) => {
    const files = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("portico-"));
    const before = files().length;
    const { connect } = await serve(t, (request) => answer(request, "taken"), { max_body_in_memory: 10 });
    for (let i = 0; i < 20; i++) (await connect()).post("/", "x".repeat(100_000)).end();
    await sleep(100);
    await eventually(() => files().length <= before, "the files to go");
  });
});

describe("HttpResponse.create(request), .write_header and .write_header1/2 (C's argument orders), .set_cookie, .write_body, .write_body_move, .printf, .sendfile, .sendfile2, .status, .status_str, .content_length, .date, .last_modified, .reset, .close, .send, .destroy(response)", () => {
  it("what cannot be sent answers -1, and the response can still be sent", async (t) => {
    const root = temporaryFolder(t, { file: "0123456789" });
    const results: number[] = [];
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      const send = (offset: number, length?: number): number =>
        HttpResponse.sendfile(response, join(root, "file"), offset, length);
      results.push(send(1.5), send(0, 1.5), send(Number.NaN), send(Number.POSITIVE_INFINITY), send(-1));
      results.push(HttpResponse.set_cookie(response, { name: "a", value: "b", max_age: 1e21 }));
      results.push(send(8, Number.POSITIVE_INFINITY));
    });
    const reply = await (await connect()).get("/").answer();
    assert.deepEqual(results, [-1, -1, -1, -1, -1, -1, 0]);
    assert.equal(reply.text, "89");
    assert.equal(reply.header("set-cookie"), undefined);
  });
});

describe("Websocket.timeout", () => {
  it("a connection keeps what it began with, also for a peer that takes nothing", async (t) => {
    const gone = signal();
    setForTest(t, "timeout", 100);
    const { client, ws } = await servePair(t, { on_close: () => gone.give() });
    Websocket.timeout = 1;
    client.raw.pause();
    Websocket.write(ws, Buffer.alloc(8_000_000), 8_000_000, 0);
    const closed = await Promise.race([gone.promise.then(() => true), sleep(3_500, false)]);
    assert.equal(closed, false);
  });
});

describe("websocket_upgrade({ request, on_message, on_open?, on_shutdown?, on_close?, response?, udata? }), same as Websocket.upgrade(settings)", () => {
  it("settings of the compression that cannot be are the program's mistake, whoever connects", async (t) => {
    let thrown: unknown;
    const { connect } = await serve(t, (request) => {
      try {
        Websocket.upgrade({ request, on_message() {}, compression: { level: 42 } });
      } catch (error) {
        thrown = error;
        answer(request, "no");
      }
    });
    await (await connect()).get("/").answer();
    assert.ok(thrown instanceof RangeError);
  });
});
