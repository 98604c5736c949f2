import { type CallEvent, PolledQueue } from "../delivery/event-queue.ts";
import type { WebSocketEvent } from "../websocket/web-socket-events.ts";
import type { WebSocket } from "./exchange.ts";
import type { ExchangeEvent } from "./exchange-events.ts";

/** What a server with deferred delivery has to tell, in the order in which it happened. */
export type ServerEvent = ExchangeEvent | WebSocketEvent<WebSocket> | CallEvent;

/** Events that wait to be polled; several servers can share one queue. */
export class EventQueue extends PolledQueue<ServerEvent> {}
