import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../../src/index.ts";
import { serveFiles } from "../../src/web/index.ts";
import { harness } from "../support/harness.ts";
import { temporaryFolder } from "../support/places.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";

/** A path with some of its characters escaped, in either case. */
function encodings(path: string): fc.Arbitrary<string> {
  const spellings = [...path].map((character) => {
    if (character === "/") return fc.constant("/");
    const triplet = `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    return fc.constantFrom(character, triplet, triplet.toUpperCase());
  });
  return fc.tuple(...spellings).map((parts) => parts.join(""));
}

describe("a guard and the router read the same path", () => {
  const guarded = (t: TestContext) => {
    const place = harness(t);
    const { server } = place;
    server.onRequest((exchange) => {
      if (exchange.path.startsWith("/admin")) exchange.status(401).end("guarded");
    });
    server.get("/admin/users", (exchange) => exchange.end("SECRET"));
    server.get("/admin/:id/x", (exchange) => exchange.end("SECRET"));
    server.websocket("/admin/ws", { open: (socket) => void socket.send("SECRET") });
    server.fetch((request) => new Response(`SECRET ${new URL(request.url).pathname}`), "/admin/app");
    server.fetch((request) => new Response(`open ${new URL(request.url).pathname}`));
    return place;
  };

  for (const path of ["/admin/users", "/admin/7/x", "/admin/app", "/admin/app/deep"]) {
    test(`in any encoding of ${path}`, async (t) => {
      const client = guarded(t).connect();
      await fc.assert(
        fc.asyncProperty(encodings(path), async (sent) => {
          const answer = await client.get(sent).answer();
          assert.deepEqual([answer.status, answer.text], [401, "guarded"]);
        }),
        { numRuns: 50 },
      );
    });
  }

  for (const path of ["/%61dmin/ws", "/admin/%77s"]) {
    test(`of WebSockets: ${path}`, async (t) => {
      assert.equal((await guarded(t).connect().send(handshake(path)).answer()).status, 401);
    });
  }

  for (const target of ["http://x/%61dmin/users", "HTTP://x:80/%61dmin/app"]) {
    test(`in the form for proxies: ${target}`, async (t) => {
      assert.equal((await guarded(t).connect().get(target).answer()).status, 401);
    });
  }

  test("what is not the guarded path reaches no guarded route", async (t) => {
    const client = guarded(t).connect();
    for (const path of ["//admin/users", "/Admin/users", "/x%2Fadmin/users", "/%2Fadmin/users"]) {
      assert.equal((await client.get(path).answer()).text, `open ${path}`);
    }
  });

  for (const path of ["/./admin/users", "/x/../admin/users", "/x/%2e%2E/admin/app", "/x/.%2e"]) {
    test(`${path} is answered with 400`, async (t) => {
      const { server, connect } = guarded(t);
      assert.equal((await connect().get(path).answer()).status, 400);
      assert.deepEqual({ ...server.counters.errors }, { HTTP_BAD_PATH: 1 });
    });
  }
});

test("of random paths: the guard, the handler, its parameters and a Request see one path", async (t) => {
  const { server, connect } = harness(t);
  let guard: string | undefined;
  server.onRequest((exchange) => {
    guard = `${exchange.path} ${exchange.route} ${JSON.stringify(exchange.params)}`;
  });
  const seen = (exchange: Exchange): void => {
    assert.equal(guard, `${exchange.path} ${exchange.route} ${JSON.stringify(exchange.params)}`);
    assert.equal(decodeURIComponent(exchange.path.slice(1)), Object.values(exchange.params).join("/"));
  };
  server.get("/:a", (exchange) => {
    seen(exchange as unknown as Exchange);
    exchange.end(exchange.path);
  });
  server.get("/:a/*", (exchange) => {
    seen(exchange as unknown as Exchange);
    exchange.end(exchange.path);
  });
  server.fetch((request) => new Response(new URL(request.url).pathname), "/fetch");
  const client = connect();
  const part = fc.constantFrom(
    "a",
    "B",
    "7",
    "%41",
    "%7e",
    "%2f",
    "%2F",
    "%c3%a9",
    "%25",
    "%20",
    "@",
    "%40",
    "/",
    "{",
    "|",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("x", "%66etch/"),
      fc.array(part, { maxLength: 8 }),
      async (start, parts) => {
        const target = `/${start}${parts.join("")}`;
        const answer = await client.get(target).answer();
        assert.equal(answer.status, 200);
        assert.equal(guard?.split(" ")[0], answer.text);
      },
    ),
    { numRuns: 200 },
  );
});

test("the route and its parameters are known to hooks, also of WebSockets and where there is no route", async (t) => {
  const { server, connect } = harness(t);
  const seen: unknown[] = [];
  server.onRequest((exchange) => {
    seen.push([exchange.route, { ...exchange.params }]);
  });
  server.get("/users/:id", (exchange) => exchange.end());
  server.websocket("/rooms/:room", {});
  const client = connect();
  await client.get("/users/%41%2Fb").answer();
  await client.get("/none").answer();
  await client.send("DELETE /users/1 HTTP/1.1\r\nHost: h\r\n\r\n").answer();
  await client.get("/users/%ff").answer();
  await open(client, "/rooms/r");
  assert.deepEqual(seen, [
    ["/users/:id", { id: "A/b" }],
    ["", {}],
    ["", {}],
    ["", {}],
    ["/rooms/:room", { room: "r" }],
  ]);
});

test("the target stays as it was sent", async (t) => {
  const { server, connect } = harness(t);
  server.get("/*", (exchange) => exchange.end(`${exchange.path} ${exchange.target}`));
  const client = connect();
  assert.equal((await client.get("/%41%2f?%41").answer()).text, "/A%2F /%41%2f?%41");
  assert.equal((await client.get("http://h/%41").answer()).text, "/A http://h/%41");
});

test("a target that comes octet by octet is read in the same way", async (t) => {
  const { server, connect } = harness(t);
  server.get("/admin", (exchange) => exchange.end(exchange.path));
  const client = connect();
  for (const octet of "GET /%61dmin HTTP/1.1\r\nHost: h\r\n\r\n") client.send(octet);
  assert.equal((await client.answer()).text, "/admin");
  assert.equal((await client.get("/admin").answer()).text, "/admin");
});

test("serveFiles decodes once", async (t) => {
  const { server, connect } = harness(t);
  const root = temporaryFolder(t, { "%41": "encoded name", A: "plain name" });
  server.get("/files/*", serveFiles(root));
  const client = connect();
  assert.equal((await client.get("/files/%41").answer()).text, "plain name");
  assert.equal((await client.get("/%66iles/%2541").answer()).text, "encoded name");
});
