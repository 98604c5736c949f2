import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { bindNow } from "../../src/node/bind.ts";
import { hasReusePort } from "../../src/node/reuse-port.ts";

function server(t: TestContext): Server {
  const made = createServer();
  t.after(() => made.close());
  return made;
}

function portOf(bound: Server): number {
  const address = bound.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("bindNow", () => {
  for (const host of [undefined, "127.0.0.1", "::1"]) {
    const target = { port: 0, ...(host === undefined ? {} : { host }) };
    it(`is bound when it returns: ${host ?? "all addresses"}`, (t) => {
      const bound = server(t);
      bindNow(bound, target);
      assert.equal(bound.listening, true);
      assert.ok(portOf(bound) > 0);
    });

    it(`throws the system's error, and no event is left over: ${host ?? "all addresses"}`, async (t) => {
      const bound = server(t);
      bindNow(bound, target);
      const second = server(t);
      const used = { ...target, port: portOf(bound) };
      assert.throws(() => bindNow(second, used), { code: "EADDRINUSE", syscall: "listen", errno: -98 });
      assert.equal(second.listening, false);
      await new Promise((resolve) => setImmediate(resolve));
      bound.close();
      await once(bound, "close");
      bindNow(second, used);
      assert.equal(portOf(second), used.port);
    });
  }

  it("leaves process.nextTick as it was", (t) => {
    const { nextTick } = process;
    bindNow(server(t), { port: 0, host: "127.0.0.1" });
    assert.throws(() => bindNow(server(t), { port: 0, host: "192.0.2.1" }), { code: "EADDRNOTAVAIL" });
    assert.equal(process.nextTick, nextTick);
  });

  it("refuses a host that must be looked up, and what is not a port", (t) => {
    assert.throws(() => bindNow(server(t), { port: 0, host: "localhost" }), TypeError);
    for (const port of [-1, 65_536, 1.5, Number.NaN]) {
      assert.throws(() => bindNow(server(t), { port }), RangeError);
      assert.throws(() => bindNow(server(t), { port, host: "127.0.0.1" }), RangeError);
    }
  });

  for (const host of [undefined, "127.0.0.1"]) {
    const target = { port: 0, ...(host === undefined ? {} : { host }) };
    const skip = hasReusePort() ? false : "this version of Node, or this system, cannot share ports";
    it(`shares a port where both ask for it: ${host ?? "all addresses"}`, { skip }, (t) => {
      const [first, second, third] = [server(t), server(t), server(t)];
      bindNow(first, { ...target, reusePort: true });
      const same = { ...target, port: portOf(first) };
      bindNow(second, { ...same, reusePort: true });
      assert.equal(portOf(second), same.port);
      assert.throws(() => bindNow(third, same), { code: "EADDRINUSE" });
    });
  }
});
