import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { HttpServer } from "../../src/evo/index.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import { listOf } from "../support/bytes.ts";
import { LISTENING, MANUAL, type Recording, recorded } from "./harness.ts";

type Method = NonNullable<Parameters<HttpServer["AddRoute"]>[1]>;

const METHODS = ["GET", "POST", "OPTIONS", "DELETE", "PATCH", "PUT", "HEAD", "ANY"] as const;

/** A server that answers with the endpoint that matched. */
function routed(t: TestContext, ...routes: [route: string, method?: Method][]): Recording<HttpServer> {
  const web = recorded(t, new HttpServer(MANUAL));
  const { server } = web;
  for (const [route, method] of routes) server.AddRoute(route, method);
  server.HTTP_REQUEST_FINISHED = (_, { clientID }) => {
    server.WriteHeader(clientID, "X-Endpoint", server.GetRequestEndpoint(clientID) ?? "none");
    server.SendResponse(clientID, "");
  };
  server.StartListening(0);
  return web;
}

/** The endpoint that answers, or the status where none does. */
async function endpoint(web: Recording<HttpServer>, path: string, method = "GET"): Promise<string> {
  const client = await web.client();
  client.send(`${method} ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`);
  await web.until(() => client.rest !== "", "the answer");
  const answer = await client.answer(method);
  client.destroy();
  return answer.header("x-endpoint") ?? String(answer.status);
}

describe('AddRoute(route, httpMethod = "ANY")', () => {
  it("methods GET POST OPTIONS DELETE PATCH PUT HEAD ANY", async (t) => {
    const web = routed(t, ...METHODS.map((method): [string, Method] => [`/${method}`, method]));
    for (const method of METHODS.slice(0, -1)) {
      assert.equal(await endpoint(web, `/${method}`, method), `/${method}`);
      assert.equal(await endpoint(web, "/ANY", method), "/ANY");
    }
  });

  it("without a method it is ANY", async (t) => {
    const web = routed(t, ["/all"]);
    for (const method of [...METHODS.slice(0, -1), "PROPFIND"]) {
      assert.equal(await endpoint(web, "/all", method), "/all");
    }
    assert.deepEqual(web.server.GetRegisteredRoutes("ANY"), ["/all"]);
  });

  it('any other method is an error "invalid method"', () => {
    const server = new HttpServer(MANUAL);
    for (const method of ["", "get", "TRACE", "CONNECT", "GET ", "constructor", "__proto__"]) {
      assert.throws(() => server.AddRoute("/x", method as Method), /invalid method/i, method);
    }
    for (const method of [null, 1, {}]) {
      assert.throws(() => server.AddRoute("/x", method as never), /invalid method/i);
    }
    for (const method of METHODS) assert.deepEqual(server.GetRegisteredRoutes(method), []);
  });

  it('the same route twice for one method is an error "already registered"', () => {
    const server = new HttpServer(MANUAL);
    for (const method of METHODS) {
      server.AddRoute("/x", method);
      assert.throws(() => server.AddRoute("/x", method), /already registered/i);
      assert.deepEqual(server.GetRegisteredRoutes(method), ["/x"]);
    }
    assert.throws(() => server.AddRoute("/x"), /already registered/i);
  });

  it("a non-string route is a type error", () => {
    const server = new HttpServer(MANUAL);
    for (const route of [undefined, null, 1, true, {}, ["/x"], /x/]) {
      assert.throws(() => server.AddRoute(route as never), TypeError);
    }
    assert.deepEqual(server.GetRegisteredRoutes("ANY"), []);
  });

  it("may be called after StartListening", async (t) => {
    const web = routed(t, ["/before"]);
    assert.equal(await endpoint(web, "/after"), "404");
    web.server.AddRoute("/after", "GET");
    assert.equal(await endpoint(web, "/after"), "/after");
    assert.equal(await endpoint(web, "/before"), "/before");
  });

  it("may be called in a handler", async (t) => {
    const web = routed(t, ["/before"]);
    web.server.HTTP_REQUEST_STARTED = () => {
      web.server.HTTP_REQUEST_STARTED = () => {};
      web.server.AddRoute("/new");
    };
    assert.equal(await endpoint(web, "/before"), "/before");
    assert.equal(await endpoint(web, "/new"), "/new");
  });
});

