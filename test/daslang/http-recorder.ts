import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { createServer as createNetServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type DeliveryLimits, HttpClient } from "../../src/daslang/index.ts";
import { errorName } from "./journal.ts";
import { LONG_MS, listening } from "./peer.ts";
import { tickUntil } from "./recorder.ts";

/** What came for one request. */
interface Outcome {
  readonly order: string[];
  status: number;
  headers: Record<string, string | string[]>;
  readonly pieces: Buffer[];
  /** Ends: "complete", or the name of the error. */
  end: string | undefined;
}

/** An HTTP client that writes everything down, also what comes outside of tick. */
export class RecordingHttpClient extends HttpClient {
  readonly outside: string[] = [];
  /** In the order in which the first callback of each came. */
  readonly outcomes = new Map<number, Outcome>();
  reaction: ((id: number, what: string) => void) | undefined;
  private inTick = false;

  override tick(): void {
    const outer = this.inTick;
    this.inTick = true;
    try {
      super.tick();
    } finally {
      this.inTick = outer;
    }
  }
  override onResponse(id: number, status: number, headers: Record<string, string | string[]>): void {
    Object.assign(this.note(id, "response"), { status, headers });
    this.reaction?.(id, "response");
  }
  override onData(id: number, buf: Buffer, size: number): void {
    assert.equal(buf.length, size);
    this.note(id, "data").pieces.push(buf);
    this.reaction?.(id, "data");
  }
  override onComplete(id: number): void {
    this.note(id, "complete").end = "complete";
    this.reaction?.(id, "complete");
  }
  override onError(id: number, msg: string, code: number): void {
    assert.equal(typeof msg, "string");
    assert.notEqual(msg, "");
    assert.ok(Number.isInteger(code) && code < 0, `code ${code}`);
    this.note(id, "error").end = errorName(code);
    this.reaction?.(id, "error");
  }

  outcome(id: number): Outcome {
    let outcome = this.outcomes.get(id);
    if (outcome === undefined) {
      outcome = { order: [], status: 0, headers: {}, pieces: [], end: undefined };
      this.outcomes.set(id, outcome);
    }
    return outcome;
  }

  body(id: number): Buffer {
    return Buffer.concat(this.outcome(id).pieces);
  }

  /** Ticks until the request has ended. @returns what came, data only once in the order */
  async finish(id: number): Promise<Outcome> {
    await tickUntil(this, () => this.outcome(id).end !== undefined, `request ${id} to end`, LONG_MS);
    return this.outcome(id);
  }

  private note(id: number, what: string): Outcome {
    if (!this.inTick) this.outside.push(`${what} of ${id}`);
    const outcome = this.outcome(id);
    assert.equal(outcome.end, undefined, `${what} after the end`);
    if (outcome.order.at(-1) !== what) outcome.order.push(what);
    return outcome;
  }
}

/** A client for one test, checked after it. */
export function newHttpClient(t: TestContext, options: DeliveryLimits = {}): RecordingHttpClient {
  const client = new RecordingHttpClient(options);
  t.after(() => assert.deepEqual(client.outside, [], "callbacks outside of tick"));
  return client;
}

/** Such a client, and the id of its first request. */
export function requested(t: TestContext, ...request: Parameters<HttpClient["request"]>) {
  const client = newHttpClient(t);
  return { client, id: client.request(...request) };
}

/** The same when the request has ended, with what came. */
export async function finished(t: TestContext, ...request: Parameters<HttpClient["request"]>) {
  const { client, id } = requested(t, ...request);
  return { client, id, ...(await client.finish(id)) };
}

/** A server of Node. @returns its address */
export async function serve(
  t: TestContext,
  listener: (...exchange: Parameters<RequestListener>) => unknown,
): Promise<string> {
  return `http://127.0.0.1:${await listening(t, createServer(listener))}`;
}

/** A server that answers each connection with these bytes. */
export async function serveRaw(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = createNetServer((socket) => socket.once("data", () => answer(socket)));
  return `http://127.0.0.1:${await listening(t, server)}`;
}
