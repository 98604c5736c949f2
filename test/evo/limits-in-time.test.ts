import assert from "node:assert/strict";
import { after, before, describe, it, mock } from "node:test";
import { socketServer, webSocketServer } from "./harness.ts";

// Time stands still here but for `mock.timers.tick`, so nothing in these tests may wait for it to pass.
describe("limits (original's values, all options here)", () => {
  before(() => mock.timers.enable({ apis: ["setTimeout", "setInterval"] }));
  after(() => mock.timers.reset());

  it("idle timeout 120 s: no ping before it", { timeout: 10_000 }, async (t) => {
    const { web, socket } = await socketServer(t);
    mock.timers.tick(115_000);
    await web.received();
    socket.read();
    assert.deepEqual(socket.events, []);
    mock.timers.tick(10_000);
    assert.equal((await socket.next()).type, "ping");
  });

  it("send resets the idle timer", { timeout: 10_000 }, async (t) => {
    const { web, socket } = await socketServer(t);
    web.poll();
    const { id } = web.events.at(-1)!;
    for (let i = 0; i < 5; i++) {
      mock.timers.tick(80_000);
      web.server.SendTextMessageToClient("still here", id);
      assert.equal((await socket.next()).type, "message");
    }
    mock.timers.tick(125_000);
    assert.equal((await socket.next()).type, "ping");
  });

  it("no max lifetime: a client stays for days", { timeout: 10_000 }, async (t) => {
    const web = webSocketServer(t, { limits: { webSocketIdleTimeoutMs: 1e12 } });
    const socket = await web.socket();
    mock.timers.tick(3 * 24 * 3_600_000);
    socket.ping("after three days");
    assert.deepEqual(await socket.next(), { type: "pong", text: "after three days" });
    assert.equal(web.server.GetNumConnectedClients(), 1);
  });
});
