import type { TestContext } from "node:test";
import { type Dispatcher, request } from "undici";
import WebSocket from "ws";
import { opened } from "../support/ws-client.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly text: string;
}

/** Sends a request to a server of a program; its connection is not kept. */
export async function ask(
  port: number,
  path: string,
  how: { method?: string; body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { method = "GET", body = null, headers = {} } = how;
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method: method as Dispatcher.HttpMethod,
    body,
    headers,
    reset: true,
  });
  const content = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, body: content, text: content.toString() };
}

/** A WebSocket client whose messages are kept until they are asked for. */
export class Talker {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly messages: (string | Buffer)[] = [];
  private onMessage: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, binary) => {
      this.messages.push(binary ? data : data.toString());
      this.onMessage?.();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  async next(): Promise<string | Buffer> {
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.onMessage = resolve;
      });
    }
  }
}

export async function talk(t: TestContext, port: number): Promise<Talker> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  t.after(() => socket.terminate());
  const talker = new Talker(socket);
  await opened(socket);
  return talker;
}
