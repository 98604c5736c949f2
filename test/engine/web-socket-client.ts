import { NO_STATUS_RECEIVED } from "../../src/websocket/close-codes.ts";
import { encodeClosePayload, encodeFrame } from "../../src/websocket/frame-writer.ts";
import { acceptKey } from "../../src/websocket/handshake.ts";
import type { MessageInflater } from "../../src/websocket/message-inflater.ts";
import {
  CLOSE,
  FAILED,
  FRAGMENT,
  MESSAGE,
  MessageReader,
  NEED_BYTES,
  PING,
} from "../../src/websocket/message-reader.ts";
import { BINARY, CLOSE_FRAME, PING_FRAME, PONG_FRAME, TEXT } from "../../src/websocket/opcodes.ts";
import { accept, createInflater } from "../../src/websocket/permessage-deflate.ts";
import { type Answer, PATIENCE_MS, type RawClient } from "./raw-client.ts";

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK = 0x12345678;

export type ClientEvent =
  | { readonly type: "message"; readonly data: Buffer; readonly text: string; readonly binary: boolean }
  | { readonly type: "ping"; readonly text: string }
  | { readonly type: "pong"; readonly text: string }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** The head of an opening handshake. */
export function handshake(target: string, lines = "", key: string = KEY): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${lines}\r\n`
  );
}

/** A masked frame. */
export function masked(opcode: number, payload: string | Uint8Array): Buffer {
  return encodeFrame(opcode, payload, { maskKey: MASK });
}

/** The client's side of a WebSocket over a raw client; answers pings and closes unless told otherwise. */
export class WebSocketClient {
  readonly raw: RawClient;
  readonly response: Answer;
  /** Everything that came and was not taken by `next`. */
  readonly events: ClientEvent[] = [];
  /** Answer pings with pongs. */
  answersPings = true;
  /** Answer a close frame with one. */
  answersClose = true;
  /** First bytes of the frames, to see what was compressed. */
  readonly frameBytes: Buffer[] = [];
  private readonly reader: MessageReader;

  constructor(raw: RawClient, response: Answer) {
    this.raw = raw;
    this.response = response;
    this.reader = new MessageReader({
      role: "client",
      limits: { maxMessageBytes: 64 << 20 },
      inflate: inflaterFor(response),
    });
  }

  get closed(): boolean {
    return this.raw.ended || this.raw.closed;
  }

  send(data: string | Uint8Array): this {
    this.raw.send(masked(typeof data === "string" ? TEXT : BINARY, data));
    return this;
  }

  ping(text: string): this {
    this.raw.send(masked(PING_FRAME, text));
    return this;
  }

  close(code?: number, reason = ""): this {
    this.raw.send(masked(CLOSE_FRAME, encodeClosePayload(code, reason)));
    return this;
  }

  /** The next event of any kind. */
  async next(ms: number = PATIENCE_MS): Promise<ClientEvent> {
    const look = (): boolean => {
      this.read();
      return this.events.length > 0 || this.closed;
    };
    await this.raw.until(look, "an event on the WebSocket", ms);
    const event = this.events.shift();
    if (event === undefined) throw new Error("the WebSocket is closed");
    return event;
  }

  /** The text of the next message. */
  async text(): Promise<string> {
    const event = await this.next();
    if (event.type !== "message") throw new Error(`not a message: ${JSON.stringify(event)}`);
    return event.text;
  }

  /** Code and reason of the server's close frame; other events are passed over. */
  async closeFrame(ms: number = PATIENCE_MS): Promise<{ code: number; reason: string }> {
    for (;;) {
      const event = await this.next(ms);
      if (event.type === "close") return { code: event.code, reason: event.reason };
    }
  }

  /** Reads, and answers pings, for a while. */
  async readFor(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (Date.now() < end) {
      this.read();
      await new Promise<void>((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Reads what has come. */
  read(): void {
    const bytes = this.raw.takeRest();
    if (bytes.length === 0) return;
    this.frameBytes.push(Buffer.from(bytes));
    const { reader } = this;
    reader.receive(bytes, 0, bytes.length);
    for (let found = reader.next(); found !== NEED_BYTES; found = reader.next()) {
      if (found === FRAGMENT) continue;
      if (found === FAILED) throw reader.error ?? new Error("the server broke a rule");
      if (found === CLOSE) {
        const code = reader.closeCode;
        this.events.push({ type: "close", code, reason: reader.closeReason });
        const answer = encodeClosePayload(code === NO_STATUS_RECEIVED ? undefined : code);
        if (this.answersClose) this.raw.send(masked(CLOSE_FRAME, answer));
        continue;
      }
      const data = Buffer.from(reader.data);
      const text = data.toString("utf8");
      if (found === MESSAGE) this.events.push({ type: "message", data, text, binary: reader.binary });
      else {
        this.events.push({ type: found === PING ? "ping" : "pong", text });
        if (found === PING && this.answersPings) this.raw.send(masked(PONG_FRAME, data));
      }
    }
    reader.release();
  }
}

function inflaterFor(response: Answer): MessageInflater | undefined {
  const header = response.header("sec-websocket-extensions");
  const agreed = accept(header, { clientContextTakeover: true, contextTakeover: true });
  return agreed === null ? undefined : createInflater("client", agreed);
}

/** Opens a WebSocket. */
export async function open(raw: RawClient, target: string, lines = ""): Promise<WebSocketClient> {
  raw.send(handshake(target, lines));
  const response = await raw.answer();
  if (response.status !== 101) throw new Error(`not upgraded: ${response.head}`);
  if (response.header("sec-websocket-accept") !== acceptKey(KEY)) throw new Error("wrong accept key");
  return new WebSocketClient(raw, response);
}
