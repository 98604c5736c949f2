import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { codeOf } from "../support/harness.ts";
import { takenPort } from "../support/places.ts";
import { tcpClient } from "../support/raw-client.ts";
import { LISTENING, MANUAL, type Recording, recorded, STOPPED } from "./harness.ts";

const run = promisify(execFile);
const KINDS = [
  ["HttpServer", (): HttpServer => new HttpServer(MANUAL)],
  ["WebSocketServer", (): WebSocketServer => new WebSocketServer(MANUAL)],
] as const;

/** The texts of all starts. */
function started(web: Recording<HttpServer | WebSocketServer>): string[] {
  return web.named("SERVER_STARTED_LISTENING").map((event) => event.text);
}

for (const [kind, make] of KINDS) {
  describe("StartListening(port = DEFAULT_PORT)", () => {
    it(`${kind}: event SERVER_STARTED_LISTENING, message = the port as a decimal string`, async (t) => {
      const { port, holder } = await takenPort(t);
      holder.close();
      await once(holder, "close");
      const web = recorded(t, make());
      assert.equal(web.server.StartListening(port), port);
      web.poll();
      assert.deepEqual(started(web), [String(port)]);
      assert.deepEqual(web.names, [LISTENING]);
      assert.equal(web.events[0]!.id, "SERVER");
    });

    it(`${kind}: port 0 = any free port, and the message gives the real one`, async (t) => {
      const web = recorded(t, make());
      const port = web.server.StartListening(0);
      assert.ok(port > 0 && port < 65_536);
      assert.equal(web.server.port, port);
      assert.equal(web.server.isListening, true);
      web.poll();
      assert.deepEqual(started(web), [String(port)]);
    });

    it(`${kind}: it is bound when the call returns`, async (t) => {
      const web = recorded(t, make());
      const client = await tcpClient(web.server.StartListening(0));
      client.destroy();
    });

    it(`${kind}: without a port it takes 9001`, (t) => {
      const web = recorded(t, make());
      try {
        assert.equal(web.server.StartListening(), 9001);
      } catch (error) {
        // Another program of this machine has it.
        assert.equal(codeOf(error), "EADDRINUSE");
        assert.match(String(error), /9001/);
      }
    });

    it(`${kind}: a failure to bind is reported as an error with the system's code`, async (t) => {
      const { port } = await takenPort(t);
      const web = recorded(t, make());
      assert.throws(() => web.server.StartListening(port), { name: "Error", code: "EADDRINUSE" });
      assert.equal(web.server.isListening, false);
      assert.equal(web.server.port, 0);
      web.poll();
      assert.deepEqual(started(web), []);
    });

    it(`${kind}: after a failure to bind another port can be tried`, async (t) => {
      const { port } = await takenPort(t);
      const web = recorded(t, make());
      assert.throws(() => web.server.StartListening(port));
      const second = web.server.StartListening(0);
      (await tcpClient(second)).destroy();
      web.poll();
      assert.deepEqual(started(web), [String(second)]);
    });

    it(`${kind}: an address that is not of this machine is reported, too`, (t) => {
      const Class = kind === "HttpServer" ? HttpServer : WebSocketServer;
      const web = recorded(t, new Class({ ...MANUAL, host: "192.0.2.1" }));
      assert.throws(() => web.server.StartListening(0), { name: "Error", code: "EADDRNOTAVAIL" });
      assert.equal(web.server.isListening, false);
    });

    it(`${kind}: a number that is no port is an error`, (t) => {
      const web = recorded(t, make());
      for (const port of [-1, 65_536, 1.5, Number.NaN, "http"]) {
        assert.throws(() => web.server.StartListening(port as number), Error, String(port));
        assert.equal(web.server.isListening, false);
      }
    });

    it(`${kind}: a second StartListening while listening is an error`, async (t) => {
      const web = recorded(t, make());
      const port = web.server.StartListening(0);
      for (const second of [0, port]) {
        assert.throws(() => web.server.StartListening(second), {
          name: "PorticoError",
          code: "ERR_ALREADY_LISTENING",
        });
      }
      assert.equal(web.server.port, port);
      (await tcpClient(port)).destroy();
      web.poll();
      assert.deepEqual(started(web), [String(port)]);
    });
  });

  describe("StopListening()", () => {
    it(`${kind}: calling it when not listening does nothing`, (t) => {
      const web = recorded(t, make());
      web.server.StopListening();
      web.server.StopListening();
      assert.deepEqual(web.events, []);
      assert.equal(web.updates, 0);
      web.server.StartListening(0);
      web.server.StopListening();
      const { names, updates } = web;
      web.server.StopListening();
      assert.deepEqual(web.names, names);
      assert.equal(web.updates, updates);
    });

    it(`${kind}: the last event is SERVER_STOPPED_LISTENING with message "Going Away"`, (t) => {
      const web = recorded(t, make());
      web.server.StartListening(0);
      web.server.StopListening();
      assert.deepEqual(web.names, [LISTENING, STOPPED]);
      const last = web.events[1]!;
      assert.equal(last.text, "Going Away");
      assert.equal(last.id, "SERVER");
      assert.equal(web.server.isListening, false);
      assert.equal(web.server.port, 0);
      web.poll();
      assert.equal(web.events.length, 2);
    });

    it(`${kind}: then ASYNC_POLLING_UPDATE runs once more`, (t) => {
      const web = recorded(t, make());
      web.server.StartListening(0);
      const log: string[] = [];
      web.server.SERVER_STOPPED_LISTENING = () => void log.push("stopped");
      web.server.ASYNC_POLLING_UPDATE = () => void log.push("update");
      web.server.StopListening();
      assert.deepEqual(log, ["stopped", "update"]);
    });

    it(`${kind}: nobody can connect any more`, async (t) => {
      const web = recorded(t, make());
      const port = web.server.StartListening(0);
      web.server.StopListening();
      await assert.rejects(tcpClient(port), (error) => codeOf(error) === "ECONNREFUSED");
    });

    it(`${kind}: an idle connection is closed`, async (t) => {
      const web = recorded(t, make());
      web.server.StartListening(0);
      const client = await web.client();
      await web.received();
      web.server.StopListening();
      await client.over();
    });

    it(`${kind}: then the timer stops`, async (t) => {
      const Class = kind === "HttpServer" ? HttpServer : WebSocketServer;
      const web = recorded(t, new Class({ host: "127.0.0.1", pollIntervalMs: 1 }));
      web.server.StartListening(0);
      web.server.StopListening();
      const { updates } = web;
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal(web.updates, updates);
    });

    it(`${kind}: a program that has stopped its server ends by itself`, async () => {
      const index = new URL("../../src/evo/index.ts", import.meta.url).href;
      const program = `
        const { ${kind} } = await import(${JSON.stringify(index)});
        const server = new ${kind}({ host: "127.0.0.1" });
        server.StartListening(0);
        setTimeout(() => server.StopListening(), 50);`;
      const args = ["--import", "tsx", "--input-type=module", "--eval", program];
      await run(process.execPath, args, { timeout: 20_000 });
    });

    it(`${kind}: it may listen again, on the same port, too`, async (t) => {
      const web = recorded(t, make());
      const port = web.server.StartListening(0);
      web.server.StopListening();
      for (let i = 0; i < 3; i++) {
        assert.equal(web.server.StartListening(port), port);
        (await tcpClient(port)).destroy();
        web.server.StopListening();
      }
      assert.deepEqual(started(web), Array(4).fill(String(port)));
      assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
      assert.equal(web.named("SERVER_STOPPED_LISTENING").length, 4);
    });

    it(`${kind}: the handler of the last event may start it again`, async (t) => {
      const web = recorded(t, make());
      web.server.StartListening(0);
      let port = 0;
      web.server.SERVER_STOPPED_LISTENING = () => {
        if (port === 0) port = web.server.StartListening(0);
      };
      web.server.StopListening();
      assert.equal(web.server.isListening, true);
      assert.equal(web.server.port, port);
      (await tcpClient(port)).destroy();
      await web.event("SERVER_STARTED_LISTENING", 2);
      assert.equal(started(web)[1], String(port));
    });
  });
}
