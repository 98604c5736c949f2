import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { HandlerModule } from "../../src/cli/handler-module.ts";
import { LiveHandlers } from "../../src/cli/live-handlers.ts";
import type { Server } from "../../src/index.ts";
import { type Harness, harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";

const fail = (): never => {
  throw new Error("on purpose");
};
const reject = async (): Promise<never> => fail();

const routes: NonNullable<HandlerModule["routes"]> = {
  "/": (exchange) => exchange.end("fine"),
  "/late": () => {},
};

/** The same hooks, on a server of the library and in a file that is run. */
const ways: [
  name: string,
  begin: (t: TestContext, setup: (server: Server) => unknown) => Promise<Harness>,
][] = [
  [
    "of the library",
    async (t, setup) => {
      const made = harness(t);
      setup(made.server);
      made.server.get("/", (exchange) => exchange.end("fine"));
      made.server.get("/late", () => {});
      return made;
    },
  ],
  [
    "of a file that is run",
    async (t, setup) => {
      const made = harness(t);
      await new LiveHandlers(made.server).take({ setup, routes });
      return made;
    },
  ],
];

for (const [name, begin] of ways) {
  describe(`hooks ${name}`, () => {
    it("a request hook that throws is answered with 500 and reported, and no other runs", async (t) => {
      let others = 0;
      const { connect, reports } = await begin(t, (server) => {
        server.onRequest(fail).onRequest(() => others++);
      });
      assert.equal((await connect().get("/").answer()).status, 500);
      assert.deepEqual([String(reports[0]?.error), reports.length, others], ["Error: on purpose", 1, 0]);
    });

    it("a request hook that rejects is reported, and answered with 500; no other hook and no route runs", async (t) => {
      const { connect, reports } = await begin(t, (server) => {
        server.onRequest(reject).onRequest(reject);
      });
      for (const path of ["/", "/late"]) assert.equal((await connect().get(path).answer()).status, 500);
      assert.equal(reports.length, 2);
    });

    it("a part that is asynchronous is refused: requests could pass before its hooks are there", async (t) => {
      await begin(t, (server) => {
        assert.throws(() => server.mount(async () => {}), { code: "ERR_ROUTE" });
      });
    });

    it("response hooks that throw or reject are reported, and the others run", async (t) => {
      let others = 0;
      const { connect, reports } = await begin(t, (server) => {
        server
          .onResponse(fail)
          .onResponse(reject)
          .onResponse(reject)
          .onResponse(() => others++);
      });
      assert.equal((await connect().get("/").answer()).status, 200);
      await eventually(() => reports.length === 3, "three reports");
      assert.equal(others, 1);
    });

    it("onFailure shapes what the server answers", async (t) => {
      const { connect } = await begin(t, (server) => {
        server.onFailure((_exchange, status) => `own ${status}`);
      });
      assert.equal((await connect().get("/missing").answer()).text, "own 404");
    });

    it("a request hook that answers is the last", async (t) => {
      let others = 0;
      const { connect } = await begin(t, (server) => {
        server.onRequest((exchange) => exchange.status(403).end("stopped")).onRequest(() => others++);
      });
      assert.equal((await connect().get("/").answer()).text, "stopped");
      assert.equal(others, 0);
    });
  });
}

describe("a file that is run", () => {
  it("adds hooks, routes and WebSockets to the server after setup, too, until the next loading", async (t) => {
    const { server, connect } = harness(t);
    const live = new LiveHandlers(server);
    const seen: string[] = [];
    let given: Server | undefined;
    const setup = (recorder: Server): void => {
      given = recorder;
    };
    await live.take({ setup, routes });
    given?.onRequest(() => seen.push("request")).onResponse(() => seen.push("response"));
    given?.get("/more", (exchange) => exchange.end("more"));
    assert.equal((await connect().get("/more").answer()).text, "more");
    assert.deepEqual(seen, ["request", "response"]);
    await live.take({ routes });
    given?.onRequest(() => seen.push("too late"));
    assert.equal((await connect().get("/more").answer()).status, 404);
    assert.deepEqual(seen, ["request", "response"]);
  });

  it("leaves the hooks of others alone", async (t) => {
    const { server, connect } = harness(t);
    const seen: string[] = [];
    const shared = (): unknown => seen.push("shared");
    server.onRequest(() => seen.push("others"));
    const live = new LiveHandlers(server);
    const module = { setup: (recorder: Server) => recorder.onRequest(shared), routes };
    for (let loading = 0; loading < 3; loading++) await live.take(module);
    await connect().get("/").answer();
    assert.deepEqual(seen, ["others", "shared"]);
  });

  it("leaves no failure hook when it is loaded again", async (t) => {
    const { server, connect } = harness(t);
    const live = new LiveHandlers(server);
    await live.take({ setup: (made) => void made.onFailure(() => "own"), routes });
    assert.equal((await connect().get("/missing").answer()).text, "own");
    await live.take({ routes });
    assert.equal((await connect().get("/missing").answer()).text, "Not Found\n");
  });

  it("has handlers that return their answer", async (t) => {
    const { server, connect } = harness(t);
    await new LiveHandlers(server).take({ routes: { "/json": { GET: () => ({ a: 1 }) } } });
    assert.equal((await connect().get("/json").answer()).text, '{"a":1}');
  });
});
