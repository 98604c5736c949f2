import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineHandlers } from "../../src/cli/handler-module.ts";

describe("defineHandlers", () => {
  it("knows the parameters of paths and the data of WebSockets, and changes nothing", () => {
    const given = {
      routes: { "/a/:b": (): string => "any" },
    };
    assert.equal(defineHandlers(given), given);
    // Only the types are looked at.
    defineHandlers({
      routes: {
        "/hello/:name": (exchange) => exchange.end(exchange.params.name),
        // @ts-expect-error: the path has no such parameter
        "/bye/:name": { GET: (exchange) => exchange.end(exchange.params.other) },
      },
      websockets: {
        "/who": {
          upgrade: () => ({ who: "Ada" }),
          message: (socket, data) => socket.send(socket.data.who + data.toString()),
          compression: true,
        },
        "/echo": { message: (socket, data, binary) => socket.send(data, { binary }) },
        "/loop": async (socket) => {
          for await (const { data, binary } of socket.messages()) socket.send(data, { binary });
          // @ts-expect-error: there is no such thing
          socket.nothing();
        },
      },
    });
  });
});
