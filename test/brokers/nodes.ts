import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Broker } from "../../src/server/broker.ts";
import type { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { type Harness, harness } from "../support/harness.ts";
import { sleep } from "../support/waiting.ts";
import { type ClientEvent, open, type WebSocketClient } from "../support/web-socket-client.ts";

/** A server with a broker, and clients that subscribe to topics. */
export interface Node extends Harness {
  /** Opens a WebSocket that subscribes to a topic; what it sends is published there, to the others. */
  join(topic: string): Promise<WebSocketClient>;
}

export function nodeWith(t: TestContext, broker: Broker, options: ServerOptions = {}): Node {
  const node = harness(t, { broker, ...options });
  node.server.websocket<string>("/", {
    upgrade: (exchange) => exchange.searchParams.get("topic") ?? "",
    open: (socket) => socket.subscribe(socket.data),
    message: (socket, data, binary) => socket.publish(socket.data, data, { binary }),
  });
  const join = (topic: string): Promise<WebSocketClient> =>
    open(node.connect(), `/?topic=${encodeURIComponent(topic)}`);
  return { ...node, join };
}

type Received = Extract<ClientEvent, { type: "message" }>;

async function messageOf(client: WebSocketClient): Promise<Received> {
  const event = await client.next();
  assert.equal(event.type, "message");
  return event as Received;
}

/** The messages up to one with this text, and whether they are binary; without those of {@link reaches}. */
export async function upTo(
  client: WebSocketClient,
  last: string,
): Promise<[text: string, binary: boolean][]> {
  const messages: [string, boolean][] = [];
  for (;;) {
    const { text, binary } = await messageOf(client);
    if (!/^(?:last )?probe \d+$/.test(text)) messages.push([text, binary]);
    if (text === last) return messages;
  }
}

let probes = 0;

/** Publishes until a client of another server gets it: from then on its subscription holds. */
export async function reaches(from: Server, topic: string, client: WebSocketClient): Promise<void> {
  const probe = `probe ${probes++}`;
  const end = Date.now() + 20_000;
  for (;;) {
    from.publish(topic, probe);
    await sleep(20);
    client.read();
    if (client.events.some((event) => event.type === "message" && event.text === probe)) break;
    if (Date.now() > end) throw new Error(`nothing arrives for ${JSON.stringify(topic)}`);
  }
  const last = `last ${probe}`;
  from.publish(topic, last);
  for (;;) if ((await messageOf(client)).text === last) return;
}
