import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { type Dispatcher, request } from "undici";
import WebSocket from "ws";
import { absent, curl } from "../support/tools.ts";
import { opened } from "../support/ws-client.ts";

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly text: string;
}

/** Sends a request to a server of a program; its connection is not kept. */
export type Ask = (
  port: number,
  path: string,
  how?: { method?: string; body?: string | Buffer; headers?: Record<string, string> },
) => Promise<Reply>;

export const ask: Ask = async (port, path, how = {}) => {
  const { method = "GET", body = null, headers = {} } = how;
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method: method as Dispatcher.HttpMethod,
    body,
    headers,
    reset: true,
  });
  const content = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, body: content, text: content.toString() };
};

const askWithCurl: Ask = async (port, path, how = {}) => {
  const { method = "GET", body, headers = {} } = how;
  const args = ["-sS", "-i", "--path-as-is", "-X", method];
  // curl would send a type by itself.
  for (const [name, value] of Object.entries({ "Content-Type": "", ...headers })) {
    args.push("-H", `${name}:${value === "" ? "" : ` ${value}`}`);
  }
  if (body !== undefined) args.push("--data-binary", "@-");
  const child = spawn(curl ?? "curl", [...args, `http://127.0.0.1:${port}${path}`]);
  child.stdin.end(body);
  const [output, message] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  if (String(message).includes("Failed to connect")) throw new Error(`ECONNREFUSED: ${String(message)}`);
  return parsed(output, String(message));
};

/** What curl has written: the last head, behind those of 100 (Continue), and the body. */
function parsed(output: Buffer, message: string): Reply {
  const end = output.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = output.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (end < 0 || Number.isNaN(status)) throw new Error(`curl has got no answer: ${message}`);
  const body = output.subarray(end + 4);
  if (status === 100) return parsed(body, message);
  const fields = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.replace(/^.*?: */, ""),
  ]);
  return { status, headers: Object.fromEntries(fields), body, text: body.toString() };
}

/** Asks until the program listens: `http.listen` does not report when it does. */
export async function patiently(
  ask: Ask,
  port: number,
  ...others: [string, Parameters<Ask>[2]?]
): ReturnType<Ask> {
  for (;;) {
    try {
      return await ask(port, ...others);
    } catch (error) {
      if (!String(error).includes("ECONNREFUSED")) throw error;
    }
  }
}

/** Defines a test that is run with each HTTP client. */
export function testWithClients(name: string, run: (t: TestContext, ask: Ask) => Promise<void>): void {
  test(name, (t) => run(t, ask));
  test(`${name}, with curl`, { skip: absent(curl, "curl") }, (t) => run(t, askWithCurl));
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