/** Routes, of any method unless they begin with one; and which of them answers a request, GET unless it says so. */
const PATTERNS: readonly [name: string, routes: string, answers: string][] = [
  [
    "static segments",
    "/¦/a¦/a/b",
    "/ → /¦/a → /a¦/a/b → /a/b¦/b → 404¦/a/c → 404¦/a/b/c → 404¦/aa → 404¦/A → 404",
  ],
  [
    ":name is a parameter for one segment",
    "/users/:id¦/users/:id/posts/:post",
    "/users/12 → /users/:id¦/users/12/posts/a-b.c → /users/:id/posts/:post¦/users/12/posts → 404¦/users → 404",
  ],
  [
    "a trailing * matches the rest",
    "/files/*",
    "/files/a → /files/*¦/files/a/b/c → /files/*¦/files/ → /files/*¦/other/a → 404",
  ],
  ["/* matches everything", "/*", "/ → /*¦/a → /*¦/a/b/c/d → /*¦/a/ → /*¦/?query → /*¦// → /*¦/a%20b → /*"],
  [
    "static over parameter over wildcard, in whatever order they were added",
    "/x/*¦/x/:name¦/x/static",
    "/x/static → /x/static¦/x/other → /x/:name¦/x/other/more → /x/*¦/x/static/more → /x/*",
  ],
  [
    "segment by segment: an earlier segment decides before a later one",
    "/:first/fixed¦/fixed/:second¦/*",
    "/fixed/fixed → /fixed/:second¦/other/fixed → /:first/fixed¦/other/other → /*",
  ],
  [
    "where the more specific one leads to nothing, the next best is taken",
    "/a/b/d¦/a/:x/c¦/a/*",
    "/a/b/d → /a/b/d¦/a/b/c → /a/:x/c¦/a/b/e → /a/*",
  ],
  [
    "a concrete method over ANY at equal specificity",
    "/:any¦GET /:get¦/files/*",
    "GET /x → /:get¦POST /x → /:any",
  ],
  [
    "specificity over method: a static ANY over a parameter of the method",
    "GET /:name¦/fixed¦GET /*",
    "GET /fixed → /fixed¦GET /other → /:name¦POST /other → 404",
  ],
  [
    "a route of another method does not hide a less specific one",
    "POST /fixed¦GET /:name¦/*",
    "GET /fixed → /:name¦POST /fixed → /fixed¦PUT /fixed → /*",
  ],
  ["the query takes no part", "/x", "/x?a=/b/c → /x"],
];

describe("patterns", () => {
  for (const [name, routes, answers] of PATTERNS) {
    it(name, async (t) => {
      const parsed = listOf(routes).map((route): [string, Method?] => {
        const [path = "", method] = route.split(" ").reverse();
        return method === undefined ? [path] : [path, method as Method];
      });
      for (const order of [parsed, parsed.toReversed()]) {
        const web = routed(t, ...order);
        for (const row of listOf(answers)) {
          const [request = "", expected] = row.split(" → ");
          const [path = "", method] = request.split(" ").reverse();
          assert.equal(await endpoint(web, path, method), expected, row);
        }
        web.server.StopListening();
      }
    });
  }

  it("the same path for a concrete method and for ANY: each gets its own", async (t) => {
    const web = routed(t, ["/same", "ANY"], ["/same", "GET"]);
    assert.equal(await endpoint(web, "/same", "GET"), "/same");
    assert.equal(await endpoint(web, "/same", "DELETE"), "/same");
    assert.deepEqual(web.server.GetRegisteredRoutes("GET"), ["/same"]);
    assert.deepEqual(web.server.GetRegisteredRoutes("ANY"), ["/same"]);
  });
});

describe("no route matches", () => {
  it("404 with an empty body, by the server itself, no event", async (t) => {
    const web = routed(t, ["/known"]);
    const client = await web.client();
    const answer = await client.get("/unknown").answer();
    assertAnswer(answer, { status: 404, reason: "Not Found", text: "", fields: { "content-length": "0" } });
    web.poll();
    assert.deepEqual(web.names, [LISTENING]);
  });

  it("without any route everything is 404", async (t) => {
    const web = routed(t);
    const client = await web.client();
    assert.equal((await client.get("/").answer()).status, 404);
    assert.equal((await client.post("/x", "content").answer()).status, 404);
    web.poll();
    assert.deepEqual(web.names, [LISTENING]);
  });

  it("404 for a known path, but not for this method", async (t) => {
    const web = routed(t, ["/known", "GET"]);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND"]) {
      const client = await web.client();
      client.send(`${method} /known HTTP/1.1\r\nHost: h\r\n\r\n`);
      const answer = await client.answer(method);
      assert.equal(answer.status, 404, method);
      assert.equal(answer.header("content-length"), "0", method);
    }
    web.poll();
    assert.deepEqual(web.names, [LISTENING]);
  });

  it("the connection stays for the next request", async (t) => {
    const web = routed(t, ["/known"]);
    const client = await web.client();
    client.get("/unknown").get("/known");
    assert.equal((await client.answer()).status, 404);
    await web.until(() => client.rest !== "", "the second answer");
    assert.equal((await client.answer()).header("x-endpoint"), "/known");
  });
});

describe("GetRegisteredRoutes(method)", () => {
  it("the routes of that method in the order they were added", () => {
    const server = new HttpServer(MANUAL);
    const routes = ["/z", "/a/*", "/", "/:x", "/a", "/b/:c/d"];
    for (const route of routes) server.AddRoute(route, "GET");
    for (const route of routes.toReversed()) server.AddRoute(route, "POST");
    server.AddRoute("/any");
    assert.deepEqual(server.GetRegisteredRoutes("GET"), routes);
    assert.deepEqual(server.GetRegisteredRoutes("POST"), routes.toReversed());
    assert.deepEqual(server.GetRegisteredRoutes("ANY"), ["/any"]);
    assert.deepEqual(server.GetRegisteredRoutes("PUT"), []);
  });
});
