import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../../src/protocol/http1/request-reader.ts";
import { Feeder, feedWhole, limitsWith } from "../support/feed.ts";
import { chunked, get, head } from "../support/http-case.ts";

const to = (path: string) => head(`GET ${path} HTTP/1.1`, "Host: a");

describe("the reader", () => {
  const give = (reader: RequestReader, text: string) => {
    const bytes = Buffer.from(text, "latin1");
    reader.receive(bytes, 0, bytes.length);
  };

  test("needs bytes before it got any, and again", () => {
    const reader = new RequestReader(limitsWith());
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.next(), NEED_BYTES);
    reader.release();
    assert.equal(reader.next(), NEED_BYTES);
    assert.equal(reader.error, null);
  });

  test("tells one request at a time", () => {
    const reader = new RequestReader(limitsWith());
    give(reader, to("/1") + to("/2"));
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.head!.path, "/1");
    assert.equal(reader.next(), END);
    assert.equal(reader.head!.path, "/1");
    assert.equal(reader.trailers, null);
    assert.equal(reader.next(), REQUEST);
    assert.equal(reader.head!.path, "/2");
    assert.equal(reader.next(), END);
    assert.equal(reader.next(), NEED_BYTES);
  });

  test("forgets the trailers with the next request", () => {
    const feeder = new Feeder(limitsWith());
    const bytes = Buffer.from(`${chunked("0\r\nX: 1\r\n\r\n")}${get()}`, "latin1");
    feeder.receive(bytes, 0, bytes.length);
    feeder.drain();
    assert.deepEqual(feeder.events.at(-1), { type: "end", trailers: null });
    assert.equal(feeder.reader.trailers, null);
  });

  test("stays failed whatever comes", () => {
    const reader = new RequestReader(limitsWith());
    give(reader, "\0");
    assert.equal(reader.next(), FAILED);
    const { error } = reader;
    for (let time = 0; time < 5; time++) {
      reader.release();
      give(reader, get());
      assert.equal(reader.next(), FAILED);
      assert.equal(reader.error, error);
    }
  });

  test("reads a pipelined flood in one buffer", () => {
    const count = 5000;
    assert.equal(feedWhole(Buffer.from(get().repeat(count)), limitsWith()).length, 2 * count);
  });
});
