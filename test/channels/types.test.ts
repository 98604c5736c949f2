import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "../../src/browser/index.ts";
import { Channels, channel, request, type TypesOf } from "../../src/channels/index.ts";
import { isObject } from "./schemas.ts";

const channels = new Channels({
  authenticate: "anonymous",
  channels: {
    "room:*": channel({
      authorize: "everyone",
      message: isObject<{ text: string }>("text"),
      publish: "subscribers",
    }),
    news: channel({ authorize: "everyone" }),
  },
  requests: {
    double: request({ input: isObject<{ n: number }>("n"), answer: ({ n }) => n * 2 }),
  },
});

type App = TypesOf<typeof channels>;

/** Compiled, and never called. */
export function typed(client: Client<App>): void {
  void channels.publish("room:1", { text: "x" });
  // @ts-expect-error: a message of another type
  void channels.publish("room:1", { text: 1 });
  // @ts-expect-error: there is no such channel
  void channels.publish("other", 1);
  const room = client.subscribe("room:1", { onMessage: ({ text }) => text.toUpperCase() });
  void room.publish({ text: "x" });
  // @ts-expect-error: a message of another type
  void room.publish("x");
  // @ts-expect-error: there is no such channel
  client.subscribe("other");
  // @ts-expect-error: what is not known has to be looked at first
  client.subscribe("news", { onMessage: (message) => message.text });
  void client.request("double", { n: 1 }).then((answer) => answer.toFixed());
  // @ts-expect-error: another question
  void client.request("double", { n: "1" });
  // @ts-expect-error: there is no such request
  void client.request("triple", { n: 1 });
}

describe("the types of channels", () => {
  it("reach the client", () => assert.equal(typeof typed, "function"));

  const wrong: readonly [name: string, options: object, error: RegExp][] = [
    ["an unknown option", { chanels: {} }, /Did you mean "channels"/],
    ["no authenticate", { authenticate: undefined }, /needs authenticate/],
    [
      "a star in the middle",
      { channels: { "a*b": { authorize: "everyone" } } },
      /can only be its last character/,
    ],
    ["a channel without authorize", { channels: { a: {} } }, /needs authorize/],
    [
      "an unknown option of a channel",
      { channels: { a: { authorize: "everyone", pressence: true } } },
      /Did you mean "presence"/,
    ],
    [
      "a history without an end",
      { channels: { a: { authorize: "everyone", history: { maxMessages: Infinity } } } },
      /1 to 10000/,
    ],
    ["a request without an answer", { requests: { a: {} } }, /needs answer/],
    ["an unknown limit", { limits: { maxPendig: 1 } }, /Did you mean "maxPending"/],
    ["a limit of zero", { limits: { maxPending: 0 } }, /cannot be 0. Use an integer from 1/],
    [
      "a limit that is not whole, which would limit nothing",
      { limits: { maxPending: 1.5 } },
      /cannot be 1.5/,
    ],
    ["a limit that no timer has", { limits: { requestTimeoutMs: Infinity } }, /cannot be Infinity/],
    ["a timeout that no timer has", { requests: { a: { answer() {}, timeoutMs: 2 ** 31 } } }, /2147483647/],
    [
      "an age that Redis refuses",
      { channels: { a: { authorize: "everyone", history: { maxMessages: 1, maxAgeMs: 1.5 } } } },
      /maxAgeMs of channel "a" cannot be 1.5/,
    ],
    ["one origin as text, whose beginnings would do", { origins: "https://a.example" }, /a list of origins/],
    ["an origin with a path, which no page has", { origins: ["https://a.example/"] }, /cannot have/],
    ["a codec without functions", { messagePack: {} }, /needs the functions encode and decode/],
    ["a message that is not a schema", { channels: { a: { authorize: "everyone", message: {} } } }, /schema/],
    ["an input that is not a schema", { requests: { a: { answer() {}, input: {} } } }, /schema/],
    ["an onError that is not a function", { onError: "log" }, /must be a function/],
  ];
  for (const [name, options, error] of wrong) {
    it(`refuse ${name} at run time`, () => {
      const given = { authenticate: "anonymous", channels: {}, ...options } as never;
      assert.throws(() => new Channels(given), error);
    });
  }
});
