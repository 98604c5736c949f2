import { once } from "node:events";
import WebSocket, { type ClientOptions } from "ws";
import { eventually, within } from "./waiting.ts";

/** Resolves when the handshake of a client of the package ws is done. */
export async function opened(socket: WebSocket): Promise<WebSocket> {
  await once(socket, "open");
  return socket;
}

/** The next message, as latin1 text. */
export async function nextMessage(socket: WebSocket): Promise<{ data: string; binary: boolean }> {
  const [data, binary] = (await once(socket, "message")) as [Buffer, boolean];
  return { data: data.toString("latin1"), binary };
}

/** Sends a message. @returns the next one that comes */
export async function exchanged(
  socket: WebSocket,
  data: string | Buffer,
): Promise<{ data: string; binary: boolean }> {
  const coming = nextMessage(socket);
  socket.send(data);
  return within(coming, "an answer on the WebSocket");
}

/** Text as string, binary as Buffer. */
export type Message = [data: string | Buffer, binary: boolean];

/** A client of the package ws that keeps what comes. */
export class WsClient {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  /** Fields of the handshake's response. */
  handshake: Record<string, string | string[] | undefined> = {};
  private end: { code: number; reason: string } | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on("error", () => {});
    this.socket.on("upgrade", (response) => {
      this.handshake = response.headers;
    });
    this.socket.on("message", (data: Buffer, binary) => {
      this.messages.push([binary ? data : data.toString("utf8"), binary]);
    });
    this.socket.on("close", (code, reason) => {
      this.end = { code, reason: reason.toString("utf8") };
    });
  }

  /** The next message that was not taken. */
  async next(): Promise<Message> {
    await eventually(() => this.messages.length > 0, "a message at the client");
    return this.messages.shift()!;
  }

  /** The data of that. */
  async data(): Promise<string | Buffer> {
    return (await this.next())[0];
  }

  /** How the connection ended. */
  async closed(): Promise<{ code: number; reason: string }> {
    await eventually(() => this.end !== undefined, "the client's close");
    return this.end!;
  }
}
