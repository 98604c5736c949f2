// What an AsyncLocalStorage holds where a callback is given, it holds where the callback is called.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, type TestContext, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { currentContext } from "../../src/node/async-context.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import type { Handler } from "../../src/server/target.ts";
import { throwing } from "../support/failing.ts";
import { type Harness, harness, keepPolling } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

const storage = new AsyncLocalStorage<string>();
const current = (): string => storage.getStore() ?? "nothing";

/** A server whose handlers run in a context that tells the path; `seen` has what callbacks have seen. */
function place(t: TestContext, options: ServerOptions = {}): Harness & { readonly seen: string[] } {
  const seen: string[] = [];
  const onError = (error: unknown): void => {
    seen.push(`${String(error)} ${current()}`);
  };
  return { ...harness(t, { onError, ...options }), seen };
}

function within(handler: Handler): Handler {
  return (exchange) => storage.run(exchange.path, () => handler(exchange));
}

describe("the context of a handler reaches", () => {
  for (const transport of ["connect", "connectTcp"] as const) {
    test(`onBody, over ${transport === "connect" ? "memory" : "TCP"}`, async (t) => {
      const { server, seen, ...setup } = place(t);
      const handler = within((exchange) => {
        exchange.onBody((chunk, last) => {
          seen.push(`${chunk} ${current()}`);
          if (last) exchange.end();
        });
      });
      server.post("/a", handler).post("/b", handler);
      const client = await setup[transport]();
      for (const path of ["/a", "/b"]) {
        client.send(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1`);
        await eventually(() => seen.length % 2 === 1, "the first piece");
        client.send("2");
        await client.answer();
      }
      assert.deepEqual(seen, ["1 /a", "2 /a", "1 /b", "2 /b"]);
    });
  }

  test("onError, from a callback", async (t) => {
    const { server, connect, seen } = place(t);
    server.post(
      "/a",
      within((exchange) => exchange.onBody(throwing(new Error("mine")))),
    );
    await connect().post("/a", "x").answer();
    assert.equal(seen[0], "Error: mine /a");
  });

  test("onAbort", async (t) => {
    const { server, connect, seen } = place(t);
    const begun = signal();
    const handler = within((exchange) => {
      exchange.onAbort(() => seen.push(current()));
      begun.give();
    });
    server.get("/a", handler);
    const client = connect().get("/a");
    await begun.wait("the request");
    client.destroy();
    await eventually(() => seen.length > 0, "the abort");
    assert.deepEqual(seen, ["/a"]);
  });

  test("onWritable", async (t) => {
    const { server, connectTcp, seen } = place(t, { limits: { writeHighWaterBytes: 1_000 } });
    const handler = within((exchange) => {
      exchange.onWritable(() => {
        seen.push(current());
        exchange.end();
      });
      while (exchange.write("x".repeat(100_000)));
    });
    server.get("/a", handler);
    await (await connectTcp()).get("/a").answer();
    assert.deepEqual(seen, ["/a"]);
  });
});

describe("the context of an upgrade reaches the handlers of the WebSocket", () => {
  const handlers = (seen: string[]) => ({
    open: () => void seen.push(`open ${current()}`),
    message: (_socket: unknown, data: Buffer) => {
      seen.push(`${data} ${current()}`);
      if (data.toString() === "throw") throw new Error("mine");
    },
    ping: () => void seen.push(`ping ${current()}`),
    close: () => void seen.push(`close ${current()}`),
  });

  async function talk(setup: Harness & { readonly seen: string[] }, path: string): Promise<void> {
    const client = await open(await setup.connectTcp(), path);
    client.send("1");
    await eventually(() => setup.seen.includes(`1 ${path}`), "the message");
    client.send("throw");
    await client.closeFrame();
    await eventually(() => setup.seen.includes(`close ${path}`), "the close");
    assert.deepEqual(setup.seen.splice(0), [
      `open ${path}`,
      `1 ${path}`,
      `throw ${path}`,
      `Error: mine ${path}`,
      `close ${path}`,
    ]);
  }

  test("exchange.upgrade", async (t) => {
    const setup = place(t);
    const handler = within((exchange) => exchange.upgrade(handlers(setup.seen)));
    setup.server.get("/a", handler).get("/b", handler);
    await talk(setup, "/a");
    await talk(setup, "/b");
  });

  for (const isAsync of [false, true]) {
    test(`server.websocket, what ${isAsync ? "an async" : "a"} \`upgrade\` enters`, async (t) => {
      const setup = place(t);
      const enter = (exchange: Exchange): undefined => storage.enterWith(exchange.path) as undefined;
      const upgrade = isAsync
        ? async (exchange: Exchange) => {
            enter(exchange);
            await turns();
            return undefined;
          }
        : enter;
      for (const path of ["/a", "/b"]) setup.server.websocket(path, { upgrade, ...handlers(setup.seen) });
      await talk(setup, "/a");
      await talk(setup, "/b");
    });
  }

  test("server.websocket, what a hook enters", async (t) => {
    const setup = place(t);
    setup.server.onRequest((exchange) => storage.enterWith(exchange.path));
    setup.server.websocket("/a", handlers(setup.seen));
    await talk(setup, "/a");
  });

  test("with deferred delivery, too", async (t) => {
    const setup = place(t, { delivery: "deferred" });
    const { server } = setup;
    const handler = within((exchange) => exchange.upgrade(handlers(setup.seen)));
    server.get("/a", handler);
    keepPolling(t, server, "deferred");
    await talk(setup, "/a");
  });

  test("connect", async (t) => {
    const { server, seen } = place(t);
    server.websocket("/", { message: (socket, data) => void socket.send(data) });
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const done = signal();
    await storage.run("mine", () =>
      connect(url, {
        open: (socket) => void socket.send("x"),
        message(socket) {
          seen.push(current());
          socket.close();
        },
        close() {
          seen.push(current());
          done.give();
        },
      }),
    );
    await done.wait("the close");
    assert.deepEqual(seen, ["mine", "mine"]);
  });
});

test("where no AsyncLocalStorage holds anything there is no context", () => {
  assert.equal(storage.exit(currentContext), undefined);
  assert.notEqual(storage.run("a", currentContext), undefined);
});
