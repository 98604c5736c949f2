import type { Http } from "../../craftos/index.ts";
import type { WebSocket } from "../../exchange/exchange.ts";
import { connect } from "../../index.ts";
import type { Frame } from "../frame.ts";
import type { HostFunction } from "../machine.ts";
import { Objects } from "./objects.ts";

/** The largest response that is read. */
const MAX_RESPONSE_BYTES = 16_777_216;
const DEFAULT_TIMEOUT_S = 30;

/** A response that Lua reads like a file. */
interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers: Record<string, string>;
  readonly content: Buffer;
}

/** How a queued event carries values that JavaScript pushes later. */
export class Deferred {
  readonly push: (frame: Frame) => number;

  constructor(push: (frame: Frame) => number) {
    this.push = push;
  }
}

/** The client side of `http`: requests and WebSockets, whose results come as events. */
export class ClientFunctions {
  private readonly http: Http;
  private readonly sockets = new Objects<WebSocket>();
  private readonly stopping = new AbortController();
  /** Requests in progress, and open sockets. */
  private active = 0;

  constructor(http: Http) {
    this.http = http;
  }

  get isActive(): boolean {
    return this.active > 0;
  }

  stop(): void {
    this.stopping.abort();
    for (const socket of this.sockets.all()) socket.closeNow(1001);
  }

  functions(): Record<string, HostFunction> {
    return {
      /** (url, body, headers, method, timeout) */
      request: (frame) => {
        const [url, method] = [frame.text(1), frame.textOr(4, undefined)];
        const body = frame.isNil(2) ? undefined : frame.bytes(2);
        const seconds = frame.numberOr(5, DEFAULT_TIMEOUT_S);
        void this.request(
          url,
          method ?? (body === undefined ? "GET" : "POST"),
          body,
          frame.record(3),
          seconds,
        );
        return 0;
      },
      checkURL: (frame) => {
        const problem = problemOf(frame.text(1), ["http:", "https:"]);
        frame.pushBoolean(problem === undefined);
        if (problem === undefined) return 1;
        frame.pushText(problem);
        return 2;
      },
      /** (url, headers) */
      openSocket: (frame) => {
        void this.open(frame.text(1), frame.record(2));
        return 0;
      },
      sendToSocket: (frame) => {
        this.sockets.get(frame.number(1)).send(frame.bytes(2), { binary: frame.isTruthy(3) });
        return 0;
      },
      closeSocket: (frame) => {
        this.sockets.find(frame.number(1))?.close();
        this.sockets.release(frame.number(1));
        return 0;
      },
    };
  }

  private async request(
    url: string,
    method: string,
    body: Buffer | undefined,
    headers: Record<string, string>,
    seconds: number,
  ): Promise<void> {
    this.active++;
    try {
      const problem = problemOf(url, ["http:", "https:"]);
      if (problem !== undefined) throw new Error(problem);
      const reply = await this.fetch(url, method, body, headers, seconds);
      if (reply.status < 400) this.emit("http_success", url, (frame) => pushReply(frame, reply));
      else {
        this.emit("http_failure", url, (frame) => {
          frame.pushText(reply.reason === "" ? String(reply.status) : reply.reason);
          return 1 + pushReply(frame, reply);
        });
      }
    } catch (error) {
      this.fail("http_failure", url, error);
    } finally {
      this.active--;
    }
  }

  private async fetch(
    url: string,
    method: string,
    body: Buffer | undefined,
    headers: Record<string, string>,
    seconds: number,
  ): Promise<Reply> {
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(seconds * 1_000)]);
    const answer = await fetch(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > MAX_RESPONSE_BYTES) throw new Error("Response is too large");
      parts.push(part);
    }
    return {
      status: answer.status,
      reason: answer.statusText,
      headers: Object.fromEntries(answer.headers),
      content: Buffer.concat(parts),
    };
  }

  private async open(url: string, headers: Record<string, string>): Promise<void> {
    this.active++;
    try {
      const problem = problemOf(url, ["ws:", "wss:"]);
      if (problem !== undefined) throw new Error(problem);
      const handlers = {
        message: (_socket: WebSocket, data: Buffer, binary: boolean) =>
          this.emit("websocket_message", url, (frame) => {
            frame.pushBytes(data);
            frame.pushBoolean(binary);
            return 2;
          }),
        close: (socket: WebSocket, code: number, reason: string) => {
          this.active--;
          this.sockets.release(this.sockets.idOf(socket));
          this.emit("websocket_closed", url, (frame) => {
            frame.pushUtf8(reason);
            frame.pushNumber(code);
            return 2;
          });
        },
      };
      const socket = await connect(url, handlers, { headers, signal: this.stopping.signal });
      const id = this.sockets.idOf(socket);
      this.emit("websocket_success", url, (frame) => {
        frame.pushNumber(id);
        return 1;
      });
    } catch (error) {
      this.active--;
      this.fail("websocket_failure", url, error);
    }
  }

  private emit(name: string, url: string, push: (frame: Frame) => number): void {
    this.http.queueEvent(
      name,
      new Deferred((frame) => {
        frame.pushText(url);
        return 1 + push(frame);
      }),
    );
  }

  private fail(name: string, url: string, error: unknown): void {
    if (this.stopping.signal.aborted) return;
    this.emit(name, url, (frame) => {
      frame.pushUtf8(reasonOf(error));
      return 1;
    });
  }
}

function problemOf(url: string, schemes: readonly string[]): string | undefined {
  if (!URL.canParse(url)) return "URL malformed";
  return schemes.includes(new URL(url).protocol)
    ? undefined
    : `Invalid protocol '${new URL(url).protocol.slice(0, -1)}'`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "Timed out";
  const cause = error.cause instanceof Error ? error.cause : error;
  return "code" in cause && cause.code === "ECONNREFUSED" ? "Could not connect" : cause.message;
}

/** (status, reason, headers, content), of which Lua makes a handle. */
function pushReply(frame: Frame, reply: Reply): number {
  frame.pushNumber(reply.status);
  frame.pushText(reply.reason);
  frame.pushRecord(reply.headers);
  frame.pushBytes(reply.content);
  return 4;
}
