import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PorticoError } from "../../src/exchange/errors.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { readPath } from "../../src/protocol/http/request-path.ts";
import { ANY, type RouteParams, Router } from "../../src/server/router.ts";
import { Server } from "../../src/server/server.ts";
import { harness, nextAnswers } from "../support/harness.ts";

/** A router whose targets are "METHOD pattern". */
function routerOf(...routes: string[]): Router<string> {
  const router = new Router<string>();
  for (const route of routes) {
    const space = route.indexOf(" ");
    router.add(route.slice(0, space), route.slice(space + 1), route);
  }
  return router;
}

function request(method: string, path: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
}

function found(router: Router<string>, method: string, path: string): string | undefined {
  return router.match(method, readPath(path).path)?.route.target;
}

/** Asserts to which route a GET of each path leads. */
function leadsTo(router: Router<string>, routes: Readonly<Record<string, string | undefined>>): void {
  for (const [path, route] of Object.entries(routes)) assert.equal(found(router, "GET", path), route, path);
}

/** Asserts the values of the parameters of each path. */
function reads(router: Router<string>, values: Readonly<Record<string, readonly string[]>>): void {
  for (const [path, expected] of Object.entries(values)) {
    assert.deepEqual(router.match("GET", readPath(path).path)?.values, expected, path);
  }
}

describe("what is preferred to what", () => {
  test("a static segment to a parameter, and that to a wildcard", () => {
    const router = routerOf("GET /*", "GET /:a", "GET /a");
    leadsTo(router, { "/a": "GET /a", "/b": "GET /:a", "/b/c": "GET /*", "/": "GET /*" });
  });

  test("segment by segment from the left", () => {
    const router = routerOf("GET /:a/b/c", "GET /a/:b/:c", "GET /a/*");
    leadsTo(router, { "/a/b/c": "GET /a/:b/:c", "/x/b/c": "GET /:a/b/c", "/a/b": "GET /a/*" });
  });

  test("when a branch leads to nothing the next best is tried", () => {
    const router = routerOf("GET /a/b/c", "GET /a/:x/d", "GET /:x/b/e", "GET /*");
    leadsTo(router, { "/a/b/c": "GET /a/b/c", "/a/b/d": "GET /a/:x/d", "/a/b/e": "GET /:x/b/e" });
    leadsTo(router, { "/a/b/f": "GET /*" });
    reads(router, { "/a/b/d": ["b"], "/a/b/e": ["a"], "/a/b/f": ["a/b/f"] });
  });

  test("a route of the method to one for any where both are equally specific", () => {
    const router = routerOf("ANY /a", "GET /a", "ANY /p/:x", "GET /p/:x", "ANY /w/*", "GET /w/*");
    for (const path of ["/a", "/p/1", "/w/1/2"]) {
      assert.match(found(router, "GET", path) ?? "", /^GET /);
      assert.match(found(router, "POST", path) ?? "", /^ANY /);
    }
  });

  test("a more specific route for any to a less specific one of the method", () => {
    const router = routerOf("GET /:x", "ANY /a", "GET /*");
    leadsTo(router, { "/a": "ANY /a" });
  });

  test("a less specific route of the method where the more specific one has another", () => {
    const router = routerOf("POST /a", "PUT /:x", "GET /*");
    leadsTo(router, { "/a": "GET /*" });
    assert.equal(found(router, "PUT", "/a"), "PUT /:x");
  });
});

describe("what matches", () => {
  test("a parameter takes one segment that is not empty", () => {
    const router = routerOf("GET /a/:x", "GET /:x/:y/z");
    reads(router, { "/a/1": ["1"] });
    leadsTo(router, { "/a/": undefined, "/a/1/2": undefined, "//b/z": undefined });
  });

  test("a wildcard takes the rest, which may be empty, after its slash", () => {
    const router = routerOf("GET /a/*");
    reads(router, { "/a/": [""], "/a/b": ["b"], "/a/b//c/": ["b//c/"] });
    leadsTo(router, { "/a": undefined });
  });

  test("a slash at the end counts, dots mean nothing", () => {
    const router = routerOf("GET /a", "GET /b/", "GET /c/d/", "GET /f");
    leadsTo(router, { "/a/": undefined, "/b": undefined, "/b/": "GET /b/", "/c//d/": undefined });
    leadsTo(router, { "/c/d/": "GET /c/d/" });
  });

  test("the case of the path counts, and that of the method", () => {
    const router = routerOf("GET /a");
    leadsTo(router, { "/A": undefined });
    assert.equal(found(router, "get", "/a"), undefined);
  });
});

