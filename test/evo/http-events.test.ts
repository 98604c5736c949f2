import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HttpServer } from "../../src/evo/index.ts";
import {
  httpClient,
  httpServer,
  LISTENING,
  nextFinished,
  type Recording,
  request,
  requested,
  respond,
  UUID,
} from "./harness.ts";

/** What the events of a request brought, joined. */
function content(web: Recording<HttpServer>, id: string): string {
  const carry = ["HTTP_DATA_RECEIVED", "HTTP_REQUEST_FINISHED"];
  const pieces = web.events.filter((event) => event.id === id && carry.includes(event.name));
  return Buffer.concat(pieces.map((event) => event.payload.message)).toString("latin1");
}

describe("HTTP_REQUEST_STARTED", () => {
  it("headers complete: it comes before the content, not before the end of the head", async (t) => {
    const { web, client } = await httpClient(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n");
    await web.quiet();
    assert.equal(web.names.includes("HTTP_REQUEST_STARTED"), false);
    client.send("\r\n");
    const started = await web.event("HTTP_REQUEST_STARTED");
    assert.equal(started.text, "");
    assert.match(started.id, UUID);
    assert.deepEqual(web.names, [LISTENING, "HTTP_REQUEST_STARTED"]);
  });

  it("the id is valid from here", async (t) => {
    const web = httpServer(t);
    const seen: unknown[] = [];
    web.server.HTTP_REQUEST_STARTED = (_, { clientID }) => {
      seen.push(web.server.HasRequestDetails(clientID), web.server.GetRequestURL(clientID));
    };
    await request(web, "/valid");
    assert.deepEqual(seen, [true, "/valid"]);
  });

  it("the response may be complete here; content that comes later is thrown away", async (t) => {
    const web = httpServer(t);
    web.server.HTTP_REQUEST_STARTED = (_, { clientID }) => void web.server.SendResponse(clientID, "early");
    const client = await web.client();
    client.send("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n");
    const { id } = await web.event("HTTP_REQUEST_STARTED");
    assert.equal((await client.answer()).text, "early");
    client.send("too late").get("/next");
    await web.event("HTTP_REQUEST_STARTED", 2);
    assert.equal((await client.answer()).text, "early");
    assert.equal(content(web, id), "");
    assert.equal(web.of(id).includes("HTTP_CONNECTION_ABORTED "), false);
  });
});

describe("HTTP_DATA_RECEIVED", () => {
  it("what was queued still comes after the response is complete, with an id that is gone", async (t) => {
    const { web, client } = await httpClient(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\none");
    await web.received();
    client.send("two");
    await web.received();
    const valid: boolean[] = [];
    const note = (_: string, { clientID }: { clientID: string }): void =>
      void valid.push(web.server.HasRequestDetails(clientID));
    web.server.HTTP_REQUEST_STARTED = (_, { clientID }) => void web.server.SendResponse(clientID, "early");
    web.server.HTTP_DATA_RECEIVED = note;
    web.server.HTTP_REQUEST_FINISHED = note;
    web.poll();
    const id = web.events[1]!.id;
    assert.deepEqual(web.of(id), [
      "HTTP_REQUEST_STARTED ",
      "HTTP_DATA_RECEIVED one",
      "HTTP_REQUEST_FINISHED two",
    ]);
    assert.deepEqual(valid, [false, false]);
    assert.equal((await client.answer()).text, "early");
  });

  it("one body chunk that is not the last; message = chunk", async (t) => {
    const { web, client } = await httpClient(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nab");
    assert.equal((await web.event("HTTP_DATA_RECEIVED")).text, "ab");
    client.send("cd");
    assert.equal((await web.event("HTTP_DATA_RECEIVED", 2)).text, "cd");
    client.send("ef");
    assert.equal((await web.event("HTTP_REQUEST_FINISHED")).text, "ef");
    assert.equal(web.named("HTTP_DATA_RECEIVED").length, 2);
  });

  it("chunks of a large content come in order, and nothing is missing", async (t) => {
    const { web, client } = await httpClient(t);
    const body = Array.from({ length: 200_000 }, (_, i) => `${i},`).join("");
    client.post("/", body);
    await web.until(() => web.names.includes("HTTP_REQUEST_FINISHED"), "the content", 5_000);
    assert.equal(content(web, web.events[1]!.id), body);
    assert.ok(web.names.includes("HTTP_DATA_RECEIVED"));
  });
});

describe("HTTP_REQUEST_FINISHED", () => {
  it("a request without a body gives STARTED then FINISHED with an empty message", async (t) => {
    const web = httpServer(t);
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const client = await web.client();
      client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
      const id = await nextFinished(web);
      assert.deepEqual(web.of(id), ["HTTP_REQUEST_STARTED ", "HTTP_REQUEST_FINISHED "]);
    }
  });

  for (const [name, content] of [
    ["so does one with Content-Length: 0", ""],
    ["the last chunk; message = that chunk", "the only chunk"],
  ] as const) {
    it(name, async (t) => {
      const web = httpServer(t);
      (await web.client()).post("/", content);
      const id = await nextFinished(web);
      assert.deepEqual(web.of(id), ["HTTP_REQUEST_STARTED ", `HTTP_REQUEST_FINISHED ${content}`]);
    });
  }

  it("the last chunk may be empty: a chunked content whose end comes later", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await web.event("HTTP_DATA_RECEIVED");
    client.send("0\r\n\r\n");
    const finished = await web.event("HTTP_REQUEST_FINISHED");
    assert.equal(finished.text, "");
    assert.equal(content(web, finished.id), "hello");
  });

  it("chunked content comes without its framing", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
    const id = await nextFinished(web);
    assert.equal(content(web, id), "abcdefg");
  });

  it("requests of one connection come one after the other, each with its own content", async (t) => {
    const web = httpServer(t);
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID }) => void web.server.SendResponse(clientID, clientID);
    const client = await web.client();
    client.post("/1", "one").post("/2", "two").get("/3");
    await web.event("HTTP_REQUEST_FINISHED", 3);
    const texts = web.named("HTTP_REQUEST_FINISHED");
    const contents = texts.map((event) => event.text);
    assert.deepEqual(contents, ["one", "two", ""]);
    for (const { id } of texts) assert.equal((await client.answer()).text, id);
  });
});

