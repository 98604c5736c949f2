import assert from "node:assert/strict";
import { closeOf, FrameReader } from "./frame-reader.ts";
import { BINARY, CLOSE, closePayload, frame, PING, PONG, TEXT } from "./frames.ts";
import type { Answer } from "./http-response.ts";
import type { RawClient } from "./raw-client.ts";
import { PATIENCE_MS } from "./waiting.ts";
import { agreedDeflate, checkSwitch, handshake, KEY } from "./web-socket-handshake.ts";

export type ClientEvent =
  | { readonly type: "message"; readonly data: Buffer; readonly text: string; readonly binary: boolean }
  | { readonly type: "ping"; readonly text: string }
  | { readonly type: "pong"; readonly text: string }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

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
  /** The first byte of the last message, to see whether it was compressed. */
  firstByte = -1;
  private readonly reader: FrameReader;

  constructor(raw: RawClient, response: Answer) {
    this.raw = raw;
    this.response = response;
    this.reader = new FrameReader(agreedDeflate(response));
  }

  get closed(): boolean {
    return this.raw.isOver;
  }

  send(data: string | Uint8Array): this {
    this.raw.send(frame(typeof data === "string" ? TEXT : BINARY, data));
    return this;
  }

  ping(text: string): this {
    this.raw.send(frame(PING, text));
    return this;
  }

  close(code?: number, reason = ""): this {
    this.raw.send(frame(CLOSE, code === undefined ? "" : closePayload(code, reason)));
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

  /** The next event, which must be a message. */
  async message(ms: number = PATIENCE_MS): Promise<ClientEvent & { readonly type: "message" }> {
    const event = await this.next(ms);
    if (event.type !== "message") throw new Error(`not a message: ${JSON.stringify(event)}`);
    return event;
  }

  /** The text of the next message. */
  async text(): Promise<string> {
    return (await this.message()).text;
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
    const { reader } = this;
    const bytes = this.raw.takeRest();
    if (bytes.length > 0) reader.push(bytes);
    for (let found = reader.next(); found !== undefined; found = reader.next()) {
      const { opcode, payload } = found;
      const text = payload.toString("utf8");
      if (opcode === CLOSE) {
        this.events.push({ type: "close", ...closeOf(payload) });
        if (this.answersClose) this.raw.send(frame(CLOSE, payload.subarray(0, 2)));
      } else if (opcode === PING || opcode === PONG) {
        this.events.push({ type: opcode === PING ? "ping" : "pong", text });
        if (opcode === PING && this.answersPings) this.raw.send(frame(PONG, payload));
      } else {
        this.firstByte = found.firstByte;
        this.events.push({ type: "message", data: payload, text, binary: opcode === BINARY });
      }
    }
  }
}

/** The texts of the next messages. */
export async function textsOf(client: WebSocketClient, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(await client.text());
  return texts;
}

/** Opens a WebSocket. */
export async function open(raw: RawClient, target: string, lines = ""): Promise<WebSocketClient> {
  raw.send(handshake(target, lines));
  const response = await raw.answer();
  assert.equal(response.status, 101, `not upgraded: ${response.head}`);
  const offered = (name: string): string =>
    [...lines.matchAll(new RegExp(`^${name}:(.*)\r$`, "gim"))].map((match) => match[1]).join(",");
  checkSwitch(
    {
      key: KEY,
      extensions: offered("sec-websocket-extensions"),
      protocols: offered("sec-websocket-protocol"),
    },
    response,
  );
  return new WebSocketClient(raw, response);
}
