import assert from "node:assert/strict";
import { within } from "../support/waiting.ts";
import type { Client } from "./computer.ts";

/** Bytes of a message. */
const PIECE = 65_536;
/** Messages that no buffers of the system can hold. */
export const COUNT = 1_024;
/** What the system's own buffers and a small queue can hold of 64 MiB at the very most. */
const HELD = 48 << 20;

/** Sends numbered messages of 64 KiB at full speed. */
export function flood({ socket }: Client, first = 0, count = COUNT): void {
  for (let i = first; i < first + count; i++) {
    const message = Buffer.alloc(PIECE);
    message.writeUInt32BE(i);
    socket.send(message);
  }
}

/** The number of a message of `flood`. */
export function numberOf(message: unknown): number {
  assert.ok(Buffer.isBuffer(message));
  assert.equal(message.length, PIECE);
  return message.readUInt32BE();
}

/** Asserts that a peer has stopped taking what a client sends, well before all of it. */
export async function heldBack(client: Client): Promise<void> {
  const left = await within(client.stalled(), "the client to be held back", 20_000);
  assert.ok(left > COUNT * PIECE - HELD, `${left} bytes are left of ${COUNT * PIECE}`);
}