describe("percent-decoding", () => {
  test("a static segment is compared in its normal form, a parameter is decoded", () => {
    const router = routerOf("GET /a b/:x", "GET /café");
    reads(router, { "/a%20b/%C3%A9%2B": ["é+"] });
    leadsTo(router, { "/%63af%c3%a9": "GET /café", "/a%20b/c": "GET /a b/:x" });
  });

  test("an escape of a delimiter is another path (RFC 9110 §4.2.3)", () => {
    const router = routerOf("GET /@me", "GET /:x");
    leadsTo(router, { "/@me": "GET /@me", "/%40me": "GET /:x" });
    reads(router, { "/%40me": ["@me"] });
  });

  test("%2F never separates segments", () => {
    const router = routerOf("GET /a/:x", "GET /a/b/c", "GET /f/*");
    leadsTo(router, { "/a/b%2Fc": "GET /a/:x" });
    reads(router, { "/a/b%2fc": ["b/c"], "/f/b%2fc/d": ["b/c/d"] });
  });

  test("a plus sign is itself, and nothing is decoded twice", () => {
    const router = routerOf("GET /:x");
    reads(router, { "/a+b": ["a+b"], "/%2541": ["%41"] });
  });

  test("a pattern is read like a path, so that it can have what patterns mean otherwise", () => {
    const patterns = ["/caf%C3%A9", "/a%2541/:x", "/v1/items%3Abatch", "/f%2Fg", "/100%"];
    const router = routerOf(...patterns.map((pattern) => `GET ${pattern}`));
    leadsTo(router, { "/caf%c3%a9": "GET /caf%C3%A9" });
    reads(router, { "/a%2541/1": ["1"] });
    leadsTo(router, { "/aA/1": undefined, "/v1/items:batch": "GET /v1/items%3Abatch" });
    leadsTo(router, { "/v1/items%3abatch": undefined, "/f/g": undefined, "/f%2fg": "GET /f%2Fg" });
    leadsTo(router, { "/100%25": "GET /100%" });
  });

  test("a parameter and a wildcard cannot be reached through an encoded pattern", () => {
    const router = routerOf("GET /a/:x");
    reads(router, { "/a/%3Ax": [":x"], "/a/%2A": ["*"] });
  });

  test("broken encoding is answered 400 and the connection goes on", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/:x", (exchange) => void exchange.end(exchange.params.x));
    const client = connect().get("/%zz").get("/no/%ff/where").get("/ok");
    assert.deepEqual(await nextAnswers(client, "status", "status", "text"), [400, 400, "ok"]);
    assert.deepEqual(reports, []);
  });

  test("broken encoding is answered 400 where a pattern looks just like it", async (t) => {
    const { server, connect } = harness(t);
    server.get("/100%", (exchange) => void exchange.end("matched"));
    const client = connect().get("/100%").get("/100%25");
    assert.deepEqual(await nextAnswers(client, "status", "text"), [400, "matched"]);
  });
});

