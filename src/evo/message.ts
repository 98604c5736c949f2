import { NO_BYTES } from "../bytes/no-bytes.ts";

/** The values of `eventTypeID`, by event. The numbers are those of the original. */
export const EventType = {
  UNKNOWN: 0,
  WEBSOCKET_CONNECTION_ESTABLISHED: 1,
  WEBSOCKET_MESSAGE_RECEIVED: 2,
  WEBSOCKET_CONNECTION_CLOSED: 3,
  SERVER_STARTED_LISTENING: 4,
  SERVER_STOPPED_LISTENING: 5,
  HTTP_REQUEST_STARTED: 6,
  HTTP_DATA_RECEIVED: 7,
  HTTP_REQUEST_FINISHED: 8,
  HTTP_CONNECTION_ABORTED: 9,
  HTTP_CONNECTION_WRITABLE: 10,
} as const;

/** The `clientID` of events of the server itself. */
export const SERVER_ID = "SERVER";

/**
 * The payload of an event. In the original, `message` is a Lua string, which can hold bytes or text. Here it is always
 * a Buffer, and {@link text} returns it as text. Both belong to the program and stay valid.
 */
export class WebServerMessage {
  /** One of {@link EventType}. */
  readonly eventTypeID: number;
  /** A UUID (RFC 9562) of the request (HttpServer) or connection (WebSocketServer), or "SERVER". */
  readonly clientID: string;
  /** For a WebSocket message: whether it is binary. The original does not report this. */
  readonly binary: boolean;
  /** For WEBSOCKET_CONNECTION_CLOSED: the close code (RFC 6455 §7.4). The original does not report this. */
  readonly code: number | undefined;
  private bytes: Buffer | undefined;
  private decoded: string | undefined;

  constructor(
    eventTypeID: number,
    clientID: string,
    message: Buffer | string = NO_BYTES,
    binary = false,
    code?: number,
  ) {
    this.eventTypeID = eventTypeID;
    this.clientID = clientID;
    this.binary = binary;
    this.code = code;
    if (typeof message === "string") this.decoded = message;
    else this.bytes = message;
  }

  /** The message as bytes. */
  get message(): Buffer {
    this.bytes ??= Buffer.from(this.decoded ?? "");
    return this.bytes;
  }

  /** The message as UTF-8 text, decoded on first access. Text messages of WebSockets are valid UTF-8. */
  get text(): string {
    this.decoded ??= this.message.toString("utf8");
    return this.decoded;
  }
}