describe("HTTP_CONNECTION_ABORTED", () => {
  it("also where the response had begun", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "begun");
    await client.until(() => client.rest.includes("begun"), "the chunk");
    client.destroy();
    assert.equal((await web.event("HTTP_CONNECTION_ABORTED")).id, id);
    assert.equal(web.server.WriteResponse(id, "more"), 0);
  });

  it("not where the response was complete", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.SendResponse(id, "complete");
    await client.answer();
    client.destroy();
    await web.quiet();
    await web.quiet();
    assert.equal(web.names.includes("HTTP_CONNECTION_ABORTED"), false);
  });

  it("once for a connection, and only for the request under way", async (t) => {
    const { web, client } = await httpClient(t);
    client.get("/1").get("/2");
    const first = await nextFinished(web);
    client.destroy();
    await web.event("HTTP_CONNECTION_ABORTED");
    await web.quiet();
    const aborted = web.named("HTTP_CONNECTION_ABORTED");
    assert.equal(aborted.length, 1);
    assert.equal(aborted[0]!.id, first);
  });
});

describe("GetRequestDetails(id)", () => {
  it("url is the path as sent, whatever the route has read", async (t) => {
    const web = httpServer(t, {}, "/a/:id", "GET");
    (await web.client()).get("/%61/%7e%2f");
    const id = await nextFinished(web);
    assert.equal(web.server.GetRequestDetails(id)?.url, "/%61/%7e%2f");
    assert.equal(web.server.GetRequestURL(id), "/%61/%7e%2f");
    assert.equal(web.server.GetRequestEndpoint(id), "/a/:id");
  });

  it("{ method, url, query, endpoint, headers }", async (t) => {
    const web = httpServer(t, {}, "/users/:id", "PATCH");
    const client = await web.client();
    const fields = "Host: example.org\r\nX-Mixed-CASE: Value 1\r\nContent-Length: 0\r\n";
    client.send(`PATCH /users/12?a=1&b=%20 HTTP/1.1\r\n${fields}\r\n`);
    const id = await nextFinished(web);
    const { headers, ...others } = web.server.GetRequestDetails(id)!;
    const expected = { host: "example.org", "x-mixed-case": "Value 1", "content-length": "0" };
    assert.deepEqual({ ...headers }, expected);
    const [url, query, endpoint] = ["/users/12", "a=1&b=%20", "/users/:id"];
    assert.deepEqual(others, { method: "PATCH", url, query, endpoint });
  });

  it('query is without "?", "" when absent', async (t) => {
    const web = httpServer(t);
    for (const [target, url, query] of [
      ["/a", "/a", ""],
      ["/a?", "/a", ""],
      ["/a?b", "/a", "b"],
      ["/a?b?c", "/a", "b?c"],
      ["/a/?x=/y", "/a/", "x=/y"],
    ] as const) {
      const { client, id } = await request(web, target);
      const details = web.server.GetRequestDetails(id)!;
      assert.deepEqual([details.url, details.query], [url, query]);
      client.destroy();
    }
  });

  it("headers of strange names are only headers", async (t) => {
    const { web, id } = await requested(t, "/", "__proto__: x\r\nconstructor: y\r\n");
    const { headers } = web.server.GetRequestDetails(id)!;
    assert.equal(Object.hasOwn(headers, "__proto__"), true);
    assert.equal(headers["constructor"], "y");
    assert.equal(web.server.GetRequestHeader(id, "toString"), undefined);
    assert.equal(web.server.GetRequestHeader(id, "__proto__"), "x");
  });

  it("details that were taken stay after the id is gone", async (t) => {
    const { web, client, id } = await requested(t, "/kept?q", "X-Kept: yes\r\n");
    const details = web.server.GetRequestDetails(id)!;
    await respond(web, client, id);
    client.get("/other", "X-Kept: no\r\n");
    await nextFinished(web);
    assert.equal(details.url, "/kept");
    assert.equal(details.headers["x-kept"], "yes");
  });
});

