// One connection of the suite: bytes out, and everything that comes back is held to the rules for servers.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { closeOf, FrameReader, type Received } from "../support/frame-reader.ts";
import { CLOSE, closePayload, frame, OPCODE_NAMES } from "../support/frames.ts";
import type { RawClient } from "../support/raw-client.ts";
import { turns } from "../support/waiting.ts";
import type { Agreed, Response } from "../support/web-socket-handshake.ts";

const PATIENCE_MS = 3_000;

/** What a connection is to send back: an opcode and a payload. */
export type Expected = readonly [opcode: number, payload: string | Uint8Array];

export class Connection {
  readonly raw: RawClient;
  response: Response | undefined;
  agreed: Agreed | null = null;
  private reader = new FrameReader();

  constructor(raw: RawClient) {
    this.raw = raw;
  }

  /** From here on a WebSocket. */
  opened(agreed: Agreed | null): void {
    this.agreed = agreed;
    this.reader = new FrameReader(agreed);
  }

  /** Everything in one write. */
  send(...parts: readonly Uint8Array[]): this {
    this.raw.send(Buffer.concat(parts));
    return this;
  }

  /** Each piece in a write of its own, with a turn of the loop in between, so that they are read one by one. */
  async sendApart(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      if (this.raw.isOver) return;
      this.raw.send(piece);
      await turns(3);
    }
  }

  /** The head of an HTTP response whose content has come, too. */
  async wholeResponse(): Promise<string> {
    return (await this.raw.answer("GET", PATIENCE_MS)).head;
  }

  /** The head of an HTTP response; undefined when the server has closed without one. */
  responseHead(): Promise<string | undefined> {
    return this.raw.head(PATIENCE_MS);
  }

  /** The next message or control frame; undefined at the end of the stream. */
  async next(): Promise<Received | undefined> {
    let found: Received | undefined;
    const look = (): boolean => {
      this.reader.push(this.raw.takeRest());
      found = this.reader.next();
      return found !== undefined || this.raw.isOver;
    };
    await this.raw.until(look, "a message", PATIENCE_MS);
    if (found === undefined) assert.ok(!this.reader.isMidway, "the stream ends inside a message");
    return found;
  }

  /** The next that comes is this. */
  async expect(...all: readonly Expected[]): Promise<void> {
    for (const [opcode, payload] of all) {
      const received = await this.next();
      const text = Buffer.from(payload);
      const what = `${OPCODE_NAMES[opcode]} of ${text.length} bytes`;
      assert.ok(received !== undefined, `closed instead of ${what}`);
      const got = `${OPCODE_NAMES[received.opcode]} ${abridged(received.payload)}`;
      assert.equal(received.opcode, opcode, `${what} was due, not ${got}`);
      assert.ok(received.payload.equals(text), `${abridged(text)} was due, not ${got}`);
    }
  }

  /** Sends a message, which comes back. */
  async echo(opcode: number, payload: string | Uint8Array): Promise<void> {
    this.send(frame(opcode, payload));
    await this.expect([opcode, payload]);
  }

  /** The close handshake of a connection that is in order: nothing else comes before its answer. */
  async finish(): Promise<void> {
    this.send(frame(CLOSE, closePayload(1000)));
    await this.closes(1000);
  }

  /**
   * A close frame with this code comes next, and the server ends the stream; nothing comes in between or after.
   * @param code several: any of these; undefined among them: a close frame without a code
   */
  async closes(code: number | readonly (number | undefined)[]): Promise<number | undefined> {
    const given = await this.closeFrame(code);
    await this.over();
    return given;
  }

  /** Like `closes`, and the close frame is answered, as §5.5.1 demands of a client that has not sent one. */
  async fails(code: number | readonly number[]): Promise<void> {
    await this.closeFrame(code);
    if (!this.raw.isOver) this.send(frame(CLOSE));
    await this.over();
  }

  private async closeFrame(code: number | readonly (number | undefined)[]): Promise<number | undefined> {
    const received = await this.next();
    assert.ok(received !== undefined, `closed without a close frame; ${code} was due`);
    const got = `${OPCODE_NAMES[received.opcode]} ${abridged(received.payload)}`;
    assert.equal(received.opcode, CLOSE, `a close frame with ${code} was due, not ${got}`);
    const close = closeOf(received.payload);
    const given = close.code === 1005 ? undefined : close.code;
    const allowed: readonly (number | undefined)[] = typeof code === "number" ? [code] : code;
    assert.ok(allowed.includes(given), `closed with ${given} (${close.reason}), not ${code}`);
    return given;
  }

  /** The server ends the stream without a word more, and the connection is gone soon after. */
  async over(): Promise<void> {
    const more = await this.next();
    assert.equal(more, undefined, `${OPCODE_NAMES[more?.opcode ?? 0]} after the close frame`);
    this.raw.end();
    await this.raw.until(() => this.raw.closed, "the connection to be gone", PATIENCE_MS);
  }

  /** What is here already. */
  get arrived(): number {
    return this.raw.rest.length;
  }
}

function abridged(payload: Buffer): string {
  const start = payload.toString("hex", 0, 24);
  return payload.length > 24 ? `${start}... (${payload.length} bytes)` : start;
}
