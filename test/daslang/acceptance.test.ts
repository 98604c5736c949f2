import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { NetworkServerHolder } from "../../src/daslang/index.ts";
import { Server } from "../../src/daslang/index.ts";
import type { RawClient } from "../support/raw-client.ts";
import { sleep, turns } from "../support/waiting.ts";
import { ACCEPTED, CLOSED } from "./journal.ts";
import { connectPeer } from "./peer.ts";
import { saved, serving, tickUntil } from "./recorder.ts";
import { type Script, ScriptFile } from "./script.ts";

/** The program around the script: a loop that updates it and reloads it. */
class Host {
  script: Script;
  readonly orphan: NetworkServerHolder = { current: null };
  private readonly file: ScriptFile;
  private readonly loop: NodeJS.Timeout;

  private constructor(file: ScriptFile, script: Script) {
    this.file = file;
    this.script = script;
    this.loop = setInterval(() => this.script.update(), 2);
  }

  static async start(t: TestContext, answer: string): Promise<Host> {
    const file = ScriptFile.create(t);
    const script = await file.load(answer);
    const host = new Host(file, script);
    script.start(host.orphan);
    t.after(() => host.stop());
    return host;
  }

  /** Loads the changed script; the client goes on meanwhile. */
  async reload(answer: string): Promise<void> {
    const old = this.script;
    old.stop(this.orphan);
    const next = await this.file.load(answer);
    await sleep(10);
    next.start(this.orphan);
    assert.equal(this.orphan.current, null);
    this.script = next;
    assert.deepEqual(old.outside, []);
  }

  private stop(): void {
    clearInterval(this.loop);
    this.script.stop(this.orphan);
    const last = new Server();
    last.restore(this.orphan);
    last.close();
    assert.deepEqual(this.script.outside, []);
  }
}

/** Types a character at a time, until told to stop. */
async function type(peer: RawClient, until: () => boolean): Promise<string> {
  let typed = "";
  for (let i = 0; !until(); i++) {
    const key = String.fromCharCode(97 + (i % 26));
    typed += key;
    await peer.send(key).sent();
    if (i % 3 === 0) await sleep(1);
    else await turns(1);
  }
  return typed;
}

const WELCOME = "welcome\r\n";

describe("acceptance", () => {
  it("a telnet server whose script is changed and reloaded while a client types: the client notices nothing", async (t) => {
    const host = await Host.start(t, "byte");
    const port = host.script.port();
    const peer = await connectPeer(t, port);
    await peer.until(() => peer.text === WELCOME, "the welcome");
    let over = false;
    const typing = type(peer, () => over);
    for (let i = 0; i < 5; i++) {
      await sleep(30);
      await host.reload(`/* version ${i} */ byte`);
    }
    await sleep(30);
    over = true;
    const typed = await typing;
    await peer.until(
      () => peer.text.length >= WELCOME.length + typed.length,
      "the echo of all that was typed",
    );
    assert.equal(peer.text, WELCOME + typed);
    assert.deepEqual([peer.ended, peer.closed, peer.error], [false, false, undefined]);
    assert.equal(host.script.port(), port);
    const others = host.script.log.filter((line) => line !== "data");
    assert.deepEqual(others, []);
  });

  it("the script that answers is the changed one", async (t) => {
    const host = await Host.start(t, "byte");
    const peer = await connectPeer(t, host.script.port());
    await peer.send("abc").sent();
    await peer.until(() => peer.text === `${WELCOME}abc`, "the first script's answer");
    await host.reload("byte.toUpperCase()");
    await peer.send("abc").sent();
    await peer.until(() => peer.text === `${WELCOME}abcABC`, "the second script's answer");
    await host.reload('"<" + byte + ">"');
    await peer.send("ab").sent();
    await peer.until(() => peer.text === `${WELCOME}abcABC<a><b>`, "the third script's answer");
  });

  it("the changed script hears of the client's end, and serves the next one", async (t) => {
    const host = await Host.start(t, "byte");
    const { port } = host.script;
    const first = await connectPeer(t, port());
    await first.until(() => first.text === WELCOME, "the welcome");
    const second = await connectPeer(t, port());
    const reload = host.reload("byte + byte");
    await second.send("xy").sent();
    await first.end().sent();
    await reload;
    await second.until(() => second.text === `${WELCOME}xxyy`, "the next client's answer");
    assert.deepEqual(host.script.log.slice(0, 4), [...CLOSED, ...ACCEPTED]);
  });
});

describe("save(orphan) / restore(orphan)", () => {
  it("the library itself may be another copy after the reload", async (t) => {
    const { server: old, peer } = await serving(t);
    const copy = new URL("../../src/daslang/index.ts?another=copy", import.meta.url).href;
    const library = (await import(copy)) as typeof import("../../src/daslang/index.ts");
    const next = new library.Server();
    t.after(() => next.close());
    const heard: string[] = [];
    next.onData = (buf) => void heard.push(buf.toString());
    const orphan = saved(old);
    await peer.send("hello").sent();
    next.restore(orphan);
    await tickUntil(next, () => heard.length > 0, "the data");
    assert.deepEqual(heard, ["hello"]);
    assert.equal(next.send("hi"), true);
    await peer.until(() => peer.text === "hi", "the answer");
  });

  it("listener, client and unread bytes survive a reload of the script", async (t) => {
    const file = ScriptFile.create(t);
    const orphan: NetworkServerHolder = { current: null };
    const old = await file.load("byte");
    old.start(orphan);
    t.after(() => {
      const last = new Server();
      last.restore(orphan);
      last.close();
    });
    const peer = await connectPeer(t, old.port());
    await peer.send("unread").sent();
    const waiting = await connectPeer(t, old.port());
    for (let i = 0; !old.connected() && i < 200; i++) {
      await sleep(2);
      if (i === 0) await peer.send(" bytes").sent();
      old.update();
    }
    assert.equal(old.connected(), true);
    old.stop(orphan);
    assert.equal(old.connected(), false);

    const next = await file.load("byte.toUpperCase()");
    assert.notEqual(next.start, old.start, "the module is another one");
    next.start(orphan);
    assert.equal(next.connected(), true);
    const loop = { tick: (): void => next.update() };
    await tickUntil(loop, () => peer.text.length >= 21, "the answer to what was unread");
    assert.equal(peer.text.toLowerCase(), `${WELCOME}unread bytes`);
    assert.equal(peer.closed, false);
    await peer.end().sent();
    await tickUntil(loop, () => waiting.text !== "", "the welcome of the next client");
    assert.equal(waiting.text, WELCOME);
    next.stop(orphan);
    assert.deepEqual([old.outside, next.outside], [[], []]);
  });
});