describe("GetRequestMethod/URL/Query/Endpoint(id), GetRequestHeader(id, name), GetRequestHeaders(id)", () => {
  it("the single fields", async (t) => {
    const web = httpServer(t, {}, "/a/:b/*");
    const { server } = web;
    const { id } = await request(web, "/a/x/y/z?q=1");
    assert.equal(server.GetRequestMethod(id), "GET");
    assert.equal(server.GetRequestURL(id), "/a/x/y/z");
    assert.equal(server.GetRequestQuery(id), "q=1");
    assert.equal(server.GetRequestEndpoint(id), "/a/:b/*");
  });

  it('the query is "" when absent, not undefined', async (t) => {
    const { web, id } = await requested(t, "/a");
    assert.equal(web.server.GetRequestQuery(id), "");
  });

  it("header names are matched without regard to case", async (t) => {
    const { web, id } = await requested(t, "/", "X-SoMe-Name: value\r\n");
    for (const name of ["x-some-name", "X-SOME-NAME", "X-SoMe-Name"]) {
      assert.equal(web.server.GetRequestHeader(id, name), "value");
    }
    assert.equal(web.server.GetRequestHeader(id, "x-other"), undefined);
  });

  it('GetRequestHeaders gives one serialised "name: value\\r\\n" string', async (t) => {
    const { web, id } = await requested(t, "/", "X-One: 1\r\nX-Two:   2  \r\nX-Empty:\r\n");
    assert.equal(web.server.GetRequestHeaders(id), "host: h\r\nx-one: 1\r\nx-two: 2\r\nx-empty: \r\n");
  });
});

describe("HasRequestDetails(id)", () => {
  it("whether the id is (still) valid", async (t) => {
    const web = httpServer(t);
    const { server } = web;
    assert.equal(server.HasRequestDetails("unknown"), false);
    const { client, id } = await request(web);
    assert.equal(server.HasRequestDetails(id), true);
    server.WriteStatus(id, "200 OK");
    server.WriteHeader(id, "X-Name", "value");
    assert.equal(server.HasRequestDetails(id), true);
    server.WriteResponse(id, "still open");
    assert.equal(server.HasRequestDetails(id), true);
    server.SendResponse(id, "");
    assert.equal(server.HasRequestDetails(id), false);
    await client.answer();
  });

  it("the details can be asked for while the response is under way", async (t) => {
    const { web, id } = await requested(t, "/under/way");
    web.server.WriteResponse(id, "begun");
    assert.equal(web.server.GetRequestURL(id), "/under/way");
  });
});
