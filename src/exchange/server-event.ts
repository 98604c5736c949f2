import { type CallEvent, PolledQueue } from "../delivery/event-queue.ts";
import type { WebSocketEvent } from "../websocket/web-socket-events.ts";
import type { WebSocket } from "./exchange.ts";
import type { ExchangeEvent } from "./exchange-events.ts";

/** An event of a server with deferred delivery. Events keep the order in which they happened. */
export type ServerEvent = ExchangeEvent | WebSocketEvent<WebSocket> | CallEvent;

/** A queue of events that wait to be polled. Several servers can share one. */
export class EventQueue extends PolledQueue<ServerEvent> {}
