// Several interfaces in one process, on different ports: what one does, or fails to do, concerns no other.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { createHttp } from "../../src/craftos/index.ts";
import { Server as TickedServer } from "../../src/daslang/index.ts";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { type HttpServer as FacilServer, HttpResponse, start_http_server } from "../../src/facil/index.ts";
import { Server } from "../../src/index.ts";
import { eventually, signal, turns, within } from "../support/waiting.ts";
import { nextMessage, opened } from "../support/ws-client.ts";

const host = "127.0.0.1";

/** A WebSocket server of portico/evo that is never polled, and a client that has filled its queue. */
async function stuckServer(t: TestContext): Promise<{ server: WebSocketServer; sent: number }> {
  const server = new WebSocketServer({ host, pollIntervalMs: 0, limits: { maxQueueBytes: 10_000 } });
  t.after(() => server.StopListening());
  const socket = await opened(new WebSocket(`ws://${host}:${server.StartListening(0)}`));
  t.after(() => socket.terminate());
  let sent = 0;
  let last = -1;
  while (socket.bufferedAmount !== last || last === 0) {
    last = socket.bufferedAmount;
    for (let i = 0; i < 100; i++) socket.send(String(sent++).padEnd(10_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (socket.bufferedAmount > last + 900_000) break;
  }
  return { server, sent };
}

describe("interfaces in one process", () => {
  it("one whose queue is full holds up none of the others, and loses nothing itself", async (t) => {
    const { server: stuck, sent } = await stuckServer(t);

    const plain = new Server();
    t.after(() => plain.close());
    plain.get("/", (exchange) => exchange.end("portico"));
    const { url } = await plain.listen({ host });
    assert.equal(await (await fetch(url)).text(), "portico");

    const polled = new HttpServer({ host });
    t.after(() => polled.StopListening());
    polled.AddRoute("/*");
    polled.HTTP_REQUEST_FINISHED = (_event, { clientID }) => void polled.SendResponse(clientID, "evo");
    assert.equal(await (await fetch(`http://${host}:${polled.StartListening(0)}`)).text(), "evo");

    const http = createHttp({ host });
    t.after(() => http.close());
    const served = http.listen(0, (_request, response) => {
      response.write("craftos");
      response.close();
      return true;
    });
    assert.equal(await (await fetch(`http://${host}:${http.ports[0]}`)).text(), "craftos");
    await within(served, "listen to return");

    const ticked = new TickedServer({ host });
    ticked.make_server_adapter();
    assert.equal(ticked.init(0), true);
    t.after(() => ticked.close());
    ticked.onData = (buf) => void ticked.send(buf);
    const terminal = connect(ticked.port, host);
    t.after(() => terminal.destroy());
    terminal.write("daslang");
    const answer = once(terminal, "data");
    const loop = setInterval(() => ticked.tick(), 1);
    t.after(() => clearInterval(loop));
    assert.equal(String((await within(answer, "the echo"))[0]), "daslang");

    const ready = signal<FacilServer>();
    const stopped = start_http_server(
      (request) => {
        const response = HttpResponse.create(request);
        HttpResponse.write_body(response, "facil");
        HttpResponse.destroy(response);
      },
      null,
      { port: 0, address: host, signals: false, on_init: (server) => ready.give(server) },
    );
    const facil = await ready.wait("facil");
    assert.equal(await (await fetch(`http://${host}:${facil.port}`)).text(), "facil");
    facil.stop();
    await within(stopped, "facil to stop");

    const got: number[] = [];
    stuck.WEBSOCKET_MESSAGE_RECEIVED = (_event, { text }) => void got.push(Number(text));
    // As many messages as the system's buffers hold, which may be thousands, and one or two of them in each poll.
    const end = performance.now() + 30_000;
    while (got.length < sent) {
      assert.ok(performance.now() < end, `${got.length} of ${sent} messages`);
      stuck.ProcessDeferredEvents();
      await turns(1);
    }
    assert.deepEqual(got, [...Array(sent).keys()]);
  });

  it("two of the same kind, too, have queues, ids and limits of their own", async (t) => {
    const small = new WebSocketServer({ host, pollIntervalMs: 0, limits: { maxMessageBytes: 10 } });
    const large = new WebSocketServer({ host, pollIntervalMs: 0 });
    t.after(() => small.StopListening());
    t.after(() => large.StopListening());
    const ids: string[] = [];
    for (const server of [small, large]) {
      server.WEBSOCKET_CONNECTION_ESTABLISHED = (_event, { clientID }) => void ids.push(clientID);
    }
    const [one, two] = await Promise.all(
      [small, large].map((server) => opened(new WebSocket(`ws://${host}:${server.StartListening(0)}`))),
    );
    t.after(() => [one, two].forEach((socket) => void socket?.terminate()));
    await eventually(() => {
      small.ProcessDeferredEvents();
      large.ProcessDeferredEvents();
      return ids.length === 2;
    }, "both");
    assert.equal(small.SendTextMessageToClient("not yours", ids[1]!), 2);
    assert.equal(large.SendTextMessageToClient("yours", ids[1]!), 1);
    assert.equal((await nextMessage(two!)).data, "yours");
    const closed = once(one!, "close");
    one!.send("more than ten bytes");
    two!.send("more than ten bytes");
    assert.equal((await closed)[0], 1009);
    let text = "";
    large.WEBSOCKET_MESSAGE_RECEIVED = (_event, payload) => {
      text = payload.text;
    };
    await eventually(() => {
      large.ProcessDeferredEvents();
      return text !== "";
    }, "the message");
    small.StopListening();
    assert.equal(large.GetNumConnectedClients(), 1);
  });
});
