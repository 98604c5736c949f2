import assert from "node:assert/strict";
import { getSystemErrorMap } from "node:util";

/** Lines of a story: what a connection begins with, and how it ends. */
export const ACCEPTED = ["log connection accepted", "connect"];
export const CLOSED = ["log connection closed", "disconnect"];
export const RESET = ["error connection closed on error ECONNRESET", "disconnect"];

/** What a program may do in a callback. */
export interface Reactions {
  connect?: () => void;
  data?: (buf: Buffer, size: number) => void;
  disconnect?: () => void;
  error?: (msg: string, code: number) => void;
  log?: (msg: string) => void;
}

type Entry = { readonly line: string } | { readonly piece: Buffer };

/** The name of a negative error number of the system; the number itself where it has none, and for -1. */
export function errorName(code: number): string {
  if (code === -1) return "-1";
  return getSystemErrorMap().get(code)?.[0] ?? String(code);
}

/**
 * Writes down every callback, and those that come when none may: outside of tick, and of the send or init that
 * failed.
 */
export class Journal {
  /** Callbacks that came when none may. */
  readonly outside: string[] = [];
  /** The buffers of all onData calls. */
  readonly pieces: Buffer[] = [];
  reactions: Reactions = {};
  private entries: Entry[] = [];
  private readonly calls: string[] = [];

  /** Runs a call in which callbacks may come. */
  during<T>(call: string, run: () => T): T {
    this.calls.push(call);
    try {
      return run();
    } finally {
      this.calls.pop();
    }
  }

  /** Runs a call in which callbacks may come only if it fails. */
  duringFailure(call: string, run: () => boolean): boolean {
    const before = this.entries.length;
    const done = this.during(call, run);
    if (done && this.entries.length > before) this.outside.push(`in ${call}, which succeeded`);
    return done;
  }

  connect(): void {
    this.note({ line: "connect" });
    this.reactions.connect?.();
  }

  data(buf: Buffer, size: number): void {
    assert.equal(buf.length, size, "the size is that of the buffer");
    this.pieces.push(buf);
    this.note({ piece: buf });
    this.reactions.data?.(buf, size);
  }

  disconnect(): void {
    this.note({ line: "disconnect" });
    this.reactions.disconnect?.();
  }

  error(msg: string, code: number): void {
    this.note({ line: `error ${msg} ${errorName(code)}` });
    this.reactions.error?.(msg, code);
  }

  log(msg: string): void {
    this.note({ line: `log ${msg}` });
    this.reactions.log?.(msg);
  }

  /** All callbacks in their order, one a line; data that came one after the other as one line. */
  get story(): string[] {
    const story: string[] = [];
    let text: string | undefined;
    for (const entry of this.entries) {
      if ("piece" in entry) {
        text = (text ?? "data ") + entry.piece.toString("latin1");
        continue;
      }
      if (text !== undefined) story.push(text);
      text = undefined;
      story.push(entry.line);
    }
    if (text !== undefined) story.push(text);
    return story;
  }

  /** How often a callback came with this line. */
  count(line: string): number {
    return this.entries.filter((entry) => "line" in entry && entry.line === line).length;
  }

  has(line: string): boolean {
    return this.count(line) > 0;
  }

  /** All callbacks so far. */
  get length(): number {
    return this.entries.length;
  }

  /** How long the data of each onData was. */
  get sizes(): number[] {
    return this.pieces.map((piece) => piece.length);
  }

  /** All data as text. */
  get text(): string {
    return this.bytes.toString("latin1");
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** Forgets what was written down, except for what came when nothing may. */
  clear(): void {
    this.entries = [];
    this.pieces.length = 0;
  }

  /** @throws when a callback came when none may */
  verify(): void {
    assert.deepEqual(this.outside, [], "callbacks outside of tick, and of the send or init that failed");
  }

  private note(entry: Entry): void {
    this.entries.push(entry);
    if (this.calls.length === 0)
      this.outside.push("line" in entry ? entry.line : `data of ${entry.piece.length} B`);
  }
}
