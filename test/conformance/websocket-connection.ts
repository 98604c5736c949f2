// One connection of the suite: bytes out, and everything that comes back is held to the rules for servers.
import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { within } from "../engine/raw-client.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  frame,
  OPCODE_NAMES,
  PING,
  PONG,
  RSV1,
  TEXT,
} from "./websocket-frames.ts";
import type { Agreed, Response } from "./websocket-handshake-client.ts";
import { ServerWindow } from "./websocket-window.ts";

const PATIENCE_MS = 3_000;

export interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv: number;
  readonly payload: Buffer;
}

/** A message or a control frame. `compressed` is the payload as it was on the wire. */
export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly compressed: Buffer | undefined;
}

/** What a connection is to send back: an opcode and a payload. */
export type Expected = readonly [opcode: number, payload: string | Uint8Array];

export class Connection {
  readonly socket: Socket;
  response: Response | undefined;
  agreed: Agreed | null = null;
  private window: ServerWindow | undefined;
  private bytes: Buffer = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (piece) => {
      this.bytes = Buffer.concat([this.bytes, piece]);
      this.wake();
    });
    const over = (): void => {
      this.ended = true;
      this.wake();
    };
    socket.on("end", over).on("close", over).on("error", over);
  }

  /** From here on a WebSocket. */
  opened(agreed: Agreed | null): void {
    this.agreed = agreed;
    if (agreed !== null) this.window = new ServerWindow(agreed);
  }

  /** Everything in one write. */
  send(...parts: readonly Uint8Array[]): this {
    this.socket.write(Buffer.concat(parts));
    return this;
  }

  /** Each piece in a write of its own, with a turn of the loop in between, so that they are read one by one. */
  async sendApart(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      if (this.ended || this.socket.destroyed) return;
      this.socket.write(piece);
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** The head of an HTTP response; undefined when the server has closed without one. */
  async responseHead(): Promise<string | undefined> {
    const end = (): number => this.bytes.indexOf("\r\n\r\n", 0, "latin1");
    await this.until(() => end() >= 0, "the response");
    if (end() < 0) return undefined;
    const head = this.bytes.toString("latin1", 0, end());
    this.bytes = this.bytes.subarray(end() + 4);
    return head;
  }

  /** The next frame, which keeps the rules for a server's frame; undefined at the end of the stream. */
  async frame(): Promise<Frame | undefined> {
    let found: Frame | undefined;
    const parse = (): boolean => {
      found = this.parse();
      return found !== undefined;
    };
    await this.until(parse, "a frame");
    if (found === undefined) assert.equal(this.bytes.length, 0, "the stream ends inside a frame");
    return found;
  }

  /** The next message or control frame; undefined at the end of the stream. */
  async next(): Promise<Received | undefined> {
    const first = await this.frame();
    if (first === undefined || first.opcode >= CLOSE) return first && { ...first, compressed: undefined };
    assert.notEqual(first.opcode, CONTINUATION, "a continuation without a message");
    const pieces = [first.payload];
    for (let last = first; !last.fin; ) {
      const more = await this.frame();
      assert.equal(more?.opcode, CONTINUATION, "the rest of a fragmented message");
      assert.equal(more?.rsv, 0, "RFC 7692 §6.1: RSV1 is for the first fragment");
      pieces.push(more!.payload);
      last = more!;
    }
    const wire = Buffer.concat(pieces);
    const packed = first.rsv === RSV1;
    const payload = packed ? this.window!.inflate(wire) : wire;
    if (first.opcode === TEXT) assert.ok(isUtf8(payload), "text from the server is not UTF-8");
    return { opcode: first.opcode, payload, compressed: packed ? wire : undefined };
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
    if (!this.ended) this.send(frame(CLOSE));
    await this.over();
  }

  private async closeFrame(code: number | readonly (number | undefined)[]): Promise<number | undefined> {
    const received = await this.next();
    assert.ok(received !== undefined, `closed without a close frame; ${code} was due`);
    const got = `${OPCODE_NAMES[received.opcode]} ${abridged(received.payload)}`;
    assert.equal(received.opcode, CLOSE, `a close frame with ${code} was due, not ${got}`);
    const { payload } = received;
    assert.notEqual(payload.length, 1, "a close frame with one byte");
    const given = payload.length === 0 ? undefined : payload.readUInt16BE(0);
    const reason = payload.toString("utf8", 2);
    const allowed: readonly (number | undefined)[] = typeof code === "number" ? [code] : code;
    assert.ok(allowed.includes(given), `closed with ${given} (${reason}), not ${code}`);
    assert.ok(isUtf8(payload.subarray(2)), "§5.5.1: the reason is not UTF-8");
    return given;
  }

  /** The server ends the stream without a word more, and the connection is gone soon after. */
  async over(): Promise<void> {
    const more = await this.frame();
    assert.equal(more, undefined, `${OPCODE_NAMES[more?.opcode ?? 0]} after the close frame`);
    this.socket.end();
    if (!this.socket.closed)
      await within(once(this.socket, "close"), "the connection to be gone", PATIENCE_MS);
  }

  /** What is here already. */
  get arrived(): number {
    return this.bytes.length;
  }

  private async until(condition: () => boolean, what: string): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!condition() && !this.ended) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    };
    await within(wait(), what, PATIENCE_MS);
  }

  private parse(): Frame | undefined {
    const { bytes } = this;
    if (bytes.length < 2) return undefined;
    const first = bytes[0]!;
    const second = bytes[1]!;
    assert.ok(second < 0x80, "§5.1: a server's frame is masked");
    const size = second === 126 ? 4 : second === 127 ? 10 : 2;
    if (bytes.length < size) return undefined;
    const length =
      size === 2 ? second : size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    assert.ok(size !== 4 || length > 125, "§5.2: the length is not in its shortest form");
    assert.ok(size !== 10 || length > 65_535, "§5.2: the length is not in its shortest form");
    const opcode = first & 15;
    const fin = first >= 0x80;
    const rsv = (first >> 4) & 7;
    assert.ok([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode), `§5.2: opcode ${opcode}`);
    if (opcode >= CLOSE) assert.ok(fin && length < 126, "§5.5: a control frame is long or fragmented");
    const mayCompress = this.agreed !== null && (opcode === TEXT || opcode === BINARY);
    assert.ok(rsv === 0 || (rsv === RSV1 && mayCompress), `§5.2: RSV ${rsv} on ${OPCODE_NAMES[opcode]}`);
    if (bytes.length < size + length) return undefined;
    this.bytes = bytes.subarray(size + length);
    return { opcode, fin, rsv, payload: Buffer.from(bytes.subarray(size, size + length)) };
  }
}

function abridged(payload: Buffer): string {
  const start = payload.toString("hex", 0, 24);
  return payload.length > 24 ? `${start}... (${payload.length} bytes)` : start;
}