describe("what cannot be added", () => {
  function refuses(...routes: string[]): void {
    assert.throws(() => routerOf(...routes), { name: "PorticoError", code: "ERR_ROUTE" }, routes.join());
  }

  test("the same route twice for one method, whatever its parameters are called", () => {
    refuses("GET /a", "GET /a");
    refuses("GET /a/:x", "GET /a/:y");
    refuses("GET /*", "GET /*");
    refuses("ANY /a", "ANY /a");
    assert.doesNotThrow(() => routerOf("GET /a", "POST /a", "ANY /a", "GET /:a/b", "GET /:b/c"));
  });

  test("malformed patterns", () => {
    refuses("GET a");
    refuses("GET ");
    refuses("GET /*/a");
    refuses("GET /a/:");
    refuses("GET /:a/:a");
    refuses("GET /\ud800");
    const loose = new Router<string>();
    assert.throws(() => loose.add("GET", 1 as unknown as string, ""), PorticoError);
  });

  /** [pattern, what is said]. */
  const misleading: [pattern: string, hint: RegExp][] = [
    ["users", /must begin with "\/"/],
    ["*", /must begin with "\/"/],
    ["/users/:id?", /second route/],
    ["/users/:id(\\d+)", /check the value in the handler/],
    ["/users/:", /give the parameter a name/],
    ["/:a/b/:a", /own name/],
    ["/files/*rest", /whole last segment/],
    ["/a*", /whole last segment/],
    ["/*/a", /nothing follows/],
    ["/:path*", /several segments/],
    ["/:path+", /several segments/],
    ["/file.:ext", /whole segment/],
    ["/:a-:b", /whole segment/],
    ["/:name.json", /whole segment/],
    ["/items:batch", /%3A/],
    ["/a?x=1", /query/],
    ["/a?", /query/],
    ["/a#b", /query/],
    ["/a//b", /one "\/"/],
    ["//a", /one "\/"/],
    ["/users/{id}", /":name"/],
    ["/users/<id>", /":name"/],
    ["/users/[id]", /":name"/],
    ["/users{/:id}", /groups/],
    ["/(.*)", /whole last segment/],
    ["/a(b)", /groups/],
    ["/a\\b", /separated/],
    ["/a/../b", /clients resolve/],
    ["/./b", /clients resolve/],
    ["/%ff", /UTF-8/],
  ];
  for (const [pattern, hint] of misleading) {
    test(`${pattern} is refused with a hint`, async () => {
      await using server = new Server();
      for (const add of [
        () => server.get(pattern, () => {}),
        () => server.any(pattern, () => {}),
        () => server.websocket(pattern, {}),
      ]) {
        assert.throws(add, { name: "PorticoError", code: "ERR_ROUTE", message: hint });
      }
    });
  }

  test("a route that was refused leaves nothing behind", () => {
    const router = routerOf("GET /a");
    assert.throws(() => router.add("GET", "/b/:x/:x", "no"));
    assert.throws(() => router.add("GET", "/c/*/d", "no"));
    leadsTo(router, { "/b/1/2": undefined, "/c/1": undefined });
  });

  test("server.route refuses methods that are no tokens and handlers that are no functions", (t) => {
    const { server } = harness(t);
    const handler = (exchange: Exchange): void => void exchange.end();
    assert.throws(() => server.route("GE T", "/a", handler), PorticoError);
    assert.throws(() => server.route("", "/a", handler), PorticoError);
    assert.throws(() => server.get("/a", undefined as unknown as typeof handler), PorticoError);
    assert.throws(() => server.websocket("a", {}), PorticoError);
    server.websocket("/a", {});
    assert.throws(() => server.websocket("/a", {}), PorticoError);
  });
});

describe("what the server answers by itself", () => {
  test("404 where nothing matches", async (t) => {
    const { server, connect } = harness(t);
    server.get("/a", (exchange) => void exchange.end("a"));
    const client = connect().get("/b").get("/a/").get("/a");
    for (let i = 0; i < 2; i++) {
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.text], [404, "Not Found\n"]);
    }
    assert.equal((await client.answer()).text, "a");
  });

  test("405 with Allow where the path has other methods", async (t) => {
    const { server, connect } = harness(t);
    server
      .get("/a", (exchange) => void exchange.end())
      .put("/a", (exchange) => void exchange.end())
      .delete("/:x", (exchange) => void exchange.end());
    const client = connect().post("/a", "");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.text], [405, "Method Not Allowed\n"]);
    const allow = answer.header("allow")?.split(", ").sort();
    assert.deepEqual(allow, ["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]);
  });

  test("HEAD by the route for GET, with the same fields and without the content", async (t) => {
    const { server, connect } = harness(t);
    const methods: string[] = [];
    server.get("/a", (exchange) => {
      methods.push(exchange.method);
      exchange.setHeader("X-A", 1).end("12345");
    });
    const client = connect().send(request("HEAD", "/a")).get("/a");
    const head = await client.answer("HEAD");
    const get = await client.answer();
    assert.deepEqual(head.lines, get.lines);
    assert.equal(get.text, "12345");
    assert.deepEqual(methods, ["HEAD", "GET"]);
  });

  test("HEAD by a route of its own where there is one", async (t) => {
    const { server, connect } = harness(t);
    server.get("/a", (exchange) => void exchange.end("get"));
    server.head("/a", (exchange) => void exchange.setHeader("X-Own", "yes").end());
    const client = connect().send(request("HEAD", "/a"));
    assert.equal((await client.answer("HEAD")).header("x-own"), "yes");
  });

  test("OPTIONS with 204 and Allow", async (t) => {
    const { server, connect } = harness(t);
    server.get("/a", () => "").post("/a", () => "");
    server.options("/own", () => "own").any("/any", () => "any");
    const client = connect();
    for (const path of ["/a", "/own", "/any", "/none"]) client.send(request("OPTIONS", path));
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("content-length")], [204, undefined]);
    assert.deepEqual(answer.header("allow")?.split(", ").sort(), ["GET", "HEAD", "OPTIONS", "POST"]);
    assert.deepEqual(await nextAnswers(client, "text", "text", "status"), ["own", "any", 404]);
  });

  test("neither with autoHead and autoOptions off", async (t) => {
    const { server, connect } = harness(t, { autoHead: false, autoOptions: false });
    server.get("/a", (exchange) => void exchange.end());
    const client = connect().send(request("HEAD", "/a"));
    const head = await client.answer("HEAD");
    assert.deepEqual([head.status, head.header("allow")], [405, "GET"]);
    client.send("OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n");
    const options = await client.answer();
    assert.deepEqual([options.status, options.header("allow")], [405, "GET"]);
  });

  test("routes may be added while the server runs", async (t) => {
    const { server, connect } = harness(t);
    const client = connect().get("/late");
    assert.equal((await client.answer()).status, 404);
    server.get("/late", (exchange) => void exchange.end("here"));
    assert.equal((await client.get("/late").answer()).text, "here");
  });
});

