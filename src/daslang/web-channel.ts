import type { WebSocket } from "../exchange/exchange.ts";

/** `opcode` of a text message, and of a binary one (RFC 6455 §5.2). */
const TEXT = 1;
const BINARY = 2;

/**
 * A WebSocket client of a WebServer. It stays the same object across `save` and `restore`. Sending to a client that has
 * disconnected returns false.
 */
export class WebChannel {
  private readonly socket: WebSocket<WebChannel | undefined>;
  private parts: Buffer[] = [];
  private partBytes = 0;

  /** @internal Made by the server. */
  constructor(socket: WebSocket<WebChannel | undefined>) {
    this.socket = socket;
  }

  /** A UUID (RFC 9562). */
  get id(): string {
    return this.socket.id;
  }

  /** @internal Sends a message, or a part of one that the last part completes. */
  send(msg: string | Uint8Array, opcode: number, fin: boolean): boolean {
    if (this.socket.readyState !== "open" || opcode < 0 || opcode > BINARY) return false;
    if (fin && this.parts.length === 0)
      return this.sendWhole(typeof msg === "string" ? msg : Buffer.from(msg), opcode);
    const part = Buffer.from(msg as Uint8Array);
    if (this.partBytes + part.length > MAX_MESSAGE_BYTES) return false;
    this.parts.push(part);
    this.partBytes += part.length;
    if (!fin) return true;
    const whole = Buffer.concat(this.parts);
    this.parts = [];
    this.partBytes = 0;
    return this.sendWhole(whole, opcode);
  }

  /** @internal */
  close(): void {
    this.socket.close();
  }

  private sendWhole(data: string | Buffer, opcode: number): boolean {
    const result = this.socket.send(data, { binary: opcode !== TEXT });
    return result === "sent" || result === "queued";
  }
}

/** What the parts of one message can hold. */
const MAX_MESSAGE_BYTES = 16_777_216;
