import { Client } from "../daslang/index.ts";
import { connect } from "../index.ts";
import type { Line } from "./program.ts";

type Answer = (text: string) => void;

const TICK_MS = 30;
const ANSWER_MS = 5_000;
const MAX_ANSWER_LENGTH = 2_000;

/** A WebSocket to a program. */
export async function webSocketLine(url: string, answer: Answer, leastMs = 0): Promise<Line> {
  let last = 0;
  const socket = await connect(url, {
    message(_socket, data) {
      const now = performance.now();
      if (now - last < leastMs) return;
      last = now;
      answer(data.toString());
    },
    close: (_socket, code) => answer(`closed with ${code}`),
  });
  return { say: (text) => socket.send(text), close: () => socket.close() };
}

/** A POST for each thing that is said; GET for nothing. */
export async function requestLine(url: string, answer: Answer): Promise<Line> {
  const open = new AbortController();
  const ask = async (text: string): Promise<void> => {
    const signal = AbortSignal.any([open.signal, AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(url, text === "" ? { signal } : { method: "POST", body: text, signal });
    answer(`${response.status}: ${(await response.text()).trimEnd()}`);
  };
  const failed = (error: unknown): void => {
    if (!open.signal.aborted) answer(String(error));
  };
  return { say: (text) => void ask(text).catch(failed), close: () => open.abort() };
}

/** One TCP connection that all pages share, because the program serves one at a time. It is there while it is used. */
export class SharedLine {
  private readonly port: number;
  private readonly answers = new Set<Answer>();
  private client: LineClient | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(port: number) {
    this.port = port;
  }

  async open(answer: Answer): Promise<Line> {
    this.answers.add(answer);
    this.client ??= this.connect();
    const close = (): void => {
      this.answers.delete(answer);
      if (this.answers.size === 0) this.disconnect();
    };
    return { say: (text) => this.client?.say(text), close };
  }

  private connect(): LineClient {
    const client = new LineClient((text) => {
      for (const answer of this.answers) answer(text);
    });
    client.connect("127.0.0.1", this.port);
    this.timer = setInterval(() => client.tick(), TICK_MS);
    return client;
  }

  private disconnect(): void {
    clearInterval(this.timer);
    this.client?.disconnect();
    this.client = undefined;
  }
}

/** Says what was to be said before it was connected, and gives answers line by line. */
class LineClient extends Client {
  private readonly answer: Answer;
  private waiting = "";
  private received = "";

  constructor(answer: Answer) {
    super();
    this.answer = answer;
  }

  say(text: string): void {
    const line = `${text}\n`;
    if (this.is_connected()) this.send(line);
    else this.waiting += line;
  }

  override onConnect(): void {
    this.send(this.waiting);
    this.waiting = "";
  }

  override onData(data: Buffer): void {
    const lines = (this.received + data.toString()).split("\n");
    this.received = (lines.pop() ?? "").slice(0, MAX_ANSWER_LENGTH);
    for (const line of lines) this.answer(line);
  }

  override onError(message: string): void {
    this.answer(message);
  }
}
