import type { ClientHandle } from "./client-handle.ts";
import type { Event } from "./event.ts";
import type { RequestHandle } from "./request-handle.ts";
import type { ResponseHandle } from "./response-handle.ts";

/** Parameters of the events that Portico queues, by name. */
export interface Events {
  http_request: [port: number, request: RequestHandle, response: ResponseHandle];
  websocket_server_connect: [port: number, client: ClientHandle];
  /** Text is a string, binary data a Buffer. */
  websocket_server_message: [clientID: string, message: string | Buffer, binary: boolean];
  /** A client that gave no code has null; one whose connection was lost has 1006. */
  websocket_server_closed: [clientID: string, reason: string | null, code: number | null];
}

/** The event of a name, with the types of its parameters where Portico knows them. */
export type EventOf<Name extends string> = Name extends keyof Events
  ? [name: Name, ...parameters: Events[Name]]
  : Event;
