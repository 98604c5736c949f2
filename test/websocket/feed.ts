import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import {
  CLOSE,
  FAILED,
  FRAGMENT,
  MESSAGE,
  MessageReader,
  NEED_BYTES,
  PING,
} from "../../src/protocol/websocket/message-reader.ts";

// Without this, fast-check stays far below the lengths that the properties name.
fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });

/** Runs of each property: set PORTICO_FUZZ_RUNS, the CI takes 100000. */
export const RUNS: number = Number(process.env["PORTICO_FUZZ_RUNS"] ?? 5000);

export interface Setting {
  role?: "server" | "client";
  maxMessageBytes?: number;
  /** permessage-deflate, with or without the peer's context. */
  deflate?: "shared" | "context" | undefined;
}

/** Feeds the pieces, each in a buffer that is overwritten after use, and lists the events. */
export function eventsOf(pieces: readonly Uint8Array[], setting: Setting = {}): string[] {
  const { role = "server", maxMessageBytes = 1 << 20, deflate } = setting;
  const inflate =
    deflate === undefined
      ? undefined
      : new MessageInflater({ contextTakeover: deflate === "context", windowBits: 15 });
  const reader = new MessageReader({ role, limits: { maxMessageBytes }, inflate });
  const events: string[] = [];
  const kept: Array<{ data: Buffer; copy: string; at: number }> = [];
  try {
    for (const piece of pieces) {
      // Somewhere in a larger buffer, so that offsets matter.
      const lent = Buffer.alloc(piece.length + 7, 0xee);
      const start = events.length % 5;
      lent.set(piece, start);
      reader.receive(lent, start, start + piece.length);
      for (let signal = reader.next(); signal !== NEED_BYTES; signal = reader.next()) {
        if (signal === FRAGMENT) continue;
        events.push(describeEvent(reader, signal));
        if (signal === FAILED) {
          assert.equal(reader.next(), FAILED, "stays failed");
          assert.equal(reader.heldBytes, 0);
          return events;
        }
        if (signal !== CLOSE && !reader.isBorrowed) {
          kept.push({ data: reader.data, copy: reader.data.toString("latin1"), at: events.length });
        }
      }
      lent.fill(0xdd);
    }
    for (const { data, copy, at } of kept) {
      assert.equal(data.toString("latin1"), copy, `event ${at}: data of its own was touched again`);
    }
    return events;
  } finally {
    inflate?.close();
  }
}

function describeEvent(reader: MessageReader, signal: number): string {
  if (signal === FAILED) return `failed ${reader.error?.code} ${reader.error?.closeCode}`;
  if (signal === CLOSE) return `close ${reader.closeCode} ${reader.closeReason}`;
  const data = reader.data.toString("latin1");
  if (signal === MESSAGE) return `${reader.binary ? "binary" : "text"} ${data}`;
  return `${signal === PING ? "ping" : "pong"} ${data}`;
}

/** Each byte by itself. */
export function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Events of `bytes` at once; asserts that they are the same byte by byte and in random pieces. */
export function read(bytes: Uint8Array, setting: Setting = {}): string[] {
  const whole = eventsOf([bytes], setting);
  assert.deepEqual(eventsOf(singleBytes(bytes), setting), whole, "byte by byte");
  fc.assert(
    fc.property(cutsArbitrary(bytes.length), (cuts) => {
      assert.deepEqual(eventsOf(cut(bytes, cuts), setting), whole);
    }),
    { numRuns: 20 },
  );
  return whole;
}

/** An input, and the events that it is read as. */
export type Row = readonly [bytes: Uint8Array, events: string | readonly string[], setting?: Setting];

/** A test that inputs are read as these events. */
export function itReads(name: string, ...rows: readonly Row[]): void {
  it(name, () => {
    for (const [bytes, events, setting] of rows) {
      assert.deepEqual(read(bytes, setting), typeof events === "string" ? [events] : events);
    }
  });
}

export function cutsArbitrary(length: number): fc.Arbitrary<number[]> {
  return fc.array(fc.nat({ max: length }), { maxLength: 6 });
}

export function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const to of [...cuts].sort((a, b) => a - b)) {
    if (to > bytes.length) break;
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  pieces.push(bytes.subarray(from));
  return pieces;
}
