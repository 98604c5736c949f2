import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { UpgradeOptions, WebSocket, WebSocketHandlers } from "../../src/exchange/exchange.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { type Harness, harness, type Way } from "./harness.ts";
import { signal } from "./waiting.ts";
import { open, type WebSocketClient } from "./web-socket-client.ts";

interface Pair extends Harness {
  readonly client: WebSocketClient;
  readonly socket: WebSocket;
  /** "code reason" of the close, when it comes. */
  closed(): Promise<string>;
}

/** A server with one open WebSocket. With deferred delivery its opening waits to be polled. */
export function webSocketPair(
  t: TestContext,
  handlers: WebSocketHandlers = {},
  options: ServerOptions = {},
  upgrade: UpgradeOptions<undefined> = {},
  lines = "",
  over: Way = "memory",
): Promise<Pair> {
  return pairOn(harness(t, options), handlers, upgrade, lines, over);
}

/** Opens a WebSocket on a server that is there already. */
export async function pairOn(
  made: Harness,
  handlers: WebSocketHandlers = {},
  upgrade: UpgradeOptions<undefined> = {},
  lines = "",
  over: Way = "memory",
): Promise<Pair> {
  const closed = signal<string>();
  const close: WebSocketHandlers["close"] = (socket, code, reason) => {
    closed.give(`${code} ${reason}`);
    return handlers.close?.(socket, code, reason);
  };
  made.server.websocket("/", { ...handlers, close }, upgrade);
  const client = await open(await made.connectOver(over), "/", lines);
  const [socket] = made.server.webSockets;
  assert.ok(socket !== undefined);
  return { ...made, client, socket, closed: () => closed.wait("the close") };
}

/** The same over TCP. */
export function tcpPairOn(
  made: Harness,
  handlers: WebSocketHandlers = {},
  upgrade: UpgradeOptions<undefined> = {},
  lines = "",
): Promise<Pair> {
  return pairOn(made, handlers, upgrade, lines, "TCP");
}
