import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { ConnectionLimits } from "../../src/daslang/index.ts";
import { RawClient, socketWire } from "../support/raw-client.ts";
import { within } from "../support/waiting.ts";
import { newClient, type RecordingClient, tickUntil } from "./recorder.ts";

/** A server of Node for one test. */
export class Remote {
  readonly listener: NetServer;
  readonly sockets: Socket[] = [];

  private constructor(listener: NetServer) {
    this.listener = listener;
    listener.on("connection", (socket) => {
      this.sockets.push(socket);
      socket.on("error", () => {});
    });
  }

  static async start(t: TestContext): Promise<Remote> {
    const listener = createServer({ allowHalfOpen: true });
    const remote = new Remote(listener);
    listener.listen(0, "127.0.0.1");
    await within(once(listener, "listening"), "a server to listen");
    t.after(() => {
      for (const socket of remote.sockets) socket.destroy();
      listener.close();
    });
    return remote;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Connects a client. @returns the other end */
  async connect(
    t: TestContext,
    options: ConnectionLimits = {},
  ): Promise<{ client: RecordingClient; peer: RawClient }> {
    const client = newClient(t, options);
    const arrival = once(this.listener, "connection");
    assert.equal(client.connect("127.0.0.1", this.port), true);
    const [socket] = (await within(arrival, "the client at the server")) as [Socket];
    const peer = new RawClient(socketWire(socket));
    await tickUntil(client, () => client.is_connected(), "the client to be connected");
    return { client, peer };
  }
}
