import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { ConnectionLimits } from "../../src/daslang/index.ts";
import { RawClient, socketWire } from "../support/raw-client.ts";
import { within } from "../support/waiting.ts";
import { listening } from "./peer.ts";
import { newClient, type RecordingClient, tickUntil } from "./recorder.ts";

/** A server of Node for one test. */
export class Remote {
  readonly listener: NetServer;
  readonly port: number;
  readonly sockets: Socket[] = [];

  private constructor(listener: NetServer, port: number) {
    this.listener = listener;
    this.port = port;
    listener.on("connection", (socket) => this.sockets.push(socket));
  }

  static async start(t: TestContext): Promise<Remote> {
    const listener = createServer({ allowHalfOpen: true });
    return new Remote(listener, await listening(t, listener));
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

/** A client that is connected to a server of Node, and its other end. */
export async function connectedClient(t: TestContext, options: ConnectionLimits = {}) {
  const remote = await Remote.start(t);
  return { remote, ...(await remote.connect(t, options)) };
}

/** A server of Node, and a client that is not connected. */
export async function strangers(t: TestContext): Promise<{ remote: Remote; client: RecordingClient }> {
  return { remote: await Remote.start(t), client: newClient(t) };
}