test("parameters are typed from the route string", (t) => {
  const { server } = harness(t);
  type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  const checks: [
    Same<RouteParams<"/users/:id">, { id: string }>,
    Same<RouteParams<"/a/:b/c/:d/*">, { b: string; d: string; "*": string }>,
    Same<keyof RouteParams<"/plain">, never>,
    Same<RouteParams<string>, Record<string, string>>,
  ] = [true, true, true, true];
  server.get("/users/:id", (exchange) => {
    const id: string = exchange.params.id;
    // @ts-expect-error: the route has no such parameter
    const other: string = exchange.params.other;
    exchange.end(id + other);
  });
  assert.equal(checks.length, 4);
});

describe("against a naive matcher", () => {
  interface Naive {
    readonly method: string;
    readonly pattern: string;
  }

  const literal = fc.constantFrom("a", "b", "");
  const patternArbitrary = fc
    .tuple(fc.array(fc.oneof(literal, fc.constant(":")), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([segments, wild]) => {
      const named = segments.map((segment, index) => (segment === ":" ? `:p${index}` : segment));
      return `/${[...named, ...(wild ? ["*"] : [])].join("/")}`;
    });
  const routesArbitrary = fc.array(
    fc.record({ method: fc.constantFrom("GET", "POST", ANY), pattern: patternArbitrary }),
    { maxLength: 10 },
  );
  const pathArbitrary = fc
    .array(fc.constantFrom("a", "b", "", "%61", "%62", "c", "a%2Fb"), { minLength: 1, maxLength: 5 })
    .map((segments) => `/${segments.join("/")}`);

  /** Its rank, segment by segment and then by method: the smaller string is preferred. Null: no match. */
  function rankOf(route: Naive, method: string, path: string): { rank: string; values: string[] } | null {
    if (route.method !== ANY && route.method !== method) return null;
    const wanted = route.pattern.slice(1).split("/");
    const given = path.slice(1).split("/").map(decodeURIComponent);
    const values: string[] = [];
    let rank = "";
    for (const [index, segment] of wanted.entries()) {
      const value = given[index];
      if (value === undefined) return null;
      if (segment === "*") {
        values.push(given.slice(index).join("/"));
        return { rank: `${rank}2${route.method === ANY ? "B" : "A"}`, values };
      }
      if (segment.startsWith(":")) {
        if (value === "") return null;
        values.push(value);
        rank += "1";
      } else {
        if (value !== segment) return null;
        rank += "0";
      }
    }
    return given.length === wanted.length
      ? { rank: rank + (route.method === ANY ? "B" : "A"), values }
      : null;
  }

  test("the same route and the same values, and Allow names all methods of the path", () => {
    const check = (given: Naive[], path: string): void => {
      const router = new Router<Naive>();
      const routes = given.filter((route) => {
        try {
          router.add(route.method, route.pattern, route);
          return true;
        } catch {
          return false;
        }
      });
      for (const method of ["GET", "POST"]) {
        const ranked = routes
          .flatMap((route) => {
            const match = rankOf(route, method, path);
            return match === null ? [] : [{ route, ...match }];
          })
          .sort((x, y) => (x.rank < y.rank ? -1 : 1));
        const match = router.match(method, readPath(path).path);
        const [best] = ranked;
        assert.equal(match?.route.target, best?.route);
        assert.deepEqual(match?.values, best?.values);
      }
      const allowed = new Set<string>();
      if (router.match("", readPath(path).path, undefined, allowed) !== null) return;
      const expected = new Set(routes.filter((r) => rankOf(r, r.method, path) !== null).map((r) => r.method));
      assert.deepEqual(allowed, expected);
    };
    fc.assert(fc.property(routesArbitrary, pathArbitrary, check), { numRuns: 5_000 });
  });
});
