import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Http } from "../../src/craftos/index.ts";
import { takenPort } from "../support/places.ts";
import { signal, sleep, within } from "../support/waiting.ts";
import {
  addPort,
  answer,
  isFree,
  listeningRoom,
  portOf,
  pulled,
  Recorder,
  requestOf,
  room,
  servingRoom,
  TERMINATED,
  webSockets,
} from "./computer.ts";

/** After a listen nothing of it may be left. */
async function removed(http: Http, port: number): Promise<void> {
  assert.deepEqual(http.ports, []);
  assert.ok(await isFree(port), "the port is free afterwards");
}

describe("http.listen(port, callback)", () => {
  it("serves until the callback returns true, then removes the listener and returns", async (t) => {
    const urls: string[] = [];
    const { http, ask, port, listening } = await servingRoom(t, (request, response) => {
      urls.push(request.getURL());
      answer(response, `${request.getMethod()} ${urls.length}`);
      return request.getURL() === "/stop";
    });
    assert.equal((await ask(port, "/a")).text, "GET 1");
    assert.equal((await ask(port, "/b", { method: "POST", body: "x" })).text, "POST 2");
    assert.equal((await ask(port, "/stop")).text, "GET 3");
    assert.equal(await within(listening, "listen to return"), undefined);
    assert.deepEqual(urls, ["/a", "/b", "/stop"]);
    await removed(http, port);
  });

  it("every answer that is true in Lua ends it", async (t) => {
    for (const last of [1, 0, "", "stop", {}, Promise.resolve("stop")]) {
      const { http, ask } = room(t);
      const served = http.listen(0, (_, response) => {
        response.close();
        return last;
      });
      await ask(await portOf(http));
      await within(served, "listen to return");
    }
  });

  it("a promise of true ends it, too", async (t) => {
    const { http, ask, port, listening } = await servingRoom(t, async (request, response) => {
      await sleep(5);
      answer(response, "later");
      return request.getURL() === "/stop";
    });
    assert.equal((await ask(port, "/go-on")).text, "later");
    assert.equal((await ask(port, "/stop")).text, "later");
    await within(listening, "listen to return");
    await removed(http, port);
  });

  it("goes on when the callback returns nothing or false, or a promise of it", async (t) => {
    const results: unknown[] = [undefined, false, null, Promise.resolve(), Promise.resolve(false), true];
    const { ask, port, listening } = await servingRoom(t, (_, response) => {
      answer(response, "ok");
      return results.shift();
    });
    for (let i = 0; i < 6; i++) assert.equal((await ask(port)).status, 200);
    await within(listening, "listen to return");
    assert.deepEqual(results, []);
  });

  it("the last response arrives whole", async (t) => {
    const large = "x".repeat(5_000_000);
    const { ask, port, listening } = await servingRoom(t, (_, response) => {
      answer(response, large);
      return true;
    });
    assert.equal((await ask(port)).body.length, large.length);
    await within(listening, "listen to return");
  });

  it("a server_stop event ends it", async (t) => {
    const { http, ask, port, listening } = await servingRoom(t, (_, response) => answer(response, "ok"));
    assert.equal((await ask(port)).text, "ok");
    http.queueEvent("server_stop");
    assert.equal(await within(listening, "listen to return"), undefined);
    await removed(http, port);
  });

  it("a server_stop event ends it that comes while the callback is busy", async (t) => {
    const [busy, go] = [signal(), signal()];
    const { http, ask, port, listening } = await servingRoom(t, async (_, response) => {
      busy.give();
      await go.promise;
      answer(response, "in the end");
    });
    const reply = ask(port);
    await busy.wait("the callback");
    http.queueEvent("server_stop");
    go.give();
    await within(listening, "listen to return");
    assert.equal((await reply).text, "in the end");
    await removed(http, port);
  });

  const failures: [how: string, fail: (error: Error) => unknown][] = [
    [
      "an error that the callback throws",
      (error) => {
        throw error;
      },
    ],
    ["a promise that the callback rejects", (error) => sleep(5).then(() => Promise.reject(error))],
  ];
  for (const [how, fail] of failures) {
    it(`${how} stops the listener and rejects`, async (t) => {
      const error = new Error("of the callback");
      const { http, ask, port, listening } = await servingRoom(t, () => fail(error));
      const rejected = assert.rejects(within(listening, "listen to reject"), (thrown) => thrown === error);
      void ask(port);
      await rejected;
      await removed(http, port);
    });
  }

  it("terminate stops the listener and rejects with Terminated", async (t) => {
    const { http, port, listening } = await servingRoom(t, () => false);
    const rejected = assert.rejects(within(listening, "listen to reject"), TERMINATED);
    http.queueEvent("terminate");
    await rejected;
    await removed(http, port);
  });

  it("terminate that comes while the callback is busy rejects, too", async (t) => {
    const [busy, go] = [signal(), signal()];
    const { http, ask, port, listening } = await servingRoom(t, async () => {
      busy.give();
      await go.promise;
    });
    const rejected = assert.rejects(within(listening, "listen to reject"), TERMINATED);
    void ask(port);
    await busy.wait("the callback");
    http.queueEvent("terminate");
    go.give();
    await rejected;
    await removed(http, port);
  });

  it("a port error rejects: RangeError, or Could not open server: …", async (t) => {
    const { http } = room(t);
    const listen = (port: number): Promise<void> =>
      within(
        http.listen(port, () => true),
        "listen to reject",
      );
    await assert.rejects(listen(65_536), RangeError);
    const { port } = await takenPort(t);
    await assert.rejects(listen(port), { name: "Error", message: /^Could not open server: ./ });
    assert.deepEqual(http.ports, []);
  });

  it("can listen at the same port again", async (t) => {
    const { http, ask } = room(t);
    let port = 0;
    for (let i = 0; i < 3; i++) {
      const listening = http.listen(port, (_, response) => {
        answer(response, String(i));
        return true;
      });
      port = await portOf(http);
      assert.equal((await ask(port)).text, String(i));
      await within(listening, "listen to return");
    }
  });

  it("replaces a listener at its port, and removes it in the end", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    const listening = http.listen(port, (_, response) => {
      answer(response, "by listen");
      return true;
    });
    assert.equal((await ask(port)).text, "by listen");
    await within(listening, "listen to return");
    await removed(http, port);
  });

  it("sees all requests of its port, also those that come while its callback is busy", async (t) => {
    const { http, ask } = room(t);
    const recorder = new Recorder(http, "http_request");
    const [busy, go] = [signal(), signal()];
    const urls: string[] = [];
    const listening = http.listen(0, async (request, response) => {
      urls.push(request.getURL());
      busy.give();
      await go.promise;
      answer(response, request.getURL());
      return urls.length === 21;
    });
    const port = await portOf(http);
    const replies = [ask(port, "/first")];
    await busy.wait("the first request");
    for (let i = 0; i < 20; i++) replies.push(ask(port, `/${i}`));
    await recorder.until(21);
    assert.deepEqual(urls, ["/first"], "one at a time");
    go.give();
    await within(listening, "listen to return");
    for (const [i, reply] of replies.entries()) {
      assert.equal((await reply).text, i === 0 ? "/first" : `/${i - 1}`);
    }
    const arrived = recorder.seen.map((event) => requestOf(event).request.getURL());
    assert.deepEqual(urls, arrived, "in the order of arrival");
  });

  it("takes requests of its own port only", async (t) => {
    const { http, ask } = room(t);
    const other = addPort(http);
    const recorder = new Recorder(http);
    const listening = http.listen(0, (_, response) => {
      answer(response, "by listen");
      return true;
    });
    const port = http.ports.find((each) => each !== other)!;
    const left = ask(other, "/other");
    await recorder.until(1, "http_request");
    answer(requestOf(recorder.seen[0]!).response, "by the loop");
    assert.equal((await left).text, "by the loop");
    assert.equal((await ask(port)).text, "by listen");
    await within(listening, "listen to return");
    assert.deepEqual(http.ports, [other], "removes its own listener only");
  });

  it("two at once each serve their port; server_stop ends both", async (t) => {
    const { http, ask } = room(t);
    const first = http.listen(0, (_, response) => answer(response, "first"));
    const one = await portOf(http);
    const second = http.listen(0, (_, response) => answer(response, "second"));
    const two = http.ports.find((port) => port !== one)!;
    for (let i = 0; i < 3; i++) {
      assert.equal((await ask(one)).text, "first");
      assert.equal((await ask(two)).text, "second");
    }
    http.queueEvent("server_stop");
    await within(Promise.all([first, second]), "both to return");
    assert.deepEqual(http.ports, []);
  });

  it("events of other kinds are not lost to other waiters", async (t) => {
    const { http, ask } = room(t);
    const waiting = pulled(http, "timer");
    const recorder = new Recorder(http);
    const events = http.events();
    const server = webSockets(http);
    const client = server.listen(0.2);
    const listening = http.listen(0, (_, response) => answer(response, "ok"));
    const port = http.ports.find((each) => each !== server.port)!;
    http.queueEvent("key", 30);
    assert.equal((await ask(port)).text, "ok");
    http.queueEvent("timer", 7);
    assert.deepEqual([...(await waiting)], ["timer", 7]);
    assert.equal(await within(client, "the timeout"), null);
    http.queueEvent("server_stop");
    await within(listening, "listen to return");
    await recorder.until(4);
    const names = ["key", "http_request", "timer", "server_stop"];
    assert.deepEqual(recorder.names, names, "a loop of pullEvent beside it sees everything");
    for (const name of names) {
      const { value } = await within(events.next(), "the iterator");
      assert.equal(value?.[0], name, "an iterator beside it sees everything");
    }
  });

  it("events of other kinds do not end it and do not reach the callback", async (t) => {
    let calls = 0;
    const { http, ask, port, listening } = await servingRoom(t, (_, response) => {
      calls++;
      answer(response, "ok");
      return true;
    });
    for (let i = 0; i < 300; i++) http.queueEvent("noise", i);
    assert.equal((await ask(port)).text, "ok");
    await within(listening, "listen to return");
    assert.equal(calls, 1);
  });
});
