import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Reply } from "../support/ask.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import { eventually, sleep, within } from "../support/waiting.ts";
import {
  addPort,
  answer,
  CLOSED,
  listeningRoom,
  type Options,
  pullRequest,
  type ResponseHandle,
  room,
  serves,
} from "./computer.ts";

describe("never closed", () => {
  const unclosed = async (
    t: TestContext,
    options: Options,
  ): Promise<{ response: ResponseHandle; reply: Promise<Reply> }> => {
    const { http, ask } = room(t, options);
    const reply = ask(addPort(http));
    const { response } = await pullRequest(http);
    return { response, reply };
  };

  it("after responseTimeout what was written is sent and the handle closed", async (t) => {
    const begin = performance.now();
    const { response, reply } = await unclosed(t, { responseTimeout: 0.3 });
    response.setStatusCode(202);
    response.setResponseHeader("X-Computer", "7");
    response.write("what was ");
    response.writeLine("written");
    const got = await reply;
    const took = performance.now() - begin;
    assert.ok(took > 250 && took < 2_500, `${took} ms`);
    const fields = { "x-computer": "7", "content-length": "17" };
    assertAnswer(got, { status: 202, text: "what was written\n", fields });
    assert.throws(() => response.write("late"), CLOSED);
    assert.throws(() => response.writeLine("late"), CLOSED);
  });

  it("nothing written is an empty response", async (t) => {
    const { reply } = await unclosed(t, { responseTimeout: 0.1 });
    assertAnswer(await reply, { status: 200, text: "", fields: { "content-length": "0" } });
  });

  it("a response that is closed in time is sent once", async (t) => {
    const { http, raw } = room(t, { responseTimeout: 0.1 });
    const client = (await raw(addPort(http))).get("/");
    answer((await pullRequest(http)).response, "in time");
    assert.equal((await client.answer()).text, "in time");
    await sleep(300);
    assert.equal(client.rest, "");
    await serves(http, "next", client.get("/next").answer());
  });

  it("each response has its own time", async (t) => {
    const { http, ask, port } = listeningRoom(t, { responseTimeout: 0.5 });
    let first: Reply | undefined;
    void ask(port, "/1").then((reply) => {
      first = reply;
    });
    (await pullRequest(http)).response.write("one");
    await sleep(250);
    const second = ask(port, "/2");
    const { response } = await pullRequest(http);
    response.write("t");
    await eventually(() => first !== undefined, "the first response");
    response.write("wo");
    assert.equal(first?.text, "one");
    assert.equal((await second).text, "two");
  });

  it("a request that no waiter wanted is answered, too", async (t) => {
    const { http, ask } = room(t, { responseTimeout: 0.1 });
    const other = within(http.pullEvent("other"), "another event");
    assertAnswer(await ask(addPort(http)), { status: 200, text: "" });
    http.queueEvent("other");
    await other;
  });

  it("a very long responseTimeout is not over at once", async (t) => {
    const { response, reply } = await unclosed(t, { responseTimeout: 1e10 });
    response.write("still ");
    await sleep(50);
    response.write("open");
    response.close();
    assert.equal((await reply).text, "still open");
  });

  it("the default is 15 s", async (t) => {
    const begin = performance.now();
    const { response, reply } = await unclosed(t, {});
    response.write("patience");
    assert.equal((await reply).text, "patience");
    const took = performance.now() - begin;
    assert.ok(took > 14_000 && took < 17_500, `${took} ms`);
  });

  it("waits without busy waiting", async (t) => {
    const { http, ask } = room(t, { responseTimeout: 0.6 });
    const reply = ask(addPort(http));
    const { response } = await pullRequest(http);
    response.write("quiet");
    const begin = process.cpuUsage();
    assert.equal((await reply).text, "quiet");
    const { user, system } = process.cpuUsage(begin);
    assert.ok(user + system < 250_000, `${user + system} µs of processor time`);
  });
});
